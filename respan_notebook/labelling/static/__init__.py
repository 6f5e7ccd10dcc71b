"""Read the scripts and style sheets of the labelling screen.

The scripts share one scope: joined in this order they are the front end's module, which both
widgets use. Every rule of ``log.css`` is below ``.rn-log``. Colours are those of the notebook's
theme, light or dark, with those of the system where there are none.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final


def read_static(*names: str) -> str:
    """Read files of this package as one text."""
    return "\n".join(files(__name__).joinpath(name).read_text("utf-8") for name in names)


SCRIPTS: Final = (
    *("dom.js", "json.js", "controls.js", "editor.js", "log.js"),
    *("entries.js", "overlay.js", "keys.js", "answers.js", "screen.js", "main.js"),
)
SCRIPT: Final = read_static(*SCRIPTS)
STYLE: Final = read_static("screen.css", "controls.css", "log.css")
