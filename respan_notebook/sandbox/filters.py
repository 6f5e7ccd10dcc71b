"""Translate the filters of the list routes into SQL with bound values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from respan_notebook.sandbox.clock import normalize_timestamp
from respan_notebook.sandbox.errors import HttpError, invalid
from respan_notebook.sandbox.schemas import check_storable

# SQLite's own limits are 1,000 levels of an expression and 32,766 bound values.
MAX_CONDITIONS = 100
MAX_VALUES = 10_000


def _any(fragment: str) -> str:
    return f"EXISTS (SELECT 1 FROM {{given}} AS given WHERE {fragment})"  # noqa: S608


def _ordered(comparison: str) -> str:
    # SQLite sorts every number before every text; here the two do not compare at all.
    return _any(
        f"{{value}} {comparison} given.column1 "
        "AND (typeof({value}) = 'text') = (typeof(given.column1) = 'text')"
    )


EQUAL = "{value} IN {given}"
OPERATORS = {
    "": EQUAL,
    "in": EQUAL,
    "not": EQUAL,
    "isnull": "({value} IS NULL) IN {given}",
    "iexact": _any("casefold({value}) = casefold(given.column1)"),
    "lt": _ordered("<"),
    "lte": _ordered("<="),
    "gt": _ordered(">"),
    "gte": _ordered(">="),
    "contains": _any("instr({value}, given.column1) > 0"),
    "icontains": _any("instr(casefold({value}), casefold(given.column1)) > 0"),
    "startswith": _any("instr({value}, given.column1) = 1"),
    "endswith": _any(
        "{value} IS NOT NULL AND (given.column1 = '' "
        "OR substr({value}, -length(given.column1)) = CAST(given.column1 AS TEXT))"
    ),
}
COMPARISONS = frozenset({"", "in", "not", "lt", "lte", "gt", "gte"})


@dataclass(frozen=True)
class Column:
    """Locate the values of one field in SQL."""

    value: str  # The expression of the value; `{suffix}` in it stands for the bound suffix.
    rows: str = ""  # `FROM ... WHERE ...` of the values, if the field has several.
    suffix: str | None = None  # Of a prefixed field: a metadata key, an id or slug.
    is_time: bool = False


Lookup = Callable[[str], Column | None]


@dataclass
class Where:
    """Build a WHERE clause and collect the values that it binds."""

    clauses: list[str] = field(default_factory=list)
    bound: dict[str, Any] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """The clause, without its keyword."""
        return " AND ".join(f"({clause})" for clause in self.clauses) or "TRUE"

    def bind(self, value: object) -> str:
        """Bind `value` and return its placeholder."""
        name = f"v{len(self.bound)}"
        self.bound[name] = value
        return f":{name}"

    def table(self, values: Iterable[object]) -> str:
        """Bind `values` and return them as a table of one column."""
        return "(VALUES " + ", ".join(f"({self.bind(value)})" for value in values) + ")"

    def add(self, column: Column, operator: str, values: list[Any]) -> None:
        """Require that `column` matches any of `values` (none of them for `not`)."""
        names = {"suffix": self.bind(column.suffix)} if column.suffix is not None else {}
        value, rows = column.value.format(**names), column.rows.format(**names)
        if rows and operator == "isnull":
            value, rows = f"(SELECT {value} {rows} LIMIT 1)", ""
        clause = OPERATORS[operator].format(value=value, given=self.table(values))
        if rows:
            clause = f"EXISTS (SELECT 1 {rows} AND ({clause}))"
        self.clauses.append(f"({clause}) IS NOT TRUE" if operator == "not" else clause)


def read_filters(filters: object, lookup: Lookup) -> Where:
    """Return the WHERE clause of `{"field": {"operator": OP, "value": [v, ...]}}`.

    The fields are ANDed; `lookup` returns the column of a field, or None. An unknown field or
    operator, or another form, is answered with 400 `{"filters": [...]}`.
    """
    if not isinstance(filters, dict):
        raise _filter_error("give an object: field -> {operator, value}")
    check_storable("filters", filters)
    if len(filters) > MAX_CONDITIONS:
        raise _filter_error(f"at most {MAX_CONDITIONS} fields")
    where = Where()
    for name, condition in filters.items():
        column = lookup(name)
        if column is None:
            raise _filter_error(f"{name!r} is not a field to filter on")
        operator, values = _read_condition(name, condition)
        where.add(column, operator, [_read_value(name, column, operator, v) for v in values])
        if len(where.bound) > MAX_VALUES:
            raise _filter_error(f"at most {MAX_VALUES} values")
    return where


def _read_condition(name: str, condition: object) -> tuple[str, list[Any]]:
    if not isinstance(condition, dict):
        raise _filter_error(f"{name}: give an object with operator and value")
    operator, values = condition.get("operator"), condition.get("value")
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise _filter_error(f"{name}: {operator!r} is not an operator")
    if not isinstance(values, list) or not values:
        raise _filter_error(f"{name}: value must be a list of at least one value")
    return operator, values


def _read_value(name: str, column: Column, operator: str, value: object) -> object:
    if operator == "isnull" and not isinstance(value, bool):
        raise _filter_error(f"{name}: isnull takes true or false")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise _filter_error(f"{name}: a number beyond 64 bits")
    if not isinstance(value, str | int | float):
        raise _filter_error(f"{name}: a value is a string, a number or a boolean")
    if not column.is_time or operator not in COMPARISONS:
        return value
    try:
        return normalize_timestamp(value if isinstance(value, str) else "")
    except ValueError as error:
        raise _filter_error(f"{name}: {error}") from None


def _filter_error(message: str) -> HttpError:
    return invalid("filters", message)
