"""Validate the bodies of requests."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    ValidationError,
)

from respan_notebook.sandbox.clock import normalize_timestamp
from respan_notebook.sandbox.errors import HttpError, invalid

NON_FIELD = "non_field_errors"
# SQLite refuses to look into JSON that is nested more deeply than 1,000 levels.
MAX_DEPTH = 100
HALF_PAIR = "holds half of a surrogate pair"

Body = TypeVar("Body", bound=BaseModel)
Written = TypeVar("Written", bound="ScoreWrite")


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def check_json_text(text: str) -> str:
    """Return `text`, or raise a ValueError if it is not JSON; NaN and infinities are not."""
    try:
        # Numbers stay text: Python refuses to convert very long ones.
        json.loads(text, parse_constant=_reject_constant, parse_int=str, parse_float=str)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"give JSON encoded as a string: {error}") from None
    return text


def refuse_surrogates(text: str) -> str:
    """Return `text`, or raise a ValueError for half of a surrogate pair: it has no UTF-8."""
    if not _is_unicode(text):
        raise ValueError(HALF_PAIR)
    return text


Text = Annotated[str, AfterValidator(refuse_surrogates)]
NonBlank = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
# Taken as it is sent: "tone" and "tone " are two slugs.
Slug = Annotated[str, StringConstraints(pattern=r"\S")]
Timestamp = Annotated[str, AfterValidator(normalize_timestamp)]
JsonText = Annotated[Text, AfterValidator(check_json_text)]
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
ScoreValueType = Literal[
    "numerical",
    "percentage",
    "boolean",
    "single_select",
    "multi_select",
    "text",
    "json",
    "categorical",
    "comment",
]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class ScoreChange(_Strict):
    """Validate the body that replaces or changes a score."""

    timestamp: Timestamp | None = None
    environment: Text | None = None
    prompt_id: Text | None = None
    prompt_version_number: Integer | None = None
    dataset_id: Text | None = None
    automation_id: Text | None = None
    numerical_value: FiniteFloat | None = None
    string_value: Text | None = None
    boolean_value: bool | None = None
    categorical_value: list[Text] | None = None
    json_value: JsonText | None = None
    explanation: Text | None = None

    def changes(self, *, replace: bool = False) -> dict[str, Any]:
        """Return the stored fields: those of the body, or with `replace` all of them.

        The log's timestamp is left out: it only saves the real backend a lookup. The environment
        is the log's, whatever the body says.
        """
        return self.model_dump(
            exclude={"timestamp", "environment", "evaluator_id", "evaluator_slug"},
            exclude_unset=not replace,
        )


class ScoreWrite(ScoreChange):
    """Validate the body that creates or updates a score."""

    evaluator_id: Text | None = None
    evaluator_slug: Slug | None = None


class NamedScoreWrite(ScoreWrite):
    """Validate the body that creates a score under the scorer that it names."""

    log_id: Annotated[Text, StringConstraints(min_length=1)]
    scorer: NonBlank

    def changes(self, *, replace: bool = False) -> dict[str, Any]:
        """Return the stored fields of the body."""
        changes = super().changes(replace=replace)
        return {name: v for name, v in changes.items() if name not in ("log_id", "scorer")}


class EvaluatorRun(_Strict):
    """Validate the body that runs an evaluator."""

    inputs: dict[str, Any]


class LogChange(_Strict):
    """Validate the body that changes a log."""

    is_pinned: bool | None = None
    note: Text | None = None
    positive_feedback: bool | None = None
    metadata: dict[str, Any] | None = None


class Choice(_Strict):
    """Validate a choice of an evaluator, or a named point of its scale."""

    name: Text
    value: Text | bool | int | FiniteFloat | None = None


class ScoreConfig(_Strict):
    """Validate the bounds and choices of an evaluator."""

    min_score: FiniteFloat | None = None
    max_score: FiniteFloat | None = None
    choices: list[Choice] | None = None


class EvaluatorWrite(_Strict):
    """Validate the body that creates an evaluator."""

    name: NonBlank
    score_value_type: ScoreValueType
    evaluator_slug: Slug | None = None
    type: Literal["llm", "human", "code"] = "human"
    description: Text = ""
    score_config: ScoreConfig | None = None
    categorical_choices: list[Choice] | None = None
    passing_conditions: dict[str, Any] | None = None
    llm_config: dict[str, Any] | None = None
    code_config: dict[str, Any] | None = None
    configurations: dict[str, Any] | None = None
    tags: list[Text] = []
    starred: bool = False


class LogWrite(_Strict):
    """Validate the documented fields of a log; further ones are stored as they come."""

    unique_id: Annotated[str, StringConstraints(min_length=1)] | None = None
    timestamp: Timestamp | None = None
    prompt_messages: list[dict[str, Any]] | None = None
    completion_message: dict[str, Any] | None = None
    model: Text | None = None
    status_code: Integer | None = None
    error_message: Text | None = None
    latency: FiniteFloat | None = None
    cost: FiniteFloat | None = None
    prompt_tokens: Integer | None = None
    completion_tokens: Integer | None = None
    environment: Text | None = None
    log_type: Text | None = None
    metadata: dict[str, Any] | None = None
    customer_identifier: Text | None = None
    thread_identifier: Text | None = None
    trace_unique_id: Text | None = None
    span_name: Text | None = None
    prompt_id: Text | None = None
    prompt_version_number: Integer | None = None
    blurred: bool | None = None


class LogsWrite(_Strict):
    """Describe the body that creates several logs; each is validated by itself."""

    logs: list[LogWrite]


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a body that must be a JSON object, or answer 400."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(NON_FIELD, f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise invalid(NON_FIELD, "the body must be a JSON object")
    return document


def validate_body(model: type[Body], document: object) -> Body:
    """Return `document` as `model`, or answer 400 with a field map."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        fields: dict[str, list[Text]] = {}
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            field = str(fault["loc"][0]) if fault["loc"] else NON_FIELD
            fields.setdefault(field, []).append(fault["msg"])
        raise HttpError(400, fields) from None


