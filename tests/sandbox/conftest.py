"""Share a running sandbox, and plain HTTP to it, among the tests of the sandbox."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import requests

from respan_notebook.sandbox import Sandbox
from respan_notebook.sandbox.store import Store

ANN, BOB = "ann@example.com", "bob@example.com"


class Api:
    """Send plain HTTP to a sandbox, as one of its annotators."""

    def __init__(self, sandbox: Sandbox, scorer: str = ANN) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {sandbox.api_keys[scorer]}"
        self._numbers = itertools.count()

    def __call__(self, method: str, path: str, json: object = None, **options) -> requests.Response:
        url = path if path.startswith("http") else f"{self.sandbox.base_url}/api/{path}"
        options = {"timeout": 30, "allow_redirects": False, "json": json} | options
        return self.session.request(method, url, **options)

    def log(self, **fields) -> str:
        """Create a log and return its id."""
        answer = self("POST", "request-logs/", fields)
        assert answer.status_code == 201, answer.text
        return answer.json()["unique_id"]

    def evaluator(self, score_value_type: str, **fields) -> dict:
        """Create an evaluator of a new name and return it."""
        name = f"{score_value_type} {next(self._numbers)} {id(self)}"
        fields = {"name": name, "score_value_type": score_value_type, **fields}
        answer = self("POST", "evaluators/", fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def close(self) -> None:
        self.session.close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(annotators=[ANN, BOB]) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[Api]:
    client = Api(sandbox)
    yield client
    client.close()


@pytest.fixture
def bob(sandbox: Sandbox) -> Iterator[Api]:
    client = Api(sandbox, BOB)
    yield client
    client.close()


@pytest.fixture
def serve() -> Iterator:
    """Start a sandbox of its own, and return plain HTTP to it."""
    clients: list[Api] = []

    def start(**options) -> Api:
        options = {"annotators": [ANN, BOB]} | options
        clients.append(Api(Sandbox(**options).start()))
        return clients[-1]

    yield start
    for client in clients:
        client.close()
        client.sandbox.stop()


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store()
    yield opened
    opened.close()
