"""Offer the methods of ``df.respan`` that choose logs, and take their labels."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from respan_notebook.accessor.given import GivenFrame, check_client, list_context

if TYPE_CHECKING:
    from respan_notebook.catalogue import EvaluatorNames
    from respan_notebook.client.client import RespanClient
    from respan_notebook.labelling.widgets.annotator import Annotator
    from respan_notebook.sampling import Allocation


class LabelMethods(GivenFrame):
    """Choose the logs to label and the people who do, and take their labels."""

    def sample(
        self,
        n: int,
        by: Hashable | Iterable[Hashable] | None = None,
        allocation: Allocation = "proportional",
        seed: int = 0,
    ) -> pd.DataFrame:
        """Draw the logs to label, at random, each as likely as the others of its stratum.

        The choice is a function of log id and seed alone: it is the same on every machine and for
        every order of rows. A larger ``n`` without ``by`` keeps what a smaller one drew.

        Parameters
        ----------
        n : int
            Rows to draw.
        by : column or iterable of columns, optional
            Draw from each stratum, the rows with equal values in these columns (a missing value
            counts as one): at least one row of each.
        allocation : {"proportional", "equal"}
            Divide ``n`` by the sizes of the strata, or equally; a stratum that is too small for
            its part leaves the rest to the others.
        seed : int
            Another seed draws other rows.

        Returns
        -------
        DataFrame
            The rows in random order, with ``stratum`` (object; "all" without ``by``) and ``weight``
            (float64): the number of rows of the frame that each stands for.

        Raises
        ------
        FrameError
            A log id or a column is missing, a log is there twice, or there is a column ``stratum``
            or ``weight`` already.
        ConfigurationError
            ``n`` is larger than the frame or smaller than the number of strata; another argument
            can't be used.

        Examples
        --------
        >>> import pandas as pd
        >>> logs = pd.DataFrame({"log_id": range(100), "verdict": [True] * 90 + [False] * 10})
        >>> drawn = logs.respan.sample(10, by="verdict", allocation="equal")
        >>> drawn.groupby("stratum")["weight"].first().to_dict()
        {'verdict=False': 2.0, 'verdict=True': 18.0}
        """
        from respan_notebook.sampling import sample_logs

        return sample_logs(self._frame, n, by=by, allocation=allocation, seed=seed)

    def assign(self, people: Sequence[str], k: int = 2, seed: int = 0) -> pd.DataFrame:
        """Divide the logs among people, each log to ``k`` of them.

        Who gets a log is a function of log id, person and seed alone. A person who joins takes logs
        over from the others and moves none between them.

        Parameters
        ----------
        people : sequence of str
            Names, for instance the scorers' addresses.
        k : int
            People per log.
        seed : int
            Another seed divides them in another way.

        Returns
        -------
        DataFrame
            A row per log and person, in the order of the frame and of ``people``, with the column
            ``person`` (object); index labels are repeated.

        Raises
        ------
        FrameError
            A log id is missing, a log is there twice, or there is a column ``person`` already.
        ConfigurationError
            ``k`` is larger than the number of people, or a person is named twice.

        Examples
        --------
        >>> import pandas as pd
        >>> logs = pd.DataFrame({"log_id": ["a", "b", "c"]})
        >>> logs.respan.assign(["ann", "bob"], k=2)["person"].tolist()
        ['ann', 'bob', 'ann', 'bob', 'ann', 'bob']
        """
        from respan_notebook.sampling import assign_people

        return assign_people(self._frame, people, k=k, seed=seed)

    def annotate(
        self,
        evaluators: EvaluatorNames,
        *,
        client: RespanClient | None = None,
        show: Hashable | Sequence[Hashable] | None = None,
        outbox: str | Path | None = None,
        context: bool | str | Sequence[str] | None = None,
        required: EvaluatorNames | None = None,
        advance: bool = False,
        order: Hashable | None = None,
        seed: int = 0,
        scores: Any = None,
        me: str | None = None,
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
            The columns of a log to show, in this order; else all but ``scores`` and those that are
            named like an evaluator, which would tell what others have said.
        outbox : str or Path, optional
            The SQLite file in which labels are stored; else one in the user's data folder, which
            all notebooks share.
        context : bool, str or sequence of str, optional
            Columns that travel along with a score, as in :meth:`push_scores`.
        required : str, Evaluator, or iterable of them, optional
            Those of the evaluators that a log must have scores of to count as scored, and not as
            partly scored; else all but text, comment and json, and all where there are no others.
        advance : bool
            One key is enough: after it the next editor is marked, and a log of which all that is
            required is scored is saved by itself (``u`` takes it back). Where several choices may
            be ticked, or a value is typed, Enter is still needed.
        order : column name, "random" or "disagreement", optional
            Go through the rows in this order, and not in that of the frame: ascending by a column
            (missing cells last); at random; or those first whose ``scores`` differ most. A column
            of such a name comes before the word.
        seed : int
            Of ``order="random"``, which is a function of seed and log ids alone.
        scores : DataFrame, optional
            The scores of several people for ``order="disagreement"``, as
            ``pull_scores(..., scorer="all")`` returns them.
        me : str, optional
            Take the rows of this person, by the column ``person`` that :meth:`assign` adds.

        Returns
        -------
        Annotator
            A widget: displayed as the last expression of a cell, and driven from Python as well.
            ``annotator.scores`` is a tidy frame of the labels, and ``annotator?`` tells the rest:
            keys, actions, progress. On screen, ``?`` shows the keys.

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
        (True, [['demo_01', 'helpfulness', 4.0, 'delivered']])
        """
        from respan_notebook.labelling.annotate import open_annotator

        check_client(client)
        return open_annotator(
            self._frame,
            evaluators,
            client,
            show,
            outbox,
            context=list_context(context),
            required=required,
            advance=advance,
            order=order,
            seed=seed,
            scores=scores,
            me=me,
        )
