"""The bar of a push in a real notebook: what limits it is to be read there, and the bar is seen."""

from __future__ import annotations

import re

import pytest
from lab_page import OpenNotebook
from stars import sandbox_of

PUSH = """
import pandas as pd
from respan_notebook import Evaluator, RespanClient
stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
rows = pd.DataFrame({{"log_id": ["log_0", "log_1", "log_2"], "stars": [1, 2, 3]}})
client = RespanClient({key!r}, {url!r})
report = rows.respan.push_scores([stars], client=client, progress=True, rate_limit={rate!r})
"""


@pytest.mark.parametrize(
    ("rate", "server", "said"),
    [
        ("2/h", {}, r"2/3 \[\S+ limited to 2/h, waiting \d+ s, about 1\.0 h left"),
        (None, {"rate_limit": (2, 600)}, r"\d/3 \[\S+ the server asks to wait, \d+ s more, about"),
    ],
    ids=["told", "learned"],
)
def test_bar__says_in_a_notebook_that_it_waits(
    open_notebook: OpenNotebook, rate: str | None, server: dict[str, object], said: str
) -> None:
    """It is read while the push waits for what takes minutes, and is interrupted then."""
    with sandbox_of(3, **server) as sandbox:
        code = PUSH.format(key=sandbox.api_key, url=sandbox.base_url, rate=rate)
        page = open_notebook([code, "report"], env={"RESPAN_GATE": "process"})
        page.page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        page.output_area(0).get_by_text(re.compile(said.replace(" ", r"\s"))).wait_for()
        bar = page.output_area(0).locator(".progress").bounding_box()
        assert bar is not None
        assert bar["width"] > 100, "the text leaves room for it"
        page.lab.api("POST", f"kernels/{page.kernel_id}/interrupt")
        page.output_area(1).get_by_text("interrupted").first.wait_for()
