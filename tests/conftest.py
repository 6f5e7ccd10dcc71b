"""What the tests share: a real sandbox, a client of it, and a server that misbehaves on order."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from canned import CannedServer, canned_servers
from hypothesis import HealthCheck, settings

from respan_notebook import RespanClient, Sandbox
from respan_notebook.client.settings import RequestSettings
from respan_notebook.client.transport import Transport

SCRIPT_COVERAGE = Path(__file__).parents[1] / ".coverage_of_script"
_SCRIPT_RAN = pytest.StashKey[str]()

# Looked through for doctests, one folder's would be taken for another's: they have the same name.
collect_ignore_glob = ["*conftest.py"]

# The same examples on every machine, however slow it is.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("tests")


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-xdist, where it is used, hand out the files in their order.

    The files with the fewest tests, which it would leave for the end, are those that take longest:
    the browser's.
    """
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False
    if not hasattr(config, "workerinput"):
        shutil.rmtree(SCRIPT_COVERAGE, ignore_errors=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep nbval from starting coverage in the kernels, where coverage's own patch starts it."""
    session.config.option.cov_source = None


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Keep what killed processes left of coverage's files from what pytest-cov then combines."""
    outcome = yield
    config = session.config
    if config.pluginmanager.hasplugin("_cov") and not hasattr(config, "workerinput"):
        from measured import remove_torn_files  # Coverage need not be there where nothing measures.

        remove_torn_files(config.rootpath)
    return outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that measures, and has run too little of the front end's script."""
    config = session.config
    is_measured = not config.getoption("no_cov", default=True)
    if is_measured and SCRIPT_COVERAGE.exists() and not hasattr(config, "workerinput"):
        from script_coverage import FLOOR, measure

        ran, lines = measure()
        config.stash[_SCRIPT_RAN] = f"{ran:.1f}% of the front end's script ran; not lines {lines}"
        if ran < FLOOR:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how much of the front end's script ran."""
    if _SCRIPT_RAN in config.stash:
        terminalreporter.write_line(config.stash[_SCRIPT_RAN])


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key and no proxy of the machine's may reach a test, and no limit that another one met."""
    monkeypatch.setenv("RESPAN_GATE", "process")
    for name in (
        "RESPAN_API_KEY",
        "KEYWORDSAI_API_KEY",
        "RESPAN_BASE_URL",
        "RESPAN_API_BASE_URL",
        "HTTP_PROXY",
        "http_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of a client are not tried again, and wait for nothing."""

    settings = RequestSettings(call_attempts=1, longest_hold=0.0, refusals=0)
    monkeypatch.setattr(RespanClient, "settings", settings)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C works, also where the tests are run in the background of a shell."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another attempt comes at once; how often it comes is as ever."""
    settings = RequestSettings(backoff=0.001, longest_backoff=0.01)
    monkeypatch.setattr(RespanClient, "settings", settings)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(demo=True, annotators=["ann@example.com", "bob@example.com"]) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[RespanClient]:
    with RespanClient(sandbox.api_key, sandbox.base_url) as connected:
        yield connected


@pytest.fixture
def canned() -> Iterator[Callable[..., CannedServer]]:
    with canned_servers() as start:
        yield start


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request that is really sent, as method and path."""
    sent: list[str] = []
    send = Transport.send

    def counted(self: Transport, method: str, path: str, *rest: Any, **options: Any) -> Any:
        sent.append(f"{method} {path}")
        return send(self, method, path, *rest, **options)

    monkeypatch.setattr(Transport, "send", counted)
    return sent
