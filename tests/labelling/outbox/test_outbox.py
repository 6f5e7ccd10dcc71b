"""The outbox, without sender and screen: what a save, an undo and an answer leave in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from respan_notebook.errors import OutboxError
from respan_notebook.labelling.outbox.delivery import Delivered
from respan_notebook.labelling.outbox.history import UnknownPreviousError
from respan_notebook.labelling.outbox.label import DELIVERED, QUEUED, REFUSED, Change, Label
from respan_notebook.labelling.outbox.outbox import Outbox
from respan_notebook.models import Evaluator, Upsert

LOG, STARS = "log_1", "stars"
SERVER = "https://respan.example"
NAMES = ("a", "b", "c")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / "outbox.sqlite3", SERVER, "ann")
    yield opened
    opened.close()


def body(value: float, name: str = STARS, **fields: Any) -> dict[str, Any]:
    return {"evaluator_slug": name, "numerical_value": value, **fields}


def entered(box: Outbox, value: float, **known: Any) -> Label:
    """Enter a score, and return its label."""
    box.save([Change(STARS, Upsert(LOG, body(value)), **known)])
    return only(box)


def removed(box: Outbox, value: float, **known: Any) -> Label:
    """Take a score back, and return its label."""
    box.save([Change(STARS, Upsert(LOG, body(value)), removed=True, **known)])
    return only(box)


def only(box: Outbox) -> Label:
    (label,) = box.labels()
    return label


def undo(box: Outbox) -> tuple[bool, bool]:
    """Undo the last save; return whether there was one, and whether it is to be sent."""
    undone = box.undo({LOG: 0}, [STARS])
    assert undone is None or undone.scores == ((LOG, STARS),)
    return undone is not None, bool(undone and undone.sent)


def arrived(box: Outbox, label: Label, score_id: str | None = "s1") -> Label:
    """Have a label sent and answered."""
    assert box.delivery.mark_tried([label]) == [label]
    box.delivery.mark_answers([Delivered(label, score_id, "")])
    return only(box)


# -- undo ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("stuck", NAMES)
def test_undo__that_breaks_off_leaves_everything_as_it_was(box: Outbox, stuck: str) -> None:
    """One of three scores can't be put back: neither are those before and after it."""
    upserts = {name: Upsert(LOG, body(5, name)) for name in NAMES}
    box.save(
        [Change(name, upserts[name], known=name != stuck, previous=body(1, name)) for name in NAMES]
    )
    (label,) = (one for one in box.labels() if one.evaluator == stuck)
    box.delivery.mark_tried([label])
    box.store_draft(LOG, Evaluator(evaluator_slug="a"), {"typed": "x"})
    before = box.labels()
    with pytest.raises(UnknownPreviousError) as caught:
        box.undo({LOG: 0}, NAMES)
    assert caught.value.state == QUEUED
    drafts = {"a": {"typed": "x", "type": None}}
    assert (box.labels(), box.log(LOG).drafts) == (before, drafts)
    box.delivery.store_previous(label, None)
    undone = box.undo({LOG: 0}, NAMES)
    assert undone is not None
    assert undone.scores == undone.sent == ((LOG, "a"), (LOG, "b"), (LOG, "c"))
    assert {one.evaluator: (one.body, one.removed) for one in box.labels()} == {
        name: (body(5, name), True) if name == stuck else (body(1, name, explanation=""), False)
        for name in NAMES
    }
    assert box.undo({LOG: 0}, NAMES) is None


