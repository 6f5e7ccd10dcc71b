"""Jobs of few lines that have many parts nevertheless, and what their files hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from stars import STARS

from respan_notebook import PushJob, RespanClient
from respan_notebook.catalogue import Catalogue
from respan_notebook.push.jobs.folder import JobFolder
from respan_notebook.push.jobs.planner import Planner, make_reader
from respan_notebook.push.jobs.sources import find_source
from respan_notebook.push.options import PushOptions
from respan_notebook.push.origin import origin_of


def plan_in_parts(
    frame: Any, to: Path, client: RespanClient | None, part: int = 10, **options: Any
) -> PushJob:
    """Plan a push whose parts are full from so few lines on, and send nothing."""
    folder, catalogue = JobFolder.at(to), Catalogue([STARS], client)
    source = find_source(frame, to / ".planning")
    asked = PushOptions(**{"progress": False, **options})
    reader = make_reader(source, [STARS], catalogue, asked, find_owner=lambda: None, order_by=None)
    origin = None if client is None else origin_of(client)
    planner = Planner(source, reader, catalogue, origin, part)
    facts = planner.plan(to / ".planning", lambda n, lines: folder.write_part("plan", n, lines))
    (to / ".planning").rmdir()
    folder.write_facts(facts)
    return PushJob(folder, client)


def files(folder: Path) -> list[str]:
    """Return the files of a job, but for its lock."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return sorted(path.relative_to(folder).as_posix() for path in found)


def lines(job: PushJob) -> pd.DataFrame:
    """Return all lines of a job, sorted by their numbers."""
    frame = job.dataset().to_table().to_pandas().sort_values("line")
    return frame.reset_index(drop=True)


def plan_of(folder: Path) -> pd.DataFrame:
    """Return the plan of a job, sorted by its lines; a missing cell is None."""
    rows = [row for path in (folder / "plan").iterdir() for row in pq.read_table(path).to_pylist()]
    rows.sort(key=lambda row: row["line"])
    return pd.DataFrame(rows, dtype=object)


def stored(client: RespanClient) -> dict[str, float]:
    """Return the stars that the server has, by log; each log has at most one score."""
    scores = client.filter_scores({"evaluator_slug": {"operator": "", "value": ["stars"]}})
    found = {score.log_id or "": score.numerical_value for score in scores}
    assert len(found) == len(scores)
    return found
