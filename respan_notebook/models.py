"""Define the API's objects as they go over the wire.

All models are frozen and hold unknown fields as well. Reading is liberal (any field may be absent,
new types and fields may appear), writing is strict. Source: Respan's API documentation, "Create or
update a log score" and "Evaluators".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    model_validator,
)

VALUE_FIELDS: Final = (
    "numerical_value",
    "string_value",
    "boolean_value",
    "categorical_value",
    "json_value",
)
"""The fields of a score of which exactly one holds its value."""

SENT_ALONG: Final = (
    "environment",
    "prompt_id",
    "prompt_version_number",
    "dataset_id",
    "automation_id",
    "explanation",
)
"""The fields of a score that are sent along with its value and stored with it."""

LOGS_MARK: Final = "respan_logs"
"""The key in ``df.attrs`` that marks a frame of logs, whose columns are fields of these logs."""

# A field that is usually of the first type; anything else is taken as it is.
_Time = Annotated[datetime | Any, Field(union_mode="left_to_right")]
_Number = Annotated[float | Any, Field(union_mode="left_to_right")]
_Text = Annotated[str | None, BeforeValidator(lambda v: v if v is None else str(v))]
# Null is no id: what has none was not stored, whatever the status says.
_Id = Annotated[str, BeforeValidator(lambda v: v if v is None else str(v)), Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())


class Choice(_Model):
    """Hold a choice of a select evaluator, or a named point of a numerical scale.

    Attributes
    ----------
    name : str or None
        The text that people see.
    value : str, int, float, bool or None
        The value that it stands for.
    """

    name: _Text = None
    value: Any = None


class ScoreConfig(_Model):
    """Hold the bounds and choices of an evaluator; any part may be absent.

    Attributes
    ----------
    min_score, max_score : float or None
        Lowest and highest score.
    choices : list of Choice or None
        The choices of a select evaluator, or names for points of a numerical scale.
    """

    min_score: _Number = None
    max_score: _Number = None
    choices: Annotated[list[Choice] | Any, Field(union_mode="left_to_right")] = None


class Evaluator(_Model):
    """Define an evaluator: name, type, bounds and choices of its scores.

    An evaluator from the server has an ``id``. One made by hand needs an ``id`` or an
    ``evaluator_slug``, and a ``score_value_type``; the server need not know its slug.
    Any part may be absent or odd: it is validated when a score is to be written.

    Examples
    --------
    >>> tone = Evaluator(evaluator_slug="tone", score_value_type="single_select",
    ...                  score_config={"choices": [{"name": "warm"}, {"name": "cold"}]})
    >>> tone.slug_or_id, [choice.name for choice in tone.choices]
    ('tone', ['warm', 'cold'])
    """

    id: _Text = None
    name: _Text = None
    evaluator_slug: _Text = None
    type: _Text = None
    score_value_type: _Text = None
    description: _Text = None
    score_config: Annotated[ScoreConfig | Any, Field(union_mode="left_to_right")] = None
    categorical_choices: Annotated[list[Choice] | Any, Field(union_mode="left_to_right")] = None
    passing_conditions: Any = None
    llm_config: Any = None
    code_config: Any = None
    configurations: Any = None
    version: Any = None
    version_id: Any = None
    is_read_only: Any = None
    starred: Any = None
    tags: Any = None
    created_at: _Time = None
    updated_at: _Time = None

    @property
    def slug_or_id(self) -> str:
        """The slug, else the id; the name used in messages and frames."""
        return self.evaluator_slug or self.id or ""

    key = slug_or_id  # Its name in the first release, which code out there uses.

    @property
    def id_or_slug(self) -> str:
        """The id, else the slug; the name used in the outbox and in bodies."""
        return self.id or self.evaluator_slug or ""

    @property
    def display_name(self) -> str:
        """The name, else the slug, else the id; the name used on screen."""
        return self.name or self.slug_or_id

    @property
    def reference(self) -> dict[str, str]:
        """The field of a score that names its evaluator: the id, else the slug."""
        if self.id:
            return {"evaluator_id": self.id}
        return {"evaluator_slug": self.slug_or_id}

    @property
    def choices(self) -> tuple[Choice, ...]:
        """``score_config.choices``, else the older ``categorical_choices``; empty if neither."""
        listed = (self._config.choices, self.categorical_choices)
        found = next((choices for choices in listed if choices and isinstance(choices, list)), [])
        return tuple(choice for choice in found if isinstance(choice, Choice))

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Lowest and highest score, from ``score_config``, else from ``configurations`` (legacy).

        None where there is no bound.
        """
        legacy = self.configurations if isinstance(self.configurations, Mapping) else {}
        low, high = (
            next((n for n in map(_finite, (new, legacy.get(name))) if n is not None), None)
            for name, new in (
                ("min_score", self._config.min_score),
                ("max_score", self._config.max_score),
            )
        )
        return low, high

    @property
    def _config(self) -> ScoreConfig:
        return self.score_config if isinstance(self.score_config, ScoreConfig) else ScoreConfig()


