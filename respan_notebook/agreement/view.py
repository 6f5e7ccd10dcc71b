"""Render agreement as text and as HTML: a sentence, a table with intervals, remarks."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from respan_notebook.agreement.intervals import describe_dominance
from respan_notebook.agreement.matrix import ScoreMatrix
from respan_notebook.wording import make_printable, render_count

_FEW_NAMES: Final = 4  # The most evaluators that the sentence names.
_DIGITS: Final = {"percent": 1, "kappa": 2, "alpha": 2}


@dataclass(frozen=True, eq=False)
class AgreementView:
    """Hold what is shown of an ``Agreement``: its matrices, table, intervals and warnings."""

    matrices: Mapping[str, ScoreMatrix]
    table: pd.DataFrame
    intervals: pd.DataFrame
    warnings: Sequence[str]

    def render_text(self) -> str:
        """Render the sentence, the table and the remarks as text."""
        lines = self._cells().to_string().splitlines() if len(self.table) else []
        return "\n  ".join([f"Agreement {self._sentence()}", *lines, *self._remarks()])

    def render_html(self) -> str:
        """Render the same as HTML; what a frame says is escaped."""
        table = self._cells().to_html(escape=True) if len(self.table) else ""
        remarks = "".join(f"<div>{html.escape(remark)}</div>" for remark in self._remarks())
        return f"<div><b>Agreement {html.escape(self._sentence())}</b>{table}{remarks}</div>"

    def _sentence(self) -> str:
        scorers = {name for one in self.matrices.values() for name in one.scorers}
        title = f"of {render_count(len(scorers), 'scorer')} by "
        title += render_count(len(self.table), "evaluator")
        by_verdict: dict[str, list[str]] = {}
        for name, verdict in zip(self.matrices, self.intervals["verdict"].tolist(), strict=True):
            by_verdict.setdefault(verdict, []).append(name)
        verdicts = [f"{verdict} for {_list_some(names)}" for verdict, names in by_verdict.items()]
        return f"{title}: {'; '.join(verdicts)}" if verdicts else title

    def _cells(self) -> pd.DataFrame:
        frame = self.table[["level", "logs", "scorers"]].rename_axis(index=None)
        for name, digits in _DIGITS.items():
            ends = (self.intervals[f"{name}_{end}"] for end in ("low", "high"))
            columns = [numbers.tolist() for numbers in (self.table[name], *ends)]
            frame[name] = [_show_interval(row, digits) for row in zip(*columns, strict=True)]
        return frame.assign(verdict=self.intervals["verdict"])

    def _remarks(self) -> list[str]:
        notes = zip(self.matrices.items(), self.table["notes"].tolist(), strict=True)
        remarks = [
            f"{name}: {note}"
            for (name, matrix), missing in notes
            for note in (missing, describe_dominance(matrix))
            if note
        ]
        return remarks + [f"warning: {warning}" for warning in self.warnings]


def _list_some(names: Sequence[str]) -> str:
    """Return names, and how many they are instead where they are many."""
    if len(names) > _FEW_NAMES:
        return render_count(len(names), "evaluator")
    return ", ".join(map(make_printable, names))


def _show_interval(row: Sequence[float], digits: int) -> str:
    number, low, high = row
    if number != number:
        return "-"
    shown = f"{number:z.{digits}f}"
    return shown if low != low else f"{shown} [{low:z.{digits}f} to {high:z.{digits}f}]"
