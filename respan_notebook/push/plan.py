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

from respan_notebook.frames.context import Cells
from respan_notebook.models import Evaluator, Upsert
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
    scorers : list
        One per row: whose score it is, None for the key's owner; empty without a column for it.
    """

    index: pd.Index[Any]
    log_ids: list[Any]
    evaluators: Sequence[Evaluator]
    codes: npt.NDArray[np.int64]
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    scorers: list[str | None] = field(default_factory=list, kw_only=True)

    @property
    @abstractmethod
    def width(self) -> int:
        """Scores per row."""

    def __len__(self) -> int:
        return len(self.codes)

    def log_id(self, i: int) -> Any:
        """Return the log id of a score."""
        return self.log_ids[i // self.width]

    def scorer(self, i: int) -> str | None:
        """Return whose score it is, None for the key's owner."""
        return self.scorers[i // self.width] if self.scorers else None

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
    as_scorer : bool
        Whether a score that is another scorer's is written under that scorer's name.
    """

    values: list[Any]
    context: Mapping[str, Cells] = field(default_factory=dict)
    width: int = 1
    as_scorer: bool = False

    def upsert(self, i: int) -> Upsert:
        """Return the upsert of a score that has a value."""
        context = {
            name: encode_time(cells[i // self.width]) for name, cells in self.context.items()
        }
        if self.as_scorer:
            context["scorer"] = self.scorer(i)
        return make_upsert(self.evaluator(i), self.log_id(i), self.values[i], context)


def digest_of(upsert: Upsert) -> str:
    """Return a digest of log id and body, equal for equal upserts only.

    It begins with a letter, so that nothing that reads CSV takes it for a number.
    """
    text = _canonical_json([upsert.log_id, upsert.body])
    return f"d{hashlib.blake2b(text.encode(), digest_size=_DIGEST).hexdigest()}"


def encode_time(cell: Any) -> Any:
    """Return a cell that is a time as the API takes it, any other one as it is."""
    if isinstance(cell, np.datetime64):
        return None if np.isnat(cell) else f"{cell.item().isoformat()}Z"
    return cell


def warn_of_shares(plan: Plan) -> list[str]:
    """Return a warning for each percentage (0 to 100) whose values look like shares (0 to 1)."""
    found: dict[int, list[float]] = {
        code: [] for code, one in enumerate(plan.evaluators) if goes_beyond_one(one)
    }
    if not found:
        return []
    for code, value in zip(plan.codes.tolist(), plan.values, strict=True):
        if value and code in found:
            found[code].append(value)
    return [
        render_shares(plan.evaluators[code])
        for code, values in found.items()
        if values and min(values) >= 0 and max(values) <= 1
    ]


def render_shares(evaluator: Evaluator) -> str:
    """Return the warning that the values of a percentage look like shares."""
    return (
        f"all values for {evaluator.slug_or_id!r} lie between 0 and 1, and a percentage goes to "
        "100; multiply the column by 100 if they are shares"
    )


def goes_beyond_one(evaluator: Evaluator) -> bool:
    """Return whether an evaluator is a percentage whose bounds do not end at 1."""
    kind = find_type(evaluator.score_value_type)
    if kind is None or kind.name != "percentage":
        return False
    high = kind.bounds_of(evaluator)[1]
    return high is not None and high > 1
