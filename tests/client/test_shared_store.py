"""The gate of a key, shared by processes: real ones, on a real file."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from respan_notebook.client.gate import Gate
from respan_notebook.client.gate_state import GateState
from respan_notebook.client.shared_store import SharedStore, gate_folder

SETUP = """
import os, sys, time, threading
from respan_notebook import RespanClient
client = RespanClient("secret-key", "http://127.0.0.1:9")
gate = client.gate
def go():
    while (asked := gate.request())[0] > 0:
        time.sleep(asked[0])
    return asked[1]
"""
WAIT = "\nprint('ready', flush=True)\nsys.stdin.readline()\n"
posix = pytest.mark.skipif(sys.platform == "win32", reason="users and modes are those of POSIX")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The gates of this test, in whichever process."""
    monkeypatch.setenv("RESPAN_GATE", "shared")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return gate_folder()


@pytest.fixture
def gate(folder: Path) -> Gate:
    return gate_in(folder)


def gate_in(folder: Path, fingerprint: str = "a hash") -> Gate:
    return Gate(store=SharedStore(folder, "http://127.0.0.1:9", fingerprint))


@pytest.fixture
def run() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Run code in a process of its own, which has a gate; return it at its first line."""
    running = []

    def start(code: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SETUP + code]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        running.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def make(folder: Path) -> None:
    for path in (folder.parent, folder):
        path.mkdir(mode=0o700, exist_ok=True)


def go(gate: Gate) -> None:
    while (asked := gate.request())[0] > 0:
        time.sleep(asked[0])


def output_of(code: str) -> tuple[str, str]:
    command = [sys.executable, "-c", SETUP + code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout, done.stderr


Run = Callable[[str], subprocess.Popen[str]]


def test_limit__of_one_process_is_learned_by_another(run: Run) -> None:
    run("for _ in range(5): gate.passed(go())\ngate.refused(go(), 600.0)" + WAIT)
    out, _ = output_of("print(gate.limit[0], 0 < gate.held() <= 600, gate.request()[0] > 0)")
    assert out.split() == ["5", "True", "True"]


def test_paced__binds_other_processes_while_the_one_that_gave_it_lives(run: Run) -> None:
    other = run("with gate.paced((2, 60.0)):\n    print('in', flush=True); sys.stdin.readline()")
    assert output_of("print(gate.limit)")[0] == "(2, 60.0)\n"
    assert output_of("print(*(gate.request()[0] > 0 for _ in range(3)))")[0].split() == [
        "False",
        "False",
        "True",
    ], "what one process sends counts for all"
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert output_of("time.sleep(0.3); gate.request(); print(gate.limit)")[0] == "None\n"


def test_request__goes_when_the_prober_was_killed(run: Run) -> None:
    prober = run("gate.refused(go(), 0.1)\ngo()" + WAIT)
    waiting = run(
        "print(gate.request()[0] > 0, flush=True)\ngo()\nprint('went', flush=True)\n"
        "sys.stdin.readline()"
    )
    time.sleep(0.5)
    prober.send_signal(signal.SIGKILL)
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == "went\n"


def test_key__is_not_stored(folder: Path) -> None:
    output_of("gate.passed(go())")
    data = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"http://127.0.0.1:9" in data
    assert b"secret-key" not in data


@posix
def test_folder__is_this_user_s_alone(folder: Path, gate: Gate) -> None:
    for path in (folder.parent, folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert path.stat().st_uid == os.getuid()
    assert gate.request()[0] == 0


def open_to_all(folder: Path) -> None:
    folder.parent.mkdir()
    folder.parent.chmod(0o755)


def link(folder: Path) -> None:
    (folder.parents[1] / "elsewhere").mkdir(mode=0o700)
    folder.parent.symlink_to(folder.parents[1] / "elsewhere")


def file(folder: Path) -> None:
    folder.parent.write_text("")


def other_program(folder: Path) -> None:
    make(folder)
    with sqlite3.connect(folder / "gates.sqlite") as connection:
        connection.execute("create table gates (something text)")
    connection.close()


@posix
@pytest.mark.parametrize("spoil", [open_to_all, link, file, other_program])
def test_folder__that_can_t_be_used_is_said_once(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(folder)
    out, err = output_of(
        "gate.passed(go()); other = RespanClient('other', 'http://127.0.0.1:9').gate\n"
        "other.refused(other.request()[1], 30.0)\nprint(other.held() > 29, gate.held())"
    )
    assert out.split() == ["True", "0.0"]
    assert err.count("keeps to the server's rate limit by itself") == 1
    assert "secret" not in err


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="users and modes are those of POSIX")
def test_folder__that_is_read_only_is_said(folder: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    code = """
import os
from respan_notebook import RespanClient
import respan_notebook.client.shared_store  # Another user may not be able to import it.
if os.geteuid() == 0:
    os.seteuid(65534)
print(RespanClient("key", "http://127.0.0.1:9").gate.request()[0])
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    tmp_path.chmod(0o755)
    assert done.stdout == "0.0\n"
    assert "keeps to the server's rate limit by itself" in done.stderr
    assert not folder.exists()


@posix
def test_full_disk__goes_on_for_the_process_alone() -> None:
    """A limit on the size of files stands in for the disk: writing beyond it fails the same way."""
    out, err = output_of(
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with gate.paced((3, 60.0)):\n"
        "    go()\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))\n"
        "    print(*(gate.request()[0] > 0 for _ in range(3)), gate.limit)\n"
        "print(gate.limit)"
    )
    assert out == "False False True (3, 60.0)\nNone\n"
    assert err.count("keeps to the server's rate limit by itself") == 1


