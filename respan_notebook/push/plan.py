"""Plan a push: its scores, validated and encoded, in columns.

Lists and arrays, and no object per score, so that a million scores stay small and quick.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.errors import DuplicateScoreError
from respan_notebook.frames.context import Cells
from respan_notebook.models import Evaluator, Upsert
from respan_notebook.push.options import OnDuplicate
from respan_notebook.push.outcomes import DUPLICATE, INVALID, NOT_SENT, SKIPPED, Outcomes
from respan_notebook.values.cells import RowErrors
from respan_notebook.values.encoding import make_upsert
from respan_notebook.values.types import find_type

_DIGEST: Final = 16  # Bytes.
_canonical_json: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True)
class Lines(ABC):
    """Hold the scores of a push as its report needs them.

    Each row of the frame has ``width`` scores, one after the other: score ``i`` is of row
    ``i // width``.

    Attributes
    ----------
    index : Index
        The frame's index, with a label per row.
    log_ids : list
        One per row: str, or the raw cell when it can't be a log id.
    evaluators : sequence of Evaluator
        The distinct evaluators; in the place of one that was not found, one with its name only.
    codes : int64 array
        One per score: its position in ``evaluators``.
    notes : tuple of str
        Remarks about what travels along.
    """

    index: pd.Index[Any]
    log_ids: list[Any]
    evaluators: Sequence[Evaluator]
    codes: npt.NDArray[np.int64]
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    @abstractmethod
    def width(self) -> int:
        """Scores per row."""

    def __len__(self) -> int:
        return len(self.codes)

    def log_id(self, i: int) -> Any:
        """Return the log id of a score."""
        return self.log_ids[i // self.width]

    def evaluator(self, i: int) -> Evaluator:
        """Return the evaluator of a score."""
        return self.evaluators[int(self.codes[i])]

    def label(self, i: int) -> Any:
        """Return the index label of a score's row, as a Python object and not a numpy scalar."""
        label = self.index[i // self.width]
        if isinstance(label, tuple):
            return tuple(part.item() if isinstance(part, np.generic) else part for part in label)
        return label.item() if isinstance(label, np.generic) else label

    @abstractmethod
    def upsert(self, i: int) -> Upsert:
        """Return the upsert of a score that has a value."""

    def digest(self, i: int) -> str | None:
        """Return the digest of a score's upsert, None when it is not known."""
        return digest_of(self.upsert(i))


@dataclass(frozen=True)
class Plan(Lines):
    """Hold the scores of a push, validated and encoded; raw cells are not in it.

    Attributes
    ----------
    values : list
        One per score: the wire value, None where there is nothing to send.
    context : mapping of str to sequence
        Optional fields of the API, with a value per row.
    width : int
        Scores per row.
    """

    values: list[Any]
    context: Mapping[str, Cells] = field(default_factory=dict)
    width: int = 1

    def upsert(self, i: int) -> Upsert:
        """Return the upsert of a score that has a value."""
        context = {
            name: _encode_time(cells[i // self.width]) for name, cells in self.context.items()
        }
        return make_upsert(self.evaluator(i), self.log_id(i), self.values[i], context)


def digest_of(upsert: Upsert) -> str:
    """Return a digest of log id and body, equal for equal upserts only.

    It begins with a letter, so that nothing that reads CSV takes it for a number.
    """
    text = _canonical_json([upsert.log_id, upsert.body])
    return f"d{hashlib.blake2b(text.encode(), digest_size=_DIGEST).hexdigest()}"


def _encode_time(cell: Any) -> Any:
    if isinstance(cell, np.datetime64):
        return None if np.isnat(cell) else f"{cell.item().isoformat()}Z"
    return cell


def check_plan(
    plan: Plan, errors: Mapping[int, str], row_errors: RowErrors, on_duplicate: OnDuplicate
) -> Outcomes:
    """Return outcomes with ``skipped``, ``invalid`` and ``duplicate`` scores marked.

    The rest is ``not_sent``. ``errors`` has the error of a score's value, ``row_errors`` that of a
    row's log id or context. DuplicateScoreError is raised with ``on_duplicate="error"``.
    """
    outcomes = Outcomes(len(plan))
    if None in plan.values:
        is_missing = np.fromiter((value is None for value in plan.values), bool, len(plan))
        outcomes.status[is_missing] = SKIPPED
    for i, error in errors.items():
        outcomes.refuse(i, INVALID, error)
    for row, error in row_errors.items():
        for i in range(row * plan.width, (row + 1) * plan.width):
            if outcomes.status[i] == NOT_SENT:
                outcomes.refuse(i, INVALID, error)
    _mark_duplicates(plan, outcomes, on_duplicate)
    return outcomes


def _mark_duplicates(plan: Plan, outcomes: Outcomes, on_duplicate: OnDuplicate) -> None:
    ready = outcomes.having(NOT_SENT)
    identities = _identify_scores(plan, ready)
    is_duplicate = identities.duplicated(
        keep="first" if on_duplicate == "first" else "last"
    ).to_numpy()
    if not is_duplicate.any():
        return
    sent = dict(zip(identities[~is_duplicate], ready[~is_duplicate].tolist(), strict=True))
    duplicates = ready[is_duplicate].tolist()
    others = [sent[one] for one in identities[is_duplicate]]
    if on_duplicate == "error":
        i, other = duplicates[0], others[0]
        raise DuplicateScoreError(
            f"{len(duplicates)} rows score a log that another row scores by the same evaluator; "
            f"the first is row {plan.label(i)!r}, which has log {plan.log_id(i)!r} and evaluator "
            f"{plan.evaluator(i).slug_or_id!r} in common with row {plan.label(other)!r}. Drop one "
            'of them, or say which counts with on_duplicate="first" or "last"',
            rows=tuple(map(plan.label, duplicates)),
        )
    for i, other in zip(duplicates, others, strict=True):
        row = plan.label(other)
        outcomes.refuse(i, DUPLICATE, f"same log and evaluator as row {row!r}, which counts")


def _identify_scores(plan: Plan, scores: npt.NDArray[np.int64]) -> pd.Series[int]:
    """Return a number per score, equal for scores of one log by one evaluator."""
    ids = np.empty(len(plan.log_ids), object)
    ids[:] = plan.log_ids
    logs, _ = pd.factorize(ids[scores // plan.width])
    names, _ = pd.factorize(np.array([f"{one.reference}" for one in plan.evaluators], object))
    return pd.Series(logs * len(plan.evaluators) + names[plan.codes[scores]])


def warn_of_shares(plan: Plan) -> list[str]:
    """Return a warning for each percentage (0 to 100) whose values look like shares (0 to 1)."""
    found: dict[int, list[float]] = {
        code: [] for code, one in enumerate(plan.evaluators) if _goes_beyond_one(one)
    }
    if not found:
        return []
    for code, value in zip(plan.codes.tolist(), plan.values, strict=True):
        if value and code in found:
            found[code].append(value)
    return [
        f"all values for {plan.evaluators[code].slug_or_id!r} lie between 0 and 1, and a "
        "percentage goes to 100; multiply the column by 100 if they are shares"
        for code, values in found.items()
        if values and min(values) >= 0 and max(values) <= 1
    ]


def _goes_beyond_one(evaluator: Evaluator) -> bool:
    """Return whether an evaluator is a percentage whose bounds do not end at 1."""
    kind = find_type(evaluator.score_value_type)
    if kind is None or kind.name != "percentage":
        return False
    high = kind.bounds_of(evaluator)[1]
    return high is not None and high > 1
