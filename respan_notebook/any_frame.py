"""Offer the methods of ``df.respan`` as functions, which take a frame of any library.

Taken are pandas and Polars DataFrames, Polars LazyFrames, PyArrow Tables and RecordBatchReaders,
DuckDB relations, and whatever else offers the Arrow C stream.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

import pandas as pd

from respan_notebook.accessor import RespanAccessor

if TYPE_CHECKING:
    from respan_notebook.catalogue import EvaluatorNames
    from respan_notebook.client.client import RespanClient
    from respan_notebook.labelling.widgets.annotator import Annotator
    from respan_notebook.push.jobs.job import PushJob
    from respan_notebook.push.options import PushArguments, WholePushArguments
    from respan_notebook.push.read_frame import Scores
    from respan_notebook.push.report import PushReport

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _documented_by(method: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Give a function of a frame the signature and the docs of the accessor's method."""

    def document(function: _Function) -> _Function:
        signature = inspect.signature(method)
        _, *parameters = signature.parameters.values()
        frame = inspect.Parameter("frame", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        function.__doc__ = f"{method.__doc__}".replace("this frame", "the frame")
        signature = signature.replace(parameters=[frame, *parameters])
        function.__signature__ = signature  # type: ignore[attr-defined]
        return function

    return document


@overload
def push_scores(
    frame: Any,
    scores: Scores | None = None,
    *,
    to: None = None,
    **options: Unpack[WholePushArguments],
) -> PushReport: ...


@overload
def push_scores(
    frame: Any,
    scores: Scores | None = None,
    *,
    to: str | Path,
    order_by: str | Iterable[str] | None = None,
    **options: Unpack[PushArguments],
) -> PushJob: ...


@_documented_by(RespanAccessor.push_scores)
def push_scores(  # noqa: D103 - its docs are those of the method.
    frame: Any, scores: Scores | None = None, **options: Any
) -> PushReport | PushJob:
    report: PushReport | PushJob = RespanAccessor(frame).push_scores(scores, **options)
    return report


@_documented_by(RespanAccessor.pull_scores)
def pull_scores(  # noqa: D103 - its docs are those of the method.
    frame: Any,
    evaluators: EvaluatorNames,
    *,
    client: RespanClient | None = None,
    scorer: str | None = None,
) -> pd.DataFrame:
    return RespanAccessor(frame).pull_scores(evaluators, client=client, scorer=scorer)


@_documented_by(RespanAccessor.annotate)
def annotate(  # noqa: D103 - its docs are those of the method.
    frame: Any,
    evaluators: EvaluatorNames,
    *,
    client: RespanClient | None = None,
    show: Hashable | Sequence[Hashable] | None = None,
    outbox: str | Path | None = None,
    context: bool | str | Sequence[str] | None = None,
) -> Annotator:
    return RespanAccessor(frame).annotate(
        evaluators, client=client, show=show, outbox=outbox, context=context
    )
