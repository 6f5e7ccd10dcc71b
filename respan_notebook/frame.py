"""The DataFrame accessor ``df.respan``: columns in, checked scores out to the push engine.

The accessor keeps no state: pandas makes a new one at each access.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pandas as pd

from respan_notebook.batch import Batch, OnDuplicate, Target, column_warnings, preflight
from respan_notebook.checks import is_missing, shown
from respan_notebook.client import RespanClient
from respan_notebook.columns import CONTEXT_COLUMNS, Cells, RowErrors, read_context, read_log_ids
from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.evaluators import SEVERAL, Catalogue, choose, listed, tidy_target, wide_target
from respan_notebook.models import VALUE_FIELDS, Evaluator
from respan_notebook.push import push
from respan_notebook.report import PushReport

LOG_ID_COLUMNS: Final = ("log_id", "unique_id", "id")
_EVALUATOR_COLUMNS: Final = ("evaluator_id", "evaluator_slug")

Scores = Mapping[str, Hashable] | Sequence[str | Evaluator] | str | Evaluator
"""Evaluator -> column, or evaluators whose columns bear their slugs."""


@pd.api.extensions.register_dataframe_accessor("respan")
class RespanAccessor:
    """Scores of LLM request logs, from a DataFrame to Respan: ``df.respan``."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def push_scores(
        self,
        scores: Scores | None = None,
        *,
        client: RespanClient | None = None,
        evaluators: Iterable[Evaluator] | None = None,
        on_duplicate: OnDuplicate = "last",
        dry_run: bool = False,
        concurrency: int = 16,
        progress: bool = True,
    ) -> PushReport:
        """Upsert every score in the frame, and report on each.

        Everything is checked before the first request. A row that can't be sent, or that the
        server refuses, is reported and stops no other. Missing values are no scores and are not
        sent. A repeated push updates; nothing is there twice.

        Which log a row is about is in the column (or index level) ``log_id``, ``unique_id`` or
        ``id``. Columns named ``timestamp``, ``environment``, ``prompt_id``,
        ``prompt_version_number``, ``dataset_id``, ``automation_id`` and ``explanation`` travel
        along with the score.

        Parameters
        ----------
        scores : mapping, sequence or None
            **Wide**: a mapping of evaluator (slug or id) to column, or a list of evaluators
            (slugs, ids or ``Evaluator`` objects) whose columns bear their slugs.
            **Tidy**: None; then each row is one score, with ``evaluator_id`` or
            ``evaluator_slug``, and either ``value`` or the API's raw value fields
            (``numerical_value``, ``string_value``, ``boolean_value``, ``categorical_value``,
            ``json_value``). What an evaluator takes is listed at
            :func:`respan_notebook.values.encoder`.
        client : RespanClient, optional
            Else one made from ``RESPAN_API_KEY`` and ``RESPAN_BASE_URL``.
        evaluators : iterable of Evaluator, optional
            Definitions to use instead of asking the server; also for slugs that only you know.
        on_duplicate : {"last", "first", "error"}
            Which row counts when several score the same log by the same evaluator.
        dry_run : bool
            Check everything, send nothing; ``report.payloads`` shows what would be sent.
        concurrency : int
            Requests under way at once.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        PushReport
            One line per score, on this frame's index.

        Raises
        ------
        FrameError
            A column is missing, is there twice, or can't be told apart; nothing was sent.
        UnknownEvaluatorError, UnsupportedEvaluatorError
            An evaluator named in ``scores`` does not exist, or has a type that is not known.
        DuplicateScoreError
            With ``on_duplicate="error"``.
        ConfigurationError
            No key, or an argument that can't be used.
        HTTPError, TransportError
            When the server can't be asked for its evaluators.

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
        _check_options(on_duplicate, concurrency)
        given = None if evaluators is None else list(evaluators)
        if not dry_run and client is None:
            client = RespanClient()  # Without a key, fail before the work of checking.
        known = Catalogue(given, client)
        log_ids, row_errors = self._log_ids()
        if scores is None:
            batch, used = self._tidy(log_ids, known)
        else:
            batch, used = self._wide(log_ids, _columns_by_evaluator(scores, known), known)
        warnings = self._add_context(batch, used, row_errors)
        outcomes = preflight(batch, row_errors, on_duplicate)
        warnings += column_warnings(batch)
        if not dry_run:
            assert client is not None
            return push(
                batch, outcomes, client, warnings, concurrency=concurrency, progress=progress
            )
        return PushReport(
            batch,
            outcomes,
            warnings=warnings,
            resend=partial(push, concurrency=concurrency, progress=progress),
            client=client,
            dry_run=True,
        )

    # -- columns --------------------------------------------------------------------------------

    def _has(self, name: Hashable) -> bool:
        return any(column == name for column in self._frame.columns)

    def _column(self, name: Hashable) -> pd.Series[Any]:
        frame = self._frame
        found = [i for i, column in enumerate(frame.columns) if column == name]
        if not found and name in frame.index.names:
            return frame.index.get_level_values(name).to_series()  # type: ignore[arg-type]
        if not found:
            raise FrameError(f"no column {name!r}; {choose(name, frame.columns)}")
        if len(found) > 1:
            raise FrameError(f"column {name!r} is there {len(found)} times; rename or drop one")
        return frame.iloc[:, found[0]]

    def _log_ids(self) -> tuple[list[Any], RowErrors]:
        frame = self._frame
        names = [n for n in LOG_ID_COLUMNS if self._has(n) or n in frame.index.names]
        if not names:
            raise FrameError(
                f"no log id: the frame needs a column {', '.join(LOG_ID_COLUMNS[:-1])} or "
                f"{LOG_ID_COLUMNS[-1]}; its columns are {listed(frame.columns)}"
            )
        columns = [self._column(name).tolist() for name in names]
        for name, cells in zip(names[1:], columns[1:], strict=True):
            # `unique_id` and `id` of a log are the same thing; then there is nothing to ask.
            if not all(
                a is b or a == b or (is_missing(a) and is_missing(b))
                for a, b in zip(columns[0], cells, strict=True)
            ):
                raise FrameError(
                    f"two columns could be the log id, {names[0]!r} and {name!r}, and they "
                    "differ; rename or drop the one that is not"
                )
        return read_log_ids(columns[0])

    def _add_context(self, batch: Batch, used: set[Hashable], errors: RowErrors) -> list[str]:
        context: dict[str, Cells] = {}
        warnings: list[str] = []
        for name in CONTEXT_COLUMNS:
            if self._has(name) and name not in used:
                cells, faults, notes = read_context(name, self._column(name))
                context[name] = cells
                warnings += notes
                for row, fault in faults.items():
                    errors.setdefault(row, fault)
        batch.context = context
        return warnings

    # -- shapes ---------------------------------------------------------------------------------

    def _wide(
        self, log_ids: list[Any], columns: dict[str, Hashable], known: Catalogue
    ) -> tuple[Batch, set[Hashable]]:
        targets = [wide_target(name, known[name]) for name in columns]
        _refuse_twins(columns, targets)
        width, size = len(targets), len(self._frame)
        values: list[Any] = [None] * (width * size)
        for i, column in enumerate(columns.values()):
            values[i::width] = self._column(column).tolist()
        codes = list(range(width)) * size
        batch = Batch(self._frame.index, log_ids, targets, codes, values, width=width)
        return batch, set(columns.values())

    def _tidy(self, log_ids: list[Any], known: Catalogue) -> tuple[Batch, set[Hashable]]:
        names = [name for name in _EVALUATOR_COLUMNS if self._has(name)]
        raw = [name for name in VALUE_FIELDS if self._has(name)]
        if not names or not (self._has("value") or raw):
            raise FrameError(
                "without a first argument, push_scores needs a row per score, with a column "
                "evaluator_id or evaluator_slug and a column value (or the API's value fields); "
                f"the columns are {listed(self._frame.columns)}. For a column per evaluator, "
                'say which is which: push_scores({"evaluator": "column"})'
            )
        if self._has("value") and raw:
            raise FrameError(f"both a column 'value' and {listed(raw)}; drop one or the other")
        empty: list[Any] = [None] * len(self._frame)
        ids, slugs = (
            self._column(name).tolist() if name in names else empty for name in _EVALUATOR_COLUMNS
        )
        if raw:
            fields, values = _one_field(raw, [self._column(name).tolist() for name in raw])
        else:
            fields, values = empty, self._column("value").tolist()
        targets: dict[tuple[Any, ...], Target] = {}
        positions: dict[tuple[Any, ...], int] = {}
        codes = []
        for cells in zip(ids, slugs, fields, strict=True):
            key = (_name(cells[0]), _name(cells[1]), cells[2])
            if key not in targets:
                positions[key], targets[key] = len(targets), tidy_target(*key, known)
            codes.append(positions[key])
        return Batch(self._frame.index, log_ids, list(targets.values()), codes, values), set()


def _columns_by_evaluator(scores: Scores, known: Catalogue) -> dict[str, Hashable]:
    if isinstance(scores, Mapping):
        columns = dict(scores)
    else:
        listed = [scores] if isinstance(scores, str | Evaluator) else list(scores)
        objects = [one for one in listed if isinstance(one, Evaluator)]
        if objects:
            known.add(objects)
        names = [one.key if isinstance(one, Evaluator) else one for one in listed]
        columns = {name: name for name in names}
    if not columns:
        raise FrameError("no evaluator given: pass a mapping of evaluator to column, or a list")
    for name in columns:
        if not isinstance(name, str):
            raise FrameError(f"an evaluator is named by its slug or id, not by {shown(name)}")
    return columns


def _refuse_twins(columns: Mapping[str, Hashable], targets: Sequence[Target]) -> None:
    seen: dict[str, str] = {}
    for name, target in zip(columns, targets, strict=True):
        if target.identity in seen:
            raise FrameError(f"{seen[target.identity]!r} and {name!r} are the same evaluator")
        seen[target.identity] = name


def _one_field(names: list[str], columns: list[list[Any]]) -> tuple[list[str | None], list[Any]]:
    """Return, row by row, which raw value field is set, and its value."""
    fields: list[str | None] = []
    values: list[Any] = []
    for cells in zip(*columns, strict=True):
        given = [i for i, cell in enumerate(cells) if not is_missing(cell)]
        fields.append(SEVERAL if len(given) > 1 else names[given[0]] if given else None)
        values.append(cells[given[0]] if given else None)
    return fields, values


def _name(cell: Any) -> str | None:
    if is_missing(cell) or cell == "":
        return None
    return cell if isinstance(cell, str) else str(cell)


def _check_options(on_duplicate: str, concurrency: int) -> None:
    if on_duplicate not in ("last", "first", "error"):
        raise ConfigurationError(
            f'on_duplicate must be "last", "first" or "error", got {on_duplicate!r}'
        )
    if type(concurrency) is not int or concurrency < 1:
        raise ConfigurationError(f"concurrency must be a whole number from 1, got {concurrency!r}")
