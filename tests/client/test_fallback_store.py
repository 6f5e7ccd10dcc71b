"""The store of a gate that fails for a moment: what goes on meanwhile, and what it takes up."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from respan_notebook.client.fallback_store import FallbackStore
from respan_notebook.client.gate import Gate
from respan_notebook.client.shared_store import SharedStore, open_gate_file

NAMES = "http://127.0.0.1:9", "a hash"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "of the user" / "of the machine"


def gate_of(folder: Path, pause: float = 0.0) -> Gate:
    return Gate(store=FallbackStore(lambda: SharedStore(folder, *NAMES), pause))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a lock on the file, for which no gate waits long."""
    open_gate_file(folder).connection.execute("pragma busy_timeout = 10")
    other = sqlite3.connect(folder / "gates.sqlite", isolation_level=None)
    other.execute("begin immediate")
    yield
    other.close()


def is_permitted(gate: Gate) -> bool:
    return gate.request()[0] == 0


def test_locked_file__is_shared_again_afterwards(folder: Path) -> None:
    gate, other = gate_of(folder), Gate(store=SharedStore(folder, *NAMES))
    with gate.paced((9, 60.0)):
        with locked(folder), gate.paced((4, 60.0)):
            assert [is_permitted(gate) for _ in range(5)] == [True] * 4 + [False]
            assert other.limit == (9, 60.0)
        gate.flush()
        assert is_permitted(gate), "the limit of four is over"
        assert other.limit == (9, 60.0)
        assert [is_permitted(other) for _ in range(5)] == [True] * 4 + [False], "five went before"
        with locked(folder):
            stack = gate.paced((2, 60.0))
            stack.__enter__()
        gate.request()
        assert other.limit == (2, 60.0)
        stack.__exit__(None, None, None)
    assert other.limit is None


def test_locked_file__holds_of_that_time_bind_all_afterwards(folder: Path) -> None:
    gate, other = gate_of(folder), Gate(store=SharedStore(folder, *NAMES))
    with locked(folder):
        gate.refused(gate.request()[1], 600.0)
        assert other.held() == 0
    gate.request()
    assert other.held() == pytest.approx(gate.held(), abs=10) != 0


def test_locked_file__no_probe_is_out_for_ever(folder: Path) -> None:
    gate, other = gate_of(folder), Gate(store=SharedStore(folder, *NAMES))
    gate.refused(gate.request()[1], 0.0)
    while (asked := gate.request())[0] > 0:
        pass
    assert not is_permitted(other)
    with locked(folder):
        gate.passed(asked[1])
    gate.passed(gate.request()[1])
    gate.flush()
    assert is_permitted(other)


def test_pause__a_store_that_failed_is_left_alone_for_so_long(folder: Path) -> None:
    gate, other = gate_of(folder, pause=600.0), Gate(store=SharedStore(folder, *NAMES))
    with locked(folder):
        gate.refused(gate.request()[1], 600.0)
    assert not is_permitted(gate)
    assert is_permitted(other)


def in_the_way(folder: Path) -> None:
    folder.parent.write_text("")


def open_to_all(folder: Path) -> None:
    folder.parent.mkdir(mode=0o777)
    folder.parent.chmod(0o777)


@pytest.mark.parametrize("spoil", [in_the_way, open_to_all])
def test_folder__that_can_be_used_later_is_used_then(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(folder)
    gate = gate_of(folder)
    with gate.paced((3, 60.0)):
        assert is_permitted(gate)
        folder.parent.unlink() if folder.parent.is_file() else folder.parent.rmdir()
        assert is_permitted(gate)
        other = Gate(store=SharedStore(folder, *NAMES))
        assert other.limit == (3, 60.0)
        assert [is_permitted(other), is_permitted(other)] == [True, False]
    assert other.limit is None
