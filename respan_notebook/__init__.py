"""Label LLM request logs in a notebook, and push scores from pandas to Respan.

Importing this package registers ``df.respan`` on every DataFrame; everything else is imported when
it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from respan_notebook import accessor as _accessor  # noqa: F401 - registers df.respan

if TYPE_CHECKING:
    from respan_notebook.accessor import RespanAccessor
    from respan_notebook.agreement.agreement import Agreement
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
    from respan_notebook.labelling.widgets.annotator import Annotator
    from respan_notebook.labelling.widgets.editor import editor_for
    from respan_notebook.models import Choice, Evaluator, Score, ScoreConfig, ScoreWrite
    from respan_notebook.push.report import PushReport
    from respan_notebook.sandbox import Sandbox

__version__ = "0.1.0"

__all__ = [
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
    "NotFoundError",
    "PermissionDeniedError",
    "PushError",
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
    "editor_for",
]

_HOMES = {
    "Agreement": "agreement.agreement",
    "Annotator": "labelling.widgets.annotator",
    "Choice": "models",
    "Evaluator": "models",
    "PushReport": "push.report",
    "RespanAccessor": "accessor",
    "RespanClient": "client.client",
    "Sandbox": "sandbox",
    "Score": "models",
    "ScoreConfig": "models",
    "ScoreWrite": "models",
    "editor_for": "labelling.widgets.editor",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return __all__
