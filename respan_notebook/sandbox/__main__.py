"""Run the sandbox as a program: ``python -m respan_notebook.sandbox``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence


def serve(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code.

    Prints one line of JSON on stdout, `{"base_url", "api_key", "api_keys", "db"}`, as soon as
    connections are accepted.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    parser = _parser()
    options = parser.parse_args(arguments)
    # Not before the signals are caught: the import takes longer than all the rest.
    from respan_notebook.sandbox import Sandbox

    try:
        sandbox = Sandbox(**vars(options)).start()
    except (ValueError, OSError) as error:
        parser.error(str(error))
    with sandbox:
        facts = {name: getattr(sandbox, name) for name in ("base_url", "api_key", "api_keys", "db")}
        print(json.dumps(facts), flush=True)
        # A wait without an end could not be interrupted on Windows.
        while not stopping.wait(1):
            pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m respan_notebook.sandbox",
        description="A small local Respan to try things on.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    add("--db", metavar="FILE", help="SQLite file that stores everything (default: in memory)")
    add("--demo", action="store_true", help="load the sample logs and evaluators")
    add("--judged", action="store_true", help="load made-up logs with the verdicts of a judge")
    add(
        "--annotator",
        dest="annotators",
        metavar="EMAIL",
        nargs="+",
        action="extend",
        default=[],
        help="create an API key for EMAIL",
    )
    add("--latency-ms", type=float, default=0, metavar="N", help="delay every answer")
    add("--rate-limit", type=_parse_rate, metavar="N/SECONDS", help="answer 429 beyond this rate")
    add("--fail", type=float, default=0.0, metavar="RATE", help="answer 500 to this share, 0 to 1")
    add("--allow-remote", action="store_true", help="let --host be other than loopback")
    add("--meter", type=int, metavar="N", help="answer 402 once N scores are stored")
    for name, text in _SWITCHES.items():
        add(f"--{name}", action="store_true", help=text)
    add(
        "--log-routes-refuse-jwt",
        dest="log_routes_take_jwt",
        action="store_false",
        help="let the log routes take API keys alone",
    )
    return parser


_SWITCHES = {
    "strict": "refuse scores that do not fit their evaluator",
    "checks-timestamp": "answer 404 to a score with another timestamp than its log's",
    "next-keeps-parameters": "let next hold all parameters, not page and page_size alone",
}


def _parse_rate(text: str) -> tuple[int, float]:
    number, separator, seconds = text.partition("/")
    try:
        if separator:
            return int(number), float(seconds)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not N/SECONDS, such as 60/60")


if __name__ == "__main__":
    sys.exit(serve())
