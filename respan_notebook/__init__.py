"""Label LLM request logs in a notebook, and push scores from pandas to Respan.

Importing this package registers ``df.respan`` on every DataFrame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from respan_notebook.client import RespanClient
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
    TransportError,
    UnexpectedAnswerError,
    UnknownEvaluatorError,
    UnsupportedEvaluatorError,
)
from respan_notebook.frame import RespanAccessor
from respan_notebook.models import Choice, Evaluator, Score, ScoreConfig, ScoreWrite
from respan_notebook.report import PushReport

if TYPE_CHECKING:
    from respan_notebook.sandbox import Sandbox

__version__ = "0.1.0"

__all__ = [
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
    "TransportError",
    "UnexpectedAnswerError",
    "UnknownEvaluatorError",
    "UnsupportedEvaluatorError",
]


def __getattr__(name: str) -> Any:
    # The sandbox brings a web server, which the library itself does not need.
    if name == "Sandbox":
        from respan_notebook.sandbox import Sandbox

        return Sandbox
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
