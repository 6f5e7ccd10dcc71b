"""Mark the scores of a push that are not to be sent: missing, refused, another's, or duplicates."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.errors import DuplicateScoreError
from respan_notebook.push.options import OnDuplicate
from respan_notebook.push.outcomes import DUPLICATE, FAILED, INVALID, NOT_SENT, SKIPPED, Outcomes
from respan_notebook.push.plan import Lines, Plan
from respan_notebook.values.cells import RowErrors


def check_plan(
    plan: Plan,
    errors: Mapping[int, str],
    row_errors: RowErrors,
    on_duplicate: OnDuplicate,
    owner: str | None = None,
) -> Outcomes:
    """Return outcomes with ``skipped``, ``invalid`` and ``duplicate`` scores marked.

    The rest is ``not_sent``; the arguments are those of :func:`mark_checked`. DuplicateScoreError
    is raised with ``on_duplicate="error"``.
    """
    outcomes = mark_checked(plan, errors, row_errors, owner)
    ready = outcomes.having(NOT_SENT)
    duplicates = find_duplicates(plan, ready, owner, keep_first=on_duplicate == "first")
    if duplicates and on_duplicate == "error":
        (i, other), *_ = duplicates.items()
        raise DuplicateScoreError(
            f"{len(duplicates)} rows score a log that another row scores by the same evaluator; "
            f"the first is row {plan.label(i)!r}, which has log {plan.log_id(i)!r} and evaluator "
            f"{plan.evaluator(i).slug_or_id!r} in common with row {plan.label(other)!r}. Drop one "
            'of them, or say which counts with on_duplicate="first" or "last"',
            rows=tuple(map(plan.label, duplicates)),
        )
    mark_duplicates(plan, outcomes, duplicates)
    return outcomes


def mark_checked(
    plan: Plan, errors: Mapping[int, str], row_errors: RowErrors, owner: str | None = None
) -> Outcomes:
    """Return outcomes with ``skipped`` and ``invalid`` scores marked; the rest is ``not_sent``.

    ``errors`` has the error of a score's value, ``row_errors`` that of a row's log id, scorer or
    context; ``owner`` is the key's owner, None when that is not known.
    """
    outcomes = Outcomes(len(plan))
    if None in plan.values:
        is_missing = np.fromiter((value is None for value in plan.values), bool, len(plan))
        outcomes.status[is_missing] = SKIPPED
    for i, error in errors.items():
        outcomes.refuse(i, INVALID, error)
    for row, error in row_errors.items():
        for i in range(row * plan.width, (row + 1) * plan.width):
            if outcomes.status[i] == NOT_SENT:
                outcomes.refuse(i, INVALID, error)
    if owner is not None and not plan.as_scorer:
        mark_foreign(plan, outcomes, owner)
    return outcomes


def mark_foreign(plan: Lines, outcomes: Outcomes, owner: str, *, but: Collection[int] = ()) -> None:
    """Mark as ``invalid`` the scores that are not those of the key's owner, ``but`` some.

    The error of one that had failed before is kept: it may say what is stored.
    """
    if not plan.scorers:
        return
    for i in outcomes.having(DUPLICATE, FAILED, NOT_SENT).tolist():
        scorer = plan.scorer(i)
        if scorer not in (None, owner) and i not in but:
            error = (
                f"the score is {scorer!r}'s, and this key writes scores of {owner!r}; "
                "as_scorer=True writes it under the name of its scorer"
            )
            if outcomes.status[i] == FAILED:
                error += f"; before, it had failed: {outcomes.errors.get(i, '')}"
            outcomes.refuse(i, INVALID, error)


def find_duplicates(
    plan: Lines, scores: npt.NDArray[np.int64], owner: str | None, *, keep_first: bool
) -> dict[int, int]:
    """Return the duplicates among some scores, each with the one that counts.

    They are duplicates when they have log, evaluator and scorer in common.
    """
    identities = _identify_scores(plan, scores, owner)
    is_duplicate = identities.duplicated(keep="first" if keep_first else "last").to_numpy()
    if not is_duplicate.any():
        return {}
    sent = dict(zip(identities[~is_duplicate], scores[~is_duplicate].tolist(), strict=True))
    others = [sent[one] for one in identities[is_duplicate]]
    return dict(zip(scores[is_duplicate].tolist(), others, strict=True))


def mark_duplicates(plan: Lines, outcomes: Outcomes, duplicates: Mapping[int, int]) -> None:
    """Mark duplicates, each with the one that counts, unless they were sent already."""
    of = "log, evaluator and scorer" if plan.scorers else "log and evaluator"
    for i, other in duplicates.items():
        if outcomes.status[i] in (FAILED, NOT_SENT):
            error = f"same {of} as row {plan.label(other)!r}, which counts"
            outcomes.refuse(i, DUPLICATE, error)


def _identify_scores(
    plan: Lines, scores: npt.NDArray[np.int64], owner: str | None
) -> pd.Series[int]:
    """Return a number per score, equal for scores of one log by one evaluator and scorer."""
    ids = np.empty(len(plan.log_ids), object)
    ids[:] = plan.log_ids
    rows = scores // plan.width
    logs, _ = pd.factorize(ids[rows])
    names, _ = pd.factorize(np.array([f"{one.reference}" for one in plan.evaluators], object))
    identities = logs * len(plan.evaluators) + names[plan.codes[scores]]
    if plan.scorers:
        whose = ["" if one in (None, owner) else str(one) for one in plan.scorers]
        people, found = pd.factorize(np.array(whose, object)[rows])
        identities = identities * len(found) + people
    return pd.Series(identities)
