"""Turn a report into a table of text, and such a table back into a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from respan_notebook.errors import FrameError
from respan_notebook.models import Evaluator, Upsert
from respan_notebook.push.options import PushOptions
from respan_notebook.push.origin import Origin
from respan_notebook.push.outcomes import ARRIVED, FAILED, NOT_SENT, STATUSES, Outcomes
from respan_notebook.push.plan import Lines, digest_of
from respan_notebook.push.text_cells import (
    decode_cell,
    decode_level,
    encode_cell,
    encode_level,
    read_truth,
    read_whole_number,
)
from respan_notebook.push.text_table import TextTable
from respan_notebook.wording import render_short

FACTS: Final = "report"
"""The column whose first cell holds, as JSON, what the lines have in common."""
_FORMAT: Final = 2
_EVALUATOR_FIELDS: Final = ("id", "evaluator_slug", "score_value_type")
_LEVEL: Final = "row_"  # Before the number of a level of the index.
_TO_SEND: Final = (FAILED, NOT_SENT)


@dataclass(frozen=True)
class SavedPlan(Lines):
    """Hold the scores of a report that was loaded, a row each.

    Attributes
    ----------
    bodies : dict of int to dict
        Score -> the body of its request, for those that had not arrived.
    digests : list
        One per score: that of what had arrived or is still to be sent, None where there is none.
    """

    bodies: dict[int, dict[str, Any]]
    digests: list[str | None]
    width: int = 1

    def upsert(self, i: int) -> Upsert:
        """Return the upsert of a score that had not arrived."""
        return Upsert(self.log_id(i), self.bodies[i])

    def digest(self, i: int) -> str | None:
        """Return the digest of a score's upsert, None when it is not known."""
        return self.digests[i]


class ReportParts(NamedTuple):
    """Hold all that a report is made of."""

    plan: Lines
    outcomes: Outcomes
    options: PushOptions
    warnings: list[str]
    origin: Origin | None


# -- to text ------------------------------------------------------------------------------------


def encode_report(parts: ReportParts, errors: list[str | None]) -> TextTable:
    """Return a report as a table of text; ``errors`` has the error of each line."""
    plan = parts.plan
    size, codes = len(plan), plan.codes.tolist()
    names = [encode_cell(one.slug_or_id) for one in plan.evaluators]
    index = plan.index.repeat(plan.width)
    levels = [encode_level(index.get_level_values(n)) for n in range(index.nlevels)]
    table: dict[str, list[str | None]] = {
        **{f"{_LEVEL}{n}": cells for n, (_, cells) in enumerate(levels)},
        "log_id": [encode_cell(plan.log_id(i)) for i in range(size)],
        **({"scorer": [encode_cell(plan.scorer(i)) for i in range(size)]} if plan.scorers else {}),
        "evaluator": [names[code] for code in codes],
        "evaluator_code": [str(code) for code in codes],
        "error": [encode_cell(error) for error in errors],
        **_encode_outcomes(parts.outcomes),
        **_encode_upserts(plan, parts.outcomes),
        FACTS: [None] * size,
        # A table that is cut short loses its last column first; no status begins another.
        "status": [STATUSES[status] for status in parts.outcomes.status.tolist()],
    }
    if not size:  # A line for the facts alone.
        table = {name: [None] for name in table}
    table[FACTS][0] = json.dumps(_collect_facts(parts, [dtype for dtype, _ in levels]))
    return table


def _encode_outcomes(outcomes: Outcomes) -> dict[str, list[str | None]]:
    seconds = outcomes.seconds.tolist()
    return {
        "http_status": [str(code) if code else None for code in outcomes.http_status.tolist()],
        "is_passed": [None if one is None else str(one) for one in outcomes.is_passed],
        "attempts": [str(number) for number in outcomes.attempts.tolist()],
        "seconds": [None if number != number else repr(number) for number in seconds],
        "score_id": [encode_cell(score_id) for score_id in outcomes.score_ids],
    }


def _encode_upserts(plan: Lines, outcomes: Outcomes) -> dict[str, list[str | None]]:
    digests, bodies = list[str | None]([None] * len(plan)), list[str | None]([None] * len(plan))
    for i in outcomes.having(*ARRIVED).tolist():
        digests[i] = plan.digest(i)
    for i in outcomes.having(*_TO_SEND).tolist():
        upsert = plan.upsert(i)
        digests[i], bodies[i] = digest_of(upsert), json.dumps(upsert.body)
    return {"digest": digests, "body": bodies}


def _collect_facts(parts: ReportParts, dtypes: list[str]) -> dict[str, Any]:
    """Return what the lines have in common, as JSON takes it."""
    names = [
        name if name is None or isinstance(name, str) else str(name)
        for name in parts.plan.index.names
    ]
    return {
        "format": _FORMAT,
        "lines": len(parts.plan),
        "origin": parts.origin and asdict(parts.origin),
        "options": asdict(parts.options),
        "warnings": parts.warnings,
        "notes": list(parts.plan.notes),
        "stopped": parts.outcomes.stopped,
        "evaluators": [
            {name: getattr(one, name) for name in _EVALUATOR_FIELDS}
            for one in parts.plan.evaluators
        ],
        "index": {"names": names, "dtypes": dtypes},
    }


# -- from text ----------------------------------------------------------------------------------


def decode_report(table: TextTable, path: str) -> ReportParts:
    """Return the report that :func:`encode_report` made a table of.

    FrameError is raised when it did not, or when a part is gone or was changed; ``path`` names the
    file.
    """
    facts = find_facts(table.get(FACTS, []), path)
    if facts is None:
        raise FrameError(
            f"{path!r} is no report that report.save wrote, or lost the line with a cell in column "
            f"{FACTS!r}, which says how it was pushed; resume= still takes it, if it has digests"
        )
    try:
        return _decode_parts(_drop_blank_lines(table), facts)
    except KeyError as error:
        raise FrameError(f"the report {path!r} was cut short: there is no {error}") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise FrameError(f"the report {path!r} was cut short or changed: {error}") from None


