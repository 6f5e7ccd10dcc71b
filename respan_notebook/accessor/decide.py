"""Offer the methods of ``df.respan`` that say what labels allow to decide."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from respan_notebook.accessor.given import GivenFrame, check_client

if TYPE_CHECKING:
    from respan_notebook.agreement.agreement import Agreement
    from respan_notebook.agreement.gold import Method
    from respan_notebook.agreement.judge import JudgeCheck
    from respan_notebook.client.client import RespanClient
    from respan_notebook.labelling.widgets.adjudicator import Adjudicator
    from respan_notebook.models import Evaluator


class DecideMethods(GivenFrame):
    """Compare scorers, settle where they differ, and check judges."""

    def agreement(
        self,
        evaluators: Evaluator | Iterable[Evaluator] | None = None,
        *,
        scorers: Sequence[str] | None = None,
        threads: Hashable | None = None,
    ) -> Agreement:
        """Measure the agreement of annotators, people and LLM judges, by evaluator.

        The frame has a row per score, as ``pull_scores(..., scorer="all")`` returns: ``log_id``,
        ``scorer``, ``value``, and ``evaluator_slug`` or ``evaluator_id``. Other columns are
        ignored. A row whose value is missing is no score.

        Parameters
        ----------
        evaluators : Evaluator or iterable of them, optional
            Definitions: type, choices and their order, points and bounds of a scale. Those that
            the frame does not name are ignored. For an evaluator without one the type is taken
            from its values (bool, number, text, list of text, else JSON), and the result's
            ``warnings`` say so.
        scorers : sequence of str, optional
            Count only these, in this order. Else all, in the order in which the frame names them.
        threads : column name, optional
            Column with the thread of each log. Logs of one thread are alike, and intervals are then
            of whole threads drawn again and again; a log without a thread stands for itself.

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
            there is no score by one of ``scorers``; a log is in two threads.
        ConfigurationError
            An argument can't be used.
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
        Agreement of 2 scorers by 1 evaluator: not enough to conclude for stars
                 level  logs  scorers              percent                kappa   ...
          stars  ordinal     3        2  66.7 [0.0 to 100.0]  0.86 [0.00 to 1.00]   ...
        """
        from respan_notebook.agreement.agreement import measure_agreement

        return measure_agreement(self._given, evaluators, scorers=scorers, threads=threads)

    def gold(
        self,
        method: Method = "majority",
        *,
        evaluators: Evaluator | Iterable[Evaluator] | None = None,
        scorers: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Settle the scores of several people to one gold value per log and evaluator.

        ``"dawid-skene"`` assumes that each log has one true value, and that each scorer errs in a
        way of their own; it weighs scorers by how they err. It needs three scorers and 50 logs
        scored by two or more, and an evaluator with categories.

        Parameters
        ----------
        method : {"majority", "dawid-skene"}
            Majority leaves ties unresolved.
        evaluators, scorers
            As for :meth:`agreement`.

        Returns
        -------
        DataFrame
            A row per log and evaluator, in the order of the frame, that :meth:`push_scores` takes:
            ``log_id``, ``evaluator_slug``, ``value`` (None for a tie), ``source``: unanimous, the
            method, or unresolved (all object).

        Raises
        ------
        FrameError
            As for :meth:`agreement`, or there is too little for ``"dawid-skene"``.
        ConfigurationError
            An argument can't be used.

        Examples
        --------
        >>> import pandas as pd
        >>> scores = pd.DataFrame({"log_id": ["a"] * 3, "evaluator_slug": "tone",
        ...                        "scorer": ["ann", "bob", "eve"],
        ...                        "value": ["warm", "warm", "cold"]})
        >>> scores.respan.gold()
          log_id evaluator_slug value    source
        0      a           tone  warm  majority
        """
        from respan_notebook.agreement.gold import settle_scores

        return settle_scores(self._given, method, evaluators=evaluators, scorers=scorers)

    def adjudicate(
        self,
        logs: Any,
        evaluator: str | Evaluator,
        *,
        scorers: Sequence[str] | None = None,
        client: RespanClient | None = None,
        show: Hashable | Sequence[Hashable] | None = None,
        outbox: str | Path | None = None,
        names: bool = False,
        advance: bool = False,
    ) -> Adjudicator:
        """Show the logs that scorers differ on, with their answers, and settle one after the other.

        The frame is as for :meth:`agreement`; explanations in a column ``explanation`` are shown
        beside the answers. Those logs come first on which the scorers agree least. Each answer is
        one key away, any other value can be entered, and a cause of the difference is picked. It is
        stored on disk at once, is there again when the notebook is run again, and is sent nowhere.

        Parameters
        ----------
        logs : DataFrame
            A row per log, as for :meth:`annotate`; other logs than those in question are ignored.
        evaluator : str or Evaluator
            What is settled: a slug or id that the server knows, or a definition.
        scorers : sequence of str, optional
            Count only these; without the judge, for instance. Else all.
        client : RespanClient, optional
            Has the definition of the evaluator; needless when it is given.
        show : column name or list of them, optional
            The columns of a log to show, as in :meth:`annotate`.
        outbox : str or Path, optional
            The SQLite file in which it is stored; else that of :meth:`annotate`. It is kept by log
            id and by the evaluator's id, else slug, whatever the server: projects in which these
            are equal need files of their own. Of two notebooks on one file the later save counts.
        names : bool
            Show who gave an answer, and not only how many did.
        advance : bool
            Save a log by itself when a cause was picked for the value that is there; not for
            "other", which is to be explained.

        Returns
        -------
        Adjudicator
            An annotator whose ``gold`` is a frame of one value per log: what was settled, and what
            all agree on.

        Raises
        ------
        FrameError
            As for :meth:`agreement`; also when no two scorers differ, and when ``logs`` has none of
            the logs on which they do.
        UnknownEvaluatorError, ConfigurationError, HTTPError, TransportError
            As for :meth:`annotate`.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import pandas as pd
        >>> from respan_notebook import Evaluator
        >>> good = Evaluator(evaluator_slug="good", score_value_type="boolean")
        >>> scores = pd.DataFrame({"log_id": ["a", "b"] * 2, "evaluator_slug": "good",
        ...                        "scorer": ["ann", "ann", "bob", "bob"],
        ...                        "value": [True, True, True, False]})
        >>> logs = pd.DataFrame({"log_id": ["a", "b"], "output": ["4", "5"]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     adjudicator = scores.respan.adjudicate(logs, good,
        ...                                            outbox=pathlib.Path(folder) / "outbox")
        ...     adjudicator.editors["good"].value = False
        ...     adjudicator.editors["cause"].value = "mistake"
        ...     adjudicator.save()
        ...     gold = adjudicator.gold
        ...     adjudicator.close()
        >>> gold[["log_id", "value", "source", "cause"]]
          log_id  value       source    cause
        0      a   True    unanimous     None
        1      b  False  adjudicated  mistake
        """
        from respan_notebook.labelling.adjudicate import open_adjudicator

        check_client(client)
        return open_adjudicator(
            self._given,
            logs,
            evaluator,
            scorers=scorers,
            client=client,
            show=show,
            outbox=outbox,
            names=names,
            advance=advance,
        )

    def judge(
        self,
        judge: str,
        *,
        population: Any,
        humans: Sequence[str] | None = None,
        evaluator: str | None = None,
        sample: Any = None,
        gold: Any = None,
        passes: Any = None,
        evaluators: Evaluator | Iterable[Evaluator] | None = None,
    ) -> JudgeCheck:
        """Check a judge by the labels of people: its true pass rate, and what it gets wrong.

        The frame has a row per score: ``log_id``, ``scorer``, ``value`` and ``evaluator_slug`` or
        ``evaluator_id``; missing values are no score. How its logs were drawn stands in columns
        ``weight`` and ``stratum``, or in ``sample``; else they are taken as drawn at random, and a
        warning says so. Where only some logs of a stratum are labelled, they stand for all of it.
        People who differ are settled by ``gold``, else by majority; ties are left out and counted.

        Parameters
        ----------
        judge : str
            The scorer that is checked.
        population : DataFrame
            The judge's verdict (``value``) on every log (``log_id``), the labelled ones included.
        humans : sequence of str, optional
            The scorers that are believed; else all but the judge.
        evaluator : str, optional
            Its slug, else id, where the frame has scores by several.
        sample : DataFrame, optional
            The frame that :meth:`sample` gave: its ``weight`` and ``stratum`` count.
        gold : DataFrame, optional
            The ``value`` of logs (``log_id``) on which people differ, a missing one being none.
        passes : value, set of values, number, conditions or Evaluator, optional
            The scores that pass; of numbers, those from this one up; by passing conditions (a dict
            as in ``evaluator.passing_conditions``), or by those of an evaluator. Booleans pass when
            True. Numbers without it are not turned into passes: ``rate`` is their mean.
        evaluators : Evaluator or iterable of them, optional
            Definitions, as for :meth:`agreement`.

        Returns
        -------
        JudgeCheck
            Its ``rate`` is corrected by the labels, with a 95% ``interval``.

        Raises
        ------
        FrameError
            No label can be compared; a labelled log is not in ``population`` or ``sample``; a log
            is there twice; a weight is missing or not above 0; verdicts in the frame and in
            ``population`` differ.
        ConfigurationError
            An argument can't be used, or scipy is missing.

        Examples
        --------
        >>> import pandas as pd
        >>> verdicts = pd.DataFrame({"log_id": range(400), "value": [True] * 300 + [False] * 100})
        >>> drawn = verdicts.respan.sample(100, by="value", allocation="equal")
        >>> labels = drawn.assign(evaluator_slug="grounded", scorer="ann",
        ...                       value=drawn["value"] & (drawn["log_id"] % 5 > 0))
        >>> check = labels.respan.judge("bot", population=verdicts)
        >>> check.claimed, round(check.rate, 2), check.confusion.to_numpy().tolist()
        (0.75, 0.61, [[41, 0], [9, 50]])
        """
        from respan_notebook.agreement.judge import check_judge

        return check_judge(
            self._given,
            judge,
            population=population,
            humans=humans,
            evaluator=evaluator,
            sample=sample,
            gold=gold,
            passes=passes,
            evaluators=evaluators,
        )
