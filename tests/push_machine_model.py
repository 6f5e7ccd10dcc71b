"""A plain model of a push: its lines, and everything that its report must say of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pandas as pd
import pytest
from push_machine_server import Seen

from respan_notebook import Evaluator, PushError, PushReport

ATTEMPTS: Final = 3
EVALUATORS: Final = {
    "stars": Evaluator(
        evaluator_slug="stars",
        score_value_type="numerical",
        score_config={"min_score": 1, "max_score": 5},
    ),
    "moons": Evaluator(id="ev_moons", evaluator_slug="moons", score_value_type="boolean"),
}
_ARRIVED: Final = {"created", "updated", "resumed"}
_TO_SEND: Final = {"failed", "not_sent"}
_BAD: Final = {"invalid", *_TO_SEND}
_BODIES: Final[dict[str, tuple[dict[str, str], str]]] = {
    "stars": ({"evaluator_slug": "stars"}, "numerical_value"),
    "moons": ({"evaluator_id": "ev_moons"}, "boolean_value"),
}
_VALUES: Final = {"stars": range(1, 6), "moons": (True, False)}
_MAY_HAVE_ARRIVED: Final = re.compile("may have (arrived|been stored|stored)")
_CARRIED: Final = ["log_id", "evaluator", "status", "error", "http_status", "attempts", "score_id"]


@dataclass(frozen=True)
class Row:
    """Hold the cells of a row."""

    log_id: Any
    cells: dict[str, Any]
    explanation: str | None


@dataclass(frozen=True)
class Line:
    """Hold a line as the model has it: ``kind`` is ``ready``, or the status of what is not sent."""

    kind: str
    log_id: Any
    evaluator: str
    body: dict[str, Any]

    @property
    def identity(self) -> tuple[Any, str]:
        return self.log_id, self.evaluator


@dataclass(frozen=True)
class Known:
    """Hold a report, with the rows and the lines that it is about."""

    report: PushReport
    rows: Sequence[Row]
    lines: Sequence[Line]
    columns: list[str]
    has_client: bool = True
    has_deadline: bool = False

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        return read_records(self.report.frame)

    @property
    def arrived(self) -> dict[str, dict[str, Any]]:
        """The records of what had arrived, by the text of log id and body."""
        return {
            f"{line.log_id} {sorted(line.body.items())}": record
            for line, record in zip(self.lines, self.records, strict=True)
            if record["status"] in _ARRIVED
        }


@dataclass(frozen=True)
class Event:
    """Hold what happened during a push, beside what its report says.

    Attributes
    ----------
    seen : sequence of Seen
        The requests.
    before : list of dict or None
        The records of the report that was retried.
    resumed : mapping
        The records of what had arrived by the push that was resumed.
    presses : int
        How often Ctrl-C interrupted it.
    has_deadline : bool
        Whether it had one.
    """

    seen: Sequence[Seen]
    before: list[dict[str, Any]] | None = None
    resumed: dict[str, dict[str, Any]] = field(default_factory=dict)
    presses: int = 0
    has_deadline: bool = False


def read_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the lines of a report's frame, with None for a missing cell."""
    columns = [[None if pd.isna(cell) else cell for cell in frame[name]] for name in _CARRIED]
    return [dict(zip(_CARRIED, cells, strict=True)) for cells in zip(*columns, strict=True)]


