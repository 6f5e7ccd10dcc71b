"""Measure the agreement of annotators, people and LLM judges."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from respan_notebook.agreement.coefficients import score_differences
from respan_notebook.agreement.intervals import interval_table
from respan_notebook.agreement.matrix import ScoreMatrix, read_matrices
from respan_notebook.agreement.tables import confusion_table, pair_table, summary_table
from respan_notebook.agreement.view import AgreementView
from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.frames.arrow import as_pandas
from respan_notebook.models import Evaluator
from respan_notebook.wording import render_value, suggest_name

if TYPE_CHECKING:
    from respan_notebook.drawing import Picture


def measure_agreement(
    frame: Any,
    evaluators: Evaluator | Iterable[Evaluator] | None = None,
    *,
    scorers: Sequence[str] | None = None,
    threads: Hashable | None = None,
) -> Agreement:
    """Measure agreement; see :meth:`respan_notebook.RespanAccessor.agreement`.

    ``frame`` is of any library that :func:`respan_notebook.push_scores` takes.

    Examples
    --------
    >>> import pyarrow as pa
    >>> scores = pa.table({"log_id": ["a", "b"] * 2, "evaluator_slug": ["good"] * 4,
    ...                    "scorer": ["ann", "ann", "bob", "bob"], "value": [True, False] * 2})
    >>> measure_agreement(scores).table["percent"].tolist()
    [100.0]
    """
    return Agreement(*read_matrices(as_pandas(frame), evaluators, scorers, threads))


class Agreement:
    """Show the agreement of scorers, by evaluator. Made by ``df.respan.agreement(...)``.

    Attributes
    ----------
    table : DataFrame
        A row per evaluator that has scores, in the order of the frame; index: its slug, else id.

        =========== ======= ===================================================================
        ``type``    object  ``score_value_type``
        ``level``   object  level of measurement: nominal, ordinal, interval, set or exact, see
                            :func:`respan_notebook.agreement.scale.order_categories`
        ``weights`` object  weights of kappa: unweighted, or quadratic for an ordinal scale, see
                            :func:`respan_notebook.agreement.coefficients.kappa`; None without kappa
        ``logs``    int64   number of logs scored by two scorers or more
        ``scorers`` int64   number of scorers
        ``percent`` float64 percent of logs with equal scores, 0 to 100: the mean over the
                            pairs of scorers, each on the logs that both scored
        ``kappa``   float64 Cohen's, of exactly two scorers; 1 is agreement, 0 chance
        ``alpha``   float64 Krippendorff's, of any number of scorers, see
                            :func:`respan_notebook.agreement.coefficients.alpha`; 1 is
                            agreement, 0 chance
        ``notes``   object  the reason why a number is missing; "" when none is
        =========== ======= ===================================================================
    warnings : list of str
        The evaluators whose type was taken from their values.
    """

    def __init__(self, matrices: Sequence[ScoreMatrix], warnings: Sequence[str]) -> None:
        self._matrices = {one.evaluator: one for one in matrices}
        self.warnings = list(warnings)
        self.table = summary_table(matrices)

    def intervals(self) -> pd.DataFrame:
        """Return 95% intervals of the numbers of ``table``, by a bootstrap (fixed seed).

        Drawn again and again are logs, or whole threads where ``threads=`` named them. Where all
        scores of each log are equal, draws would be all alike: the lower end is then what the
        greatest share of differing logs allows under which none of n is still likely. Of fewer
        than ten logs (or threads) nothing is concluded.

        Returns
        -------
        DataFrame
            A row per evaluator: ``percent_low``, ``percent_high``, ``kappa_low``, ``kappa_high``,
            ``alpha_low``, ``alpha_high``; ``ac1``, Gwet's, of exactly two scorers, high as well
            where nearly all scores are equal (float64); ``verdict`` (object) by the interval of
            alpha: too low to conclude, not enough to conclude, tentative, reliable, or undefined,
            whose reason is in ``notes``.
        """
        return self._intervals.copy()

    @cached_property
    def _intervals(self) -> pd.DataFrame:
        return interval_table(list(self._matrices.values()))

    def pairs(self, evaluator: str) -> pd.DataFrame:
        """Return the agreement of each two scorers, by one evaluator.

        Parameters
        ----------
        evaluator : str
            A label of the index of ``table``.

        Returns
        -------
        DataFrame
            A row per pair: ``first``, ``second`` (object), ``logs`` that both scored (int64),
            ``percent``, ``kappa`` (float64) and ``notes`` (object) as in ``table``.

        Raises
        ------
        FrameError
            There are no scores by this evaluator.

        Examples
        --------
        >>> scores = pd.DataFrame({
        ...     "log_id": ["a", "b", "a", "b", "b"], "evaluator_slug": "tone",
        ...     "scorer": ["ann", "ann", "bob", "bob", "judge"],
        ...     "value": ["warm", "cold", "warm", "warm", "cold"]})
        >>> tone = Evaluator(evaluator_slug="tone", score_value_type="single_select")
        >>> scores.respan.agreement(tone).pairs("tone")[["first", "second", "logs", "percent"]]
          first second  logs  percent
        0   ann    bob     2     50.0
        1   ann  judge     1    100.0
        2   bob  judge     1      0.0
        """
        return pair_table(self._matrix(evaluator))

    def confusion(
        self, evaluator: str, first: str | None = None, second: str | None = None
    ) -> pd.DataFrame:
        """Count the pairs of values that two scorers gave to the same log.

        Parameters
        ----------
        evaluator : str
            A label of the index of ``table``.
        first, second : str, optional
            The scorers of rows and columns. They can be left out when there are exactly two.

        Returns
        -------
        DataFrame
            Numbers of logs (int64) that both scored. Rows and columns are all choices, or all
            points of the scale, in their order; for continuous scores, sets (as JSON text), text
            and JSON they are the values that one of the two gave, sorted.

        Raises
        ------
        FrameError
            There are no scores by this evaluator or scorer, or there are more than two scorers
            and they were not named.

        Examples
        --------
        >>> scores = pd.DataFrame({
        ...     "log_id": ["a", "b", "c"] * 2, "evaluator_slug": "stars",
        ...     "scorer": ["ann"] * 3 + ["judge"] * 3, "value": [1, 2, 3, 1, 3, 3]})
        >>> scores.respan.agreement().confusion("stars")
        judge  1  2  3
        ann
        1      1  0  0
        2      0  0  1
        3      0  0  1
        """
        return confusion_table(self._matrix(evaluator), first, second)

    def differences(self, evaluator: str | None = None, n: int = 10) -> pd.DataFrame:
        """Return the logs on which the scorers differ most.

        Parameters
        ----------
        evaluator : str, optional
            A label of the index of ``table``; else all of them.
        n : int
            The most rows.

        Returns
        -------
        DataFrame
            A row per log and evaluator on which two scorers differ, the widest difference first,
            else in the order of the frame: ``log_id``, ``evaluator`` (object), a column per scorer
            with the values as they were given (object, None where there is none), and
            ``difference`` (float64), 0 to 1, see
            :func:`respan_notebook.agreement.coefficients.score_differences`.

        Raises
        ------
        FrameError
            There are no scores by this evaluator.
        ConfigurationError
            ``n`` is no whole number from 1.

        Examples
        --------
        >>> scores = pd.DataFrame({
        ...     "log_id": ["a", "b", "c"] * 2, "evaluator_slug": "stars",
        ...     "scorer": ["ann"] * 3 + ["judge"] * 3, "value": [1, 2, 5, 2, 2, 1]})
        >>> scores.respan.agreement().differences("stars")
          log_id evaluator ann judge  difference
        0      c     stars   5     1        1.00
        1      a     stars   1     2        0.25
        """
        if type(n) is not int or n < 1:
            raise ConfigurationError(f"n must be a whole number from 1, got {render_value(n)}")
        matrices = [*(self._matrices.values() if evaluator is None else [self._matrix(evaluator)])]
        found = [
            (-size, place, i)
            for place, matrix in enumerate(matrices)
            for i, size in enumerate(score_differences(matrix).tolist())
            if size > 0
        ]
        scorers = list(dict.fromkeys(name for one in matrices for name in one.scorers))
        rows = []
        for _, place, i in sorted(found)[:n]:
            matrix = matrices[place]
            given = dict(zip(matrix.scorers, matrix.cells[i], strict=True))
            rows.append([matrix.log_ids[i], matrix.evaluator, *map(given.get, scorers), None])
        names = ["log_id", "evaluator", *scorers, "difference"]
        frame = pd.DataFrame(rows, columns=names, dtype=object)
        # By position, since a scorer may be called "difference".
        frame.isetitem(len(names) - 1, np.array([-size for size, *_ in sorted(found)[:n]], float))
        return frame

    def plot(
        self,
        evaluator: str | None = None,
        first: str | None = None,
        second: str | None = None,
        *,
        coefficient: Literal["alpha", "kappa"] = "alpha",
        dark: bool = False,
    ) -> Picture:
        """Draw a coefficient with its interval by evaluator, and a confusion table.

        Needs ``pip install "respan-notebook[plots]"``. At most 40 evaluators are drawn, and no
        confusion table of more than 15 values.

        Parameters
        ----------
        evaluator : str, optional
            The one whose confusion table is drawn; else the first.
        first, second : str, optional
            Its scorers; else the two who share most logs.
        coefficient : {"alpha", "kappa"}
            Kappa is of exactly two scorers.
        dark : bool
            For a dark page.

        Returns
        -------
        Picture
            A ``matplotlib.figure.Figure``.

        Raises
        ------
        FrameError
            There are no scores by this evaluator or scorer.
        ConfigurationError
            An argument can't be used, or matplotlib is missing.

        Examples
        --------
        >>> scores = pd.DataFrame({
        ...     "log_id": ["a", "b", "c"] * 2, "evaluator_slug": "stars",
        ...     "scorer": ["ann"] * 3 + ["judge"] * 3, "value": [1, 2, 3, 1, 3, 3]})
        >>> scores.respan.agreement().plot()
        Picture of alpha: stars 0.78 [-0.67 to 1.00]
        """
        from respan_notebook.agreement.pictures import measured_rows, pick_counts
        from respan_notebook.plots import draw_agreement

        if coefficient not in ("alpha", "kappa"):
            raise ConfigurationError(
                f"coefficient is 'alpha' or 'kappa', got {render_value(coefficient)}"
            )
        counts, remark = None, ""
        if evaluator is not None or self._matrices:
            matrix = self._matrix(next(iter(self._matrices)) if evaluator is None else evaluator)
            counts, remark = pick_counts(matrix, first, second)
        return draw_agreement(
            measured_rows(self.table, self._intervals, coefficient),
            counts,
            coefficient=coefficient,
            remark=remark,
            dark=dark,
        )

    def _matrix(self, evaluator: str) -> ScoreMatrix:
        try:
            return self._matrices[evaluator]
        except (KeyError, TypeError):
            raise FrameError(
                f"no scores by an evaluator {evaluator!r}; "
                f"{suggest_name(evaluator, self._matrices)}"
            ) from None

    @property
    def _view(self) -> AgreementView:
        return AgreementView(self._matrices, self.table, self._intervals, self.warnings)

    def __repr__(self) -> str:
        return self._view.render_text()

    def _repr_html_(self) -> str:
        return self._view.render_html()
