"""Describe the bodies of requests in OpenAPI; the routes validate them without FastAPI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from respan_notebook.sandbox.filters import OPERATORS, Column


def describe_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the description of a route whose body is validated as `model`."""
    return _describe(_inline_schema(model))


def describe_filters(columns: Mapping[str, Column]) -> dict[str, Any]:
    """Return the description of a route that filters on `columns`."""
    filters = {name: _describe_condition(column) for name, column in columns.items()}
    return _describe(
        {"type": "object", "properties": {"filters": {"type": "object", "properties": filters}}}
    )


def _describe(schema: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def _inline_schema(model: type[BaseModel]) -> dict[str, Any]:
    # Definitions are put where they are used: references would point into the wrong document.
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, list):
            return [inline(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return inline(definitions[part["$ref"].removeprefix("#/$defs/")])
        return {name: inline(value) for name, value in part.items()}

    whole: dict[str, Any] = inline(schema)
    return whole


def _describe_condition(column: Column) -> dict[str, Any]:
    timestamp = {"type": "string", "format": "date-time"}
    value = timestamp if column.is_time else {"type": ["string", "number", "boolean"]}
    return {
        "type": "object",
        "properties": {
            "operator": {"enum": list(OPERATORS)},
            "value": {"type": "array", "minItems": 1, "items": value},
        },
        "required": ["operator", "value"],
    }
