"""One gold value per log."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scored import choices, defined, scores

from respan_notebook import ConfigurationError, FrameError, RespanClient
from respan_notebook.agreement.gold import estimate_truth
from respan_notebook.agreement.matrix import read_matrices


def made_scores(seed: int) -> pd.DataFrame:
    """Scores of 60 logs by four scorers, right in 9, 8, 6 and 4 of 10 logs, with gaps."""
    random = np.random.default_rng(seed)
    truth = random.choice(list("abc"), 60, p=[0.5, 0.3, 0.2])
    rows = [
        (f"{log}", "tone", scorer, one if random.random() < skill else random.choice(list("abc")))
        for scorer, skill in zip(["ann", "bob", "cy", "dee"], [0.9, 0.8, 0.6, 0.4], strict=True)
        for log, one in enumerate(truth.tolist())
        if random.random() < 0.9
    ]
    frame = pd.DataFrame(rows, columns=["log_id", "evaluator_slug", "scorer", "value"])
    return frame.astype({"value": object})


# What crowd-kit 1.4.2 makes of these scores, run to the end (n_iter=3000, tol=1e-13): the value of
# each log, and the probabilities of "a" for the first five.
RECORDED: dict[int, tuple[str, list[float]]] = {
    0: (
        "baaaccbbbccacbbacbaaaabcbaccbbbaabbaaccababaacabaabacaaaabaa",
        [0.0, 0.9928, 0.9877, 1.0, 0.0022],
    ),
    1: (
        "bcaccacababbabaaaaaabaaccbbaacbabbbcabaabcbacbabacbbacaaccca",
        [0.0, 0.0301, 1.0, 0.0, 0.1878],
    ),
    2: (
        "aacabcacabbaababcbaaabbbacabacacbcbcbbcacccacabaaabaccacbbaa",
        [1.0, 1.0, 0.0, 1.0, 0.0],
    ),
}

TONE = defined("single_select", "tone", **choices("a", "b", "c"))


@pytest.mark.parametrize("seed", RECORDED)
def test_gold__dawid_skene_as_crowd_kit_has_it(seed: int) -> None:
    values, probabilities = RECORDED[seed]
    frame = made_scores(seed)
    gold = frame.respan.gold("dawid-skene", evaluators=TONE)
    by_log = dict(zip(gold["log_id"], gold["value"], strict=True))
    assert "".join(by_log[log_id] for log_id in sorted(by_log, key=int)) == values
    assert set(gold["source"]) == {"unanimous", "dawid-skene"}
    (matrix,), _ = read_matrices(frame, TONE, None)
    truth = dict(zip(matrix.log_ids, estimate_truth(matrix.codes, 3)[:, 0], strict=True))
    assert [truth[f"{log}"] for log in range(5)] == pytest.approx(probabilities, abs=2e-4)


def test_gold__majority_of_several_evaluators() -> None:
    frame = pd.concat(
        [
            scores("tags", ann=[["x", "y"], ["x"]], bob=[["y", "x"], ["y"]], cy=[["x"], None]),
            scores("good", ann=[True, None], bob=[False, None], cy=[True, True]),
        ],
        ignore_index=True,
    )
    gold = frame.respan.gold()
    assert gold.to_numpy().tolist() == [
        ["0", "tags", ["x", "y"], "majority"],
        ["1", "tags", None, "unresolved"],
        ["0", "good", True, "majority"],
        ["1", "good", True, "unanimous"],
    ]


def test_gold__is_what_push_scores_takes(client: RespanClient) -> None:
    frame = pd.DataFrame(
        {
            "log_id": ["demo_01", "demo_02"] * 2,
            "evaluator_slug": "helpfulness",
            "scorer": ["ann", "ann", "bob", "bob"],
            "value": [4, 2, 4, 5],
        }
    )
    gold = frame.respan.gold(evaluators=client.list_evaluators())
    report = gold.respan.push_scores(client=client, progress=False)
    assert report.frame["status"].tolist() == ["created", "skipped"]


def test_gold__of_no_scores_is_empty() -> None:
    assert scores(ann=[None]).respan.gold().empty


@pytest.mark.parametrize(
    ("frame", "method", "message"),
    [
        (scores(ann=[1], bob=[1]), "mean", "method is 'majority' or 'dawid-skene', got 'mean'"),
        (scores(ann=["x"], bob=["y"]), "dawid-skene", "no categories that dawid-skene could tell"),
        (
            scores(ann=[True] * 60, bob=[True] * 60),
            "dawid-skene",
            "needs 3 scorers and 50 shared logs, and 'e' has 2 scorers and 60 shared logs",
        ),
        (
            scores(ann=[True] * 60, bob=[True] * 49, cy=[False]),
            "dawid-skene",
            "'e' has 3 scorers and 49 shared logs; use method='majority'",
        ),
    ],
)
def test_gold__refuses(frame: pd.DataFrame, method: Any, message: str) -> None:
    with pytest.raises((ConfigurationError, FrameError), match=message):
        frame.respan.gold(method)