def strip_version(evaluator_id: str | None) -> str | None:
    """Return the id of an evaluator without ``:version``; an id is the same in all versions."""
    return evaluator_id.partition(":")[0] or evaluator_id if evaluator_id else None


def _finite(value: object) -> float | None:
    """Return a bound as a number, None when it is none; older evaluators may have it as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _unicode(text: str) -> str:
    text.encode()  # Half a surrogate pair raises a ValueError that says where it is.
    return text


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_Unicode = Annotated[str, AfterValidator(_unicode)]
_Name = Annotated[str, Field(strict=True, min_length=1), AfterValidator(_unicode)]


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _json_text(text: str) -> str:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    try:
        json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return text


class ScoreWrite(_Model):
    """Validate a score to be written: the body of ``POST /api/logs/{log_id}/scores/``.

    It has ``evaluator_id`` or ``evaluator_slug``, and exactly one value field: the one that
    goes with the evaluator's ``score_value_type``. ``json_value`` is JSON encoded as a string.
    ``timestamp`` is the log's own; without a time zone it counts as UTC.

    Raises
    ------
    pydantic.ValidationError
        A ValueError: a field has the wrong type, or there is no evaluator, no value, or more than
        one value.

    Examples
    --------
    >>> ScoreWrite(evaluator_slug="helpfulness", numerical_value=4).body()
    {'evaluator_slug': 'helpfulness', 'numerical_value': 4.0}
    """

    model_config = ConfigDict(allow_inf_nan=False)

    evaluator_id: _Name | None = None
    evaluator_slug: _Name | None = None
    timestamp: Annotated[datetime, AfterValidator(_utc)] | None = None
    environment: _Unicode | None = None
    prompt_id: _Unicode | None = None
    prompt_version_number: int | None = Field(default=None, strict=True)
    dataset_id: _Unicode | None = None
    automation_id: _Unicode | None = None
    scorer: str | None = None
    numerical_value: float | None = Field(default=None, strict=True)
    string_value: Annotated[_Unicode, AfterValidator(_not_blank)] | None = None
    boolean_value: StrictBool | None = None
    categorical_value: list[_Unicode] | None = Field(default=None, min_length=1)
    json_value: Annotated[_Unicode, AfterValidator(_json_text)] | None = None
    explanation: _Unicode | None = None

    @model_validator(mode="after")
    def _is_one_score(self) -> Self:
        if self.evaluator_id is None and self.evaluator_slug is None:
            raise ValueError("a score needs evaluator_id or evaluator_slug")
        given = [name for name in VALUE_FIELDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"a score has exactly one of {', '.join(VALUE_FIELDS)}; "
                f"given: {', '.join(given) or 'none'}"
            )
        return self

    def body(self) -> dict[str, Any]:
        """Return the request's JSON object, with the fields that are set."""
        return self.model_dump(mode="json", exclude_none=True)


@dataclass(frozen=True, slots=True)
class Upsert:
    """Carry one score to be upserted: path and body of ``POST /api/logs/{log_id}/scores/``.

    It is made from a validated value only (:func:`respan_notebook.values.encoding.make_upsert`),
    and passes unchanged through plan, engine, outbox and payloads.

    Attributes
    ----------
    log_id : str
        The log's ``unique_id``.
    body : dict
        The request's JSON object: those fields of :class:`ScoreWrite` that are set.
    """

    log_id: str
    body: Mapping[str, Any]


class Score(_Model):
    """Hold a score as the server has it.

    The API always sends ``id`` and ``created_at``; any other field may be absent.
    :func:`respan_notebook.values.encoding.decode` returns the value.
    """

    id: _Id
    created_at: _Time = None
    type: _Text = None
    environment: _Text = None
    numerical_value: _Number = None
    string_value: Any = None
    boolean_value: Any = None
    categorical_value: Any = None
    json_value: Any = None
    is_passed: Annotated[bool | Any, Field(union_mode="left_to_right")] = None
    cost: _Number = None
    evaluator_id: _Text = None
    evaluator_slug: _Text = None
    evaluator_name: _Text = None
    scorer: _Text = None
    log_id: _Text = None
    prompt_id: _Text = None
    prompt_version_number: Any = None
    dataset_id: _Text = None
    automation_id: _Text = None
    status: _Text = None
    error_message: _Text = None
    explanation: _Text = None

    @property
    def evaluator_names(self) -> tuple[str, ...]:
        """The names of the evaluator: its id without ``:version``, and its slug; those given."""
        given = strip_version(self.evaluator_id), self.evaluator_slug
        return tuple(dict.fromkeys(name for name in given if name))
