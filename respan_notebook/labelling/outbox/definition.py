"""Compare what labels and drafts were validated against with what their evaluators are now.

A label is validated when it is entered. It is validated again only when the definition that is
stored with it differs from the evaluator's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from respan_notebook.errors import InvalidValueError, UnsupportedEvaluatorError
from respan_notebook.labelling.outbox.label import value_field_of
from respan_notebook.models import Evaluator
from respan_notebook.values.encoding import encoder
from respan_notebook.values.types import find_type, value_type

_PARTS: Final = {"score_value_type", "score_config", "categorical_choices", "configurations"}
_CHOICES: Final = "categorical_value"
_DRAFTED: Final = {
    "numerical_value": float | int,
    "boolean_value": bool,
    "categorical_value": list | str,
    "string_value": str,
    "json_value": str,
}
"""Field of a score -> the values that a draft of it has."""


def definition_of(evaluator: Evaluator) -> str:
    """Return the parts of an evaluator that its values depend on, as JSON text."""
    parts = evaluator.model_dump(mode="json", include=_PARTS, exclude_none=True)
    return json.dumps(parts, sort_keys=True)


def digest_definition(definition: str) -> str:
    """Return a short text that is the same for the same definition."""
    return hashlib.sha256(definition.encode()).hexdigest()[:32]


def find_misfit(body: Mapping[str, Any], then: str | None, now: str) -> str:
    """Return the reason why a score no longer fits its evaluator; empty when it still fits.

    ``then`` and ``now`` are definitions: the one that the score was validated against, None when
    that is not known, and the present one.
    """
    evaluator = Evaluator.model_validate({"id": "evaluator", **json.loads(now)})
    field = value_field_of(body)
    try:
        kind, encode = value_type(evaluator), encoder(evaluator)
    except (UnsupportedEvaluatorError, ValueError, TypeError) as error:
        return f"the evaluator was changed, and takes no score any more: {error}"
    former = json.loads(then).get("score_value_type") if then else None
    same_kind = field == kind.field and (former in (None, kind.name) or field == _CHOICES)
    if not same_kind:
        return (
            f"it was entered as {former or field}, and the evaluator was changed to {kind.name}; "
            "score the log again"
        )
    try:
        encode(body[field])
    except InvalidValueError as error:
        return f"the evaluator was changed and {error.reason}, not {body[field]!r}"
    return ""


def fit_draft(draft: Mapping[str, Any], evaluator: Evaluator) -> dict[str, Any]:
    """Return a draft as it is now: without a value that was entered for another type.

    The explanation stays.
    """
    kind, value = find_type(evaluator.score_value_type), draft.get("value")
    entered_for = draft.get("type")
    if entered_for is not None:
        fits = entered_for == evaluator.score_value_type
    else:  # The first release did not store the type.
        fits = kind is None or value is None or _is_value_of(value, kind.field)
    if fits:
        return dict(draft)
    return {**draft, "state": "unset", "value": None, "typed": None}


def _is_value_of(value: object, field: str) -> bool:
    wanted = _DRAFTED[field]
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
