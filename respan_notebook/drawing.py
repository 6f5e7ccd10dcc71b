"""Draw the parts of pictures: rows with intervals, tables of counts, bars of shares.

It is imported when a picture is asked for, and matplotlib with it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from respan_notebook.errors import ConfigurationError
from respan_notebook.wording import make_printable

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap, to_rgb
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import MaxNLocator
except ImportError as error:
    raise ConfigurationError(
        'pictures need matplotlib: pip install "respan-notebook[plots]"'
    ) from error

Row = tuple[str, float, float, float, str]
"""Name, value, lower and upper end (NaN where there is none), and the text at its right."""

LONGEST: Final = 28
"""The most characters of a name."""

_FEW_VALUES: Final = 7
_LONGEST_NOTE: Final = 80
_HATCHES: Final = ("", "//", "", "\\\\", "", "..", "xx", "++", "oo")
_NOT_SHOWN: Final = "\N{WHITE SQUARE}"


@dataclass(frozen=True)
class Theme:
    """Hold the colours of a picture; ``bands`` are from the worst to the best."""

    paper: str
    ink: str
    faint: str
    accent: str
    bands: tuple[str, str, str]


_LIGHT: Final = Theme("#ffffff", "#1f1f1f", "#8a8a8a", "#0b4f9e", ("#e2e2e2", "#f0f0f0", "#ffffff"))
_DARK: Final = Theme("#16181c", "#ececec", "#8d939c", "#8ec5ff", ("#3a3d44", "#282b31", "#16181c"))


class Picture(Figure):
    """Show a figure of matplotlib in a notebook, with a sentence in place of it elsewhere.

    It is a :class:`matplotlib.figure.Figure`: ``picture.savefig("agreement.png")`` keeps it.
    """

    sentence = "Picture"

    def __repr__(self) -> str:
        return self.sentence

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", bbox_inches="tight")
        return buffer.getvalue()


@contextmanager
def drawing(dark: bool) -> Iterator[Theme]:
    """Set how matplotlib draws: names are text and never formulas, and colours fit the paper."""
    theme = _DARK if dark else _LIGHT
    settings: dict[Any, Any] = {
        "text.parse_math": False,
        "text.usetex": False,
        "hatch.linewidth": 0.6,
        "hatch.color": theme.paper,
        "axes.edgecolor": theme.faint,
        "ytick.left": False,
        **{f"axes.spines.{side}": False for side in ("left", "right", "top", "bottom")},
        **dict.fromkeys(("figure.facecolor", "axes.facecolor"), theme.paper),
        **dict.fromkeys(("text.color", "axes.labelcolor"), theme.ink),
        **dict.fromkeys(("xtick.color", "ytick.color"), theme.ink),
    }
    with mpl.rc_context(settings):
        yield theme


def open_picture(width: float, height: float) -> Picture:
    """Return an empty picture; its size is in inches."""
    return Picture(figsize=(width, height), dpi=100, layout="constrained")


def close_picture(picture: Picture, sentence: str) -> Picture:
    """Return the picture as finished, with the sentence that stands for it."""
    picture.draw_without_rendering()  # Ticks take their colours when they are first drawn.
    picture.sentence = make_printable(sentence)
    return picture


def draw_nothing(sentence: str, dark: bool) -> Picture:
    """Return a picture of the end of a sentence, after its colon."""
    with drawing(dark):
        picture = open_picture(7.5, 1.2)
        picture.text(0.5, 0.5, sentence.partition(": ")[2], ha="center", va="center")
        return close_picture(picture, sentence)


def draw_rows(axes: Axes, rows: Sequence[Row], theme: Theme) -> None:
    """Draw numbers with their intervals, a row each; one that is NaN is its text alone."""
    label_rows(axes, [name for name, *_ in rows])
    style: dict[str, Any] = {
        "transform": axes.get_yaxis_transform(), "va": "center", "fontsize": "small"
    }  # fmt: skip
    for place, (_, value, low, high, said) in enumerate(rows):
        if value != value:
            axes.text(0.02, place, drawable(said, _LONGEST_NOTE), style="italic", **style)
            continue
        if low == low:
            axes.plot([low, high], [place, place], color=theme.accent, linewidth=3, alpha=0.75)
            axes.plot([low, high], [place, place], "|", color=theme.accent, markersize=9)
        mark = "o" if low == low else "D"
        axes.plot(value, place, mark, color=theme.ink, markersize=6, clip_on=False)
        axes.text(1.02, place, drawable(said, _LONGEST_NOTE), **style)
    axes.grid(axis="x", color=theme.faint, alpha=0.25)
    axes.set_axisbelow(True)


def draw_counts(axes: Axes, counts: pd.DataFrame, theme: Theme, title: str) -> None:
    """Draw a confusion table; the cells of equal values have a frame."""
    numbers = counts.to_numpy()
    shades = LinearSegmentedColormap.from_list("shades", [theme.paper, theme.accent])
    most = max(int(numbers.max(initial=0)), 1)
    axes.imshow(numbers, cmap=shades, vmin=0, vmax=most, aspect="equal")
    places = range(len(counts))
    for i in places:
        equal = Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, edgecolor=theme.ink, linewidth=1)
        axes.add_patch(equal)
        for j in places:
            colour = _on(shades(numbers[i, j] / most))
            said = f"{numbers[i, j]:,}"
            size = "medium" if len(counts) <= _FEW_VALUES else "xx-small"
            axes.text(j, i, said, ha="center", va="center", color=colour, fontsize=size)
    rows, columns = (
        [drawable(str(one), 14) for one in axis] for axis in (counts.index, counts.columns)
    )
    turned = 45 if max(map(len, columns), default=0) > 6 else 0
    axes.set_xticks(places, columns, rotation=turned, ha="right" if turned else "center")
    axes.set_yticks(places, rows)
    axes.tick_params(length=0)
    axes.set_anchor("N")
    axes.set_xlabel(drawable(str(counts.columns.name), LONGEST))
    axes.set_ylabel(drawable(str(counts.index.name), LONGEST))
    axes.set_title(drawable(title, 44), fontsize="medium")


def draw_statuses(
    axes: Axes, counts: pd.DataFrame, colours: Mapping[str, str], theme: Theme
) -> None:
    """Draw numbers by status, a bar per row of the frame; hatches tell them apart in grey."""
    label_rows(axes, [str(name) for name in counts.index])
    starts = np.zeros(len(counts))
    for status, hatch in zip(colours, _HATCHES, strict=False):
        if status not in counts or not counts[status].any():
            continue
        widths = counts[status].to_numpy()
        bars = axes.barh(
            range(len(counts)), widths, 0.7, starts, label=status, color=colours[status],
            hatch=hatch, edgecolor=theme.paper, linewidth=0.6,
        )  # fmt: skip
        most = counts.to_numpy().sum(axis=1).max()
        counted = [f"{width:,}" if width > 0.06 * most else "" for width in widths]
        box = {"facecolor": theme.paper, "edgecolor": "none", "pad": 1.0}
        for text in axes.bar_label(bars, counted, label_type="center", fontsize="small"):
            text.set_bbox(box if text.get_text() else None)
        starts += widths
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False, fontsize="small")


def draw_shares(axes: Axes, row: int, counts: Mapping[str, int], theme: Theme) -> None:
    """Draw the values of an evaluator as one bar, from the first one (light) to the last."""
    total = sum(counts.values())
    if not total:
        axes.text(0.01, row, "no values to count", va="center", color=theme.faint, fontsize="small")
        return
    shades = LinearSegmentedColormap.from_list("shares", [theme.bands[0], theme.accent])
    start = 0.0
    for i, (value, count) in enumerate(counts.items()):
        share = count / total
        colour = shades(i / max(len(counts) - 1, 1))
        axes.barh(row, share, left=start, height=0.7, color=colour, edgecolor=theme.paper)
        room = int(share * 60)  # Characters.
        if room >= min(len(value), 4):
            said = drawable(value, max(room, 2))
            axes.text(
                start + share / 2, row, said, ha="center", va="center", color=_on(colour),
                fontsize="small", clip_on=True,
            )  # fmt: skip
        start += share


def label_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of a picture, the first on top."""
    axes.set_yticks(range(len(names)), [drawable(name, LONGEST) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)


def _on(colour: Any) -> str:
    """Return black or white, whichever is read better on a colour."""
    return "#000000" if np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) > 0.5 else "#ffffff"


def drawable(text: str, longest: int) -> str:
    """Return text that the fonts can draw, and that is not longer than this."""
    fonts = [
        get_font(findfont(FontProperties(family=[name]))) for name in mpl.rcParams["font.family"]
    ]
    text = "".join(
        one if any(font.get_char_index(ord(one)) for font in fonts) else _NOT_SHOWN
        for one in make_printable(text)
    )
    return text if len(text) <= longest else text[: longest - 1] + "…"
