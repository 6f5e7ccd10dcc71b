"""Label by keyboard, with keys that never reach the notebook.

The script sends the key that was pressed and its editor; the annotator decides on the action. The
script also stands between the buttons and the kernel, since an ipywidgets control may hold back its
last change until the kernel has answered the one before: an action is sent only when the controls
hold nothing back, and while it is in flight nothing more can be entered.
"""

from __future__ import annotations

from typing import Final

import anywidget
import traitlets

from respan_notebook.labelling.static import read_static

ACTIONS: Final = {"s": "skip", "b": "back", "u": "undo"}
"""Keys of what moves to another log; Enter saves."""

HELP: Final = (
    ("Enter", "save and go to the next log (Ctrl+Enter while typing)"),
    ("1, 2, ... a, c, ...", "the choice or point that bears this key, in the marked editor"),
    ("y, n", "yes or no"),
    ("← →", "one step down or up"),
    ("↑ ↓", "mark the editor above or below"),
    ("v", "score with the value shown"),
    ("x", "clear: no score"),
    ("w", "write: type into the marked editor"),
    ("e", "explain the score"),
    ("s", "skip this log"),
    ("b", "back to the log before"),
    ("u", "undo the last save"),
    ("Esc", "leave a text field"),
    ("?", "this list"),
)


class Keyboard(anywidget.AnyWidget):
    """Listen for keys on the surrounding annotator; send ``{"do": ..., "editor": ..., ...}``.

    Attributes
    ----------
    hotkeys : list of str
        The keys of each editor, as one text.
    controls : list of str
        Model ids of the widgets that the person types into or moves.
    """

    _esm = read_static("keyboard.js")  # As text: with a path, closed instances leak.
    hotkeys = traitlets.List(traitlets.Unicode()).tag(sync=True)
    controls = traitlets.List(traitlets.Unicode()).tag(sync=True)
