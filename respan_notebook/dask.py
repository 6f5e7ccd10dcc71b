"""Register ``ddf.respan`` on Dask DataFrames; importing this module does it.

A Dask DataFrame is pushed with ``to=``, the folder of plan and report. The workers check its
partitions; this process settles duplicates and sends. The cluster may be closed once the plan is
written: with ``dry_run=True`` that is when the call returns, and
:func:`respan_notebook.resume_push` sends.

Examples
--------
>>> import pandas as pd, tempfile
>>> import dask.dataframe as dd, respan_notebook.dask
>>> from respan_notebook import Evaluator
>>> stars = Evaluator(evaluator_slug="stars", score_value_type="numerical")
>>> df = pd.DataFrame({"log_id": ["demo_01", "demo_02"], "stars": [4.0, None]})
>>> ddf = dd.from_pandas(df, npartitions=2)
>>> with tempfile.TemporaryDirectory() as folder:
...     ddf.respan.push_scores([stars], to=folder, dry_run=True).counts
{'skipped': 1, 'not_sent': 1}
"""

from __future__ import annotations

from respan_notebook.accessor import RespanAccessor
from respan_notebook.errors import ConfigurationError

try:
    from dask.dataframe.extensions import register_dataframe_accessor
except ImportError:
    raise ConfigurationError('Dask is missing: pip install "respan-notebook[dask]"') from None

register_dataframe_accessor("respan")(RespanAccessor)
