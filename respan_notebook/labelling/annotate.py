"""Open an annotator of a frame of logs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from respan_notebook.catalogue import Catalogue, EvaluatorNames
from respan_notebook.client.client import RespanClient, default_client
from respan_notebook.errors import ConfigurationError, FrameError, ServerError, TransportError
from respan_notebook.frames.context import ContextNames
from respan_notebook.labelling.display import Render
from respan_notebook.labelling.log_view.log import CONVERSATION, log_html
from respan_notebook.labelling.outbox.evaluators import Evaluators
from respan_notebook.labelling.outbox.outbox import default_path
from respan_notebook.labelling.outbox.shared import OpenOutbox
from respan_notebook.labelling.queue import Queue
from respan_notebook.labelling.rows import order_rows, pick_rows
from respan_notebook.labelling.session import Session
from respan_notebook.labelling.widgets.annotator import Annotator
from respan_notebook.models import Evaluator
from respan_notebook.wording import render_names, suggest_name


def open_annotator(
    frame: pd.DataFrame,
    evaluators: EvaluatorNames,
    client: RespanClient | None,
    show: Hashable | Sequence[Hashable] | None,
    outbox: str | Path | None,
    *,
    context: ContextNames = None,
    required: EvaluatorNames | None = None,
    advance: bool = False,
    order: Hashable | None = None,
    seed: int = 0,
    scores: Any = None,
    me: str | None = None,
) -> Annotator:
    """Return an annotator; see :meth:`respan_notebook.RespanAccessor.annotate`."""
    client = client or default_client()
    catalogue = Catalogue(None, client)
    names = catalogue.names_of(evaluators)
    if not names:
        raise ConfigurationError("no evaluator given: pass slugs, ids or Evaluator objects")
    frame = pick_rows(frame, me)
    path = outbox if outbox is not None else default_path()
    opened = OpenOutbox(path, client, Annotator.sender_settings)
    try:
        definitions = _distinct(_definitions(names, catalogue, opened.outbox.evaluators))
        frame = order_rows(frame, order, seed=seed, scores=scores, evaluators=definitions)
        queue = Queue(frame, context)
        render, notice = make_render(frame, show, definitions)
        session = Session(
            queue,
            definitions,
            client,
            opened,
            render,
            required=_required(required, definitions),
            first_look=Annotator.first_look,
            notice=f"{notice} {_warn_other(me, opened.outbox.accounts.scorer)}".strip(),
        )
        return Annotator(session, advance=advance)
    except BaseException:
        opened.close()
        raise


def make_render(
    frame: pd.DataFrame,
    show: Hashable | Sequence[Hashable] | None,
    evaluators: Iterable[Evaluator],
) -> tuple[Render, str]:
    """Return what renders a row of the frame, and what is to be said of the columns left out."""
    columns = _shown(frame, show)
    hidden = [] if columns else _tell_tales(frame, evaluators)

    def render(cells: Mapping[Any, Any]) -> str:
        return log_html({c: v for c, v in cells.items() if c not in hidden}, columns)

    return render, _notice(hidden)


def _shown(
    frame: pd.DataFrame, show: Hashable | Sequence[Hashable] | None
) -> Sequence[Hashable] | None:
    columns = show if show is None or isinstance(show, list) else [show]
    for name in columns or ():
        if name not in frame.columns:
            raise FrameError(f"show: no column {name!r}; {suggest_name(name, frame.columns)}")
    return columns


def _tell_tales(frame: pd.DataFrame, evaluators: Iterable[Evaluator]) -> list[Hashable]:
    """Return the columns that tell how a judge or another person has scored the logs."""
    names = {
        name.casefold()
        for one in evaluators
        for name in (one.id, one.evaluator_slug, one.name)
        if name
    }
    return [
        column
        for column in frame.columns
        if isinstance(column, str)
        and column not in CONVERSATION  # Whatever an evaluator is called, the log is shown.
        and (
            column.casefold() in (*names, "scores", "score")
            or any(column.casefold().startswith((f"{name}_", f"{name}.")) for name in names)
        )
    ]


def _warn_other(me: str | None, scorer: str | None) -> str:
    if me is None or scorer is None or me == scorer or "@" not in me:
        return ""
    return f"These are the logs of {me}, and the key is {scorer}'s: so will be the scores."


def _notice(hidden: Sequence[Hashable]) -> str:
    if not hidden:
        return ""
    return f"Not shown while you label: {render_names(hidden)}. show=[...] shows them."


def _distinct(evaluators: Iterable[Evaluator]) -> list[Evaluator]:
    """Return each evaluator once; ConfigurationError for two different definitions of one."""
    found: dict[str, Evaluator] = {}
    for one in evaluators:
        if found.setdefault(one.id_or_slug, one) != one:
            raise ConfigurationError(
                f"two definitions of the evaluator {one.id_or_slug!r} were given, and a log can "
                "have one score of it; pass one of them"
            )
    return list(found.values())


def _required(required: EvaluatorNames | None, evaluators: Sequence[Evaluator]) -> set[str] | None:
    if required is None:
        return None
    known = {
        name: one.id_or_slug for one in evaluators for name in (one.id, one.evaluator_slug) if name
    }
    names = Catalogue(evaluators, None).names_of(required)
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"required: {name!r} is not one of the evaluators that are labelled; "
                f"{suggest_name(name, known)}"
            )
    return {known[name] for name in names}


def _definitions(names: Sequence[str], catalogue: Catalogue, stored: Evaluators) -> list[Evaluator]:
    """Return the server's definitions, those stored in the outbox when it can't be reached."""
    try:
        found = [catalogue[name] for name in names]
    except (TransportError, ServerError):
        known = [one for one in map(stored.get, names) if one is not None]
        if len(known) < len(names):
            raise
        return known
    stored.store(dict(zip(names, found, strict=True)))
    stored.take_labels(one for one in found if not catalogue.is_ambiguous(one.slug_or_id))
    return found
