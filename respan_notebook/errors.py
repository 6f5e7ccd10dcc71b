"""Define every error of this package; all derive from :class:`RespanError`.

Each class also inherits the built-in that fits, so ``except ValueError`` and ``except
ConnectionError`` work as one would expect. Row, value, status and the like are attributes of the
exception, and not only in its text. No error ever holds the API key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, cast


class RespanError(Exception):
    """Base class of every error of this package.

    Attributes
    ----------
    attempts : int
        Requests sent before this error was raised.
    """

    attempts: int = 0

    def __str__(self) -> str:
        # KeyError and LookupError would show the message in quotes.
        return str(self.args[0]) if self.args else ""

    def _render_traceback_(self) -> list[str]:
        """Render this error for a notebook in IPython's own style, without this package's frames.

        IPython calls it, if it is there, instead of rendering the traceback itself.
        """
        from IPython import get_ipython
        from IPython.core.ultratb import FormattedTB

        shell = get_ipython()  # None for a shell that was made without instance().
        renderer = shell.InteractiveTB if shell else cast("Any", FormattedTB)("Context")
        tb = _without_hidden(self.__traceback__)
        shown: list[str] = renderer.structured_traceback(type(self), self, tb, tb_offset=0)
        return shown


_HIDDEN: Final = re.compile(r"(respan_notebook|IPython|pandas\.core\.accessor)(\.|$)")
"""The modules whose frames say nothing about the code that a cell has."""


def _without_hidden(tb: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of hidden modules."""
    entries = []
    while tb is not None:
        entries.append(tb)
        tb = tb.tb_next
    shown = None
    for one in reversed(entries):
        if not _HIDDEN.match(one.tb_frame.f_globals.get("__name__", "")):
            shown = TracebackType(shown, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return shown


class ConfigurationError(RespanError, ValueError):
    """The key, the base URL or an option can't be used; nothing was sent."""


class FrameError(RespanError, ValueError):
    """The columns of a DataFrame, or the arguments that name them, can't be used.

    Nothing was sent.
    """


class UnknownEvaluatorError(RespanError, KeyError):
    """No evaluator has this slug or id; nothing was sent.

    Attributes
    ----------
    evaluator : str or None
        The slug or id that was given.
    """

    def __init__(self, message: str, *, evaluator: str | None = None) -> None:
        super().__init__(message)
        self.evaluator = evaluator


class UnsupportedEvaluatorError(RespanError, ValueError):
    """The evaluator's ``score_value_type`` is one that this package can't write."""


class InvalidValueError(RespanError, ValueError):
    """A value can't be a score of its evaluator, or a log id can't be sent; nothing was sent.

    Attributes
    ----------
    value : object
        The value as it was given.
    reason : str
        The values that the evaluator takes, in words.
    evaluator : str or None
        Slug or id of the evaluator.
    """

    def __init__(
        self, message: str, *, value: Any = None, reason: str = "", evaluator: str | None = None
    ) -> None:
        super().__init__(message)
        self.value = value
        self.reason = reason
        self.evaluator = evaluator


class DuplicateScoreError(RespanError, ValueError):
    """Two rows score the same log by the same evaluator; nothing was sent.

    Attributes
    ----------
    rows : tuple
        Index labels of the rows in question.
    """

    def __init__(self, message: str, *, rows: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.rows = rows


class OutboxError(RespanError, OSError):
    """The file of the outbox can't be read or written; nothing of what was to be saved is stored.

    The disk may be full, or the file damaged or deleted.
    """


class StoppedError(RespanError):
    """A request was not sent: its deadline was over, its retries were spent, or it was stopped."""


class PushError(RespanError, RuntimeError):
    """Some scores of a push did not arrive.

    Attributes
    ----------
    report : PushReport or PushJob
        The report of the push, with a line per score.
    """

    def __init__(self, message: str, *, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class TransportError(RespanError, ConnectionError):
    """The request got no answer: there was no connection, or it broke.

    The request may have arrived. A score of one's own may be sent again; one that ``create_score``
    has sent may then be there twice.
    """


class RequestTimeoutError(TransportError, TimeoutError):
    """The request got no answer in time."""


class HTTPError(RespanError):
    """The server's answer is an error, or not one that the API gives.

    Attributes
    ----------
    status : int
        HTTP status code.
    detail : str
        The server's own words, else a description of the body.
    field_errors : Mapping[str, list[str]]
        The server's messages by field of the request; empty when it named none.
    retry_after : float or None
        Seconds to wait, from the body's ``retry_after``, else from the ``Retry-After`` header.
    is_documented : bool
        Whether the body is an error as the API documents it; else a gateway may have answered.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        detail: str = "",
        field_errors: Mapping[str, list[str]] | None = None,
        retry_after: float | None = None,
        is_documented: bool = True,
    ) -> None:
        super().__init__(message)
        self.is_documented = is_documented
        self.status = status
        self.detail = detail
        self.field_errors = dict(field_errors or {})
        self.retry_after = retry_after


class RedirectError(HTTPError):
    """3xx: redirects are not followed, since they would lose the body or carry the key away."""


class BadRequestError(HTTPError, ValueError):
    """400, 413, 422 and other 4xx: the server refuses what was sent."""


class AuthenticationError(HTTPError, PermissionError):
    """401: the key is missing, wrong or revoked."""


class PermissionDeniedError(HTTPError, PermissionError):
    """403: the key is valid, but may not do this."""


class NotFoundError(HTTPError, LookupError):
    """404: there is no such log, score or evaluator, or the base URL is no Respan."""


class ConflictError(HTTPError):
    """409: a score is there already and could not be updated."""


class RateLimitError(HTTPError):
    """429: too many requests; ``retry_after`` says how long to wait, when the server says so."""


class ServerError(HTTPError):
    """5xx: the server, or a gateway before it, failed."""


class UnexpectedAnswerError(HTTPError):
    """2xx, but the body is not what the API sends; the base URL may be no Respan."""


class TooLongAnswerError(UnexpectedAnswerError):
    """2xx, but the body is longer than is read; what was sent may have been stored."""


class WrongAnswerError(UnexpectedAnswerError):
    """2xx, but about another log or evaluator; what was sent may have been stored."""
