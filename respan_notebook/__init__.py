"""Label LLM request logs in a notebook, and push scores from data frames to Respan.

Importing this package registers ``df.respan`` on every pandas DataFrame; everything else is
imported when it is first used. ``push_scores(frame, ...)`` and its siblings take frames of other
libraries, too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from respan_notebook import accessor as _accessor  # noqa: F401 - registers df.respan

if TYPE_CHECKING:
    from respan_notebook.accessor import RespanAccessor
    from respan_notebook.agreement.agreement import Agreement, measure_agreement
    from respan_notebook.agreement.judge import JudgeCheck, check_judge
    from respan_notebook.any_frame import annotate, pull_scores, push_scores
    from respan_notebook.client.client import RespanClient
    from respan_notebook.errors import (
        AuthenticationError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        DuplicateScoreError,
        FrameError,
        HTTPError,
        InvalidValueError,
        NotFoundError,
        OutboxError,
        PermissionDeniedError,
        PushError,
        RateLimitError,
        RedirectError,
        RequestTimeoutError,
        RespanError,
        ServerError,
        StoppedError,
        TooLongAnswerError,
        TransportError,
        UnexpectedAnswerError,
        UnknownEvaluatorError,
        UnsupportedEvaluatorError,
        WrongAnswerError,
    )
    from respan_notebook.labelling.widgets.adjudicator import Adjudicator
    from respan_notebook.labelling.widgets.annotator import Annotator
    from respan_notebook.labelling.widgets.editor import editor_for
    from respan_notebook.models import Choice, Evaluator, Score, ScoreConfig, ScoreWrite
    from respan_notebook.push.jobs.job import PushJob
    from respan_notebook.push.jobs.start import resume_push
    from respan_notebook.push.report import PushReport
    from respan_notebook.sandbox import Sandbox

__version__ = "0.2.0"

__all__ = [
    "Adjudicator",
    "Agreement",
    "Annotator",
    "AuthenticationError",
    "BadRequestError",
    "Choice",
    "ConfigurationError",
    "ConflictError",
    "DuplicateScoreError",
    "Evaluator",
    "FrameError",
    "HTTPError",
    "InvalidValueError",
    "JudgeCheck",
    "NotFoundError",
    "OutboxError",
    "PermissionDeniedError",
    "PushError",
    "PushJob",
    "PushReport",
    "RateLimitError",
    "RedirectError",
    "RequestTimeoutError",
    "RespanAccessor",
    "RespanClient",
    "RespanError",
    "Sandbox",
    "Score",
    "ScoreConfig",
    "ScoreWrite",
    "ServerError",
    "StoppedError",
    "TooLongAnswerError",
    "TransportError",
    "UnexpectedAnswerError",
    "UnknownEvaluatorError",
    "UnsupportedEvaluatorError",
    "WrongAnswerError",
    "annotate",
    "check_judge",
    "editor_for",
    "measure_agreement",
    "pull_scores",
    "push_scores",
    "resume_push",
]

_HOMES = {
    "Agreement": "agreement.agreement",
    "Adjudicator": "labelling.widgets.adjudicator",
    "Annotator": "labelling.widgets.annotator",
    "Choice": "models",
    "Evaluator": "models",
    "JudgeCheck": "agreement.judge",
    "PushReport": "push.report",
    "check_judge": "agreement.judge",
    "RespanAccessor": "accessor",
    "RespanClient": "client.client",
    "Sandbox": "sandbox",
    "Score": "models",
    "ScoreConfig": "models",
    "ScoreWrite": "models",
    "annotate": "any_frame",
    "editor_for": "labelling.widgets.editor",
    "PushJob": "push.jobs.job",
    "measure_agreement": "agreement.agreement",
    "pull_scores": "any_frame",
    "push_scores": "any_frame",
    "resume_push": "push.jobs.start",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return __all__
