"""Offer the methods of ``df.respan`` that send scores and read them back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

import pandas as pd

from respan_notebook.accessor.given import GivenFrame, check_client, list_context
from respan_notebook.errors import ConfigurationError

if TYPE_CHECKING:
    from respan_notebook.catalogue import EvaluatorNames
    from respan_notebook.client.client import RespanClient
    from respan_notebook.models import Evaluator
    from respan_notebook.push.jobs.job import PushJob
    from respan_notebook.push.options import OnDuplicate, PushArguments, WholePushArguments
    from respan_notebook.push.read_frame import Scores
    from respan_notebook.push.report import PushReport


class PushMethods(GivenFrame):
    """Push scores to Respan, and pull them back."""

    @overload
    def push_scores(
        self,
        scores: Scores | None = None,
        *,
        to: None = None,
        **options: Unpack[WholePushArguments],
    ) -> PushReport: ...

    @overload
    def push_scores(
        self,
        scores: Scores | None = None,
        *,
        to: str | Path,
        order_by: str | Iterable[str] | None = None,
        **options: Unpack[PushArguments],
    ) -> PushJob: ...

    def push_scores(
        self,
        scores: Scores | None = None,
        *,
        to: str | Path | None = None,
        order_by: str | Iterable[str] | None = None,
        client: RespanClient | None = None,
        evaluators: Evaluator | Iterable[Evaluator] | None = None,
        on_duplicate: OnDuplicate = "last",
        dry_run: bool = False,
        concurrency: int = 16,
        rate_limit: str | None = None,
        deadline: float | None = None,
        skip_unchanged: bool = False,
        resume: PushReport | Any | str | Path | None = None,
        progress: bool = True,
        parse_text: bool = False,
        custom_evaluators: bool = False,
        context: bool | str | Sequence[str] | None = None,
        as_scorer: bool = False,
    ) -> PushReport | PushJob:
        """Upsert every score in the frame, and report on each.

        Everything is validated before the first request. A row that can't be sent, or that the
        server refuses, is reported and stops no other. Missing values are no scores and are not
        sent. A repeated push updates the scores and adds none.

        The column (or index level) ``log_id``, ``unique_id`` or ``id`` names the log of each row.
        A column ``explanation`` travels along with the score: a missing one leaves the server's as
        it is, and a blank one clears it. ``timestamp``, ``environment``, ``prompt_id``,
        ``prompt_version_number``, ``dataset_id`` and ``automation_id`` are fields of the *log*:
        they travel from a frame that ``client.logs()`` made, and else when ``context=`` names them.
        A ``timestamp`` without a time zone is UTC; a date is its midnight, a Period its start.

        A column ``scorer`` says whose score each row is; missing is the owner of the key. Rows of
        another scorer are invalid, unless ``as_scorer=True``. The API names the owner only in the
        answer to a write: when no earlier write of this client, no label and no ``resume`` tells,
        one row is sent first, and what it changed is put back if it was another's.

        Parameters
        ----------
        scores : mapping, iterable or None
            **Wide**: a mapping of evaluator (slug or id) to column, or a list (also
            ``df.columns[1:]``, an array, ...) of evaluators (slugs, ids or ``Evaluator`` objects)
            whose columns bear their slugs.
            **Tidy**: None; then each row is one score, with ``evaluator_id`` or
            ``evaluator_slug``, and either ``value`` or the API's raw value fields
            (``numerical_value``, ``string_value``, ``boolean_value``, ``categorical_value``,
            ``json_value``). :func:`respan_notebook.values.encoding.encoder` lists the values that
            each type takes.
        to : str or Path, optional
            A folder, by its path or a URL that fsspec takes: plan and report become Parquet files
            there, and the frame need not fit into memory (see the README, "Larger than memory").
            The frame may then also be a Dask or Spark DataFrame, and for
            :func:`respan_notebook.push_scores` a dataset of pyarrow, or the path of a Parquet file
            or of a folder of them. A folder that holds this very push is gone on with, any other
            one is refused. At a URL, the journal of a sender that is killed stays on its machine.
            ``skip_unchanged`` and ``resume`` are not for it.
        order_by : str or list of str, optional
            With ``to``: columns of numbers, times or text that say which of several rows is the
            last. A Spark DataFrame or a DuckDB relation has no order of its own.
        client : RespanClient, optional
            Else one made from ``RESPAN_API_KEY`` and ``RESPAN_BASE_URL``.
        evaluators : Evaluator or iterable of them, optional
            Definitions to use instead of the server's; also for slugs that the server lacks.
        on_duplicate : {"last", "first", "error"}
            The row that counts when several score the same log by the same evaluator.
        dry_run : bool
            Validate everything and send nothing; ``report.payloads`` shows what would be sent.
        concurrency : int
            Requests in flight at once.
        rate_limit : str, optional
            A rate to keep to from the start, such as ``"60/min"``. Without it the push goes as fast
            as it can and learns from the server's 429s, which hold all requests of this process
            to this server for as long as the server says.
        deadline : float, optional
            Seconds after which nothing more is sent; a wait that would end later is not begun. With
            ``to`` they count from the moment when the plan is there.
        skip_unchanged : bool
            Read the server's scores first, and send only what differs: one request per 100 logs,
            instead of one per score. A client that has not written yet sends one score before
            that, since only the answer to a write names the owner of the key.
        resume : PushReport, DataFrame, str or Path, optional
            The report of an earlier push, the file that ``report.save`` wrote, or its
            ``report.frame`` (also of another library, or read back from a file): scores that had
            arrived just as they are to be sent now, travelling columns included, are ``resumed``
            and not sent again. A frame does not say to which server and with which key it was sent,
            so that these are not compared; one without the column ``digest`` resumes nothing.
        progress : bool
            Whether to show a progress bar, with rate, time left and the reason of a wait; with
            ``to``, two more before it count the rows that are checked and the scores planned.
        parse_text : bool
            Read values that stand in the cells as text, as in a column of a CSV file with one bad
            cell: numbers as Python's ``float`` reads them (no ``1_000``, no comma), booleans (true,
            false, yes, no, 1, 0, in any case) and JSON lists; nothing else. Empty text is not
            missing.
        custom_evaluators : bool
            In a tidy frame with raw value fields: let a slug that no evaluator has make a custom
            evaluator, of the type that the field implies; ``report.warnings`` names each. Else
            such a row is invalid.
        context : bool, str or sequence of str, optional
            Columns of the log's fields that travel along: their names, True for all, False for
            none. Without it they travel from a frame of ``client.logs()``, which carries a mark in
            ``df.attrs``; merge, most concats and CSV lose it. The report says what travels.
        as_scorer : bool
            Write the scores of other scorers under their names, through a route that takes a
            request more per score: it looks first, updates what is there and creates the rest.

        Returns
        -------
        PushReport or PushJob
            One line per score, on this frame's index; with ``to`` a PushJob, whose lines are files.

        Raises
        ------
        FrameError
            A column is missing, is there twice, or two disagree, or ``resume`` is no report;
            nothing was sent.
        UnknownEvaluatorError, UnsupportedEvaluatorError
            An evaluator named in ``scores`` does not exist, or has an unknown type.
        DuplicateScoreError
            With ``on_duplicate="error"``.
        ConfigurationError
            There is no key, an argument can't be used, or what ``resume`` names had arrived on
            another server or by another key.
        HTTPError, TransportError
            The server's evaluators can't be listed.

        Examples
        --------
        >>> import pandas as pd, respan_notebook
        >>> from respan_notebook import Evaluator, RespanClient, Sandbox
        >>> df = pd.DataFrame({"log_id": ["demo_01", "demo_02"], "good": [True, None]})
        >>> correct = Evaluator(evaluator_slug="is_good", score_value_type="boolean")
        >>> with Sandbox(demo=True) as sandbox:
        ...     client = RespanClient(sandbox.api_key, sandbox.base_url)
        ...     df.respan.push_scores(
        ...         {"is_good": "good"}, client=client, evaluators=[correct], progress=False)
        PushReport pushed: 1 created, 1 skipped
        """
        from respan_notebook.client.rate import parse_rate
        from respan_notebook.push.options import PushOptions

        check_client(client)
        options = PushOptions(
            on_duplicate=on_duplicate,
            dry_run=dry_run,
            concurrency=concurrency,
            rate_limit=None if rate_limit is None else parse_rate(rate_limit),
            deadline=deadline,
            skip_unchanged=skip_unchanged,
            progress=progress,
            parse_text=parse_text,
            custom_evaluators=custom_evaluators,
            context=list_context(context),
            as_scorer=as_scorer,
        )
        if to is not None:
            from respan_notebook.push.jobs.start import push_to_folder

            if resume is not None:
                raise ConfigurationError(
                    "resume= is for a push without to=; a folder is gone on with"
                )
            return push_to_folder(
                self._given,
                scores,
                options,
                to=to,
                order_by=order_by,
                client=client,
                evaluators=evaluators,
                find_owner=_find_owner,
            )
        from respan_notebook.push.push import push_frame

        if order_by is not None:
            raise ConfigurationError("order_by= is for a push with to=; else sort the frame")
        return push_frame(
            self._frame,
            scores,
            options,
            client=client,
            evaluators=evaluators,
            resume=resume,
            find_owner=_find_owner,
        )

    def pull_scores(
        self,
        evaluators: EvaluatorNames,
        *,
        client: RespanClient | None = None,
        scorer: str | None = None,
    ) -> pd.DataFrame:
        """Return the server's scores of this frame's logs.

        Parameters
        ----------
        evaluators : str, Evaluator, or iterable of them
            Slugs, ids or definitions: a list, ``df.columns[1:]``, an array, ... A set is sorted.
        client : RespanClient, optional
            Else one made from ``RESPAN_API_KEY`` and ``RESPAN_BASE_URL``.
        scorer : str, optional
            An email, ``"all"``, or by default the owner of the key. The API names the owner only
            in the answer to a write; before the client's first one, the scores must all be of one
            scorer, and a warning says whose.

        Returns
        -------
        DataFrame
            On this frame's index, a column per evaluator (named by slug, else id): float64 for
            numbers, boolean, else object; missing where there is no score, or no usable log id.
            With ``scorer="all"`` a row per score instead, which ``push_scores`` takes:
            ``log_id``, ``evaluator_id``, ``evaluator_slug``, ``scorer``, ``value``,
            ``explanation``, ``is_passed``, ``score_id``.

        Raises
        ------
        FrameError, UnknownEvaluatorError, ConfigurationError
            As :meth:`push_scores`; ConfigurationError also when it is not known whose scores are
            wanted.
        HTTPError, TransportError
            The server does not answer, or does not filter scores.

        Warns
        -----
        UserWarning
            It is not known whether the scores are those of the key's owner, or none is by the
            given scorer.

        Examples
        --------
        >>> import pandas as pd
        >>> from respan_notebook import RespanClient, Sandbox
        >>> df = pd.DataFrame({"log_id": ["demo_01", "demo_02"], "helpfulness": [4, None]})
        >>> with Sandbox(demo=True) as sandbox:
        ...     client = RespanClient(sandbox.api_key, sandbox.base_url)
        ...     report = df.respan.push_scores("helpfulness", client=client, progress=False)
        ...     df.respan.pull_scores("helpfulness", client=client)
           helpfulness
        0          4.0
        1          NaN
        """
        from respan_notebook.pull import pull_columns

        check_client(client)
        return pull_columns(self._frame, evaluators, client, scorer)


def _find_owner(client: RespanClient) -> str | None:
    """Return the owner of a client's key, as the outbox of this user knows it."""
    from respan_notebook.labelling.outbox.accounts import find_scorer
    from respan_notebook.labelling.outbox.outbox import default_path

    return find_scorer(default_path(), client.base_url, client.fingerprint)