@pytest.mark.parametrize("names", ["*", "gates.sqlite*", "words", "*.alive"])
def test_deleted_files__are_made_anew_with_what_is_known(folder: Path, names: str) -> None:
    fingerprint = hashlib.sha256(b"secret-key").hexdigest()
    gate = gate_in(folder, fingerprint)
    with gate.paced((2, 60.0)):
        go(gate)
        for path in folder.glob(names):
            path.unlink()
        time.sleep(0.3)  # It is looked for the file from time to time.
        go(gate)
        assert gate.request()[0] > 50
        assert output_of("gate.request(); print(gate.limit)")[0] == "(2, 60.0)\n"
    assert output_of("print(gate.limit)")[0] == "None\n"


@pytest.mark.parametrize("state", ["", "{}", '{"now": "never"}', "[" * 100_000])
def test_state__of_another_version_is_not_used(folder: Path, state: str) -> None:
    gate = gate_in(folder)
    gate.refused(gate.request()[1], 600.0)
    with sqlite3.connect(folder / "gates.sqlite") as connection:
        connection.execute("update gates set state = ?", [state])
    connection.close()
    other = gate_in(folder)
    other.flush()
    with other.paced((5, 1.0)):
        assert other.held() == 0


def test_damaged_file__is_made_anew(folder: Path) -> None:
    make(folder)
    (folder / "gates.sqlite").write_bytes(b"not a database, but as long as one " * 1000)
    gate = gate_in(folder)
    gate.refused(gate.request()[1], 600.0)
    assert gate_in(folder).held() > 590


def test_gates__of_many_keys_have_words_of_their_own(folder: Path) -> None:
    gates = [gate_in(folder, f"hash {n}") for n in range(5)]
    gates[2].refused(gates[2].request()[1], 600.0)
    assert [gate.request()[0] > 0 for gate in gates] == [False, False, True, False, False]
    assert [gate.held() > 0 for gate in gates] == [False, False, True, False, False]


def test_passed__is_stored_soon_without_another_request(folder: Path, gate: Gate) -> None:
    for _ in range(7):
        gate.passed(gate.request()[1])
    store = SharedStore(folder, "http://127.0.0.1:9", "a hash")
    deadline = time.monotonic() + 10
    while not store.read().passed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sum(requests for _, requests in store.read().passed) == 7


def test_passed__is_stored_at_the_end_of_a_process(folder: Path) -> None:
    output_of("for _ in range(7): gate.passed(go())")
    states = sqlite3.connect(folder / "gates.sqlite").execute("select state from gates").fetchall()
    assert len(states) == 1
    assert '"passed":[[' in states[0][0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_fork__child_and_parent_are_two_processes_of_one_gate(run: Run) -> None:
    """Both work on, and the child's limit ends with the child, killed as it is."""
    out, err = output_of(
        "gate.passed(go())\n"
        "read, write = os.pipe()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    with gate.paced((4, 60.0)):\n"
        "        gate.passed(go())\n"
        "        os.write(write, b'x')\n"
        "        time.sleep(60)\n"
        "os.read(read, 1)\n"
        "print(gate.limit)\n"
        "os.kill(child, 9)\n"
        "os.waitpid(child, 0)\n"
        "time.sleep(0.3)\n"
        "go()\n"
        "print(gate.limit)\n"
    )
    assert (out, err) == ("(4, 60.0)\nNone\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_fork__child_reads_the_state_by_a_connection_of_its_own() -> None:
    """Whatever the threads of its parent were doing with theirs."""
    out, err = output_of(
        "from respan_notebook.client.shared_store import gate_folder, open_gate_file\n"
        "with gate.paced((4, 60.0)), open_gate_file(gate_folder()).lock:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        import signal\n"
        "        signal.alarm(30)\n"
        "        print(gate.limit, flush=True)\n"
        "        os._exit(0)\n"
        "    print(os.waitpid(child, 0)[1])\n"
    )
    assert (out, err) == ("(4, 60.0)\n0\n", "")


def test_ended_processes__leave_no_files(folder: Path, run: Run) -> None:
    killed = run(WAIT)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert len(list(folder.glob("*.alive"))) == 1
    output_of("pass")
    assert len(list(folder.glob("*.alive"))) == 1, "its own, which the next one removes"


def test_gate__process_shares_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPAN_GATE", "process")
    assert output_of("gate.passed(go())\nprint(gate.limit)")[0] == "None\n"
    assert not folder.exists()
    monkeypatch.setenv("RESPAN_GATE", "yes")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        output_of("")
    assert "RESPAN_GATE must be 'shared' or 'process', got 'yes'" in failed.value.stderr


def test_state__encodes_and_decodes() -> None:
    from respan_notebook.client.shared_store import STATES

    state = GateState(now=5.0).give("a", (3, 1.0)).at(6.0)
    assert STATES.validate_json(STATES.dump_json(state)) == state


@posix
def test_folder__of_another_machine_is_left_alone_until_it_is_old(folder: Path) -> None:
    """Several machines may share the folder for temporary files."""
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    if boot_id.exists():
        assert folder.name == boot_id.read_text().strip()
    others = [folder.with_name("another machine"), folder.with_name("an old one")]
    for other in others:
        make(other)
        (other / "gates.sqlite").touch()
    week_ago = time.time() - 7.1 * 86400
    os.utime(others[1], (week_ago, week_ago))
    assert gate_in(folder).request()[0] == 0
    assert [other.exists() for other in others] == [True, False]