def test_undo__that_the_disk_breaks_off_leaves_everything_as_it_was(box: Outbox) -> None:
    box.save([Change(name, Upsert(LOG, body(5, name)), previous=body(1, name)) for name in NAMES])
    before = box.labels()
    with sqlite3.connect(box.path) as other:
        other.execute(
            "CREATE TRIGGER full BEFORE DELETE ON saves WHEN OLD.evaluator = 'b' "
            "BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    with pytest.raises(OutboxError, match="disk is full"):
        box.undo({LOG: 0}, NAMES)
    assert box.labels() == before
    other.execute("DROP TRIGGER full")
    other.close()
    assert box.undo({LOG: 0}, NAMES) is not None
    assert [one.body for one in box.labels()] != [one.body for one in before]


# -- answers to a version that was changed meanwhile ----------------------------------------------


def test_mark_removed__of_a_score_entered_anew_leaves_that_waiting(box: Outbox) -> None:
    arrived(box, entered(box, 3))
    under_way = removed(box, 3, previous=body(3), score_id="s1")
    anew = entered(box, 5)
    assert (anew.tried, anew.score_id) == (True, "s1")
    box.delivery.mark_removed(under_way)
    after = only(box)
    assert after == replace(anew, tried=False, score_id=None, answered_at=after.answered_at)
    assert after.answered_at > anew.version
    assert (after.state, after.removed, after.body) == (QUEUED, False, body(5))


def test_mark_removed__of_a_score_that_is_to_be_removed_again_asks_for_its_id(box: Outbox) -> None:
    """The old id is gone, so what was written since is found, and not missed, by a removal."""
    arrived(box, entered(box, 3))
    under_way = removed(box, 3, previous=body(3), score_id="s1")
    anew = entered(box, 5)
    box.delivery.mark_removed(under_way)
    assert box.delivery.mark_tried(box.labels()) == [
        replace(only(box), tried=False)
    ]  # Its answer is lost.
    again = removed(box, 5, previous=anew.body)
    assert (again.removed, again.tried, again.score_id) == (True, True, None)
    assert box.delivery.may_have_score(again)


def test_mark_removed__of_the_last_version_ends_it(box: Outbox) -> None:
    arrived(box, entered(box, 3))
    label = removed(box, 3, previous=body(3), score_id="s1")
    box.delivery.mark_removed(label)
    after = only(box)
    assert after == replace(
        label, tried=False, score_id=None, state=DELIVERED, answered_at=after.answered_at
    )
    assert box.counts().queued == 0
    assert not box.delivery.may_have_score(after)


@pytest.mark.parametrize("reason", ["", "no such log"], ids=["arrived", "refused"])
def test_mark_answers__of_an_older_version_leaves_the_newer_waiting(
    box: Outbox, reason: str
) -> None:
    first = entered(box, 3)
    box.delivery.mark_tried([first])
    newer = entered(box, 4)
    box.delivery.mark_answers([Delivered(first, None if reason else "s1", reason)])
    after = only(box)
    score_id = None if reason else "s1"
    assert after == replace(newer, score_id=score_id, answered_at=after.answered_at)
    assert after.answered_at > newer.version
    assert (after.state, after.body, after.reason) == (QUEUED, body(4), None)


@pytest.mark.parametrize("reason", ["", "no such log"], ids=["arrived", "refused"])
def test_mark_answers__of_the_last_version_says_what_became_of_it(box: Outbox, reason: str) -> None:
    label = entered(box, 3)
    box.delivery.mark_answers([Delivered(label, "s1", reason)])
    after = only(box)
    state = REFUSED if reason else DELIVERED
    assert after == replace(
        label, state=state, score_id="s1", reason=reason or None, answered_at=after.answered_at
    )
    assert box.counts().queued == 0


def test_mark_answers__an_answer_without_id_keeps_the_one_that_is_known(box: Outbox) -> None:
    arrived(box, entered(box, 3), "s1")
    box.delivery.mark_answers([Delivered(entered(box, 4), None, "refused")])
    assert (only(box).score_id, only(box).state) == ("s1", REFUSED)


def test_mark_removal_refused__of_a_score_entered_anew_changes_nothing(box: Outbox) -> None:
    arrived(box, entered(box, 3))
    under_way = removed(box, 3, previous=body(3), score_id="s1")
    anew = entered(box, 5)
    box.delivery.mark_removal_refused(under_way, "the server refused")
    assert only(box) == anew


def test_mark_removal_refused__of_the_last_version_says_why_it_is_there_still(box: Outbox) -> None:
    arrived(box, entered(box, 3))
    label = removed(box, 3, previous=body(3), score_id="s1")
    box.delivery.mark_removal_refused(label, "the server refused")
    assert only(box) == replace(label, removed=False, state=REFUSED, reason="the server refused")


@pytest.mark.parametrize(
    "change",
    [
        lambda box, label: box.delivery.mark_removed(label),
        lambda box, label: box.delivery.mark_answers([Delivered(label, "s2", "")]),
        lambda box, label: box.delivery.mark_removal_refused(label, "no"),
        lambda box, label: box.delivery.mark_tried([label]),
        lambda box, label: box.delivery.store_previous(label, None),
    ],
    ids=["forget", "settle", "mark_removal_refused", "try_", "store_previous"],
)
def test_answers__concern_one_log_and_evaluator_of_one_person(
    box: Outbox, change: Callable[[Outbox, Label], Any]
) -> None:
    label = entered(box, 3, known=False)
    others = [
        Outbox(box.path, SERVER, "bob"),
        Outbox(box.path, "https://other.example", "ann"),
        Outbox(box.path, SERVER, "ann"),
    ]
    for other in others[:2]:
        other.save([Change(STARS, Upsert(LOG, body(1)), known=False)])
    box.save([Change(STARS, Upsert("log_2", body(1)), known=False)])
    box.save([Change("tone", Upsert(LOG, body(1, "tone")), known=False)])

    def bystanders() -> list[Any]:
        found = []
        for other in others:
            rest = [one for one in other.labels() if one.version != label.version]
            found.append((rest, other.delivery.with_unknown_previous(rest)))
        return found

    before = bystanders()
    change(box, label)
    assert bystanders() == before
    for other in others:
        other.close()


# -- saving again, and undoing that ---------------------------------------------------------------


def test_save__takes_the_id_that_was_found_last(box: Outbox) -> None:
    assert (entered(box, 3).tried, only(box).score_id) == (False, None)
    assert (entered(box, 4, score_id="s1").tried, only(box).score_id) == (True, "s1")
    assert (entered(box, 5, score_id="s2").tried, only(box).score_id) == (True, "s2")
    assert (entered(box, 6).tried, only(box).score_id) == (True, "s2")


def test_save__of_a_refused_score_forgets_why(box: Outbox) -> None:
    box.delivery.mark_answers([Delivered(entered(box, 3), None, "no such log")])
    assert only(box).reason == "no such log"
    assert (entered(box, 3).state, only(box).reason) == (QUEUED, None)


def test_undo__takes_an_explanation_away_that_was_not_there_before(box: Outbox) -> None:
    explained = Upsert(LOG, body(4, explanation="why"))
    box.save([Change(STARS, explained, previous=body(3))])
    assert undo(box) == (True, True)
    assert only(box).body == body(3, explanation="")
    box.save([Change(STARS, explained, previous=body(3, explanation="before"))])
    undo(box)
    assert only(box).body == body(3, explanation="before")


def test_undo__of_a_score_that_was_never_sent_leaves_nothing(box: Outbox) -> None:
    entered(box, 3)
    assert undo(box) == (True, False)
    assert box.labels() == []


def test_undo__of_a_score_after_a_removal_keeps_that_it_is_gone(box: Outbox) -> None:
    arrived(box, entered(box, 3))
    box.delivery.mark_removed(removed(box, 3, previous=body(3)))
    entered(box, 5)
    assert undo(box) == (True, False)
    assert (only(box).removed, only(box).state) == (True, DELIVERED)


def test_store_previous__is_of_the_first_save_only(box: Outbox) -> None:
    entered(box, 3, known=False)
    label = entered(box, 4, previous=body(3))
    box.delivery.store_previous(label, body(1))
    assert undo(box) == (True, True)
    assert only(box).body == body(3, explanation="")
    assert undo(box) == (True, True)
    assert only(box).body == body(1, explanation="")


@pytest.mark.parametrize(
    ("first", "there"),
    [({}, False), ({"previous": body(1)}, True), ({"known": False}, True)],
    ids=["nothing", "a score", "unknown"],
)
def test_may_have_score__what_was_before_the_first_save_counts(
    box: Outbox, first: dict[str, Any], there: bool
) -> None:
    entered(box, 3, **first)
    label = removed(box, 3, previous=body(3))
    assert box.delivery.may_have_score(label) is there
    box.delivery.mark_tried([label])
    assert box.delivery.may_have_score(only(box))


def test_of_unknown_past__only_what_was_never_tried(box: Outbox) -> None:
    label = entered(box, 3, known=False)
    assert box.delivery.with_unknown_previous([label]) == [label]
    box.delivery.mark_tried([label])
    assert box.delivery.with_unknown_previous(box.labels()) == []
