"""The scores that the server has, as columns of a frame."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from respan_notebook.client import RespanClient
from respan_notebook.errors import ConfigurationError
from respan_notebook.evaluators import Catalogue
from respan_notebook.models import Evaluator, Score
from respan_notebook.reading import read_scores
from respan_notebook.shapes import read_row_ids, same_names
from respan_notebook.values import VALUE_TYPES, decode

_DTYPES: Final = {"numerical_value": "float64", "boolean_value": "boolean"}
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


def pull(
    frame: pd.DataFrame,
    names: str | Evaluator | Sequence[str | Evaluator],
    client: RespanClient | None,
    scorer: str | None,
) -> pd.DataFrame:
    """Do what ``df.respan.pull_scores`` says."""
    client = client or RespanClient()
    known = Catalogue(None, client)
    listed = [names] if isinstance(names, str | Evaluator) else names
    evaluators = [known[name] for name in same_names(listed, known)]
    log_ids, errors = read_row_ids(frame)
    sound = [log_id for row, log_id in enumerate(log_ids) if row not in errors]
    whose = None if scorer == "all" else scorer or client.scorer
    scores = list(read_scores(client, sound, evaluators, scorer=whose))
    if scorer not in (None, "all") and sound and not scores:
        warnings.warn(f"there is no score by {scorer} of these logs", stacklevel=3)
    by_name = {name: one for one in evaluators for name in (one.id, one.evaluator_slug) if name}
    if scorer == "all":
        places = {log_id: row for row, log_id in enumerate(sound)}
        order = {name: i for i, one in enumerate(evaluators) for name in (one.id, one.key)}
        scores.sort(
            key=lambda score: (
                places[score.log_id or ""],
                order.get(score.evaluator_id) or order.get(score.evaluator_slug, 0),
                score.scorer or "",
            )
        )
        return _tidy(scores, by_name)
    if whose is None:
        _check_one_scorer(scores)
    return _wide(frame.index, log_ids, scores, evaluators)


def _check_one_scorer(scores: Sequence[Score]) -> None:
    scorers = sorted({str(score.scorer) for score in scores})
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
    log_ids: Sequence[Any],
    scores: Sequence[Score],
    evaluators: Sequence[Evaluator],
) -> pd.DataFrame:
    found = {
        (score.log_id, name): score
        for score in scores
        for name in (score.evaluator_id, score.evaluator_slug)
    }
    columns = {}
    for one in evaluators:
        cells = [found.get((log_id, one.id or one.key)) for log_id in log_ids]
        values = [None if score is None else decode(score, one) for score in cells]
        kind = VALUE_TYPES.get(one.score_value_type or "")
        dtype = _DTYPES.get(kind.field if kind else "", "object")
        columns[one.key] = pd.Series(values, index, dtype=dtype)
    return pd.DataFrame(columns, index=index)


def _tidy(scores: Sequence[Score], by_name: Mapping[str, Evaluator]) -> pd.DataFrame:
    rows = []
    for score in scores:
        name = score.evaluator_id or score.evaluator_slug or ""
        row = {**score.model_dump(include=set(_TIDY)), "score_id": score.id}
        rows.append({**row, "value": decode(score, by_name.get(name))})
    return pd.DataFrame(rows, columns=list(_TIDY)).astype({"value": object})