def validate_document(model: type[Body], document: Any) -> Body:
    """Return `document` as `model`; all of its fields, known or not, must be storable."""
    if not isinstance(document, dict):
        raise invalid(NON_FIELD, "give a JSON object")
    for field, value in document.items():
        check_storable(field, [field, value])
    return validate_body(model, document)


def validate_log(document: Any) -> dict[str, Any]:
    """Return a log with all of its fields, its timestamp in UTC."""
    log = validate_document(LogWrite, document)
    return {**document, "unique_id": log.unique_id, "timestamp": log.timestamp}


def validate_score(model: type[Written], document: dict[str, Any]) -> Written:
    """Return the body of a score as `model`; it must name its evaluator."""
    score = validate_body(model, document)
    if score.evaluator_id is None and score.evaluator_slug is None:
        message = ["give evaluator_id or evaluator_slug"]
        raise HttpError(400, {"evaluator_id": message, "evaluator_slug": message})
    return score


def check_storable(field: str, value: object) -> None:
    """Answer 400, blaming `field`, if SQLite or strict JSON cannot hold `value`."""
    fault = _find_fault(value, depth=0)
    if fault is not None:
        raise invalid(field.encode(errors="replace").decode(), fault)


def _find_fault(value: object, *, depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"nested more deeply than {MAX_DEPTH} levels"
    if isinstance(value, str):
        return None if _is_unicode(value) else HALF_PAIR
    if isinstance(value, float):
        return None if math.isfinite(value) else "NaN and infinities are not JSON"
    parts: list[object] = []
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, list):
        parts = value
    return next((fault for part in parts if (fault := _find_fault(part, depth=depth + 1))), None)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
