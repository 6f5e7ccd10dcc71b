"""Test facts with their units, and the metadata as a table."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from log_pages import answer, seen

from respan_notebook.labelling.log_view.log import log_html


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("latency", 0.8412345, "Latency 0.841 s"),
        ("latency", np.float64(31), "Latency 31 s"),
        ("latency", 0.00001, "Latency 1e-05 s"),
        ("latency", 0, "Latency 0 s"),
        ("latency", "fast", "Latency fast"),
        ("cost", 0.000112, "Cost 0.000112 USD"),
        ("cost", 1234.5, "Cost 1,234.5 USD"),
        ("prompt_tokens", 1804.0, "Prompt tokens 1,804"),
        ("prompt_tokens", float("inf"), "Prompt tokens inf"),
        ("timestamp", pd.Timestamp("2026-01-05T09:00Z"), "Time 2026-01-05 09:00:00 UTC"),
        ("timestamp", np.datetime64("2026-01-05T09:00"), "Time 2026-01-05 09:00:00"),
        ("environment", "prod", "Environment prod"),
        ("unique_id", 7, "Log 7"),
        ("model", ["a"], 'More fields (1) model ["a"]'),
    ],
)
def test_log_html__facts_with_their_units(column: str, cell: Any, expected: str) -> None:
    assert seen({column: cell}) == expected


def test_log_html__metadata_is_a_table_also_from_json_text() -> None:
    metadata = {"city": "Tallinn", "tags": ["a"], "note": "one\ntwo", "blank": ""}
    expected = 'metadata city Tallinn tags ["a"] note one two blank (empty)'
    assert seen({"metadata": metadata}) == expected
    assert seen({"metadata": json.dumps(metadata)}) == expected
    assert seen({"metadata": {}}) == "This log is empty."
    assert '<th scope="row"><bdi>city</bdi></th><td><bdi>Tallinn</bdi></td>' in log_html(
        {"metadata": metadata}
    )


@pytest.mark.parametrize(
    "name", ["key", "column", "role", "tool"]
)  # fmt: skip
def test_log_html__long_names_are_cut(name: str) -> None:
    long = "n" * 100_000
    row = {
        "key": {"metadata": {long: 1}},
        "column": {long: 1},
        "role": {"prompt_messages": [{"role": long, "content": "x", "name": long}]},
        "tool": answer(None, tool_calls=[{"id": long, "function": {"name": long}}]),
    }[name]
    assert len(log_html(row)) < 2_000
