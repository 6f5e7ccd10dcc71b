"""Read the style sheets and scripts of the labelling view.

Every rule of ``log.css`` is below ``.rn-log``. Colours are those of JupyterLab's theme, light or
dark.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final


def read_static(name: str) -> str:
    """Read a file of this package as text."""
    return files(__name__).joinpath(name).read_text("utf-8")


STYLE: Final = f"<style>{read_static('annotator.css')}{read_static('log.css')}</style>"
"""Both style sheets, as the value of an ``HTML`` widget."""
