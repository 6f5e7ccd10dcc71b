"""Group the errors of a report where they are alike."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Groups = dict[tuple[int, str], list[int]]
"""Status and reason -> the lines."""


def group_errors(status: npt.NDArray[np.int8], errors: Sequence[str | None]) -> Groups:
    """Return the lines with an error, by status and reason, in the order of the lines."""
    groups: Groups = {}
    for line, (code, error) in enumerate(zip(status.tolist(), errors, strict=True)):
        if error is not None:
            groups.setdefault((code, _strip_details(error)), []).append(line)
    return groups


def _strip_details(error: str) -> str:
    """Return an error without the parts that differ from row to row."""
    reason = error.partition(", got ")[0]
    # A regular expression takes ten times as long as the search for its beginning.
    if "/logs/" in reason:
        reason = re.sub(r"/logs/[^/ ]+/", "/logs/.../", reason)
    if "as row " in reason:
        reason = re.sub(r"as row .*, which", "as another row, which", reason)
    return reason
