"""Draw the annotator's screen beside the log and the editors: buttons, status, list of keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import ipywidgets as widgets

from respan_notebook.labelling.log_view.escape import escaped
from respan_notebook.labelling.widgets.editor import Editor
from respan_notebook.labelling.widgets.keyboard import HELP


def action_button(text: str, key: str, action: str, act: Callable[[], None]) -> widgets.Button:
    """Build a button for an action; the key layer reads the action from its classes."""
    button = widgets.Button(description=text, tooltip=f"{action} ({key})")
    button.add_class("rn-act")
    button.add_class(f"rn-do-{action}")
    button.on_click(lambda _: act())
    return button


def status_html(
    place: str, turn: int, progress: Mapping[str, int], *, message: str, wrong: bool, status: str
) -> str:
    """Draw the line with the position and the counts, the message, and the status of the sender.

    ``turn`` grows with every action of the annotator; the key layer waits for it.
    """
    logs, scores = (
        ", ".join(
            f"{n} {name.replace('_', ' ')}"
            for name in names
            if (n := progress.get(name, 0)) or name in ("scored", "left", "saved")
        )
        for names in (("scored", "skipped", "left"), ("saved", "on_their_way", "refused"))
    )
    kind = "rn-say rn-wrong" if wrong else "rn-say"
    waits = f'<div class="rn-waits">{escaped(status)}</div>' if status else ""
    return (
        f'<div data-rn-turn="{turn}"><b>{place}</b> · logs: {logs} · scores: {scores}</div>'
        f'<div class="{kind}">{escaped(message)}</div>{waits}'
    )


def help_html(editors: Iterable[Editor]) -> str:
    """Draw the folded list of all keys, those of the editors included."""
    rows = [*HELP]
    for editor in editors:
        keys = ", ".join(
            said if said.startswith(key) else f"{key} {said}"
            for key, said in editor.hotkeys.items()
        )
        if keys:
            rows.append((editor.evaluator.display_name, keys))
    cells = "".join(
        f"<tr><td>{escaped(key)}</td><td>{escaped(what)}</td></tr>" for key, what in rows
    )
    said = "Keys (click on the log first)"
    return f"<details><summary>{said}</summary><table>{cells}</table></details>"


def close_all(widget: widgets.Widget) -> None:
    """Close a widget and its parts; ipywidgets leaves layouts, styles and children open."""
    for child in getattr(widget, "children", ()):
        close_all(child)
    for part in ("layout", "style"):
        if isinstance(getattr(widget, part, None), widgets.Widget):
            getattr(widget, part).close()
    widgets.Widget.close(widget)
