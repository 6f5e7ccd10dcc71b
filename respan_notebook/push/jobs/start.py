"""Start a push whose plan and report are files, or go on with the one that is there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from respan_notebook.catalogue import Catalogue
from respan_notebook.client.client import RespanClient, default_client
from respan_notebook.client.rate import parse_rate
from respan_notebook.errors import ConfigurationError
from respan_notebook.frames.arrow import import_pyarrow
from respan_notebook.models import Evaluator
from respan_notebook.push.jobs.folder import JobFacts, JobFolder
from respan_notebook.push.jobs.interrupt import describe_unsent, noted_interrupt
from respan_notebook.push.jobs.job import PushJob
from respan_notebook.push.jobs.planner import Planner, describe_difference, make_reader
from respan_notebook.push.jobs.sender import check_job_origin
from respan_notebook.push.jobs.sources import find_source
from respan_notebook.push.jobs.storage import LocalStorage
from respan_notebook.push.options import PushOptions, check_options
from respan_notebook.push.origin import origin_of
from respan_notebook.push.read_frame import Scores


def push_to_folder(
    source: Any,
    scores: Scores | None,
    options: PushOptions,
    *,
    to: str | Path,
    order_by: str | Iterable[str] | None,
    client: RespanClient | None,
    evaluators: Evaluator | Iterable[Evaluator] | None,
    find_owner: Callable[[RespanClient], str | None],
) -> PushJob:
    """Plan the scores of a source into a folder and send them; see ``push_scores``.

    A folder that holds this very job is gone on with.
    """
    check_options(options)
    if options.skip_unchanged:
        raise ConfigurationError(
            "skip_unchanged=True reads the server's scores of all logs, and is for a push without "
            "to="
        )
    import_pyarrow("to=")
    if client is None and not options.dry_run:
        client = default_client()  # Without a key, fail before the work of planning.
    folder = JobFolder.at(to)
    unsent = noted_interrupt(f"nothing was sent; the same push to {folder.name!r} goes on")
    with unsent, folder.locked():
        earlier = folder.read_facts() if folder.has_job() else None
        if earlier is not None and client is not None:
            check_job_origin(folder, earlier, client)
        with _scratch(folder) as scratch:
            source = find_source(source, scratch)
            catalogue = Catalogue(evaluators, client)

            def owner() -> str | None:
                if earlier is not None:  # What was known then has gone into its plan.
                    return earlier.owner
                return None if client is None else client.scorer or find_owner(client)

            reader = make_reader(
                source, scores, catalogue, options, find_owner=owner, order_by=order_by
            )
            origin = None if client is None else origin_of(client)
            _plan_or_compare(folder, earlier, Planner(source, reader, catalogue, origin), scratch)
    job = PushJob(folder, client)
    if options.dry_run:
        return job
    names = ("concurrency", "rate_limit", "deadline", "progress")
    return job.send({name: getattr(options, name) for name in names})


def _plan_or_compare(
    folder: JobFolder, earlier: JobFacts | None, planner: Planner, scratch: Path
) -> None:
    """Write the plan, or raise ConfigurationError when it is not the one that is there."""
    if earlier is None:
        folder.clear()
        facts = planner.plan(scratch, lambda n, part: folder.write_part("plan", n, part))
        folder.write_facts(facts)
        return
    difference = describe_difference(earlier, planner.plan(scratch, lambda _n, _part: None))
    if difference:
        raise ConfigurationError(
            f"to={folder.name!r} holds another push: it differs in {difference}. Name another "
            "folder, or go on with that push by resume_push"
        )


@contextmanager
def _scratch(folder: JobFolder) -> Iterator[Path]:
    """Give a folder on this machine for what is not kept, beside the job if that is here."""
    if isinstance(folder.storage, LocalStorage):
        path = folder.storage.local / ".planning"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    else:
        path = Path(tempfile.mkdtemp(prefix="respan-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def resume_push(
    folder: str | Path,
    *,
    client: RespanClient | None = None,
    concurrency: int | None = None,
    rate_limit: str | None = None,
    deadline: float | None = None,
    progress: bool = True,
) -> PushJob:
    """Go on with a push to a folder, in any session, or on another machine.

    Sent is what is ``not_sent``, and what failed through no fault of the score (no answer, a
    refused key, a server that was too busy); the rest that failed is sent again by ``job.retry()``.
    After the process that sent was killed, only what was in flight at that moment is sent twice.

    Parameters
    ----------
    folder : str or Path
        The ``to=`` of the push.
    client : RespanClient, optional
        Else one made from ``RESPAN_API_KEY`` and ``RESPAN_BASE_URL``.
    concurrency, rate_limit : optional
        As in ``push_scores``; else those of the push.
    deadline : float, optional
        Seconds after which nothing more is sent; not that of the push.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    PushJob
        The job, when all is sent that could be.

    Raises
    ------
    FrameError
        The folder holds no push, or it was changed.
    ConfigurationError
        There is no key, the client is of another server or key, another process is sending, or an
        argument can't be used.
    PushError
        A file of the job could not be read or written, so that it broke off.

    Examples
    --------
    >>> import pandas as pd, pathlib, tempfile
    >>> from respan_notebook import RespanClient, Sandbox, push_scores, resume_push
    >>> frame = pd.DataFrame({"log_id": ["demo_01", "demo_02"], "helpfulness": [4, 5]})
    >>> with Sandbox(demo=True) as sandbox, tempfile.TemporaryDirectory() as folder:
    ...     client = RespanClient(sandbox.api_key, sandbox.base_url)
    ...     path = pathlib.Path(folder, "push")
    ...     planned = push_scores(frame, "helpfulness", to=path, client=client, dry_run=True)
    ...     planned.counts, resume_push(path, client=client, progress=False).counts
    ({'not_sent': 2}, {'created': 2})
    """
    given = {"concurrency": concurrency, "rate_limit": rate_limit and parse_rate(rate_limit)}
    changes = {name: value for name, value in given.items() if value is not None}
    found = JobFolder.at(folder)
    with noted_interrupt(describe_unsent(found.name)):
        job = PushJob(found, client)
    return job.send({**changes, "deadline": deadline, "progress": progress})
