"""Open an adjudicator of the logs that scorers differ on."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from respan_notebook.catalogue import Catalogue
from respan_notebook.client.client import RespanClient
from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.frames.arrow import as_pandas
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.labelling.annotate import make_render
from respan_notebook.labelling.disputed import Disputed
from respan_notebook.labelling.outbox.outbox import default_path
from respan_notebook.labelling.outbox.shared import OpenOutbox
from respan_notebook.labelling.queue import Queue
from respan_notebook.labelling.session import Session
from respan_notebook.labelling.widgets.adjudicator import Adjudicator
from respan_notebook.models import Evaluator
from respan_notebook.wording import render_count, render_value


def open_adjudicator(
    scores: Any,
    logs: Any,
    evaluator: str | Evaluator,
    *,
    scorers: Sequence[str] | None = None,
    client: RespanClient | None = None,
    show: Hashable | Sequence[Hashable] | None = None,
    outbox: str | Path | None = None,
    names: bool = False,
    advance: bool = False,
) -> Adjudicator:
    """Return an adjudicator; see :meth:`respan_notebook.RespanAccessor.adjudicate`."""
    definition = _find_definition(evaluator, client)
    disputed = Disputed(as_pandas(scores), definition, scorers)
    logs = as_pandas(logs)
    path = outbox if outbox is not None else default_path()
    opened = OpenOutbox(path, None, kept_as=f"adjudication of {definition.id_or_slug}")
    try:
        opened.outbox.evaluators.store(
            {one.id_or_slug: one for one in (disputed.evaluator, disputed.cause)}
        )
        opened.outbox.delivery.refuse_misfits()
        wanted = [*disputed.log_ids, *disputed.others(opened.outbox.labels())]
        if not wanted:
            raise FrameError(
                "there is nothing to settle: on no log do two scorers of "
                f"{definition.slug_or_id!r} differ; scores.respan.gold() gives the values that "
                "they agree on"
            )
        frame, missing = _pick_logs(logs, wanted)
        render, notice = make_render(frame, show, [definition])
        if missing:
            notice += f" {render_count(missing, 'log')} to settle {_be(missing)} not in logs."
        session = Session(
            Queue(frame),
            [disputed.evaluator, disputed.cause],
            None,
            opened,
            render,
            required=[disputed.evaluator.id_or_slug, disputed.cause.id_or_slug],
            notice=notice.strip(),
        )
        return Adjudicator(session, disputed, names=names, advance=advance)
    except BaseException:
        opened.close()
        raise


def _find_definition(evaluator: str | Evaluator, client: RespanClient | None) -> Evaluator:
    if isinstance(evaluator, Evaluator):
        return evaluator
    if not isinstance(evaluator, str):
        raise ConfigurationError(
            f"adjudicate takes one evaluator, its slug or definition, not {render_value(evaluator)}"
        )
    return Catalogue(None, client)[evaluator]


def _pick_logs(logs: pd.DataFrame, log_ids: Sequence[str]) -> tuple[pd.DataFrame, int]:
    """Return the rows of these logs, in this order, and the number of logs that have none."""
    found, errors = read_log_ids(logs)
    rows: dict[str, int] = {}
    for row, log_id in enumerate(found):
        if row not in errors:
            rows.setdefault(log_id, row)
    places = [rows[log_id] for log_id in log_ids if log_id in rows]
    if not places:
        raise FrameError(
            f"logs has none of the {render_count(len(log_ids), 'log')} that are to be settled, "
            f"of which {log_ids[0]!r} is the first"
        )
    return logs.iloc[places], len(log_ids) - len(places)


def _be(count: int) -> str:
    return "is" if count == 1 else "are"
