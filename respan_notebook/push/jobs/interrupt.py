"""Say what was done when Ctrl-C comes before anything was sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noted_interrupt(note: str) -> Iterator[None]:
    """Add a note to the KeyboardInterrupt that leaves a with block; Python shows it below."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(note)
        raise


def describe_unsent(name: str, *, again: bool = False) -> str:
    """Describe a job in a folder whose sender was interrupted before its first score."""
    return (
        f"nothing was sent{' again' if again else ''}, and the push in {name!r} is as it was; "
        "resume_push or the same command goes on"
    )
