"""pull_scores: scores back into a frame, one's own and others'."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from stars import STARS, frame_of, push, serving

from respan_notebook import ConfigurationError, RespanClient, Sandbox, ScoreWrite


def test_pull_scores__own_scores_on_the_same_index(client: RespanClient) -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["demo_01", "demo_02", "demo_01", None],
            "helpfulness": [4, None, 4, None],
            "tone": ["Friendly", "curt", "Friendly", None],
            "grounded": [True, False, True, None],
        },
        index=["a", "b", "b", "c"],
    )
    names = ["helpfulness", "tone", "grounded"]
    frame.respan.push_scores(names, client=client, progress=False).raise_for_errors()
    pulled = frame.respan.pull_scores(names, client=client)
    expected = frame[names].assign(
        tone=pd.Series(["friendly", "curt", "friendly", None], frame.index, dtype=object),
        helpfulness=frame["helpfulness"].astype(float),
        grounded=frame["grounded"].astype("boolean"),
    )
    pd.testing.assert_frame_equal(pulled, expected)


def test_pull_scores__whose(sandbox: Sandbox) -> None:
    frame = pd.DataFrame({"log_id": ["demo_01"]})
    keys = sandbox.api_keys
    with (
        RespanClient(keys["ann@example.com"], sandbox.base_url) as ann,
        RespanClient(keys["bob@example.com"], sandbox.base_url) as bob,
        RespanClient(keys["bob@example.com"], sandbox.base_url) as fresh,
    ):
        ann.upsert_score("demo_01", ScoreWrite(evaluator_slug="helpfulness", numerical_value=2))
        with pytest.warns(UserWarning, match="the scores of ann@example.com"):
            pulled = frame.respan.pull_scores("helpfulness", client=fresh)
        assert pulled["helpfulness"].tolist() == [2.0]
        bob.upsert_score("demo_01", {"evaluator_slug": "helpfulness", "numerical_value": 5})
        with pytest.raises(ConfigurationError, match=r"scores by ann@.*, bob@.*say scorer="):
            frame.respan.pull_scores("helpfulness", client=fresh)
        for client, scorer, value in [
            (ann, None, 2),
            (bob, None, 5),
            (fresh, "ann@example.com", 2),
        ]:
            pulled = frame.respan.pull_scores("helpfulness", client=client, scorer=scorer)
            assert pulled["helpfulness"].tolist() == [value]
        tidy = frame.respan.pull_scores("helpfulness", client=fresh, scorer="all")
        tidy = tidy.sort_values("scorer")
        assert tidy[["log_id", "evaluator_slug", "value"]].values.tolist() == [
            ["demo_01", "helpfulness", 2.0],
            ["demo_01", "helpfulness", 5.0],
        ]
        assert tidy.iloc[:1].respan.push_scores(client=ann, progress=False).counts == {"updated": 1}


@pytest.mark.parametrize(
    "cell", [["a"], {"a": 1}, np.array(["a", "b"]), {"a"}, 1.5, ""], ids=lambda c: type(c).__name__
)
def test_pull_scores__a_row_without_a_usable_log_id_is_missing(cell: Any) -> None:
    frame = frame_of(3)
    frame["log_id"] = pd.Series(["log_0", cell, "log_2"], dtype=object)
    with serving(3) as client:
        assert push(frame, client).counts == {"created": 2, "invalid": 1}
        wide = frame.respan.pull_scores([STARS], client=client)
        tidy = frame.respan.pull_scores([STARS], client=client, scorer="all")
    pd.testing.assert_frame_equal(wide, pd.DataFrame({"stars": [0.0, None, 2.0]}))
    assert tidy[["log_id", "value"]].values.tolist() == [["log_0", 0.0], ["log_2", 2.0]]


def test_pull_scores__none() -> None:
    with serving(1) as client:
        empty = frame_of(1).respan.pull_scores([STARS], client=client)
        assert empty["stars"].isna().tolist() == [True]
        assert empty["stars"].dtype == "float64"
        with pytest.warns(UserWarning, match="no score by bob@example.com of these logs"):
            frame_of(1).respan.pull_scores([STARS], client=client, scorer="bob@example.com")
        assert frame_of(0).respan.pull_scores([STARS], client=client, scorer="all").empty
