"""Register ``df.respan`` on Polars DataFrames and LazyFrames; importing this module does it.

Reports and pulled scores come back as pandas, on an index ``row`` that numbers the rows;
``report.to_polars()`` turns a report into a Polars DataFrame.

Examples
--------
>>> import polars as pl, respan_notebook.polars
>>> from respan_notebook import Evaluator
>>> stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
>>> df = pl.DataFrame({"log_id": ["demo_01", "demo_02"], "stars": [4, None]})
>>> df.respan.push_scores([stars], dry_run=True)
PushReport of a dry run: 1 skipped, 1 ready to send
"""

from __future__ import annotations

from respan_notebook.accessor import RespanAccessor
from respan_notebook.errors import ConfigurationError

try:
    import polars as pl
except ImportError:
    raise ConfigurationError('Polars is missing: pip install "respan-notebook[polars]"') from None

pl.api.register_dataframe_namespace("respan")(RespanAccessor)
pl.api.register_lazyframe_namespace("respan")(RespanAccessor)
