"""Define the columns of a job's files, and turn plans into tables and back.

A line is one score. Its number is the partition it came from, shifted by 32 bits, plus its position
there: the number of its row times the scores per row, plus its place in the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.errors import FrameError
from respan_notebook.frames.context import CONTEXT_COLUMNS
from respan_notebook.models import VALUE_FIELDS, Evaluator
from respan_notebook.push.outcomes import STATUSES, Outcomes
from respan_notebook.push.plan import Plan, encode_time
from respan_notebook.values.cells import is_missing
from respan_notebook.values.types import find_type, value_field
from respan_notebook.wording import render_foreign

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = npt.NDArray[np.int64]
SHIFT: Final = 32  # Bits of a position.
_TYPES: Final[Mapping[str, str]] = {
    "numerical_value": "float64",
    "string_value": "string",
    "boolean_value": "bool",
    "json_value": "string",
    "prompt_version_number": "int64",
}  # The rest is text, and categorical_value a list of text.


def plan_schema() -> pa.Schema:
    """Return the columns of a plan's part.

    ``line`` (int64), ``log_id`` (text), ``evaluator`` (text: slug, else id), ``evaluator_code``
    (int32, its place in ``job.json``), ``status`` and ``error`` (text), the API's value fields, of
    which one is set on a line that is to be sent, the fields that travel along, and ``scorer``
    (text).
    """
    import pyarrow as pa

    return pa.schema(
        [
            ("line", pa.int64()),
            ("log_id", pa.string()),
            ("evaluator", pa.string()),
            ("evaluator_code", pa.int32()),
            ("status", pa.string()),
            ("error", pa.string()),
            *((name, _type_of(name)) for name in (*VALUE_FIELDS, *CONTEXT_COLUMNS, "scorer")),
        ]
    )


def with_all_columns(table: pa.Table) -> pa.Table:
    """Return lines with all columns of a plan's part and others; what was not there is null."""
    import pyarrow as pa

    for field in plan_schema():
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table


def report_schema() -> pa.Schema:
    """Return the columns of a report's part: those of a report's frame, by number of the line."""
    import pyarrow as pa

    return pa.schema(
        [
            *(plan_schema().field(n) for n in ("line", "log_id", "evaluator", "status", "error")),
            ("http_status", pa.int16()),
            ("is_passed", pa.bool_()),
            ("attempts", pa.int16()),
            ("seconds", pa.float64()),
            ("score_id", pa.string()),
        ]
    )


def _type_of(name: str) -> pa.DataType:
    import pyarrow as pa

    if name == "categorical_value":
        return pa.list_(pa.string())
    return pa.type_for_alias(_TYPES.get(name, "string"))


def render_line(line: int, width: int) -> str:
    """Return the place of a line's row, for a message.

    Examples
    --------
    >>> render_line(7, 2), render_line((3 << 32) + 7, 2)
    ('3', '3 of partition 3')
    """
    partition, row = split_line(line, width)
    return f"{row} of partition {partition}" if partition else f"{row}"


def split_line(line: int, width: int) -> tuple[int, int]:
    """Return the partition of a line, and the number of its row there."""
    return line >> SHIFT, (line & ((1 << SHIFT) - 1)) // width


def number_lines(partition: int, first_row: int, rows: int, width: int) -> Numbers:
    """Return the numbers of the lines of some rows that follow one another."""
    if (first_row + rows) * width > 1 << SHIFT:
        raise FrameError(
            f"partition {partition} has more than {1 << SHIFT:,} scores; split it into several"
        )
    return (partition << SHIFT) + np.arange(first_row * width, (first_row + rows) * width)


# -- to tables ----------------------------------------------------------------------------------


def encode_plan(plan: Plan, outcomes: Outcomes, lines: Numbers) -> pa.Table:
    """Return checked scores as a table with the columns of :func:`plan_schema`."""
    import pyarrow as pa

    status = np.array(STATUSES, object)[outcomes.status]
    errors = [None] * len(plan)
    for i, error in outcomes.errors.items():
        errors[i] = error  # type: ignore[call-overload]
    names = np.array([one.slug_or_id for one in plan.evaluators], object)
    columns = {
        "line": lines,
        "log_id": _repeat([_log_id_text(one) for one in plan.log_ids], plan.width),
        "evaluator": names[plan.codes] if len(plan) else [],
        "evaluator_code": plan.codes.astype(np.int32),
        "status": status,
        "error": errors,
        **_encode_values(plan),
        **{
            name: _repeat([encode_time(cell) for cell in cells], plan.width)
            for name, cells in plan.context.items()
        },
        "scorer": _repeat(plan.scorers, plan.width) if plan.scorers else None,
    }
    schema = plan_schema()
    return pa.table(
        [
            pa.nulls(len(plan), field.type)
            if columns.get(field.name) is None
            else pa.array(columns[field.name], field.type)
            for field in schema
        ],
        schema=schema,
    )


def _log_id_text(log_id: Any) -> str | None:
    if type(log_id) is str:
        return log_id
    # One that can't be a log id: the line is invalid, and the error says so.
    return None if is_missing(log_id) else render_foreign(str(log_id), 200)


