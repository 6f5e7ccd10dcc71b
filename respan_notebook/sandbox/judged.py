"""Make up logs that a judge has scored, to try the check of a judge on.

All of it is made up, by a random generator with a fixed seed: a bicycle rental's assistant is asked
for a price. An answer is *grounded* when it gives the price that its context states. Three of
four answers are, in expectation; the others give another price. The judge passes 97% of the
grounded answers and, too kind, 65% of the others.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from respan_notebook.sandbox.demo import load_evaluators
from respan_notebook.sandbox.schemas import validate_log
from respan_notebook.sandbox.store import Store

JUDGE: Final = "judge@example.com"
"""The scorer of the verdicts."""

EVALUATOR: Final = "grounded"
"""The evaluator of the verdicts."""

COUNT: Final = 600

_GROUNDED: Final = 0.75
_PASSED: Final = {True: 0.97, False: 0.65}
_FIRST: Final = datetime(2025, 12, 1, 8, tzinfo=UTC)
_THINGS: Final = (
    "city bike",
    "cargo bike",
    "child seat",
    "helmet",
    "tandem",
    "road bike",
    "trailer",
)
_TIMES: Final = ("an hour", "a day", "a weekend", "a week")
_ANSWERS: Final = (
    "That is {price} euros for {time}.",
    "{Thing}s cost {price} euros for {time}, payable in the app.",
    "For {time} we charge {price} euros. Shall I book one for you?",
)


def make_judged_logs(seed: int = 0) -> tuple[list[dict[str, Any]], dict[str, bool]]:
    """Return the logs, and the judge's verdict by log id.

    Whether an answer is grounded stands in its metadata, so that labels can be made up as well.

    Examples
    --------
    >>> logs, verdicts = make_judged_logs()
    >>> len(logs), logs[0]["metadata"], verdicts["judged_002"]
    (600, {'made_up': True, 'is_grounded': False}, True)
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    logs, verdicts = [], {}
    for number in range(1, COUNT + 1):
        log_id = f"judged_{number:03}"
        is_grounded = chance.random() < _GROUNDED
        verdicts[log_id] = chance.random() < _PASSED[is_grounded]
        thing, time, price = chance.choice(_THINGS), chance.choice(_TIMES), chance.randint(3, 60)
        said = price if is_grounded else price + chance.choice((-2, -1, 1, 2, 5, 10))
        answer = chance.choice(_ANSWERS).format(Thing=thing.capitalize(), price=said, time=time)
        logs.append(
            {
                "unique_id": log_id,
                "timestamp": f"{_FIRST + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}",
                "prompt_messages": [
                    {
                        "role": "system",
                        "content": "You are the assistant of a bicycle rental. Context: a "
                        f"{thing} for {time} costs {price} euros.",
                    },
                    {"role": "user", "content": f"What do I pay for a {thing} for {time}?"},
                ],
                "completion_message": {"role": "assistant", "content": answer},
                "model": "gpt-4o-mini",
                "status_code": 200,
                "environment": "prod",
                "log_type": "chat",
                "metadata": {"made_up": True, "is_grounded": is_grounded},
            }
        )
    return logs, verdicts


def load_judged(store: Store) -> None:
    """Store the logs, the verdicts and the sample evaluators that `store` does not have yet."""
    load_evaluators(store)
    logs, verdicts = make_judged_logs()
    added = store.add_logs(validate_log(log) for log in logs)
    evaluator = store.evaluator_by_slug(EVALUATOR)
    new = [log["unique_id"] for log in added if log is not None]
    store.add_verdicts(JUDGE, evaluator, {log_id: verdicts[log_id] for log_id in new})
