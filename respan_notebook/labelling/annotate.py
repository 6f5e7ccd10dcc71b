"""Open an annotator of a frame of logs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

import pandas as pd

from respan_notebook.catalogue import Catalogue, EvaluatorNames
from respan_notebook.client.client import RespanClient, default_client
from respan_notebook.errors import ConfigurationError, FrameError, ServerError, TransportError
from respan_notebook.frames.context import ContextNames
from respan_notebook.labelling.outbox.outbox import Outbox, default_path
from respan_notebook.labelling.queue import Queue
from respan_notebook.labelling.widgets.annotator import Annotator
from respan_notebook.models import Evaluator
from respan_notebook.wording import suggest_name


def open_annotator(
    frame: pd.DataFrame,
    evaluators: EvaluatorNames,
    client: RespanClient | None,
    show: Hashable | Sequence[Hashable] | None,
    outbox: str | Path | None,
    *,
    context: ContextNames = None,
) -> Annotator:
    """Return an annotator; see :meth:`respan_notebook.RespanAccessor.annotate`."""
    client = client or default_client()
    catalogue = Catalogue(None, client)
    names = catalogue.names_of(evaluators)
    if not names:
        raise ConfigurationError("no evaluator given: pass slugs, ids or Evaluator objects")
    queue = Queue(frame, context)
    columns = _shown(frame, show)
    path = Path(outbox) if outbox is not None else default_path()
    box = Outbox(path.absolute(), client.base_url, client.fingerprint)
    try:
        definitions = _definitions(names, catalogue, box)
        return Annotator(queue, definitions, client, box, show=columns)
    except BaseException:
        box.close()
        raise


def _shown(
    frame: pd.DataFrame, show: Hashable | Sequence[Hashable] | None
) -> Sequence[Hashable] | None:
    columns = show if show is None or isinstance(show, list) else [show]
    for name in columns or ():
        if name not in frame.columns:
            raise FrameError(f"show: no column {name!r}; {suggest_name(name, frame.columns)}")
    return columns


def _definitions(names: Sequence[str], catalogue: Catalogue, box: Outbox) -> list[Evaluator]:
    """Return the server's definitions, those stored in the outbox when it can't be reached."""
    try:
        found = [catalogue[name] for name in names]
    except (TransportError, ServerError):
        stored = [box.evaluator(name) for name in names]
        if not all(stored):
            raise
        return [Evaluator.model_validate(one) for one in stored]
    for name, one in zip(names, found, strict=True):
        box.store_evaluator(name, one.model_dump(mode="json"))
    return found