def _repeat(cells: Sequence[Any], width: int) -> Sequence[Any]:
    return cells if width == 1 else [cell for cell in cells for _ in range(width)]


def _encode_values(plan: Plan) -> dict[str, Any]:
    """Return the values by the field that holds them."""
    fields = [
        value_field(one) if find_type(one.score_value_type) else "" for one in plan.evaluators
    ]
    found = sorted(set(filter(None, fields)))
    if len(found) == 1:
        return {found[0]: plan.values}
    of_line = np.array(fields, object)[plan.codes].tolist() if fields else []
    pairs = list(zip(of_line, plan.values, strict=True))
    return {name: [value if own == name else None for own, value in pairs] for name in found}


def encode_outcomes(plan: pa.Table, outcomes: Outcomes) -> pa.Table:
    """Return a report's part: what became of the lines of a plan's part."""
    import pyarrow as pa

    size = len(outcomes.status)
    schema = report_schema()
    missing = outcomes.http_status == 0
    columns = {
        "line": plan["line"],
        "log_id": plan["log_id"],
        "evaluator": plan["evaluator"],
        "status": pa.array(np.array(STATUSES, object)[outcomes.status], pa.string()),
        "error": pa.array([outcomes.errors.get(i) for i in range(size)], pa.string()),
        "http_status": pa.array(outcomes.http_status, mask=missing),
        "is_passed": pa.array(outcomes.is_passed, pa.bool_()),
        "attempts": pa.array(outcomes.attempts),
        "seconds": pa.array(outcomes.seconds, mask=np.isnan(outcomes.seconds)),
        "score_id": pa.array(outcomes.score_ids, pa.string()),
    }
    return pa.table(columns, schema=schema)


# -- from tables --------------------------------------------------------------------------------


def decode_plan(table: pa.Table, evaluators: Sequence[Evaluator], *, as_scorer: bool) -> Plan:
    """Return the scores of a plan's part; its index has the numbers of the lines."""
    codes = table["evaluator_code"].to_numpy().astype(np.int64)
    scorers = table["scorer"].to_pylist() if table["scorer"].null_count < len(table) else []
    return Plan(
        index=pd.Index(table["line"].to_numpy()),
        log_ids=table["log_id"].to_pylist(),
        evaluators=evaluators,
        codes=codes,
        values=_decode_values(table),
        context={
            name: table[name].to_pylist()
            for name in CONTEXT_COLUMNS
            if table[name].null_count < len(table)
        },
        scorers=scorers,
        as_scorer=as_scorer,
    )


def _decode_values(table: pa.Table) -> list[Any]:
    values = [None] * len(table)
    for name in VALUE_FIELDS:
        column = table[name]
        if column.null_count == 0:
            return column.to_pylist()  # type: ignore[no-any-return]
        if column.null_count < len(table):
            cells = column.to_pylist()
            values = [new if old is None else old for old, new in zip(values, cells, strict=True)]
    return values


def status_codes(table: pa.Table) -> npt.NDArray[np.int8]:
    """Return the statuses of a table's lines as positions in :data:`STATUSES`."""
    import pyarrow as pa
    from pyarrow import compute

    known = pa.array(STATUSES, pa.string())
    return np.asarray(compute.index_in(table["status"], known).to_numpy(), np.int8)


def decode_outcomes(plan: pa.Table, report: pa.Table | None) -> Outcomes:
    """Return what the report's part, if there is one, or else the plan's says of its lines."""
    table = plan if report is None else report
    outcomes = Outcomes(len(table))
    outcomes.status[:] = status_codes(table)
    outcomes.errors = {
        i: error for i, error in enumerate(table["error"].to_pylist()) if error is not None
    }
    if report is not None:
        outcomes.http_status[:] = report["http_status"].fill_null(0).to_numpy()
        outcomes.attempts[:] = report["attempts"].to_numpy()
        outcomes.seconds[:] = report["seconds"].to_numpy()
        outcomes.is_passed = report["is_passed"].to_pylist()
        outcomes.score_ids = report["score_id"].to_pylist()
    return outcomes


def error_frame(table: pa.Table, width: int) -> pd.DataFrame:
    """Return lines of a report as :meth:`PushJob.errors` shows them."""
    lines = table["line"].to_pylist()
    places = [split_line(line, width) for line in lines]
    index = pd.Index(lines, dtype="int64", name="line")
    text = {
        name: pd.Series(table[name].to_pylist(), index, dtype=object)
        for name in ("log_id", "evaluator", "status", "error")
    }
    return pd.DataFrame(
        {
            "partition": pd.Series([partition for partition, _ in places], index, dtype="int64"),
            "row": pd.Series([row for _, row in places], index, dtype="int64"),
            **text,
            "http_status": pd.Series(table["http_status"].to_pylist(), index, dtype="Int16"),
            "attempts": pd.Series(table["attempts"].to_pylist(), index, dtype="int16"),
        },
        index=index,
    )
