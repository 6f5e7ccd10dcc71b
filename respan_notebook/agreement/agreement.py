"""Measure the agreement of annotators, people and LLM judges."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from respan_notebook.agreement.coefficients import score_differences
from respan_notebook.agreement.matrix import ScoreMatrix, read_matrices
from respan_notebook.agreement.tables import pair_table, summary_table
from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.models import Evaluator
from respan_notebook.wording import render_count, render_names, render_value, suggest_name


def measure_agreement(
    frame: pd.DataFrame,
    evaluators: Evaluator | Iterable[Evaluator] | None = None,
    *,
    scorers: Sequence[str] | None = None,
) -> Agreement:
    """Measure agreement; see :meth:`respan_notebook.RespanAccessor.agreement`."""
    return Agreement(*read_matrices(frame, evaluators, scorers))


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
        matrix = self._matrix(evaluator)
        columns = [matrix.scorers.index(name) for name in _two(matrix, first, second)]
        codes = matrix.codes[:, columns]
        codes = codes[(codes >= 0).all(axis=1)]
        whole = matrix.level in ("nominal", "ordinal")
        used = np.arange(len(matrix.categories)) if whole else np.unique(codes)
        counts = np.zeros((len(used), len(used)), np.int64)
        np.add.at(counts, tuple(np.searchsorted(used, codes.T)), 1)
        labels = matrix.labels
        shown_labels = [labels[i] for i in used]
        names = [matrix.scorers[i] for i in columns]
        return pd.DataFrame(counts, *(pd.Index(shown_labels, name=name) for name in names))

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

    def _matrix(self, evaluator: str) -> ScoreMatrix:
        try:
            return self._matrices[evaluator]
        except (KeyError, TypeError):
            raise FrameError(
                f"no scores by an evaluator {evaluator!r}; "
                f"{suggest_name(evaluator, self._matrices)}"
            ) from None

    def _title(self) -> str:
        scorers = {name for one in self._matrices.values() for name in one.scorers}
        evaluators = render_count(len(self.table), "evaluator")
        return f"of {render_count(len(scorers), 'scorer')} by {evaluators}"

    def _shown(self) -> pd.DataFrame:
        """Return the table with its numbers as text, without the notes."""
        texts = {
            name: ["-" if number != number else f"{number:z.{digits}f}" for number in column]
            for name, digits in (("percent", 1), ("kappa", 2), ("alpha", 2))
            for column in [self.table[name]]
        }
        frame = self.table.drop(columns="notes").assign(**texts).rename_axis(index=None)
        return frame.assign(weights=[one or "-" for one in frame["weights"]])

    def _remarks(self) -> list[str]:
        notes = [f"{name}: {note}" for name, note in self.table["notes"].items() if note]
        return notes + [f"warning: {warning}" for warning in self.warnings]

    def __repr__(self) -> str:
        lines = self._shown().to_string().splitlines() if len(self.table) else []
        return "\n  ".join([f"Agreement {self._title()}", *lines, *self._remarks()])

    def _repr_html_(self) -> str:
        table = self._shown().to_html(escape=True) if len(self.table) else ""
        remarks = "".join(f"<div>{html.escape(remark)}</div>" for remark in self._remarks())
        return f"<div><b>Agreement</b> {html.escape(self._title())}{table}{remarks}</div>"


def _two(matrix: ScoreMatrix, first: str | None, second: str | None) -> list[str]:
    for name in (first, second):
        if name is not None and name not in matrix.scorers:
            raise FrameError(
                f"no scores by {name!r} of {matrix.evaluator!r}; "
                f"{suggest_name(name, matrix.scorers)}"
            )
    rest = [name for name in matrix.scorers if name not in (first, second)]
    left_out = [first, second].count(None)
    if first == second and left_out == 0:
        raise FrameError(f"a confusion table is of two scorers, and both are {first!r}")
    if left_out and len(rest) != left_out:
        raise FrameError(
            f"say which two scorers, as in confusion({matrix.evaluator!r}, first, second); "
            f"{matrix.evaluator!r} has {render_names(matrix.scorers)}"
        )
    return [rest.pop(0) if name is None else name for name in (first, second)]
