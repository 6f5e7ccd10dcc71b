"""Files of reports that were cut short, changed, or are none, and saves that do not end."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from canned import Canned, CannedServer
from hypothesis import given
from hypothesis import strategies as st
from stars import STARS, frame_of, push

from respan_notebook import ConfigurationError, FrameError, PushReport, RespanClient
from respan_notebook.push.options import PushOptions
from respan_notebook.push.outcomes import ARRIVED, FAILED, NOT_SENT, SKIPPED, STATUSES, Outcomes
from respan_notebook.push.plan import Plan
from respan_notebook.push.push import send_plan
from respan_notebook.push.text_cells import decode_cell, encode_cell

Start = Callable[..., CannedServer]
ENDINGS = [".csv", ".parquet"]


def report_of(canned: Start) -> PushReport:
    """Give a report with scores that arrived, failed and were not sent."""
    answers = [Canned(201, b'{"id": "s"}'), Canned(404, b'{"detail": "no"}'), Canned(401)]
    server = canned(lambda path: answers[int(path.split("log_")[1][0])])
    with RespanClient("key", server.base_url) as client:
        return push(frame_of(4), client, concurrency=1)


@pytest.fixture
def saved(canned: Start, tmp_path: Path) -> Path:
    report_of(canned).save(tmp_path / "report.csv")
    return tmp_path / "report.csv"


def test_load__of_a_csv_cut_anywhere_is_refused_or_warns(saved: Path) -> None:
    whole, content = PushReport.load(saved), saved.read_bytes()
    assert len(whole) == 4
    for end in range(len(content) - 1):
        saved.write_bytes(content[:end])
        try:
            report = PushReport.load(saved)
        except FrameError:
            continue
        assert report.warnings == [f"the file has {len(report)} of the 4 lines saved in it"]
        pd.testing.assert_frame_equal(report.frame, whole.frame.iloc[: len(report)])


def test_load__of_a_parquet_file_cut_anywhere_is_refused(canned: Start, tmp_path: Path) -> None:
    path = tmp_path / "report.parquet"
    report_of(canned).save(path)
    content = path.read_bytes()
    for end in range(0, len(content), 97):
        path.write_bytes(content[:end])
        with pytest.raises(FrameError, match="can't be read as a parquet file"):
            PushReport.load(path)


def test_load__of_another_table_is_refused(tmp_path: Path) -> None:
    for ending, write in ((".csv", pd.DataFrame.to_csv), (".parquet", pd.DataFrame.to_parquet)):
        path = tmp_path / f"frame{ending}"
        write(frame_of(2), path)
        with pytest.raises(FrameError, match=r"is no report that report.save wrote, or lost the"):
            PushReport.load(path)


def test_load__of_what_is_no_table_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"\x00\xff\xfe", b'"'):
        for ending in ENDINGS:
            path = tmp_path / f"report{ending}"
            path.write_bytes(content)
            with pytest.raises(FrameError, match=r"report\.\w+' can't be read as a \w+ file"):
                PushReport.load(path)


def test_load__without_a_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PushReport.load(tmp_path / "none.csv")


def change(path: Path, edit: Callable[[pd.DataFrame], object]) -> None:
    """Edit a saved report as a user of pandas would."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    edit(table)
    table.to_csv(path, index=False)


def set_cell(line: int, column: str, text: str) -> Callable[[pd.DataFrame], None]:
    def edit(table: pd.DataFrame) -> None:
        table.loc[line, column] = text

    return edit


@pytest.mark.parametrize(
    ("line", "column", "text", "said"),
    [
        (1, "status", "gone", "line 2 has the status 'gone'"),
        (1, "status", "", "line 2 has row_0 '1', and no status"),
        (2, "row_0", "x", "invalid literal for int"),
        (0, "http_status", "two", "line 1 has the http_status 'two'"),
        (0, "attempts", "many", "line 1 has the attempts 'many'"),
        (0, "is_passed", "perhaps", "line 1 has the is_passed 'perhaps'"),
        (0, "evaluator_code", "1", "column 'evaluator_code' names an evaluator that there is not"),
        (0, "score_id", "\\x", r"line 1 has the score_id '\\\\x'"),
        (1, "log_id", "log_2", "line 2 has log id or body of another score than was to be sent"),
        (1, "body", "{}", "line 2 has log id or body of another score than was to be sent"),
        (1, "body", "", "line 2 has log id or body of another score than was to be sent"),
        (1, "body", '{"evaluator_sl', "line 2 has the body '{\"evaluator_sl'"),
        (1, "digest", "", "line 2 has log id or body of another score than was to be sent"),
        (3, "report", "{}", "holds 2 reports; keep a file for each"),
        (0, "report", "{}", "column 'report' .* is not what report.save wrote"),
        (0, "report", "[1]", "column 'report' .* is not what report.save wrote"),
        (0, "report", '{"format": 1}', "was cut short: there is no 'evaluators'"),
        (0, "report", '{"format": 3}', r"newer version of respan-notebook \(format 3, this vers"),
        (0, "report", "", "is no report that report.save wrote, or lost the line"),
    ],
)
def test_load__of_a_changed_file_says_where(
    line: int, column: str, text: str, said: str, saved: Path
) -> None:
    change(saved, set_cell(line, column, text))
    with pytest.raises(FrameError, match=said) as caught:
        PushReport.load(saved)
    assert repr(str(saved)) in str(caught.value)


