"""What the OpenAPI description says of the bodies, which the routes read themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from respan_notebook.sandbox.filters import OPERATORS, Column


def describe_body(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a route whose body has this JSON schema."""
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def inline_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a body."""
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
        return {key: inline(value) for key, value in part.items()}

    whole: dict[str, Any] = inline(schema)
    return whole


def describe_filters(columns: Mapping[str, Column]) -> dict[str, Any]:
    """Return the description of a route that filters on `columns`."""
    filters = {name: _condition(column) for name, column in columns.items()}
    return describe_body(
        {"type": "object", "properties": {"filters": {"type": "object", "properties": filters}}}
    )


def _condition(column: Column) -> dict[str, Any]:
    moment = {"type": "string", "format": "date-time"}
    value = moment if column.is_time else {"type": ["string", "number", "boolean"]}
    return {
        "type": "object",
        "properties": {
            "operator": {"enum": list(OPERATORS)},
            "value": {"type": "array", "minItems": 1, "items": value},
        },
        "required": ["operator", "value"],
    }
