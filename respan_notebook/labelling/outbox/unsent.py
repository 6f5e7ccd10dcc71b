"""Stand in for what goes on with Respan, where labels are stored and never sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class NoSender:
    """Stand in for the sender of an outbox whose labels stay there."""

    sends = False
    status = ""
    halted = busy = False
    adopted = 0

    def subscribe(self, changed: Callable[[], object]) -> None:
        """Do nothing: nothing changes in the background."""

    def unsubscribe(self, changed: Callable[[], object]) -> None:
        """Do nothing."""

    def kick(self, *, again: bool = False) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class NoPrefetch:
    """Stand in for the look-up of scores in Respan, where there are none."""

    status = wait = ""
    by_log = busy = False

    def enqueue(self, log_ids: Sequence[str]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