def make_frame(rows: Sequence[Row]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {
        "log_id": [row.log_id for row in rows],
        **{name: [row.cells[name] for row in rows] for name in EVALUATORS},
        "explanation": [row.explanation for row in rows],
    }
    # Labels that are neither unique nor in order.
    return pd.DataFrame(columns, dtype=object, index=[n % 3 for n in range(len(rows), 0, -1)])


def plan_lines(rows: Sequence[Row], evaluators: Sequence[str], on_duplicate: str) -> list[Line]:
    """Return the lines of a push: the first or the last of each log and evaluator is ready."""
    lines = [_plan_line(row, evaluator) for row in rows for evaluator in evaluators]
    order = range(len(lines)) if on_duplicate == "first" else range(len(lines) - 1, -1, -1)
    taken = set[tuple[Any, str]]()
    for i in order:
        line = lines[i]
        if line.kind == "ready" and line.identity in taken:
            lines[i] = Line("duplicate", line.log_id, line.evaluator, line.body)
        elif line.kind == "ready":
            taken.add(line.identity)
    return lines


def _plan_line(row: Row, evaluator: str) -> Line:
    value = row.cells[evaluator]
    reference, value_field = _BODIES[evaluator]
    body = {**reference, value_field: value}
    if row.explanation is not None:
        body["explanation"] = row.explanation
    if value is None:
        kind = "skipped"
    elif value not in _VALUES[evaluator] or not row.log_id:
        kind = "invalid"
    else:
        kind = "ready"
    return Line(kind, row.log_id, evaluator, body)


def check_push(known: Known, event: Event, stored: dict[Any, tuple[str, dict[str, Any]]]) -> None:
    """Compare a report with what the server has seen during its push and has after it."""
    records, lines = known.records, known.lines
    to_send = {i for i, line in enumerate(lines) if _is_to_send(i, line, event)}
    asked = [(lines[i].identity, lines[i].body) for i in to_send]
    assert [one for one in event.seen if ((one.log_id, one.evaluator), one.body) not in asked] == []
    for i, (line, record) in enumerate(zip(lines, records, strict=True)):
        assert (record["log_id"], record["evaluator"]) == (
            line.log_id or record["log_id"],
            line.evaluator,
        )
        earlier = event.before[i] if event.before else None
        if i not in to_send:
            _check_unsent(line, record, earlier, event)
        else:
            mine = [one for one in event.seen if (one.log_id, one.evaluator) == line.identity]
            _check_sent(record, mine, earlier, event, known.report)
        if record["status"] in ("created", "updated") and i in to_send:
            assert stored[line.identity] == (record["score_id"], line.body)
    _check_stop(known, event)
    check_parts(known)


def _is_to_send(i: int, line: Line, event: Event) -> bool:
    if event.before is not None:
        return event.before[i]["status"] in _TO_SEND
    return line.kind == "ready" and _find_resumed(line, event) is None


def _find_resumed(line: Line, event: Event) -> dict[str, Any] | None:
    return event.resumed.get(f"{line.log_id} {sorted(line.body.items())}")


def _check_unsent(
    line: Line, record: dict[str, Any], earlier: dict[str, Any] | None, event: Event
) -> None:
    if earlier is not None:
        assert record == earlier
        return
    resumed = _find_resumed(line, event) if line.kind == "ready" else None
    expected = {"status": line.kind, "http_status": None, "attempts": 0, "score_id": None}
    if resumed is not None:
        taken_over = {name: resumed[name] for name in ("http_status", "score_id")}
        expected = {"status": "resumed", "attempts": 0, **taken_over}
    assert {name: record[name] for name in expected} == expected
    assert (record["error"] is not None) == (line.kind in ("invalid", "duplicate"))


def _check_sent(
    record: dict[str, Any],
    mine: list[Seen],
    earlier: dict[str, Any] | None,
    event: Event,
    report: PushReport,
) -> None:
    attempts = earlier["attempts"] if earlier else 0
    assert record["attempts"] == attempts + len(mine)
    assert [one for one in mine[:-1] if one.fault.kind not in ("again", "held")] == []
    tries = sum(one.fault.kind != "held" for one in mine)
    assert tries <= ATTEMPTS
    if not mine:
        status = earlier["status"] if earlier else "not_sent"
        error = earlier["error"] if status == "failed" and earlier else _stopped(report)
        assert (record["status"], record["error"]) == (status, error)
        assert error
        return
    last = mine[-1]
    if record["status"] in ("created", "updated"):
        assert last.fault.kind in ("arrives", "renamed")
        answered = 201 if last.is_first else 200
        expected = {201: "created", 200: "updated"}[answered], answered, None, last.score_id
        assert tuple(record[n] for n in ("status", "http_status", "error", "score_id")) == expected
        return
    assert (record["status"], record["score_id"]) == ("failed", None)
    _check_failed(record, mine, event, report)
    if (last.fault.kind == "again" and tries < ATTEMPTS) or last.fault.kind == "held":
        assert _stopped(report) or "while in flight" in record["error"]


def _check_failed(
    record: dict[str, Any], mine: list[Seen], event: Event, report: PushReport
) -> None:
    """Check that the error fits the last answer, and that it tells of what may be stored."""
    last, error = mine[-1], record["error"]
    if "while in flight" in error:
        assert event.presses or event.has_deadline
        assert _MAY_HAVE_ARRIVED.search(error)
        return
    said = {
        "arrives": "never",
        "renamed": "the answer is about log",
        "wrong": "the answer is about log",
        "unread": "the server's answer is no",
        "again": f"answered {last.fault.status}" if last.fault.status else "no answer from",
    }.get(last.fault.kind, f"answered {last.fault.status}")
    assert said in error
    if last.fault.status != 0:
        assert record["http_status"] == last.fault.status
    # Of a request without answer, and of a broken server, nothing can be known.
    is_open = last.fault.status is None or last.fault.status in (200, 201, 500, 502)
    if any(one.score_id for one in mine) and not is_open:
        assert _MAY_HAVE_ARRIVED.search(error)


def _stopped(report: PushReport) -> str:
    found = re.search(r"^  stopped: (.*)$", repr(report), re.MULTILINE)
    return found[1] if found else ""


_CAUSES: Final[dict[str, Callable[[Event], bool]]] = {
    "interrupted": lambda event: event.presses > 0,
    "the deadline of": lambda event: event.has_deadline,
    "POST .* answered 401": lambda event: _count(event, 401) > 0,
    "POST .* answered (403|308)": lambda event: _count(event, 403, 308) >= 5,
    "the server asks to wait": lambda event: _count(event, 429) > 0,
    "the server answered 429": lambda event: _count(event, 429) > 0,
    "gave up after": lambda event: any(one.fault.kind == "again" for one in event.seen),
}


def _count(event: Event, *statuses: int) -> int:
    return sum(one.fault.status in statuses for one in event.seen)


def _check_stop(known: Known, event: Event) -> None:
    """Check that the push went on unless something has ended it."""
    stopped, records = _stopped(known.report), known.records
    if not stopped:
        assert event.presses == 0
        assert _count(event, 401) == 0
        assert "not_sent" not in {record["status"] for record in records}
        return
    (allowed,) = [cause for said, cause in _CAUSES.items() if re.match(said, stopped)]
    assert allowed(event), stopped
    if re.match("POST .* answered (403|308)", stopped):
        assert not _ARRIVED & {record["status"] for record in [*records, *(event.before or [])]}


def check_names(known: Known, event: Event) -> None:
    """Check that logs named in another way are an error only beside one that is named as sent."""
    of_line = {one.log_id + one.evaluator: one.fault for one in event.seen}
    records = [r for r in known.records if f"{r['log_id']}{r['evaluator']}" in of_line]
    kinds = {"arrived": set[str](), "failed": set[str]()}
    for record in records:
        fault = of_line[f"{record['log_id']}{record['evaluator']}"]
        outcome = "arrived" if record["status"] in _ARRIVED else "failed"
        if outcome == "arrived" or "is about" in (record["error"] or ""):
            kinds[outcome].add(fault.kind)
    if "renamed" in kinds["failed"]:
        assert "arrives" in kinds["arrived"]
    if "renamed" in kinds["arrived"]:
        assert "arrives" not in kinds["arrived"]
        assert "the answers name the log in another way" in " ".join(known.report.warnings)


def check_parts(known: Known) -> None:
    """Check that the parts of a report agree with its frame."""
    report, lines = known.report, known.lines
    frame, records = report.frame, known.records
    statuses = [record["status"] for record in records]
    assert len(report) == len(frame) == len(lines)
    assert frame.index.tolist() == [
        label
        for label in make_frame(known.rows).index
        for _ in range(len(lines) // len(known.rows))
    ]
    assert report.counts == Counter(statuses)
    bad = [status in _BAD for status in statuses]
    assert report.ok == (not any(bad))
    pd.testing.assert_frame_equal(
        report.errors.drop(columns="digest"), frame[bad].drop(columns="digest")
    )
    bodies = [line.body for line, status in zip(lines, statuses, strict=True) if status in _TO_SEND]
    assert report.payloads["body"].tolist() == bodies
    has_error = frame["error"].notna()
    assert report.reasons["rows"].sum() == has_error.sum()
    assert set(report.reasons["reason"]) <= set(frame["error"][has_error])
    assert repr(report).startswith("PushReport pushed: ")
    if report.ok:
        report.raise_for_errors()
    else:
        with pytest.raises(PushError, match=f"{sum(bad)} of {len(lines)} scores did not arrive"):
            report.raise_for_errors()
