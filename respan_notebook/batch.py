"""A push before and while it is sent: one line per score, a column per thing known about it.

Everything is kept in columns (lists and arrays), not in an object per line, so that a million
lines stay small and cheap to check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.columns import Cells, RowErrors, unreadable
from respan_notebook.errors import DuplicateScoreError, FrameError, InvalidValueError
from respan_notebook.models import Evaluator, ScoreWrite
from respan_notebook.values import Encoder, target, value_type

STATUSES: Final = (
    "created",
    "updated",
    "unchanged",
    "skipped",
    "duplicate",
    "invalid",
    "failed",
    "not_sent",
)
"""What can become of a line; see :class:`respan_notebook.PushReport`."""
CREATED, UPDATED, UNCHANGED, SKIPPED, DUPLICATE, INVALID, FAILED, NOT_SENT = range(len(STATUSES))

OnDuplicate = Literal["first", "last", "error"]


@dataclass(frozen=True)
class Target:
    """Where the scores of some lines go: an evaluator, or why there is none.

    Attributes
    ----------
    name : str
        As the report shows it.
    encode : Encoder
        Raw value -> wire value; refuses everything when there is no evaluator.
    evaluator : Evaluator or None
        None when none was found.
    """

    name: str
    encode: Encoder
    evaluator: Evaluator | None = None

    @property
    def identity(self) -> str:
        """Equal for two targets whose scores replace each other."""
        return f"{target(self.evaluator)}" if self.evaluator else self.name


@dataclass
class Batch:
    """Scores to be pushed, line by line; checked by :func:`preflight`.

    A row of the frame gives ``width`` lines, one after the other: line ``i`` is about row
    ``i // width``.

    Attributes
    ----------
    index : Index
        The frame's, a label per row.
    log_ids : list
        One per row; str, or as it came when it can't be a log id.
    targets : sequence of Target
        The distinct ones.
    codes : list of int
        One per line, into ``targets``.
    values : list
        One per line: raw before :func:`preflight`; after it what is sent, None where nothing is.
    context : mapping of str to sequence
        Optional fields of the API, a value per row.
    width : int
        Lines per row.
    """

    index: pd.Index[Any]
    log_ids: list[Any]
    targets: Sequence[Target]
    codes: list[int]
    values: list[Any]
    context: Mapping[str, Cells] = field(default_factory=dict)
    width: int = 1

    def __len__(self) -> int:
        return len(self.codes)

    def __getstate__(self) -> dict[str, Any]:
        # Encoders are closures, and have done their work.
        bare = [Target(t.name, _spent, t.evaluator) for t in self.targets]
        return {**self.__dict__, "targets": bare}

    def log_id(self, line: int) -> Any:
        """Return the log id of a line."""
        return self.log_ids[line // self.width]

    def label(self, line: int) -> Any:
        """Return the index label of a line's row, in Python's types."""
        label = self.index[line // self.width]
        if isinstance(label, tuple):
            return tuple(part.item() if isinstance(part, np.generic) else part for part in label)
        return label.item() if isinstance(label, np.generic) else label

    def score(self, line: int) -> ScoreWrite:
        """Return the score that a checked line sends."""
        evaluator = self.targets[self.codes[line]].evaluator
        assert evaluator is not None, "a line without an evaluator is invalid and not sent"
        fields = {value_type(evaluator).field: self.values[line]}
        return ScoreWrite(**target(evaluator), **fields, **self.score_context(line))

    def score_context(self, line: int) -> dict[str, Any]:
        """Return what travels along with the score of a line."""
        fields = {}
        for name, cells in self.context.items():
            cell = cells[line // self.width]
            if isinstance(cell, np.datetime64):
                cell = None if np.isnat(cell) else f"{cell}Z"
            fields[name] = cell
        return fields


def _spent(_raw: Any) -> Any:
    raise TypeError("these lines were checked already")


class Outcomes:
    """What became of each line of a batch, in columns that are written as answers come in.

    Attributes
    ----------
    status : int8 array
        Position in :data:`STATUSES`.
    http_status : int16 array
        0 where there was no answer.
    attempts : int16 array
        Requests sent.
    seconds : float64 array
        From the first attempt to the last answer; NaN where nothing was sent.
    score_ids, is_passed : list
        From the answer; None where there is none.
    errors : dict of int to str
        Line -> why it did not arrive.
    stopped : str
        Why the lines that are left were not sent, empty when all were.
    """

    def __init__(self, size: int) -> None:
        self.status: npt.NDArray[np.int8] = np.full(size, NOT_SENT, np.int8)
        self.http_status: npt.NDArray[np.int16] = np.zeros(size, np.int16)
        self.attempts: npt.NDArray[np.int16] = np.zeros(size, np.int16)
        self.seconds: npt.NDArray[np.float64] = np.full(size, np.nan)
        self.score_ids: list[str | None] = [None] * size
        self.is_passed: list[bool | None] = [None] * size
        self.errors: dict[int, str] = {}
        self.stopped = ""

    def lines(self, *statuses: int) -> npt.NDArray[np.int64]:
        """Return the lines that have one of the statuses, in order."""
        return np.flatnonzero(np.isin(self.status, statuses))


def preflight(batch: Batch, row_errors: RowErrors, on_duplicate: OnDuplicate) -> Outcomes:
    """Check every line and turn raw values into what is sent, in place.

    Parameters
    ----------
    batch : Batch
        With raw values.
    row_errors : dict of int to str
        What is wrong with a row whatever its values: its log id, or a column that travels along.
    on_duplicate : {"last", "first", "error"}
        Which line is sent when several score the same log by the same evaluator.

    Returns
    -------
    Outcomes
        ``skipped``, ``invalid`` and ``duplicate`` lines are settled; the rest is ``not_sent``.

    Raises
    ------
    DuplicateScoreError
        With ``on_duplicate="error"``.
    """
    outcomes = Outcomes(len(batch))
    encoders = [one.encode for one in batch.targets]
    for line, (code, raw) in enumerate(zip(batch.codes, batch.values, strict=True)):
        try:
            value = encoders[code](raw)
        except InvalidValueError as error:
            batch.values[line], outcomes.errors[line] = None, str(error)
            outcomes.status[line] = INVALID
            continue
        except Exception as error:  # noqa: BLE001 - an odd object in a cell stops no other row.
            batch.values[line], outcomes.errors[line] = None, unreadable(raw, error)
            outcomes.status[line] = INVALID
            continue
        batch.values[line] = value
        if value is None:
            outcomes.status[line] = SKIPPED
    for row, fault in row_errors.items():
        for line in range(row * batch.width, (row + 1) * batch.width):
            if outcomes.status[line] == NOT_SENT:
                outcomes.status[line], outcomes.errors[line] = INVALID, fault
    _settle_duplicates(batch, outcomes, on_duplicate)
    return outcomes


def _settle_duplicates(batch: Batch, outcomes: Outcomes, on_duplicate: OnDuplicate) -> None:
    ready = outcomes.lines(NOT_SENT)
    keys = _score_keys(batch, ready)
    is_duplicate = keys.duplicated(keep="first" if on_duplicate == "first" else "last").to_numpy()
    if not is_duplicate.any():
        return
    sent = dict(zip(keys[~is_duplicate], ready[~is_duplicate].tolist(), strict=True))
    lines = ready[is_duplicate].tolist()
    others = [sent[key] for key in keys[is_duplicate]]
    if on_duplicate == "error":
        line, other = lines[0], others[0]
        raise DuplicateScoreError(
            f"{len(lines)} rows score a log that another row scores by the same evaluator; the "
            f"first is row {batch.label(line)!r}, which has log {batch.log_id(line)!r} and "
            f"evaluator {batch.targets[batch.codes[line]].name!r} in common with row "
            f"{batch.label(other)!r}. Drop one of them, or say which counts with "
            'on_duplicate="first" or "last"',
            rows=tuple(map(batch.label, lines)),
        )
    for line, other in zip(lines, others, strict=True):
        outcomes.status[line] = DUPLICATE
        outcomes.errors[line] = (
            f"same log and evaluator as row {batch.label(other)!r}, which counts"
        )


def _score_keys(batch: Batch, lines: npt.NDArray[np.int64]) -> pd.Series[int]:
    """Return a number per line, equal where a score would replace the other."""
    ids = np.empty(len(batch.log_ids), object)
    ids[:] = batch.log_ids
    logs, _ = pd.factorize(ids[lines // batch.width])
    identities, _ = pd.factorize(np.array([one.identity for one in batch.targets], object))
    codes = np.array(batch.codes, np.int64)[lines]
    return pd.Series(logs * len(batch.targets) + identities[codes])


def column_warnings(batch: Batch) -> list[str]:
    """Warn of shares (0 to 1) in the place of percentages (0 to 100)."""
    warnings = []
    for code, one in enumerate(batch.targets):
        evaluator = one.evaluator
        if evaluator is None or evaluator.score_value_type != "percentage":
            continue
        high = evaluator.bounds[1]
        if high is not None and high <= 1:
            continue
        sent = [v for c, v in zip(batch.codes, batch.values, strict=True) if c == code and v]
        if sent and min(sent) >= 0 and max(sent) <= 1:
            warnings.append(
                f"all values for {one.name!r} lie between 0 and 1, and a percentage goes to "
                "100; multiply the column by 100 if they are shares"
            )
    return warnings


def settle_arrived(batch: Batch, outcomes: Outcomes, earlier: pd.DataFrame) -> None:
    """Take over from an earlier report what had arrived; those lines are not sent again.

    Parameters
    ----------
    batch, outcomes
        After :func:`preflight`.
    earlier : DataFrame
        ``report.frame`` of the earlier push, also after a file: ``log_id``, ``evaluator`` and
        ``status`` count.

    Raises
    ------
    FrameError
        When one of these columns is missing.
    """
    needed = {"log_id", "evaluator", "status"}
    if not needed <= set(earlier.columns):
        raise FrameError(f"resume takes the frame of an earlier report, with {sorted(needed)}")
    arrived = {
        (str(log_id), evaluator): STATUSES.index(status)
        for log_id, evaluator, status in zip(
            earlier["log_id"], earlier["evaluator"], earlier["status"], strict=True
        )
        if status in ("created", "updated", "unchanged")
    }
    for line in outcomes.lines(NOT_SENT).tolist():
        name = batch.targets[batch.codes[line]].name
        outcomes.status[line] = arrived.get((batch.log_id(line), name), NOT_SENT)