def find_facts(cells: Iterable[Any], path: str) -> dict[str, Any] | None:
    """Return what the lines of a saved report have in common, None when there is no cell with it.

    FrameError is raised when it can't be read, or when a newer version saved it.
    """
    found = [cell for cell in cells if isinstance(cell, str) and cell]
    if not found:
        return None
    if len(found) > 1:
        raise FrameError(f"{path!r} holds {len(found)} reports; keep a file for each")
    try:
        facts = dict(json.loads(found[0]))
        version = int(facts["format"])
    except (LookupError, TypeError, ValueError):
        raise FrameError(
            f"column {FACTS!r} of {path!r} is not what report.save wrote: {render_short(found[0])}"
        ) from None
    if version > _FORMAT:
        raise FrameError(
            f"{path!r} was saved by a newer version of respan-notebook (format {version}, this "
            f"version reads {_FORMAT}); upgrade it"
        )
    return facts


def decode_origin(facts: Mapping[str, Any]) -> Origin | None:
    """Return server and key of a saved report, None when it was pushed nowhere."""
    origin = facts["origin"]
    return None if origin is None else Origin(**origin)


def _drop_blank_lines(table: TextTable) -> TextTable:
    kept = [i for i, status in enumerate(table["status"]) if status]
    blank = set(range(len(table["status"]))) - set(kept)
    for name, cells in table.items():
        for i in blank:
            if name != FACTS and cells[i]:
                raise FrameError(f"line {i + 1} has {name} {render_short(cells[i])}, and no status")
    return {name: [cells[i] for i in kept] for name, cells in table.items()}


def _decode_parts(table: TextTable, facts: Mapping[str, Any]) -> ReportParts:
    evaluators = [Evaluator(**fields) for fields in facts["evaluators"]]
    codes = _read_column(table, "evaluator_code", read_whole_number, -1)
    if any(not 0 <= code < len(evaluators) for code in codes):
        raise FrameError("column 'evaluator_code' names an evaluator that there is not")
    outcomes = _decode_outcomes(table, facts["stopped"])
    log_ids = _read_column(table, "log_id", decode_cell)
    plan = SavedPlan(
        index=_decode_index(table, facts["index"]),
        log_ids=log_ids,
        evaluators=evaluators,
        codes=np.array(codes, np.int64),
        bodies=_decode_bodies(table, log_ids, outcomes),
        digests=table["digest"],
        notes=tuple(facts.get("notes", ())),
        scorers=_read_column(table, "scorer", decode_cell) if "scorer" in table else [],
    )
    options = dict(facts["options"])
    limit = options["rate_limit"]
    options["rate_limit"] = None if limit is None else tuple(limit)
    warnings = [*facts["warnings"]]
    if len(plan) != facts["lines"]:
        warnings.append(f"the file has {len(plan):,} of the {facts['lines']:,} lines saved in it")
    return ReportParts(plan, outcomes, PushOptions(**options), warnings, decode_origin(facts))


def _decode_index(table: TextTable, index: Mapping[str, Any]) -> pd.Index[Any]:
    columns = [table[f"{_LEVEL}{n}"] for n in range(len(index["dtypes"]))]
    levels = [
        decode_level(dtype, cells) for dtype, cells in zip(index["dtypes"], columns, strict=True)
    ]
    if len(levels) == 1:
        return levels[0].rename(index["names"][0])
    return pd.MultiIndex.from_arrays(levels, names=index["names"])


def _decode_outcomes(table: TextTable, stopped: str) -> Outcomes:
    outcomes = Outcomes(len(table["status"]))
    outcomes.status[:] = _read_column(table, "status", STATUSES.index)
    outcomes.http_status[:] = _read_column(table, "http_status", read_whole_number, 0)
    outcomes.attempts[:] = _read_column(table, "attempts", read_whole_number, 0)
    outcomes.seconds[:] = _read_column(table, "seconds", float, np.nan)
    outcomes.is_passed = _read_column(table, "is_passed", read_truth)
    outcomes.score_ids = _read_column(table, "score_id", decode_cell)
    outcomes.stopped = stopped
    errors = _read_column(table, "error", decode_cell)
    outcomes.errors = {
        i: error
        for i, error in enumerate(errors)
        if error is not None and outcomes.status[i] != NOT_SENT  # Theirs is ``stopped``.
    }
    return outcomes


def _decode_bodies(
    table: TextTable, log_ids: list[Any], outcomes: Outcomes
) -> dict[int, dict[str, Any]]:
    cells, bodies = _read_column(table, "body", json.loads), {}
    for i in outcomes.having(*_TO_SEND).tolist():
        bodies[i] = cells[i]
        if digest_of(Upsert(log_ids[i], bodies[i])) != table["digest"][i]:
            raise FrameError(
                f"line {i + 1} has log id or body of another score than was to be sent, and so "
                "could not be sent as it was meant: log id "
                f"{render_short(table['log_id'][i])}, body {render_short(table['body'][i])}"
            )
    return bodies


def _read_column(
    table: TextTable, name: str, read: Callable[[str], Any], missing: Any = None
) -> list[Any]:
    """Return the cells of a column, read; ``missing`` where there is none."""
    cells = []
    for i, text in enumerate(table[name]):
        try:
            cells.append(read(text) if text else missing)
        except ValueError:
            raise FrameError(f"line {i + 1} has the {name} {render_short(text)}") from None
    return cells
