"""Hold the frame of an accessor, and check what its methods have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from respan_notebook.errors import ConfigurationError


class GivenFrame:
    """Hold a frame of any library, which is read when a method is called."""

    def __init__(self, frame: Any) -> None:
        self._given = frame

    @property
    def _frame(self) -> pd.DataFrame:
        """The frame in pandas."""
        if isinstance(self._given, pd.DataFrame):
            return self._given
        from respan_notebook.frames.arrow import as_pandas

        return as_pandas(self._given)


def list_context(
    context: bool | str | Iterable[str] | None,
) -> bool | str | list[str] | None:
    """Return names as a list, so that a report can be saved with them."""
    if context is None or isinstance(context, bool | str):
        return context
    if not isinstance(context, Iterable):
        raise ConfigurationError(f"context takes True, False or names of columns, not {context!r}")
    return list(context)


def check_client(client: object) -> None:
    """Raise ConfigurationError for anything but a client or None."""
    from respan_notebook.client.client import RespanClient

    if client is not None and not isinstance(client, RespanClient):
        raise ConfigurationError("client must be a RespanClient")
