"""Which columns travel along with a score: by the mark of a frame of logs, or as chosen."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dry import FRAME, dry

from respan_notebook import ConfigurationError, FrameError, PushReport, RespanClient

ROW = FRAME.assign(timestamp="2026-01-05T00:00Z", environment="prod", explanation="why")
MARKED = ROW.copy()
MARKED.attrs["respan_logs"] = True
ALL = {"timestamp", "environment", "explanation"}


def sent_with(frame: pd.DataFrame, context: Any = None) -> set[str]:
    report = dry(frame, context=context)
    return set(report.payloads["body"].iloc[0]) - {"evaluator_id", "numerical_value"}


@pytest.mark.parametrize(
    ("frame", "context", "names"),
    [
        (ROW, None, {"explanation"}),
        (MARKED, None, ALL),
        (ROW, True, ALL),
        (MARKED, False, {"explanation"}),
        (MARKED, [], {"explanation"}),
        (ROW, ["environment"], {"environment", "explanation"}),
        (ROW, "timestamp", {"timestamp", "explanation"}),
        (ROW, pd.Index(["environment"]), {"environment", "explanation"}),
        (FRAME, True, set()),
    ],
    ids=["plain", "marked", "True", "False", "none", "list", "one", "Index", "nothing there"],
)
def test_choose_context__by_mark_or_choice(
    frame: pd.DataFrame, context: Any, names: set[str]
) -> None:
    assert sent_with(frame, context) == names


def through_parquet(frame: pd.DataFrame) -> pd.DataFrame:
    file = io.BytesIO()
    frame.to_parquet(file)
    return pd.read_parquet(file)


KEPT: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "columns": lambda frame: frame[["log_id", "stars", "environment"]],
    "rows": lambda frame: frame[frame["stars"] > 0],
    "assign": lambda frame: frame.assign(more=1),
    "sort": lambda frame: frame.sort_values("stars"),
    "pickle": lambda frame: pickle.loads(pickle.dumps(frame)),
    "Parquet": through_parquet,
}
LOST: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "CSV": lambda frame: pd.read_csv(io.StringIO(frame.to_csv(index=False))),
    "dict": lambda frame: pd.DataFrame(frame.to_dict("list")),
}


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT)
def test_choose_context__the_mark_survives(change: Any) -> None:
    assert "environment" in sent_with(change(MARKED))


@pytest.mark.parametrize("change", LOST.values(), ids=LOST)
def test_choose_context__the_mark_is_lost(change: Any) -> None:
    assert sent_with(change(MARKED)) == {"explanation"}


def test_choose_context__the_mark_survives_melting(client: RespanClient) -> None:
    logs = client.logs(start_time="2026-01-01", limit=1).assign(helpfulness=3, fluency=4)
    tidy = logs.melt(
        ["unique_id", "environment"], ["helpfulness", "fluency"], "evaluator_slug", "value"
    )
    report = tidy.respan.push_scores(client=client, dry_run=True)
    environments = [body["environment"] for body in report.payloads["body"]]
    assert environments == [logs["environment"][0]] * 2


@pytest.mark.parametrize(
    ("context", "error", "message"),
    [
        (["stars"], ConfigurationError, r"context takes True, False or names out of .*'stars'"),
        ([3], ConfigurationError, r"not 3 \(int\)"),
        (3, ConfigurationError, "context takes True, False or names of columns, not 3"),
        (["prompt_id"], FrameError, "no column 'prompt_id'"),
    ],
)
def test_choose_context__refuses(context: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dry(ROW, context=context)


def test_choose_context__an_odd_attr_marks_nothing() -> None:
    frame = ROW.copy()
    frame.attrs["respan_logs"] = "no"
    assert sent_with(frame) == {"explanation"}


def test_report__says_what_travels_and_what_does_not(tmp_path: Path) -> None:
    report = dry(ROW, context=pd.Index(["environment"]))
    remarks = (
        "\n  of the log travels with each score: environment"
        "\n  not sent, since context= does not name it: timestamp"
    )
    assert remarks in repr(report)
    assert "context= does not name it: timestamp" in report._repr_html_()
    report.save(tmp_path / "report.csv")
    assert remarks in repr(PushReport.load(tmp_path / "report.csv"))
    assert "context" not in repr(dry(FRAME.assign(explanation="why")))


def test_annotate__sends_what_travels(client: RespanClient, tmp_path: Path) -> None:
    logs = client.logs(start_time="2026-01-01", sort_by="timestamp", limit=2)
    plain = pd.DataFrame(logs.to_dict("list"))
    for frame, context, sent in [(logs, None, True), (plain, None, False), (plain, True, True)]:
        outbox = tmp_path / f"{context} {sent}"
        annotator = frame.respan.annotate(
            "helpfulness", client=client, outbox=outbox, context=context
        )
        try:
            context_of = annotator._session._queue.context()
        finally:
            annotator.close()
        assert ("timestamp" in context_of) is sent
