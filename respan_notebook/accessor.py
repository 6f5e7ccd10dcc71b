"""Register the DataFrame accessor ``df.respan``.

It has no state (pandas makes a new one at each access) and imports its parts when they are used,
so that importing this package costs little more than importing pandas.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from respan_notebook.errors import ConfigurationError

if TYPE_CHECKING:
    from respan_notebook.agreement.agreement import Agreement
    from respan_notebook.catalogue import EvaluatorNames
    from respan_notebook.client.client import RespanClient
    from respan_notebook.labelling.widgets.annotator import Annotator
    from respan_notebook.models import Evaluator
    from respan_notebook.push.options import OnDuplicate
    from respan_notebook.push.read_frame import Scores
    from respan_notebook.push.report import PushReport


@pd.api.extensions.register_dataframe_accessor("respan")
class RespanAccessor:
    """Push, pull, enter and compare scores of LLM request logs: ``df.respan``."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def push_scores(
        self,
        scores: Scores | None = None,
        *,
        client: RespanClient | None = None,
        evaluators: Evaluator | Iterable[Evaluator] | None = None,
        on_duplicate: OnDuplicate = "last",
        dry_run: bool = False,
        concurrency: int = 16,
        rate_limit: str | None = None,
        deadline: float | None = None,
        skip_unchanged: bool = False,
        resume: PushReport | pd.DataFrame | str | Path | None = None,
        progress: bool = True,
        parse_text: bool = False,
        custom_evaluators: bool = False,
        context: bool | str | Sequence[str] | None = None,
        as_scorer: bool = False,
    ) -> PushReport:
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
            Seconds after which nothing more is sent; a wait that would end later is not begun.
        skip_unchanged : bool
            Read the server's scores first, and send only what differs: one request per 100 logs,
            instead of one per score. A client that has not written yet sends one score before
            that, since only the answer to a write names the owner of the key.
        resume : PushReport, DataFrame, str or Path, optional
            The report of an earlier push, the file that ``report.save`` wrote, or its
            ``report.frame`` (also read back from a file): scores that had arrived just as they are
            to be sent now, travelling columns included, are ``resumed`` and not sent again. A
            frame does not say to which server and with which key it was sent, so that these are
            not compared; one without the column ``digest`` resumes nothing.
        progress : bool
            Whether to show a progress bar, with rate, time left and the reason of a wait.
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
        PushReport
            One line per score, on this frame's index.

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
        from respan_notebook.push.push import push_frame

        _check_client(client)
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
            context=_list_context(context),
            as_scorer=as_scorer,
        )
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

        _check_client(client)
        return pull_columns(self._frame, evaluators, client, scorer)

    def annotate(
        self,
        evaluators: EvaluatorNames,
        *,
        client: RespanClient | None = None,
        show: Hashable | Sequence[Hashable] | None = None,
        outbox: str | Path | None = None,
        context: bool | str | Sequence[str] | None = None,
    ) -> Annotator:
        """Show the logs of this frame one by one, and take their scores.

        Nothing is a score until the person made it one. A label is on disk before the next log is
        shown, and is sent to Respan in the background; one that is still queued when the notebook
        ends is sent when any notebook opens an annotator again. The first log shown is the first
        one without a score.

        Parameters
        ----------
        evaluators : str, Evaluator, or iterable of them
            Slugs, ids or definitions, as in :meth:`pull_scores`; each gets an editor that fits its
            ``score_value_type``.
        client : RespanClient, optional
            Else one made from ``RESPAN_API_KEY`` and ``RESPAN_BASE_URL``.
        show : column name or list of them, optional
            The columns of a log to show, in this order; else all.
        outbox : str or Path, optional
            The SQLite file in which labels are stored; else one in the user's data folder, which
            all notebooks share.
        context : bool, str or sequence of str, optional
            Columns that travel along with a score, as in :meth:`push_scores`.

        Returns
        -------
        Annotator
            A widget: displayed as the last expression of a cell, and driven from Python as well.
            ``annotator.scores`` is a tidy frame of the labels.

        Raises
        ------
        FrameError, UnknownEvaluatorError, ConfigurationError
            As :meth:`push_scores`; FrameError also when the frame has no rows,
            ConfigurationError when the outbox can't be written.
        HTTPError, TransportError
            The server's evaluators can't be listed, and the outbox has no definition of them.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from respan_notebook import RespanClient, Sandbox
        >>> with Sandbox(demo=True) as sandbox, tempfile.TemporaryDirectory() as folder:
        ...     client = RespanClient(sandbox.api_key, sandbox.base_url)
        ...     logs = client.logs(start_time="2026-01-01", sort_by="timestamp")
        ...     annotator = logs.respan.annotate(
        ...         ["helpfulness", "tone"], client=client, outbox=pathlib.Path(folder) / "outbox")
        ...     annotator.editors["helpfulness"].value = 4
        ...     annotator.save_button.click()
        ...     arrived = annotator.wait()
        ...     scores = annotator.scores
        ...     annotator.close()
        >>> arrived, scores[["log_id", "evaluator_slug", "value", "state"]].values.tolist()
        (True, [['demo_01', 'helpfulness', 4.0, 'saved']])
        """
        from respan_notebook.labelling.annotate import open_annotator

        _check_client(client)
        return open_annotator(
            self._frame, evaluators, client, show, outbox, context=_list_context(context)
        )

    def agreement(
        self,
        evaluators: Evaluator | Iterable[Evaluator] | None = None,
        *,
        scorers: Sequence[str] | None = None,
    ) -> Agreement:
        """Measure the agreement of annotators, people and LLM judges, by evaluator.

        The frame has a row per score, as ``pull_scores(..., scorer="all")`` returns: ``log_id``,
        ``scorer``, ``value``, and ``evaluator_slug`` or ``evaluator_id``. Other columns are
        ignored. A row whose value is missing is no score. Needs
        ``pip install "respan-notebook[agreement]"``.

        Parameters
        ----------
        evaluators : Evaluator or iterable of them, optional
            Definitions: type, choices and their order, points and bounds of a scale. Those that
            the frame does not name are ignored. For an evaluator without one the type is taken
            from its values (bool, number, text, list of text, else JSON), and the result's
            ``warnings`` say so.
        scorers : sequence of str, optional
            Count only these, in this order. Else all, in the order in which the frame names them.

        Returns
        -------
        Agreement
            ``table`` has percent agreement, Cohen's kappa and Krippendorff's alpha by evaluator;
            ``pairs``, ``confusion`` and ``differences`` show which scorers differ, and on which
            logs.

        Raises
        ------
        FrameError
            A column is missing or is there twice; a row with a score has no log id, scorer or
            evaluator, or a value that its evaluator does not take; a scorer scores a log twice by
            one evaluator; the values of an evaluator without definition are of several types;
            there is no score by one of ``scorers``.
        ConfigurationError
            An argument can't be used, or scikit-learn or krippendorff is missing.
        UnsupportedEvaluatorError
            A definition has no type, or an unknown one.

        Examples
        --------
        >>> import pandas as pd
        >>> from respan_notebook import Evaluator
        >>> stars = Evaluator(evaluator_slug="stars", score_value_type="numerical",
        ...                   score_config={"min_score": 1, "max_score": 5})
        >>> scores = pd.DataFrame({
        ...     "log_id": ["a", "b", "c"] * 2, "evaluator_slug": "stars",
        ...     "scorer": ["ann"] * 3 + ["judge"] * 3, "value": [4, 2, 5, 4, 3, 5]})
        >>> scores.respan.agreement(stars)
        Agreement of 2 scorers by 1 evaluator
                  type    level    weights  logs  scorers percent kappa alpha
          stars  numerical  ordinal  quadratic     3        2    66.7  0.86  0.95
        """
        from respan_notebook.agreement.agreement import measure_agreement

        return measure_agreement(self._frame, evaluators, scorers=scorers)


def _list_context(
    context: bool | str | Iterable[str] | None,
) -> bool | str | list[str] | None:
    """Return names as a list, so that a report can be saved with them."""
    if context is None or isinstance(context, bool | str):
        return context
    if not isinstance(context, Iterable):
        raise ConfigurationError(f"context takes True, False or names of columns, not {context!r}")
    return list(context)


def _find_owner(client: RespanClient) -> str | None:
    """Return the owner of a client's key, as the outbox of this user knows it."""
    from respan_notebook.labelling.outbox.accounts import find_scorer
    from respan_notebook.labelling.outbox.outbox import default_path

    return find_scorer(default_path(), client.base_url, client.fingerprint)


def _check_client(client: object) -> None:
    from respan_notebook.client.client import RespanClient

    if client is not None and not isinstance(client, RespanClient):
        raise ConfigurationError("client must be a RespanClient")
