"""What counts as scored, as skipped and as left."""

from __future__ import annotations

import pandas as pd
from labels import Open, label

from respan_notebook.labelling.widgets.annotator import Annotator

LOGS = pd.DataFrame({"log_id": ["demo_01", "demo_02", "demo_03"]})


def counts(annotator: Annotator) -> tuple[int, ...]:
    return tuple(annotator.progress[name] for name in ("scored", "skipped", "left"))


def test_skip__of_a_scored_log_does_not_count(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS)
    label(annotator, helpfulness=3)
    annotator.go_to(0)
    annotator.skip()
    assert (annotator.position, counts(annotator)) == (1, (1, 0, 2))
    annotator.undo()
    assert counts(annotator) == (0, 0, 3), "it was passed by with its score, not skipped"


def test_skip__counts_until_the_log_is_scored(annotate: Open) -> None:
    annotator = annotate("helpfulness", LOGS)
    annotator.skip()
    annotator.skip()
    assert counts(annotator) == (0, 2, 1)
    annotator.go_to(0)
    label(annotator, helpfulness=3)
    assert counts(annotator) == (1, 1, 1)
    annotator.undo()
    assert counts(annotator) == (0, 2, 1)
    assert annotator.wait()


def test_progress__whole(annotate: Open) -> None:
    annotator = annotate("helpfulness", pd.DataFrame({"log_id": ["demo_01", "gone", "demo_03"]}))
    for value in (3, 4):
        label(annotator, helpfulness=value)
    annotator.skip()
    assert annotator.wait()
    assert annotator.progress == {
        "scored": 2,
        "partly": 0,
        "skipped": 1,
        "left": 0,
        "queued": 0,
        "delivered": 1,
        "refused": 1,
    }
