"""Serve a small local Respan: the routes that this project uses, over SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from respan_notebook.sandbox.server import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> object:
    # Lazy, so that `python -m` can catch signals before FastAPI is imported, and so that an
    # installation without the sandbox's libraries learns what to install.
    if name != "Sandbox":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from respan_notebook.sandbox.server import Sandbox
    except ModuleNotFoundError as error:
        if error.name not in {"fastapi", "uvicorn"}:
            raise
        raise ImportError(
            f"the sandbox needs {error.name}: pip install 'respan-notebook[sandbox]'"
        ) from error
    return Sandbox
