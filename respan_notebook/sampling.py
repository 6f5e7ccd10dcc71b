"""Choose the logs to label, and the people who label them.

Both are pure functions of log id and seed: no state, no server, the same on every machine.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from respan_notebook.errors import ConfigurationError, FrameError
from respan_notebook.frames.columns import find_column, has_column
from respan_notebook.frames.log_ids import read_log_ids
from respan_notebook.values.cells import is_missing
from respan_notebook.wording import render_count, render_names, render_short, render_value

Allocation = Literal["proportional", "equal"]
Counts = npt.NDArray[np.int64]

_ALL_ROWS: Final = "all"
_HALVINGS: Final = 200  # More than enough to bring an interval of doubles down to neighbours.


def sample_logs(
    frame: pd.DataFrame,
    n: int,
    *,
    by: Hashable | Iterable[Hashable] | None = None,
    allocation: Allocation = "proportional",
    seed: int = 0,
) -> pd.DataFrame:
    """Draw rows at random; see :meth:`respan_notebook.RespanAccessor.sample`.

    Examples
    --------
    >>> logs = pd.DataFrame({"log_id": list("abcdef"), "verdict": [True] * 4 + [False] * 2})
    >>> drawn = sample_logs(logs, 4, by="verdict", allocation="equal")
    >>> drawn.groupby("stratum")["weight"].agg(["size", "sum"]).to_dict("list")
    {'size': [2, 2], 'sum': [2.0, 4.0]}
    """
    if allocation not in get_args(Allocation):
        raise ConfigurationError(
            f"allocation is 'proportional' or 'equal', got {render_value(allocation)}"
        )
    check_seed(seed)
    log_ids = _read_distinct_ids(frame)
    _check_count("n", n, len(log_ids), "row")
    _check_free(frame, ("stratum", "weight"))
    labels = _label_strata(frame, by)
    strata, codes = np.unique(np.array(labels, object), return_inverse=True)
    sizes = np.bincount(codes)
    counts = allocate_rows(sizes, n, sizes if allocation == "proportional" else sizes**0)
    places = _draw_places(hash_order(log_ids, seed), codes, counts)
    drawn = frame.iloc[places].copy()
    drawn["stratum"] = pd.Series([strata[codes[i]] for i in places], drawn.index, dtype=object)
    drawn["weight"] = (sizes / counts)[codes[places]]
    return drawn


def assign_people(
    frame: pd.DataFrame, people: Sequence[str], *, k: int = 2, seed: int = 0
) -> pd.DataFrame:
    """Divide logs among people; see :meth:`respan_notebook.RespanAccessor.assign`.

    Examples
    --------
    >>> logs = pd.DataFrame({"log_id": ["a", "b"]})
    >>> sorted(assign_people(logs, ["ann", "bob", "eve"])["log_id"])
    ['a', 'a', 'b', 'b']
    """
    names = _read_people(people)
    check_seed(seed)
    _check_count("k", k, len(names), "person", "people")
    _check_free(frame, ("person",))
    log_ids = _read_distinct_ids(frame)
    chosen = [_choose_people(log_id, names, k, seed) for log_id in log_ids]
    assigned = frame.iloc[np.repeat(np.arange(len(log_ids)), k)].copy()
    flat = [person for some in chosen for person in some]
    assigned["person"] = pd.Series(flat, assigned.index, dtype=object)
    return assigned


def allocate_rows(sizes: Counts, n: int, shares: Counts) -> Counts:
    """Return how many rows to draw of each stratum: at least one, at most all.

    The rows go by ``shares``, rounded by largest remainders (the first stratum where they are
    equal). What a stratum is too small for goes to the others.

    Examples
    --------
    >>> sizes = np.array([90, 7, 3])
    >>> allocate_rows(sizes, 10, sizes).tolist(), allocate_rows(sizes, 30, sizes**0).tolist()
    ([8, 1, 1], [20, 7, 3])
    """
    if n < len(sizes):
        raise ConfigurationError(
            f"n is {n}, and there are {len(sizes)} strata: each gives one row at least; "
            "take a larger n, or fewer strata in by="
        )
    low, high = 0.0, float(n)  # Of the scale that the shares are multiplied with.
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_many = np.clip(middle * shares, 1, sizes).sum() > n
        low, high = (low, middle) if too_many else (middle, high)
    quotas = np.clip(high * shares, 1, sizes)
    counts: Counts = np.floor(quotas + 1e-9).astype(np.int64)
    remainders = np.round(quotas - counts, 9)
    order = [i for i in np.argsort(-remainders, kind="stable") if counts[i] < sizes[i]]
    counts[order[: n - int(counts.sum())]] += 1
    return counts


def _draw_places(order: Counts, codes: Counts, counts: Counts) -> list[int]:
    """Return the first rows of each stratum in a random order of all."""
    left = counts.copy()
    places = []
    for place in order.tolist():
        if left[codes[place]]:
            left[codes[place]] -= 1
            places.append(place)
    return places


def hash_order(log_ids: Sequence[str], seed: int) -> Counts:
    """Return the places of logs in a random order, a function of their ids and the seed alone."""
    hashes = [_hash_texts(str(seed), log_id) for log_id in log_ids]
    return np.array(sorted(range(len(hashes)), key=hashes.__getitem__), np.int64)


def _choose_people(log_id: str, people: Sequence[str], k: int, seed: int) -> list[str]:
    # Rendezvous hashing: who joins takes logs over, and moves none between the others.
    ranked = sorted(people, key=lambda person: _hash_texts(str(seed), log_id, person))
    chosen = set(ranked[:k])
    return [person for person in people if person in chosen]


def _hash_texts(*texts: str) -> bytes:
    """Return a digest of texts; with their lengths, so that ("ab", "c") is not ("a", "bc")."""
    digest = blake2b(digest_size=16)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.digest()


def _label_strata(frame: pd.DataFrame, by: Hashable | Iterable[Hashable] | None) -> list[str]:
    if by is None:
        return [_ALL_ROWS] * len(frame)
    names: list[Any] = [by]
    if isinstance(by, Iterable) and not isinstance(by, str) and not _is_column(frame, by):
        names = list(by)
    if not names:
        raise ConfigurationError("by= names no column; leave it out to draw from all rows")
    columns = [find_column(frame, name).tolist() for name in names]
    return [", ".join(map(_label_cell, names, cells)) for cells in zip(*columns, strict=True)]


def _is_column(frame: pd.DataFrame, name: Iterable[Hashable]) -> bool:
    return isinstance(name, tuple) and has_column(frame, name)


def _label_cell(name: Hashable, cell: Any) -> str:
    return f"{name} missing" if is_missing(cell) else f"{name}={cell}"


def _read_distinct_ids(frame: pd.DataFrame) -> list[str]:
    """Return the log ids; raise FrameError for a bad one, and for a log that is there twice."""
    log_ids, errors = read_log_ids(frame)
    for row, error in errors.items():
        raise FrameError(f"row {frame.index[row]!r}: {error}")
    rows: dict[str, int] = {}
    for row, log_id in enumerate(log_ids):
        if rows.setdefault(log_id, row) != row:
            raise FrameError(
                f"log {render_short(log_id)} is there twice, in rows {frame.index[rows[log_id]]!r} "
                f"and {frame.index[row]!r}; keep one row per log"
            )
    return log_ids


def _read_people(people: Sequence[str]) -> list[str]:
    if isinstance(people, str) or not isinstance(people, Iterable):
        raise ConfigurationError(f"people is a list of names, got {render_value(people)}")
    names = list(people)
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise ConfigurationError(f"a person is a name, got {render_value(name)}")
    if len(set(names)) < len(names):
        twice = {name: None for name in names if names.count(name) > 1}
        raise ConfigurationError(f"each person is named once, not {render_names(twice)}")
    return names


def _check_count(name: str, given: int, most: int, noun: str, plural: str | None = None) -> None:
    if type(given) is not int or given < 1:
        raise ConfigurationError(f"{name} must be a whole number from 1, got {render_value(given)}")
    if given > most:
        there = f"{most} {plural}" if plural and most != 1 else render_count(most, noun)
        raise ConfigurationError(f"{name} is {given}, and there are only {there}")


def check_seed(seed: int) -> None:
    """Raise ConfigurationError for anything but a whole number."""
    if type(seed) is not int:
        raise ConfigurationError(f"seed must be a whole number, got {render_value(seed)}")


def _check_free(frame: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if has_column(frame, name):
            raise FrameError(f"the frame has a column {name!r} already; drop or rename it")
