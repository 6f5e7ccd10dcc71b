"""Register the DataFrame accessor ``df.respan``.

It has no state (a new one is made at each access) and imports its parts when they are used, so that
importing this package costs little more than importing pandas. The frame may be of any library; it
is read when a method is called.
"""

from __future__ import annotations

import pandas as pd

from respan_notebook.accessor.decide import DecideMethods
from respan_notebook.accessor.label import LabelMethods
from respan_notebook.accessor.push import PushMethods


@pd.api.extensions.register_dataframe_accessor("respan")
class RespanAccessor(PushMethods, LabelMethods, DecideMethods):
    """Push, pull, enter and compare scores of LLM request logs: ``df.respan``.

    Of a frame that is not pandas', the rows are numbered from 0 by an index named ``row``.
    """
