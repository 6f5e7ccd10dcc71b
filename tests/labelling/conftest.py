"""What the tests of labelling share: an annotator of the sandbox's logs, with an outbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from labels import Open

from respan_notebook import RespanClient
from respan_notebook.labelling.widgets.annotator import Annotator


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite3"


@pytest.fixture
def logs(client: RespanClient) -> pd.DataFrame:
    return client.logs(start_time="2026-01-01", sort_by="timestamp")


@pytest.fixture
def annotate(client: RespanClient, logs: pd.DataFrame, outbox: Path) -> Iterator[Open]:
    """Open annotators: ``annotate(evaluators, frame=..., client=..., outbox=...)``."""
    opened: list[Annotator] = []

    def open_(
        evaluators: Any = "helpfulness", frame: pd.DataFrame | None = None, **options: Any
    ) -> Annotator:
        frame = logs if frame is None else frame
        options = {"client": client, "outbox": outbox, **options}
        opened.append(frame.respan.annotate(evaluators, **options))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()
