"""Encode, decode and compare values of JSON evaluators, which travel as JSON text."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import numpy as np

from respan_notebook.models import Evaluator
from respan_notebook.values.cells import is_missing, is_number
from respan_notebook.values.checks import Bounds, Check, RefusedError, encode_text
from respan_notebook.wording import render_value

# Python turns no whole number of more bits into text (4,300 digits).
_LONGEST_INT: Final = 14_000


def check_json(_evaluator: Evaluator, _bounds: Bounds) -> Check:
    """Accept JSON text, or a value that JSON can hold; sent as JSON text."""
    return encode_json


def encode_json(raw: Any) -> str:
    """Return a cell as JSON text: text that is JSON already as it is, other values encoded."""
    try:
        if isinstance(raw, str):
            parsed = _parsed_json(raw)
            _plain(parsed, "$")
            text = str.__str__(raw)
        else:
            parsed = _plain(raw, "$")
            text = json.dumps(parsed, ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise RefusedError("takes JSON that is not nested so deeply") from None
    if parsed is None:
        raise RefusedError("takes JSON other than null", "leave the cell empty for no score")
    return text


def _parsed_json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise RefusedError(f"takes JSON, which has no {constant}")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise RefusedError(
            f"takes JSON; at line {error.lineno}, column {error.colno}: {error.msg}",
            "a plain string needs its quotes, as in '\"text\"'",
        ) from None
    except ValueError:  # Python reads no whole number of over 4,300 digits.
        raise RefusedError("takes JSON whose numbers are not that long") from None


def _plain(value: Any, path: str) -> Any:
    """Return a value in the types that ``json`` writes; a refusal names the path of the part."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, str):
        return encode_text(value)
    if is_number(value):
        return _plain_number(value, path)
    if isinstance(value, np.ndarray):
        return _plain(value.tolist(), path)
    if isinstance(value, list | tuple):
        return [_plain(member, f"{path}[{i}]") for i, member in enumerate(value)]
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                raise RefusedError(f"takes JSON, whose keys are strings, not {render_value(name)}")
        return {encode_text(k): _plain(member, f"{path}.{k}") for k, member in value.items()}
    raise RefusedError(f"takes JSON, which has no {type(value).__name__} (at {path})")


def _plain_number(value: Any, path: str) -> int | float:
    if isinstance(value, int | np.integer):
        if int(value).bit_length() > _LONGEST_INT:
            raise RefusedError(f"takes JSON whose numbers are not that long (at {path})")
        return int(value)
    if is_missing(value) or not math.isfinite(number := float(value)):
        raise RefusedError(f"takes JSON, which has no NaN or infinity (at {path})")
    return number


def decode_json(text: Any) -> Any:
    """Return the value of JSON text; plain text, which legacy rows may hold, as it is."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text


def is_same_json(one: str, other: str) -> bool:
    """Return whether two JSON texts hold the same value; the order of names counts."""
    try:
        return json.dumps(json.loads(one)) == json.dumps(json.loads(other))
    except (ValueError, RecursionError):
        return False


def normalize_json(text: str) -> str:
    """Return JSON text that is equal for equal values: names sorted, 1.0 as 1.

    Examples
    --------
    >>> normalize_json('{"b": 1.0, "a": null}')
    '{"a": null, "b": 1}'
    """
    parsed = json.loads(text, parse_float=_number_of)
    return json.dumps(parsed, sort_keys=True, ensure_ascii=False)


def _number_of(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number  # JSON has one kind of number.
