"""Render the check of a judge as text and as HTML: one sentence, its numbers, remarks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from respan_notebook.plots import Measured


class Checked(Protocol):
    """The numbers of a ``JudgeCheck`` that are shown."""

    claimed: float
    rate: float
    interval: tuple[float, float]
    tnr: float
    people_agree: float
    confusion: pd.DataFrame | None
    method: str
    warnings: list[str]


@dataclass(frozen=True, eq=False)
class JudgeView:
    """Hold what is shown of a check: it, and its numbers with their intervals."""

    check: Checked
    rows: Sequence[Measured]

    def render_text(self) -> str:
        """Render the sentence and the warnings as one line."""
        return "; ".join([self._sentence(), *self._warnings()])

    def render_html(self) -> str:
        """Render the sentence, the numbers, the confusion table and remarks; all is escaped."""
        table = self._cells().to_html(escape=True)
        confusion = self.check.confusion
        counts = "" if confusion is None else confusion.to_html(escape=True)
        remarks = [f"method: {self.check.method}", *self._warnings()]
        lines = "".join(f"<div>{html.escape(one)}</div>" for one in remarks)
        return f"<div><b>{html.escape(self._sentence())}</b>{table}{counts}{lines}</div>"

    def _sentence(self) -> str:
        check = self.check
        low, high = (self._show(end).removesuffix("%") for end in check.interval)
        between = " to " if low.startswith("-") else "-"
        parts = [
            f"judge says {self._show(check.claimed)}",
            f"corrected {self._show(check.rate)} [{low}{between}{high}]",
        ]
        if check.tnr == check.tnr:
            parts.append(f"misses {100 * (1 - check.tnr):.0f}% of the bad answers")
        if check.people_agree == check.people_agree:
            parts.append(f"human-human agreement for comparison {check.people_agree:.2f}")
        return "; ".join(parts)

    def _warnings(self) -> list[str]:
        return [f"warning: {one}" for one in self.check.warnings]

    def _cells(self) -> pd.DataFrame:
        """Return the numbers as text; an undefined one is its reason."""
        values, intervals = [], []
        for row in self.rows:
            low, high = row.interval
            is_defined, is_bounded = row.value == row.value, low == low
            values.append(self._show(row.value) if is_defined else f"undefined: {row.note}")
            intervals.append(f"{self._show(low)} to {self._show(high)}" if is_bounded else "")
        names = [row.name for row in self.rows]
        return pd.DataFrame({"": values, "95% interval": intervals}, index=names)

    def _show(self, number: float) -> str:
        return show_rate(number, is_share=self.check.confusion is not None)


def show_rate(number: float, *, is_share: bool) -> str:
    """Return a share in percent, or a mean as a number.

    Examples
    --------
    >>> show_rate(0.814, is_share=True), show_rate(0.814, is_share=False)
    ('81%', '0.814')
    """
    return f"{100 * number:.0f}%" if is_share else f"{number:.3g}"
