"""Hold and validate the options of a push."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from respan_notebook.client.rate import Limit
from respan_notebook.errors import ConfigurationError
from respan_notebook.frames.context import ContextNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from respan_notebook.client.client import RespanClient
    from respan_notebook.models import Evaluator

OnDuplicate = Literal["first", "last", "error"]


@dataclass(frozen=True)
class PushOptions:
    """Hold the options of :meth:`respan_notebook.RespanAccessor.push_scores`.

    Attributes
    ----------
    on_duplicate : {"last", "first", "error"}
        The row that counts when several score the same log by the same evaluator.
    dry_run : bool
        Whether to validate everything and send nothing.
    concurrency : int
        The most requests in flight at once.
    rate_limit : tuple of (int, float) or None
        A number of requests, in any so many seconds.
    deadline : float or None
        Seconds.
    skip_unchanged : bool
        Whether to read the server's scores first.
    progress : bool
        Whether to show a bar with rate, time left and the reason of a wait.
    parse_text : bool
        Whether to read numbers, booleans and JSON lists from text.
    custom_evaluators : bool
        Whether a slug that no evaluator has makes a custom evaluator.
    context : bool, str, sequence of str or None
        Which columns travel along.
    as_scorer : bool
        Whether scores of other scorers are written under their names.
    """

    on_duplicate: OnDuplicate = "last"
    dry_run: bool = False
    concurrency: int = 16
    rate_limit: Limit | None = None
    deadline: float | None = None
    skip_unchanged: bool = False
    progress: bool = True
    parse_text: bool = False
    custom_evaluators: bool = False
    context: ContextNames = None
    as_scorer: bool = False


def check_options(options: PushOptions) -> None:
    """Raise ConfigurationError when an option can't be used."""
    if options.on_duplicate not in ("last", "first", "error"):
        raise ConfigurationError(
            f'on_duplicate must be "last", "first" or "error", got {options.on_duplicate!r}'
        )
    if type(options.concurrency) is not int or options.concurrency < 1:
        raise ConfigurationError(
            f"concurrency must be a whole number from 1, got {options.concurrency!r}"
        )
    deadline = options.deadline
    if deadline is not None and not (isinstance(deadline, int | float) and deadline > 0):
        raise ConfigurationError(f"deadline must be a number of seconds over 0, got {deadline!r}")


class PushArguments(TypedDict, total=False):
    """Name the arguments that every way to push takes by their names."""

    client: RespanClient | None
    evaluators: Evaluator | Iterable[Evaluator] | None
    on_duplicate: OnDuplicate
    dry_run: bool
    concurrency: int
    rate_limit: str | None
    deadline: float | None
    progress: bool
    parse_text: bool
    custom_evaluators: bool
    context: bool | str | Sequence[str] | None
    as_scorer: bool


class WholePushArguments(PushArguments, total=False):
    """Name the arguments of a push of a frame in memory."""

    skip_unchanged: bool
    resume: Any
