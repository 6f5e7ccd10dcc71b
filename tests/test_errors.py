"""The error tree."""

from __future__ import annotations

import inspect
import pickle

import pytest

from respan_notebook import errors

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)]


@pytest.mark.parametrize("kind", CLASSES)
def test_errors__derive_from_one_base_and_survive_pickling(kind: type[errors.RespanError]) -> None:
    assert issubclass(kind, errors.RespanError)
    error = kind("what was wrong")
    assert str(error) == "what was wrong"
    assert str(pickle.loads(pickle.dumps(error))) == "what was wrong"
    assert kind.__doc__


def test_errors__keep_their_data_when_pickled() -> None:
    error = errors.RateLimitError("slow down", status=429, detail="d", retry_after=3.0)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.status, copy.detail, copy.field_errors, copy.retry_after) == (429, "d", {}, 3.0)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ConfigurationError, ValueError),
        (errors.FrameError, ValueError),
        (errors.InvalidValueError, ValueError),
        (errors.DuplicateScoreError, ValueError),
        (errors.UnknownEvaluatorError, KeyError),
        (errors.TransportError, ConnectionError),
        (errors.RequestTimeoutError, TimeoutError),
        (errors.AuthenticationError, PermissionError),
        (errors.NotFoundError, LookupError),
    ],
)
def test_errors__are_the_builtin_that_fits(kind: type[Exception], builtin: type[Exception]) -> None:
    assert issubclass(kind, builtin)
