"""Resume a push: take over the scores that had arrived by an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.frames.arrow import as_pandas, is_arrow_frame
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.push.origin import Origin
from respan_notebook.push.outcomes import ARRIVED, NOT_SENT, STATUSES, Arrived, Outcomes
from respan_notebook.push.plan import Lines
from respan_notebook.push.report import PushReport
from respan_notebook.push.saved import FACTS, decode_origin, find_facts
from respan_notebook.push.text_cells import decode_cell
from respan_notebook.push.text_table import read_table
from respan_notebook.values.cells import is_missing
from respan_notebook.wording import render_names, render_value

_ARRIVED: Final = frozenset(STATUSES[status] for status in ARRIVED)
_NEEDED: Final = frozenset({"log_id", "evaluator", "status"})
_TRUTH: Final = {"true": True, "false": False}
_NO_DIGESTS: Final = (
    "the earlier report has no digests, which say what had arrived, so all scores were sent again"
)
_NO_ORIGIN: Final = (
    "the earlier report does not say to which server and with which key it was sent, so these "
    "could not be compared"
)


@dataclass(frozen=True)
class Earlier:
    """Hold the scores that had arrived by an earlier push.

    Attributes
    ----------
    arrived : mapping of str to Arrived
        By the digest of what had been sent.
    origin : Origin or None
        Where they had arrived; None when that is not known.
    warnings : list of str
        Reasons why less is known of the earlier push than should be.
    """

    arrived: Mapping[str, Arrived] = field(default_factory=dict)
    origin: Origin | None = None
    warnings: list[str] = field(default_factory=list)


def read_earlier(resume: Any) -> Earlier:
    """Read an earlier report: the report itself, its file, or its frame, of any library.

    Raises
    ------
    ConfigurationError
        It is nothing of these, or a file of another kind.
    FrameError
        It has no line statuses.
    """
    if resume is None:
        return Earlier()
    if isinstance(resume, PushReport):
        return Earlier(_read_arrived(resume.frame), resume.origin)
    if isinstance(resume, pd.DataFrame) or is_arrow_frame(resume):
        frame = as_pandas(resume)
        return _read_frame(frame, "the frame", says_origin=has_column(frame, FACTS))
    if isinstance(resume, str | Path):
        table = pd.DataFrame(read_table(Path(resume)), dtype=object)
        return _read_frame(table, str(resume), says_origin=True)
    raise ConfigurationError(
        "resume takes the report of an earlier push, the path of its file, or its frame, not "
        f"{render_value(resume)}"
    )


def mark_resumed(plan: Lines, outcomes: Outcomes, earlier: Earlier) -> None:
    """Mark the scores that had arrived just as they are to be sent, so that they are not sent."""
    if not earlier.arrived:
        return
    for i in outcomes.having(NOT_SENT).tolist():
        arrived = earlier.arrived.get(plan.digest(i) or "")
        if arrived is not None:
            outcomes.take_over(i, arrived)


def _read_frame(frame: pd.DataFrame, name: str, *, says_origin: bool) -> Earlier:
    """Read a frame; ``says_origin`` when its server and key should be known."""
    if not _NEEDED.issubset(frame.columns):
        raise FrameError(
            f"resume takes an earlier report, its file or its frame, with {sorted(_NEEDED)}; "
            f"the columns of {name!r} are {render_names(frame.columns)}"
        )
    if not has_column(frame, "digest"):
        return Earlier(warnings=[_NO_DIGESTS] if frame["status"].isin(_ARRIVED).any() else [])
    arrived = _read_arrived(frame)
    facts = find_facts(find_column(frame, FACTS), name) if has_column(frame, FACTS) else None
    is_unknown = says_origin and facts is None and bool(arrived)
    origin = None if facts is None else decode_origin(facts)
    return Earlier(arrived, origin, [_NO_ORIGIN] * is_unknown)


def _read_arrived(frame: pd.DataFrame) -> dict[str, Arrived]:
    """Return the scores that had arrived by their digests; parts that are no text may be gone."""
    columns = [
        find_column(frame, name).tolist() if has_column(frame, name) else [None] * len(frame)
        for name in ("digest", "status", "http_status", "is_passed", "score_id")
    ]
    return {
        digest: Arrived(_read_http_status(code), _TRUTH.get(f"{passed}".lower()), _read_id(score))
        for digest, status, code, passed, score in zip(*columns, strict=True)
        if isinstance(digest, str) and digest and status in _ARRIVED
    }


def _read_http_status(cell: Any) -> int:
    # Text in a file, and a float where pandas read it from a column with gaps.
    return 0 if is_missing(cell) or cell == "" else int(float(cell))


def _read_id(cell: Any) -> str | None:
    # One that a reader took for a number may have lost its zeros.
    return decode_cell(cell) if isinstance(cell, str) else None
