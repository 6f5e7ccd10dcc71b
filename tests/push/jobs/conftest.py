"""Jobs need pyarrow, which is an extra."""

import pytest

pytest.importorskip("pyarrow", reason="pyarrow is not installed")
