"""Draw pictures of agreement, of the check of a judge, and of a report.

The pictures are of plain numbers, so that this module lies below all that use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from respan_notebook.drawing import Picture, Row

BANDS: Final = (0.667, 0.8)
"""Krippendorff's bounds: below the first nothing is concluded, from the second on all is."""

MOST_ROWS: Final = 40
MOST_VALUES: Final = 15
"""The most rows of a picture, and the most values of a heat map."""

_BAND_NAMES: Final = ("too low", "tentative", "reliable")
_Show = Callable[[float], str]


@dataclass(frozen=True)
class Measured:
    """Hold a number with its 95% interval, under its name.

    Attributes
    ----------
    value : float
        NaN where it is undefined.
    interval : (float, float)
        Of NaN where there is none.
    note : str
        What is said beside it, and instead of it where it is undefined.
    """

    name: str
    value: float
    interval: tuple[float, float]
    note: str = ""


def draw_agreement(
    rows: Sequence[Measured],
    confusion: pd.DataFrame | None,
    *,
    coefficient: str,
    remark: str = "",
    dark: bool = False,
) -> Picture:
    """Draw a coefficient by evaluator over Krippendorff's bands, and a confusion table.

    ``remark`` is said above the table, or in its place where there is none.

    Examples
    --------
    >>> draw_agreement([Measured("tone", 0.7, (0.5, 0.9))], None, coefficient="alpha")
    Picture of alpha: tone 0.70 [0.50 to 0.90]
    """
    import respan_notebook.drawing as parts

    shown = rows[:MOST_ROWS]
    if not shown:
        return parts.draw_nothing(f"Picture of {coefficient}: there are no scores", dark)
    with parts.drawing(dark) as theme:
        height = 1.5 + 0.36 * len(shown)
        side = confusion is not None
        picture = parts.open_picture(10.5 if side else 7.5, max(height, 3.6 if side else 2.4))
        left, *rest = picture.subplots(1, 1 + side, squeeze=False)[0]
        ends = [end for row in shown for end in (row.value, *row.interval) if end == end]
        low = max(-1.0, np.floor(10 * min([0.0, *ends])) / 10)
        edges = (low, *BANDS, 1.0)
        places = ((low + BANDS[0]) / 2, BANDS[1] - 0.005, BANDS[1] + 0.01)
        for i, name in enumerate(_BAND_NAMES):
            left.axvspan(edges[i], edges[i + 1], color=theme.bands[i], zorder=0, linewidth=0)
            side_of = ("center", "right", "left")[i]
            above = left.get_xaxis_transform()
            left.text(places[i], 1.01, name, transform=above, ha=side_of, fontsize="small")
        for bound in BANDS:
            left.axvline(bound, color=theme.faint, linewidth=0.8, linestyle=":", zorder=1)
        parts.draw_rows(left, _rows(shown, _show_plain), theme)
        left.set_xlim(low, 1.0)
        left.set_xlabel(_say_more(f"{coefficient}, with 95% intervals", rows))
        if confusion is not None:
            parts.draw_counts(rest[0], confusion, theme, remark)
        elif remark:
            picture.supxlabel(parts.drawable(remark, 110), fontsize="small", color=theme.faint)
        said = "; ".join(_say_row(row, _show_plain) for row in shown)
        return parts.close_picture(picture, f"Picture of {coefficient}: {said}")


