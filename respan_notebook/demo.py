"""Push to a local sandbox, without a key: ``python -m respan_notebook.demo``.

It pushes a frame of scores, some of which are wrong on purpose, and prints the report.
"""

from __future__ import annotations

import pandas as pd

import respan_notebook as rn
from respan_notebook.values import decode


def demo_frame() -> pd.DataFrame:
    """Return a frame with a row per log and a column per evaluator; five cells are no scores."""
    return pd.DataFrame(
        {
            "log_id": ["demo_01", "demo_02", "demo_03", "demo_04", "no_such_log", None],
            "helpful": [5, 4, 9, None, 3, 2],
            "tone": ["Friendly", "neutral", "sarcastic", "curt", None, None],
            "issues": [["none"], ["made_up", "Off topic"], None, [], None, None],
            "why": ["solved in one go", None, None, None, None, None],
        }
    )


def run_demo() -> None:
    """Push the demo scores to a sandbox and print the report."""
    frame = demo_frame()
    columns = {"helpfulness": "helpful", "tone": "tone", "issues": "issues", "comments": "why"}
    with (
        rn.Sandbox(demo=True) as sandbox,
        rn.RespanClient(sandbox.api_key, sandbox.base_url) as client,
    ):
        print(f"A sandbox runs at {sandbox.base_url}. These scores are pushed to it:\n")
        print(frame.to_string(), "\n")
        report = frame.respan.push_scores(columns, client=client)
        print(f"\n{report!r}\n\nreport.frame:\n")
        print(report.frame[["log_id", "evaluator", "status", "http_status"]].to_string(), "\n")
        print("What the sandbox has now:\n")
        for score in sorted(client.filter_scores(), key=lambda score: score.log_id or ""):
            value = decode(score)
            print(f"  {score.log_id}  {score.evaluator_slug:12} {value!r}")


if __name__ == "__main__":
    run_demo()
