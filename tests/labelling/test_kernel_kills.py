"""A kernel that is killed at any moment has lost nothing that it called saved."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from labels import stored

from respan_notebook import Evaluator, RespanClient, Sandbox

ME, SAVES, KERNELS = "ann@example.com", 500, 10
STARS = Evaluator(
    id="eval_helpfulness",
    evaluator_slug="helpfulness",
    score_value_type="numerical",
    score_config={"min_score": 1, "max_score": 5},
)
KERNEL = """
import random, sys
import pandas as pd
from respan_notebook import Evaluator, RespanClient
url, key, outbox, seed = sys.argv[1:]
frame = pd.DataFrame({"log_id": [f"demo_{n:02}" for n in range(1, 31)]})
stars = Evaluator(id="eval_helpfulness", evaluator_slug="helpfulness", score_value_type="numerical",
                  score_config={"min_score": 1, "max_score": 5})
annotator = frame.respan.annotate([stars], client=RespanClient(key, url), outbox=outbox)
choose = random.Random(int(seed))
while True:
    row, value = choose.randrange(30), choose.randint(1, 5)
    annotator.go_to(row)
    annotator.editors["helpfulness"].value = value
    print("saving", row, value, flush=True)
    annotator.save()
    before = annotator.scores.set_index("log_id")["value"]
    if before[f"demo_{row + 1:02}"] == value:
        print("saved", row, value, flush=True)
"""


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.timeout(600)
def test_kernel__killed_at_any_moment_has_lost_nothing_that_was_saved(tmp_path: Path) -> None:
    outbox, choose = tmp_path / "outbox.sqlite3", random.Random(0)
    sandbox = Sandbox(demo=True, annotators=[ME], db=tmp_path / "respan.sqlite3", port=free_port())
    sandbox.start()
    where = [sandbox.base_url, sandbox.api_key, str(outbox)]
    told, is_away = Told(), False
    for seed in range(KERNELS):
        command = [sys.executable, "-c", KERNEL, *where, str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as kernel:
            assert kernel.stdout is not None
            last = 2 * SAVES // KERNELS + choose.randint(0, 9)
            for number, line in enumerate(kernel.stdout):  # Ends with the last it had said.
                told.take(line)
                if number == last // 2:  # The server is away half of the time.
                    (sandbox.start if is_away else sandbox.stop)()
                    is_away = not is_away
                if number == last:
                    kernel.send_signal(signal.SIGKILL)
        assert kernel.returncode == -signal.SIGKILL
    assert told.count >= SAVES
    if is_away:
        sandbox.start()
    arrived = deliver(sandbox, outbox)
    sandbox.stop()
    assert arrived.keys() >= told.saved.keys()
    for log_id, value in arrived.items():
        assert value in (told.saved.get(log_id), told.begun[log_id]), log_id


class Told:
    """What kernels have told: what was saved, and what they had begun to save."""

    def __init__(self) -> None:
        self.count = 0
        self.saved: dict[str, float] = {}
        self.begun: dict[str, float] = {}

    def take(self, line: str) -> None:
        what, row, value = line.split()
        log_id = f"demo_{int(row) + 1:02}"
        self.begun[log_id] = float(value)
        if what == "saved":
            self.saved[log_id] = float(value)
            self.count += 1


def deliver(sandbox: Sandbox, outbox: Path) -> dict[str, Any]:
    """Open an annotator once more, and return what the server has in the end."""
    frame = pd.DataFrame({"log_id": [f"demo_{n:02}" for n in range(1, 31)]})
    with RespanClient(sandbox.api_key, sandbox.base_url) as client:
        annotator = frame.respan.annotate([STARS], client=client, outbox=outbox)
        assert annotator.wait(60)
        annotator.close()
    rows = stored(sandbox)
    assert {row[2] for row in rows} == {ME}
    return {row[0]: row[3] for row in rows}