def draw_judge(
    rates: Sequence[Measured],
    skills: Sequence[Measured],
    confusion: pd.DataFrame | None,
    *,
    dark: bool = False,
) -> Picture:
    """Draw what a judge claims and what labels make of it; and its skills and errors, if known.

    With a confusion table ``rates`` and ``skills`` are shares, 0 to 1; without one they are
    numbers of any scale.

    Examples
    --------
    >>> draw_judge([Measured("judge says", 0.9, (float("nan"),) * 2),
    ...             Measured("corrected", 0.8, (0.7, 0.9))], [], None)
    Picture of a judge: judge says 0.9; corrected 0.8 [0.7 to 0.9]
    """
    import respan_notebook.drawing as parts

    show = _show_number if confusion is None else _show_percent
    rows = [*rates, *skills]
    with parts.drawing(dark) as theme:
        side = confusion is not None
        picture = parts.open_picture(10.5 if side else 7.5, 3.6 if side else 2.6)
        left, *rest = picture.subplots(1, 1 + side, squeeze=False)[0]
        parts.draw_rows(left, _rows(rows, show), theme)
        if skills:
            left.axhline(len(rates) - 0.5, color=theme.faint, linewidth=0.8, linestyle=":")
        left.set_xlabel("95% intervals")
        if confusion is not None:
            ticks = np.linspace(0, 1, 6)
            left.set_xlim(0, 1)
            left.set_xticks(ticks, [_show_percent(tick) for tick in ticks])
            parts.draw_counts(rest[0], confusion, theme, "labelled logs")
        said = "; ".join(_say_row(row, show) for row in rows)
        return parts.close_picture(picture, f"Picture of a judge: {said}")


def draw_report(
    statuses: pd.DataFrame,
    values: Mapping[str, Mapping[str, int]],
    *,
    colours: Mapping[str, str],
    dark: bool = False,
) -> Picture:
    """Draw the statuses of scores by evaluator, and the shares of their values.

    ``statuses`` has numbers of scores, a row per evaluator and a column per status, which
    ``colours`` has as well; ``values`` numbers of scores by evaluator and value, in their order.

    Examples
    --------
    >>> counts = pd.DataFrame({"created": [3], "failed": [1]}, index=["tone"])
    >>> draw_report(counts, {"tone": {"warm": 2, "cold": 2}},
    ...             colours={"created": "green", "failed": "red"})
    Picture of a report: tone 3 created, 1 failed
    """
    import respan_notebook.drawing as parts

    shown = statuses.iloc[:MOST_ROWS]
    if shown.empty:
        return parts.draw_nothing("Picture of a report: there are no scores", dark)
    with parts.drawing(dark) as theme:
        picture = parts.open_picture(11, 1.6 + 0.36 * len(shown))
        left, right = picture.subplots(1, 2, sharey=True)
        parts.draw_statuses(left, shown, colours, theme)
        left.set_xlabel(_say_more("scores, by status", statuses))
        for row, name in enumerate(shown.index):
            parts.draw_shares(right, row, values.get(str(name), {}), theme)
        right.set_xlim(0, 1)
        right.set_xticks([])
        right.set_xlabel("share of each value")
        said = "; ".join(
            f"{name} " + ", ".join(f"{n} {status}" for status, n in row.items() if n)
            for name, row in shown.iterrows()
        )
        return parts.close_picture(picture, f"Picture of a report: {said}")


def _say_more(text: str, rows: Any) -> str:
    return text if len(rows) <= MOST_ROWS else f"{text}; the first {MOST_ROWS} of {len(rows)}"


def _rows(rows: Sequence[Measured], show: _Show) -> list[Row]:
    """Return rows as they are drawn, with what is said at their right."""
    return [(row.name, row.value, *row.interval, _say_beside(row, show)) for row in rows]


def _say_beside(row: Measured, show: _Show) -> str:
    if row.value != row.value:
        return f"undefined: {row.note}" if row.note else "undefined"
    said = f"{show(row.value)}{_say_interval(row, show)}"
    return f"{said}  {row.note}" if row.note else said


def _say_row(row: Measured, show: _Show) -> str:
    if row.value != row.value:
        return f"{row.name} undefined" + (f" ({row.note})" if row.note else "")
    return f"{row.name} {show(row.value)}{_say_interval(row, show)}"


def _say_interval(row: Measured, show: _Show) -> str:
    low, high = row.interval
    return "" if low != low else f" [{show(low)} to {show(high)}]"


def _show_plain(number: float) -> str:
    return f"{number:z.2f}"


def _show_percent(number: float) -> str:
    return f"{100 * number:.0f}%"


def _show_number(number: float) -> str:
    return f"{number:,.4g}"
