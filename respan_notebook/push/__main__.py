"""Go on with a push to a folder: ``python -m respan_notebook.push FOLDER``.

For a night's push under tmux or cron. The key comes from ``RESPAN_API_KEY``, the server from
``RESPAN_BASE_URL``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from respan_notebook.client.client import RespanClient
from respan_notebook.errors import PushError, RespanError
from respan_notebook.push.engine import INTERRUPTED
from respan_notebook.push.jobs.start import resume_push

DONE, REFUSED, USAGE, STOPPED, CTRL_C = 0, 1, 2, 3, 130
_CODES: Final = """exit codes:
  0    every score arrived
  1    all was sent, and some scores are invalid or failed
  2    nothing was sent: no push there, no key, another key or server, or another sender is at work
  3    it stopped before the end (deadline, refused key, full disk); the same command goes on
  130  Ctrl-C; the same command goes on
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Send what is left of the push in a folder, print its report, and return the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return _send(given)
    except KeyboardInterrupt as interrupt:  # Before or after the sending, which ends by itself.
        arrived = f"what has arrived is noted in {given.folder!r}; the same command goes on"
        note = next(iter(getattr(interrupt, "__notes__", ())), arrived)
        print(f"interrupted: {note}", file=sys.stderr)
        return CTRL_C


def _send(given: argparse.Namespace) -> int:
    try:
        job = resume_push(
            given.folder,
            client=RespanClient(),
            concurrency=given.concurrency,
            rate_limit=given.rate_limit,
            deadline=given.deadline,
            progress=not given.quiet,
        )
        if given.retry and not job.stopped:
            job = job.retry(deadline=given.deadline, progress=not given.quiet)
    except (RespanError, OSError) as error:
        print(error, file=sys.stderr)
        return STOPPED if isinstance(error, PushError) else USAGE
    try:
        print(job)
    except RespanError as error:  # A file was damaged after its part had been sent.
        print(error, file=sys.stderr)
        return STOPPED
    if job.stopped == INTERRUPTED:
        sent = job.counts.keys() - {"not_sent", "invalid", "duplicate"}
        unsent = "" if sent else "nothing was sent; "
        print(f"interrupted: {unsent}the same command goes on", file=sys.stderr)
        return CTRL_C
    if job.stopped:
        return STOPPED
    return DONE if job.ok else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m respan_notebook.push",
        description="Go on with a push whose plan lies in a folder.",
        epilog=_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", help="the to= of the push: a path, or a URL that fsspec takes")
    parser.add_argument("--retry", action="store_true", help="send again what had failed, too")
    parser.add_argument("--deadline", type=float, metavar="SECONDS", help="send nothing after that")
    parser.add_argument("--concurrency", type=int, metavar="N", help="requests in flight at once")
    parser.add_argument("--rate-limit", metavar="RATE", help='such as "60/min"')
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")
    return parser


if __name__ == "__main__":
    sys.exit(main())
