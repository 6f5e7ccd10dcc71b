"""Settle where scorers differ: their answers side by side, each one key away."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any, Final

import pandas as pd

from respan_notebook.errors import OutboxError
from respan_notebook.labelling.disputed import Disputed
from respan_notebook.labelling.log_view.escape import visible
from respan_notebook.labelling.outbox.label import Label
from respan_notebook.labelling.session import Session
from respan_notebook.labelling.widgets.annotator import Annotator
from respan_notebook.labelling.widgets.controls import free_digits
from respan_notebook.wording import render_count

_WRITTEN: Final = ("text", "comment", "json")
"""Types whose answers are shown whole; the others as their editors say them."""

_MOST_SENT: Final = 200_000  # Characters of all answers to a log.
_LONGEST: Final = 2_000  # Characters that are shown of what is longer.
_MOST_REASONS: Final = 10  # Of an answer.


class Adjudicator(Annotator):
    """Settle scores one log after the other; made by ``scores.respan.adjudicate(...)``.

    Displayed as the last expression of a cell. The answers of the scorers stand above the editors,
    and ``1`` ``2`` ``3`` take them; any other value is entered as in an annotator, and so is the
    cause of the difference. What is settled is stored on disk at once, is there again when the cell
    is run again, and is not sent to Respan: :attr:`gold` is what came of it.

    All else is as in :class:`Annotator`; of :attr:`progress`, ``queued`` counts what is stored.
    """

    _task, _done = "settle", "settled"

    def __init__(
        self, session: Session, disputed: Disputed, *, names: bool = False, advance: bool = False
    ) -> None:
        self._disputed, self._shows_names = disputed, names
        self._last_labels: list[Label] = []
        super().__init__(session, advance=advance, answers=self._answers_json)
        self.setup = {
            **self.setup,
            "evaluators": [
                {**one, "control": free_digits(one["control"])} for one in self.setup["evaluators"]
            ],
        }

    def _answers_json(self, log_id: str) -> list[dict[str, Any]]:
        """Return what the browser needs of the answers to a log; a very long one is cut."""
        is_written = self._disputed.evaluator.score_value_type in _WRITTEN
        left, found = _MOST_SENT, []
        for one in self._disputed.answers(log_id):
            text = str(one.value) if is_written else ""
            size = len(json.dumps(one.value)) + len(text)
            is_whole = size <= left
            left -= size if is_whole else 0
            names = ", ".join(one.scorers)[:_LONGEST] if self._shows_names else ""
            reasons = [visible(reason[:_LONGEST]) for reason in one.reasons[:_MOST_REASONS]]
            more = len(one.reasons) - len(reasons)
            found.append(
                {
                    "value": one.value if is_whole else None,
                    "text": visible(text if is_whole else f"{str(one.value)[:_LONGEST]}…"),
                    "who": visible(names) or render_count(len(one.scorers), "scorer"),
                    "reasons": [*reasons, *([f"and {more} more"] if more else [])],
                }
            )
        return found

    @property
    def gold(self) -> pd.DataFrame:
        """One value per log of the scores, also of those that nobody differs on.

        Columns, all object: ``log_id``, ``evaluator_slug``, ``value`` (None where unresolved),
        ``source`` ("adjudicated", "unanimous" or "unresolved"), ``cause`` ("ambiguous",
        "guide unclear", "mistake", "other"; None where none was picked, which :attr:`progress`
        counts as partly) and ``explanation`` (of value and cause); RangeIndex, in the order of the
        scores. What was settled stays so, also when scores are changed later, unless its evaluator
        does not take the value any more.

        ``push_scores`` takes this frame: ``{"gold": "value"}`` pushes it to an evaluator ``gold``,
        and a client with another key pushes it under that key's name; with your own key and the
        same evaluator it replaces your own scores. The cause stays here. A gold score that was
        pushed stays in Respan when its log becomes unresolved again.
        """
        with self._session.lock:
            is_closed = self._session.is_closed
            return self._disputed.gold(self._last_labels if is_closed else self._session.labels)

    def close(self) -> None:
        """Close the widget; what was settled stays on disk, and :attr:`gold` as it is now."""
        if not (sys.is_finalizing() or self._session.is_closed):
            with contextlib.suppress(OutboxError):
                self._last_labels = self._session.labels
        super().close()