def test_load__without_a_column_names_it(saved: Path) -> None:
    change(saved, lambda table: table.pop("attempts"))
    with pytest.raises(FrameError, match="was cut short: there is no 'attempts'"):
        PushReport.load(saved)


def test_load__a_spreadsheet_may_write_it_anew(saved: Path) -> None:
    whole = PushReport.load(saved)
    text = saved.read_text(encoding="utf-8").replace("True", "TRUE").replace("\n", "\r\n")
    blank = "," * text.splitlines()[0].count(",")
    saved.write_text(f"{text}{blank}\r\n", "utf-8-sig", newline="")
    pd.testing.assert_frame_equal(PushReport.load(saved).frame, whole.frame)


@pytest.mark.parametrize("name", ["report", "report.txt", "report.csv.gz"])
def test_save__to_another_ending_is_refused(name: str, tmp_path: Path) -> None:
    report = frame_of(1).respan.push_scores([STARS], dry_run=True)
    said = f"a report is saved as .csv or .parquet, and .*{name}' ends with neither"
    for refused in (report.save, PushReport.load):
        with pytest.raises(ConfigurationError, match=said):
            refused(tmp_path / name)
    with pytest.raises(ConfigurationError, match=said):
        frame_of(1).respan.push_scores([STARS], dry_run=True, resume=tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_save__parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = frame_of(1).respan.push_scores([STARS], dry_run=True)
    path = tmp_path / "report.parquet"
    report.save(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for refused in (report.save, PushReport.load):
        with pytest.raises(ConfigurationError, match=r'pip install "respan-notebook\[parquet\]"'):
            refused(path)
    assert [one.name for one in tmp_path.iterdir()] == ["report.parquet"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_save__on_a_full_disk_keeps_the_earlier_file(ending: str, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / f"report{ending}"
    frame_of(1).respan.push_scores([STARS], dry_run=True).save(path)
    before = path.read_bytes()
    report = frame_of(5_000).respan.push_scores([STARS], dry_run=True)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            report.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    report.save(str(path))
    assert len(PushReport.load(str(path))) == 5_000


def test_save__writes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "folder" / "report.csv")
    frame_of(1).respan.push_scores([STARS], dry_run=True).save(tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert len(PushReport.load(tmp_path / "folder" / "report.csv")) == 1


CELLS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(CELLS)
def test_encode_cell__comes_back(cell: Any) -> None:
    decoded = decode_cell(encode_cell(cell))
    assert type(decoded) is type(cell)
    assert decoded == cell or cell != cell


ODD = (
    "NA N/A n/a #N/A <NA> nan -nan NaN NULL null None 1.#IND -1.#QNAN inf Infinity +inf True FALSE"
)
NUMBERS = st.integers() | st.floats() | st.booleans() | st.dates()


@given(st.text() | st.sampled_from(ODD.split()) | NUMBERS.map(str))
def test_encode_cell__is_nothing_that_a_reader_changes(cell: str) -> None:
    text = encode_cell(cell)
    assert text is not None
    assert text[0] not in "=+-@\t\r"
    file = io.StringIO()
    csv.writer(file).writerows([["cell"], [text]])
    assert pd.read_csv(io.StringIO(file.getvalue()))["cell"].tolist() == [text]


LABELS = st.text() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.none()
LINES = st.lists(
    st.tuples(st.text(min_size=1), LABELS, st.integers(0, len(STATUSES) - 1), st.text(min_size=1))
)


@given(lines=LINES, ending=st.sampled_from(ENDINGS))
def test_load__comes_back(
    lines: list[tuple[Any, ...]], ending: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log_ids, labels, statuses, words = map(list, zip(*lines, strict=True)) if lines else [[]] * 4
    outcomes = Outcomes(len(lines))
    outcomes.status[:] = statuses
    for line, status in enumerate(statuses):
        if status in ARRIVED:
            outcomes.score_ids[line], outcomes.http_status[line] = words[line], 200
            outcomes.is_passed[line] = (None, True, False)[line % 3]
            outcomes.seconds[line], outcomes.attempts[line] = 1 / 3, line % 2
        elif status not in (NOT_SENT, SKIPPED):
            outcomes.errors[line] = words[line]
    outcomes.stopped = "".join(words)[:20]
    plan = Plan(
        index=pd.Index(labels, dtype=object),
        log_ids=log_ids,
        evaluators=[STARS],
        codes=np.zeros(len(lines), np.int64),
        values=[float(line) for line in range(len(lines))],
    )
    report = PushReport(plan, outcomes, PushOptions(), words[:2], None, send_plan)
    path = tmp_path_factory.mktemp("saved") / f"report{ending}"
    report.save(path)
    loaded = PushReport.load(path)
    pd.testing.assert_frame_equal(loaded.frame, report.frame)
    pd.testing.assert_frame_equal(loaded.payloads, report.payloads)
    pd.testing.assert_frame_equal(loaded.reasons, report.reasons)
    assert (repr(loaded), loaded.counts) == (repr(report), report.counts)
    assert loaded.payloads["body"].size == sum(one in (FAILED, NOT_SENT) for one in statuses)
