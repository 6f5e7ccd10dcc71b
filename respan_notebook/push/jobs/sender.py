"""Send the plan of a job: all parts through one engine, one retry budget and one deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from respan_notebook.client.answer_check import AnswerCheck
from respan_notebook.client.client import RespanClient
from respan_notebook.client.retry import RetryBudget
from respan_notebook.errors import ConfigurationError
from respan_notebook.models import Upsert
from respan_notebook.push.engine import Engine
from respan_notebook.push.jobs.folder import JobFacts, JobFolder
from respan_notebook.push.jobs.part_queue import SHIFT, PartQueue
from respan_notebook.push.jobs.parts import Part, count_left, find_left, read_counts
from respan_notebook.push.named_route import NamedRoute
from respan_notebook.push.options import check_options
from respan_notebook.push.origin import origin_of
from respan_notebook.push.outcomes import ARRIVED, STATUSES, Result
from respan_notebook.push.owner import SendsOne, refuse_named, settle_scorers
from respan_notebook.push.progress import announce_scores, progress_bar

_SYNC: Final = 1.0  # Seconds between two synchronisations of the journals.


def check_job_origin(folder: JobFolder, facts: JobFacts, client: RespanClient) -> None:
    """Raise ConfigurationError when a job is for another server or key than the client's.

    A job that no key was known for yet takes any; so does one whose key the server refused.
    """
    own, origin = origin_of(client), facts.origin
    if origin is None:
        return
    if origin.base_url != own.base_url:
        found = f"for {origin.base_url}, and the client is of {own.base_url}"
    elif origin.fingerprint not in ("", own.fingerprint):
        found = "of another key than the client's, and so perhaps of another scorer"
    else:
        return
    raise ConfigurationError(
        f"the push in {folder.name!r} is {found}; go on with a client of that server and key, or "
        "push to another folder"
    )


def begin_job(folder: JobFolder, client: RespanClient, changes: Mapping[str, Any]) -> JobFacts:
    """Return what a job is about, its options changed; nothing has stopped it any more.

    The caller holds the lock.
    """
    facts = folder.read_facts()
    check_job_origin(folder, facts, client)
    options = replace(facts.options, dry_run=False, **{"deadline": None, **changes})
    check_options(options)
    facts = replace(facts, options=options, stopped="")
    folder.write_facts(facts)
    folder.sweep()
    return facts


@dataclass(frozen=True)
class Work:
    """Hold what is left to be done of a job.

    Attributes
    ----------
    numbers : sequence of int
        The parts that have lines to be sent, or a journal to be finished.
    lines : int
        The number of lines to be sent.
    has_arrived : bool
        Whether a score of the job has arrived.
    with_failed : bool
        Whether all scores that had failed are sent again.
    """

    numbers: Sequence[int]
    lines: int
    has_arrived: bool
    with_failed: bool


def find_work(folder: JobFolder, facts: JobFacts, *, with_failed: bool = False) -> Work:
    """Return what is left to be done of a job."""
    numbers = range(len(facts.counts))
    left = [count_left(folder, facts, n, with_failed=with_failed) for n in numbers]
    return Work(
        [n for n in numbers if left[n] or folder.journal_path(n).exists()],
        sum(left),
        has_arrived=_has_arrived(folder, facts),
        with_failed=with_failed,
    )


def send_job(
    folder: JobFolder, facts: JobFacts, client: RespanClient, work: Work
) -> tuple[JobFacts, BaseException | None]:
    """Send what is left of a job; return its facts with what was learned, and what broke it off.

    That is None, or the error of a file that could not be read or written. The caller holds the
    lock.
    """
    settings, options = client.settings, facts.options
    budget = RetryBudget(
        settings, retries=settings.budget, deadline=options.deadline, announce=None
    )
    run = _Run(folder, facts, client, budget, with_failed=work.with_failed)
    run.send(work)
    origin = replace(origin_of(client), scorer=client.scorer or run.owner)
    if budget.cancelled and not _has_arrived(folder, facts):
        origin = replace(origin, fingerprint="")  # The server may not know the key.
    warnings = list(dict.fromkeys([*facts.warnings, *run.warnings]))
    facts = replace(facts, origin=origin, stopped=budget.cancelled, warnings=warnings)
    with suppress(OSError) if run.fault else nullcontext():
        folder.write_facts(facts)
    return facts, run.fault


def _has_arrived(folder: JobFolder, facts: JobFacts) -> bool:
    arrived = {STATUSES[one] for one in ARRIVED}
    numbers = range(len(facts.counts))
    return any(arrived & read_counts(folder, facts, n).keys() for n in numbers)


class _Run:
    """Send the lines of some parts once.

    Attributes
    ----------
    warnings : list of str
        The ways of naming that are the server's own.
    owner : str or None
        The owner of the key, as far as it is known.
    fault : BaseException or None
        What broke it off.
    """

    def __init__(
        self,
        folder: JobFolder,
        facts: JobFacts,
        client: RespanClient,
        budget: RetryBudget,
        *,
        with_failed: bool,
    ) -> None:
        self._folder, self._facts, self._client = folder, facts, client
        self._budget, self._with_failed = budget, with_failed
        self.owner = client.scorer or (facts.origin and facts.origin.scorer) or facts.owner
        self.warnings: list[str] = []
        self.fault: BaseException | None = None
        self._engine: Engine | None = None  # While the owner may be learned by sending a score.

    def send(self, work: Work) -> None:
        """Send what is left to be done."""
        options, client, budget = self._facts.options, self._client, self._budget
        queue = PartQueue(self._read_parts(work.numbers), self._prepare, budget)
        check = AnswerCheck(lambda: queue, self._facts.evaluators)
        route = NamedRoute(client, skip_unchanged=False) if options.as_scorer else None
        write = route.write if route else None
        try:
            with (
                client.gate.paced(options.rate_limit),
                Engine(
                    client, budget, queue.record, check, write=write, has_arrived=work.has_arrived
                ) as engine,
            ):
                self._engine = engine
                queue.open_first()
                self._engine = None
                self._send_all(queue, engine, work.lines)
        finally:
            self._record_late(queue.close())
        self.fault, self.warnings = queue.fault, check.warnings()

    def _send_all(self, queue: PartQueue, engine: Engine, total: int) -> None:
        options, synced, done = self._facts.options, time.monotonic(), engine.done
        note = announce_scores(total, None)  # The bar shows the limit.
        with progress_bar(total, shown=options.progress, note=note) as bar:

            def watch() -> None:
                nonlocal synced
                gate, budget = self._client.gate, self._budget
                bar.show(engine.done - done, engine.in_flight, gate, budget)
                queue.finish_parts()
                if time.monotonic() - synced >= _SYNC:
                    queue.sync()
                    synced = time.monotonic()

            engine.send(queue, queue.upsert, concurrency=options.concurrency, watch=watch)

    def _read_parts(self, numbers: Sequence[int]) -> Iterator[Part]:
        for number in numbers:
            yield Part(self._folder, self._facts, number)

    def _prepare(self, part: Part) -> list[int]:
        """Return the places of the lines to be sent; those of other scorers are marked."""
        plan, outcomes = part.plan, part.outcomes
        lines: list[int] = find_left(outcomes, with_failed=self._with_failed).tolist()
        options, owner = self._facts.options, self._client.scorer or self.owner
        if options.as_scorer or not any(plan.scorers):
            return lines
        if owner is None and self._engine is None:
            held = refuse_named(plan, outcomes, self._budget)
        else:
            held = settle_scorers(
                plan,
                outcomes,
                self._client,
                owner=owner,
                options=options,
                engine=_PartEngine(self._engine, part.number),
                budget=self._budget,
            )
        lines = find_left(outcomes, with_failed=self._with_failed).tolist()
        return [line for line in lines if line not in held]

    def _record_late(self, late: Mapping[int, Mapping[int, Result]]) -> None:
        """Correct the lines of finished parts whose answers were about another log."""
        for number, results in late.items():
            part = Part(self._folder, self._facts, number)
            for line, result in results.items():
                part.record(line, result)
            part.finish()


@dataclass(frozen=True)
class _PartEngine(SendsOne):
    """Send single lines of a part by their places in it."""

    engine: Engine | None
    number: int

    def send_one(self, i: int, upsert: Callable[[int], Upsert]) -> None:
        """Send a line by its place, in this thread."""
        assert self.engine is not None  # Where the owner is known, none is sent to learn it.
        self.engine.send_one((self.number << SHIFT) + i, lambda _: upsert(i))
