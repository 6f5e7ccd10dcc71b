"""What the tests of labelling look at: the sandbox's evaluators, and what it has stored."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from respan_notebook import RespanClient, Sandbox
from respan_notebook.labelling.widgets.annotator import Annotator
from respan_notebook.labelling.widgets.editor import EditorWidget
from respan_notebook.sandbox.demo import DEMO_EVALUATORS

SLUGS = [str(one["evaluator_slug"]) for one in DEMO_EVALUATORS]
Open = Callable[..., Annotator]
_numbers = count(1)


def stored(sandbox: Sandbox) -> list[tuple[Any, ...]]:
    """Return what the sandbox's own database has: log, evaluator, scorer, the value that is set."""
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        return sorted(
            (
                score.log_id,
                score.evaluator_slug,
                score.scorer,
                next(
                    value
                    for value in (
                        score.numerical_value,
                        score.string_value,
                        score.boolean_value,
                        score.categorical_value,
                        score.json_value,
                    )
                    if value is not None
                ),
            )
            for score in client.filter_scores()
        )


def message(annotator: Annotator) -> str:
    """Return what the screen says: of the last action, of this row, of the way to Respan."""
    screen = annotator.screen
    return "\n".join(
        (screen["message"]["text"], screen["problem"], annotator.status["sync"]["reason"])
    )


def drawn(annotator: Annotator, slug: str = "helpfulness") -> dict[str, Any]:
    """Return what the browser has of an entry: what is not as in an entry of nothing."""
    return dict(annotator.screen["entries"][list(annotator.editors).index(slug)])


def line(annotator: Annotator, slug: str = "helpfulness") -> str:
    """Return what there is to say beside an editor; "not scored" for nothing."""
    entry = drawn(annotator, slug)
    before = f"{entry.get('source', '')}: {entry.get('previous')}"
    words = {"unset": "not scored", "shown": before, "set": f"entered: {entry.get('value')}"}
    refusal = f"refused by Respan: {entry['refusal']}" if "refusal" in entry else ""
    state = entry.get("state", "unset")
    return "\n".join((words.get(state, state), entry.get("error", ""), refusal))


def html_of(annotator: Annotator) -> str:
    """Return the log on screen."""
    slot = getattr(annotator, annotator.screen["slot"])
    assert slot["position"] == annotator.screen["position"]
    return str(slot["html"])


def label(annotator: Annotator, **values: Any) -> None:
    for slug, value in values.items():
        annotator.editors[slug].value = value
    annotator.save_button.click()


def receive(widget: Annotator | EditorWidget, content: Any) -> None:
    """Give a widget a message of the browser; its comm would only log an error that this raises."""
    widget._received(None, content, None)


def send(
    annotator: Annotator, do: str, argument: str = "", *, seen: Any = None, **drafts: Any
) -> str:
    """Send an intent as the browser does, and return its id.

    ``seen`` is the screen that the person sees, by default the present one.
    """
    screen = annotator.screen if seen is None else seen
    slugs = list(annotator.editors)
    content = {
        "id": f"view:{next(_numbers)}",
        "do": do,
        "turn": screen["turn"],
        "log_id": screen["log_id"],
        "entries": {str(slugs.index(slug)): draft for slug, draft in drafts.items()},
        "argument": argument,
    }
    receive(annotator, content)
    return str(content["id"])


def typed(text: str, explanation: str = "") -> dict[str, Any]:
    """Return the draft of a text that was typed where a text is scored."""
    return {"state": "set", "value": text, "explanation": explanation}
