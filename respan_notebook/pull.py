"""Read scores from the server into a frame."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from respan_notebook.catalogue import Catalogue, EvaluatorNames
from respan_notebook.client.client import RespanClient, default_client
from respan_notebook.client.score_reader import read_scores
from respan_notebook.errors import ConfigurationError
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.models import Evaluator, Score
from respan_notebook.values.encoding import decode
from respan_notebook.values.types import find_type
from respan_notebook.wording import render_foreign

_TIDY: Final = (
    "log_id",
    "evaluator_id",
    "evaluator_slug",
    "scorer",
    "value",
    "explanation",
    "is_passed",
    "score_id",
)


def pull_columns(
    frame: pd.DataFrame,
    names: EvaluatorNames,
    client: RespanClient | None,
    scorer: str | None,
) -> pd.DataFrame:
    """Return scores as columns; see :meth:`respan_notebook.RespanAccessor.pull_scores`."""
    client = client or default_client()
    catalogue = Catalogue(None, client)
    evaluators = [catalogue[name] for name in catalogue.names_of(names)]
    log_ids, errors = read_log_ids(frame)
    sound = [log_id for row, log_id in enumerate(log_ids) if row not in errors]
    whose = None if scorer == "all" else scorer or client.scorer
    scores = list(read_scores(client, sound, evaluators, scorer=whose))
    if scorer not in (None, "all") and sound and not scores:
        warnings.warn(f"there is no score by {scorer} of these logs", stacklevel=3)
    if scorer == "all":
        return _tidy(scores, sound, evaluators)
    if whose is None:
        _check_one_scorer(scores)
    # A cell that is no log id may not even be hashable.
    wanted = [None if row in errors else log_id for row, log_id in enumerate(log_ids)]
    return _wide(frame.index, wanted, scores, evaluators)


def _check_one_scorer(scores: Sequence[Score]) -> None:
    scorers = sorted({render_foreign(str(score.scorer), 100) for score in scores})
    if len(scorers) > 1:
        raise ConfigurationError(
            f"there are scores by {', '.join(scorers)}, and it is not known yet which of them this "
            'key is; say scorer="...", or scorer="all" for a row per score'
        )
    if scorers:
        warnings.warn(
            f"these are the scores of {scorers[0]}; whether that is the owner of this key is not "
            "known before the first write. Say scorer=... to be sure",
            stacklevel=4,
        )


def _wide(
    index: pd.Index[Any],
    log_ids: Sequence[str | None],
    scores: Sequence[Score],
    evaluators: Sequence[Evaluator],
) -> pd.DataFrame:
    found = {(score.log_id, name): score for score in scores for name in score.evaluator_names}
    columns = {}
    for one in evaluators:
        cells = [found.get((log_id, one.id_or_slug)) for log_id in log_ids]
        values = [None if score is None else decode(score, one) for score in cells]
        kind = find_type(one.score_value_type)
        columns[one.slug_or_id] = pd.Series(values, index, dtype=kind.dtype if kind else "object")
    return pd.DataFrame(columns, index=index)


def _tidy(
    scores: Sequence[Score], log_ids: Sequence[str], evaluators: Sequence[Evaluator]
) -> pd.DataFrame:
    """Return a row per score, in the order of the logs, of the evaluators, and of the scorers."""
    places = {log_id: row for row, log_id in enumerate(log_ids)}
    named = {name: i for i, e in enumerate(evaluators) for name in (e.id, e.evaluator_slug) if name}
    rows = []
    for score in scores:
        # A custom slug has no id; of an evaluator known by its slug the server names the id too.
        codes = [named[n] for n in score.evaluator_names if n in named]
        if not codes:
            continue  # The server does not filter by evaluator.
        row = {**score.model_dump(include=set(_TIDY)), "score_id": score.id}
        row["value"] = decode(score, evaluators[codes[0]])
        rows.append(((places[score.log_id or ""], codes[0], score.scorer or ""), row))
    rows.sort(key=lambda keyed: keyed[0])
    return pd.DataFrame([row for _, row in rows], columns=list(_TIDY)).astype({"value": object})
