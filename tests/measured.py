"""What coverage wrote of the processes that the tests started."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from coverage import CoverageData
from coverage.exceptions import CoverageException


def remove_torn_files(folder: Path) -> list[Path]:
    """Remove from `folder` coverage's files that can't be combined, and say which they were.

    Coverage writes without a journal. A process that is killed while it writes leaves half a file,
    and one such file would end the combining of all.
    """
    torn = []
    for path in sorted(folder.glob(".coverage.*")):
        try:
            CoverageData(no_disk=True).update(CoverageData(str(path)))
        except (CoverageException, sqlite3.Error):
            path.unlink()
            torn.append(path)
    return torn
