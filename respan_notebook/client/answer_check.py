"""Compare the log and evaluator that an answer names with those that were sent."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from functools import cached_property
from typing import NamedTuple

from respan_notebook.client.retry import REPEAT_IS_SAFE
from respan_notebook.errors import WrongAnswerError
from respan_notebook.models import Evaluator, Score, Upsert, strip_version
from respan_notebook.wording import render_foreign

_ENOUGH = 100  # Answers after which another way of naming is taken for the server's own.
_Doubt = tuple[str, str, str]
"""Name that was sent, the other one that the answer has, and what to say of a repetition."""


class _Names(NamedTuple):
    """Hold the names of an evaluator: its id without version, and its slug."""

    id: str | None
    slug: str | None

    def is_same(self, other: _Names) -> bool:
        return any(one is not None and one == two for one, two in zip(self, other, strict=True))

    def differs(self, other: _Names) -> bool:
        return any(
            None not in (one, two) and one != two for one, two in zip(self, other, strict=True)
        )


class AnswerCheck:
    """Find the answers that are about another log or evaluator than was sent.

    A name that is null or absent says nothing, an id may carry a ``:version``, and a slug may come
    back as an id. A server may name logs in a way of its own: names that belong to nothing that
    was sent are an error only when another answer names its log (or evaluator) as it was sent.

    It is for one thread at a time.

    Parameters
    ----------
    log_ids : Callable
        Returns a container of the ids of the logs that are sent; called once, when an answer names
        another one.
    evaluators : iterable of Evaluator
        Their evaluators.
    """

    def __init__(
        self, log_ids: Callable[[], Container[object]], evaluators: Iterable[Evaluator]
    ) -> None:
        self._find_logs = log_ids
        self._evaluators = {
            one.id_or_slug: _names(one.id, one.evaluator_slug) for one in evaluators
        }
        self._as_sent = set[str]()  # Subjects that an answer named as they were sent.
        self._doubts: dict[str, dict[int, _Doubt]] = {}  # By subject and number of the score.
        self._wrong: dict[int, WrongAnswerError] = {}

    def compare(
        self, i: int, upsert: Upsert, score: Score, *, advice: str = REPEAT_IS_SAFE
    ) -> None:
        """Compare the answer to a score, whose number is ``i``, with what was sent.

        ``advice`` is what an error says of sending the score again.
        """
        self._compare_log(i, (upsert.log_id, score.log_id, advice))
        reference = upsert.body.get("evaluator_id") or upsert.body["evaluator_slug"]
        named = _names(score.evaluator_id, score.evaluator_slug)
        self._compare_evaluator(i, (reference, named, advice))

    def take_wrong(self) -> dict[int, WrongAnswerError]:
        """Return the wrong answers found since the last call, by the numbers of their scores."""
        wrong, self._wrong = self._wrong, {}
        return wrong

    def warnings(self) -> list[str]:
        """Return a warning for each way of naming that is the server's own."""
        return [
            f"the answers name the {subject} in another way than it was sent, such as {named!r} "
            f"for {sent!r}; the scores count as stored"
            for subject, doubts in self._doubts.items()
            for sent, named, _ in list(doubts.values())[:1]
        ]

    @cached_property
    def _logs(self) -> Container[object]:
        return self._find_logs()

    def _compare_log(self, i: int, answer: tuple[str, str | None, str]) -> None:
        sent, named, advice = answer
        if named == sent:
            self._confirm("log")
        elif named is not None and named in self._logs:
            self._refuse(i, "log", (sent, named, advice))
        elif named is not None and named.casefold() != sent.casefold():
            self._doubt(i, "log", (sent, named, advice))

    def _compare_evaluator(self, i: int, answer: tuple[str, _Names, str]) -> None:
        reference, named, advice = answer
        sent = self._evaluators[reference]
        subject = f"evaluator {reference!r}"
        doubt = reference, named.slug or named.id or "", advice
        if sent.is_same(named):
            self._confirm(subject)
        elif any(one.is_same(named) for one in self._evaluators.values()):
            self._refuse(i, subject, doubt)
        elif sent.differs(named):
            self._doubt(i, subject, doubt)

    def _confirm(self, subject: str) -> None:
        if len(self._doubts.get(subject, ())) == _ENOUGH:
            return
        self._as_sent.add(subject)
        for i, doubt in self._doubts.pop(subject, {}).items():
            self._refuse(i, subject, doubt)

    def _doubt(self, i: int, subject: str, doubt: _Doubt) -> None:
        if subject in self._as_sent:
            self._refuse(i, subject, doubt)
        elif len(doubts := self._doubts.setdefault(subject, {})) < _ENOUGH:
            sent, named, advice = doubt
            doubts[i] = sent, render_foreign(named, 100), advice

    def _refuse(self, i: int, subject: str, doubt: _Doubt) -> None:
        sent, named, advice = doubt
        self._wrong[i] = WrongAnswerError(
            f"the answer is about {subject.split()[0]} {render_foreign(named, 100)!r}, not about "
            f"{sent!r}; the score may have been stored: {advice}"
        )


def _names(id_: str | None, slug: str | None) -> _Names:
    return _Names(strip_version(id_), slug or None)
