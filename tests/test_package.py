"""The names that the package exports."""

from __future__ import annotations

import pytest

import respan_notebook


def test_package__exports_are_there() -> None:
    assert sorted(respan_notebook.__all__) == respan_notebook.__all__
    for name in respan_notebook.__all__:
        assert getattr(respan_notebook, name)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        respan_notebook.Nothing  # noqa: B018
