"""One connection: answers that are odd, too long, too slow, or more than one to a request."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from raw import RawServer, raw_server, reply

from respan_notebook import RespanClient, errors
from respan_notebook.client.settings import RequestSettings

SETTINGS = RequestSettings(
    call_attempts=1, longest_request=0.3, longest_answer=1000, longest_page=100_000
)
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nContent-Length: 9\r\n\r\n"
PEM = Path(__file__).parents[1] / "loopback.pem"
Parts = tuple[bytes | float, ...]


def log_of(request: bytes) -> bytes:
    return request.split(b"/")[3]


def own(request: bytes) -> bytes:
    """Return the right answer to a request, which names its log."""
    return reply(b'{"log": "%b"}' % log_of(request))


def in_parts(*parts: bytes | float, closes: bool = False) -> Callable[[socket.socket, bytes], bool]:
    """Answer with these bytes, and pauses in seconds; ``OWN`` is the right answer."""

    def answer(connection: socket.socket, request: bytes) -> bool:
        for part in parts:
            if isinstance(part, float):
                time.sleep(part)
            else:
                connection.sendall(part.replace(b"OWN", own(request)) if b"OWN" in part else part)
        return closes

    return answer


def client_of(server: RawServer, **options: Any) -> RespanClient:
    return RespanClient("key", server.base_url, **{"settings": SETTINGS, **options})


def ask(server: RawServer, *logs: str) -> list[Any]:
    """Return what each log's request gave: the log that the answer names, or the error."""
    given: list[Any] = []
    with client_of(server) as client:
        for log in logs:
            try:
                given.append(client.get_log(log).get("log"))
            except errors.RespanError as error:
                given.append(error)
    return given


@pytest.mark.parametrize(
    "before",
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n",),
        (EARLY,),
        (EARLY * 7,),
        (b"HTTP/1.1 102 Processing\r\n\r\n", 0.02, EARLY, b"HTTP/1.1 199 Odd\r\n\r\n"),
        (EARLY[:15], 0.02, EARLY[15:30], 0.02, EARLY[30:], 0.02),
        (b"HTTP/1.1 103 Early\r\nConnection: close\r\n\r\n",),
    ],
    ids=["100", "103", "many", "mixed", "in packets", "close"],
)
def test_answer__after_any_1xx_is_the_final_one(before: Parts) -> None:
    with raw_server(in_parts(*before, b"OWN")) as server:
        assert ask(server, "a", "b", "c") == ["a", "b", "c"]
    assert server.connections == 1


def test_answer__101_is_final_and_ends_the_connection() -> None:
    answers = in_parts(b"HTTP/1.1 101 Switching\r\nUpgrade: h2\r\n\r\n", 0.02, b"OWN")
    with raw_server(answers) as server:
        given = ask(server, "a", "b")
    assert [(type(one), one.status) for one in given] == [(errors.UnexpectedAnswerError, 101)] * 2
    assert server.connections == 2


@pytest.mark.parametrize("parts", [(b"OWNOWN",), (b"OWN", b"OWN"), (b"OWN\r\n",)])
@pytest.mark.parametrize("has_tls", [False, True], ids=["http", "https"])
def test_answer__a_second_one_is_nobodys(
    parts: Parts, has_tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = None
    if has_tls:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(PEM))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(PEM)
    with raw_server(in_parts(*parts), tls=tls) as server, client_of(server) as client:
        given = []
        for log in ("a", "b", "c"):
            given.append(client.get_log(log)["log"])
            time.sleep(0.02)  # So that what comes a little later is there.
    assert given == ["a", "b", "c"]
    assert server.connections == 3


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        (reply(b'{"log": "a"}')[:-1], True),
        (HEAD + b'Content-Length: 99999999999999999999\r\n\r\n{"log": "a"}', True),
        (CHUNKED + b'c\r\n{"log": "a"}\r\n', True),
        (CHUNKED + b'c\r\n{"log": ', True),
        (CHUNKED + b'-1\r\n{"log": "a"}\r\n0\r\n\r\n', False),
        (CHUNKED + b'zz\r\n{"log": "a"}\r\n0\r\n\r\n', False),
        (HEAD + b'Content-Length: 12\r\nContent-Length: 9\r\n\r\n{"log": "a"}', False),
        (reply(b"no gzip", "Content-Encoding: gzip"), False),
        (HEAD + b"x: y\r\n" * 200 + b"\r\n", False),
        (HEAD + b"x: " + b"y" * 70_000 + b"\r\n\r\n", False),
        (b"HTTP/1.1 200 " + b"x" * 70_000, False),
        (b"SSH-2.0 \x1b[31mhello\r\n", False),
        (b"HTTP/2 200 OK\r\n\r\n", False),
        (b"", True),
    ],
)
def test_answer__broken_is_an_error_and_the_next_one_is_right(answer: bytes, closes: bool) -> None:
    broken, right = in_parts(answer, closes=closes), in_parts(b"OWN")
    turns = iter([broken, right, broken, right])

    def in_turn(connection: socket.socket, request: bytes) -> bool:
        return next(turns)(connection, request)

    with raw_server(in_turn) as server:
        first, second, third, fourth = ask(server, "a", "b", "a", "d")
    assert (second, fourth) == ("b", "d")
    for error in (first, third):
        assert isinstance(error, errors.TransportError)
        assert str(error).isprintable()


@pytest.mark.parametrize(
    ("answer", "connections"),
    [
        (CHUNKED + b'c\r\n{"log": "a"}\r\n0\r\nTrailer: x\r\n\r\n', 1),
        (CHUNKED + b'c\r\n{"log": "a"}\r\n0\r\n\r\nmore', 2),
        (HEAD + b'Content-Length: 12\r\n\r\n{"log": "a"}more', 2),
        (HEAD + b'X-Odd: \xfe\x1b\r\nContent-Length: 12\r\n\r\n{"log": "a"}', 1),
        (reply(gzip.compress(b'{"log": "a"}'), "Content-Encoding: GZip"), 1),
        (reply(zlib.compress(b'{"log": "a"}'), "Content-Encoding: deflate"), 1),
    ],
    ids=["chunked", "chunked and more", "longer", "odd header", "gzip", "deflate"],
)
def test_answer__odd_but_whole(answer: bytes, connections: int) -> None:
    with raw_server(in_parts(answer)) as server:
        assert ask(server, "a", "a") == ["a", "a"]
    assert server.connections == connections


def test_answer__without_length_ends_with_the_connection() -> None:
    with raw_server(in_parts(HEAD + b'\r\n{"log": "a"}', closes=True)) as server:
        assert ask(server, "a", "a") == ["a", "a"]


def test_answer__204_has_no_body() -> None:
    with raw_server(in_parts(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        with client_of(server) as client:
            client.delete_score("a", "s")
            client.delete_score("b", "s")
        assert server.connections == 1


@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_answer__before_the_body_is_read(pause: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.sendall(reply(b'{"detail": "too long"}', status="413 Too Large"))
            time.sleep(pause)
            connection.close()

        thread = threading.Thread(target=refuse)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with RespanClient("key", url, settings=SETTINGS) as client:
            score = {"evaluator_slug": "s", "string_value": "x" * 30_000_000}
            with pytest.raises(errors.BadRequestError, match="413: too long"):
                client.upsert_score("a", score)
        thread.join()


def test_deadline__bounds_a_body_that_nobody_reads() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        start = time.monotonic()
        with RespanClient("key", url, settings=SETTINGS) as client:
            score = {"evaluator_slug": "s", "string_value": "x" * 30_000_000}
            with pytest.raises(errors.RequestTimeoutError):
                client.upsert_score("a", score)
    assert time.monotonic() - start < 9  # The client alone would wait for 30 s


def test_request__on_a_connection_that_the_server_has_closed() -> None:
    with raw_server(in_parts(b"OWN", closes=True)) as server, client_of(server) as client:
        for log in ("a", "b", "c"):
            assert client.get_log(log) == {"log": log}
            time.sleep(0.02)
    assert [log_of(request) for request in server.requests] == [b"a", b"b", b"c"]


def endless(head: bytes, piece: bytes, pause: float = 0.0) -> Callable[[socket.socket, bytes], Any]:
    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return answer


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", EARLY),
        (CHUNKED + b"0\r\n", b"Trailer: x\r\n"),
        (HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10], b"\0\0\0\xff\xff"),
    ],
    ids=["1xx", "trailers", "gzip of nothing"],
)
def test_deadline__bounds_what_never_ends(head: bytes, piece: bytes) -> None:
    # Slow enough for the deadline to come before the cap of the headers.
    check_ends(endless(head, piece, 0.001))


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"H"),
        (HEAD, b"x"),
        (HEAD + b"Content-Length: 500\r\n\r\n", b"x"),
        (HEAD + b"\r\n", b"x"),
        (CHUNKED, b"0"),
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED + b"0\r\n", b"x"),
    ],
    ids=["status", "header", "body", "no length", "chunk size", "chunks", "trailer"],
)
def test_deadline__bounds_what_drips(head: bytes, piece: bytes) -> None:
    check_ends(endless(head, piece, 0.02))


def test_deadline__bounds_silence() -> None:
    check_ends(lambda _connection, _request: time.sleep(1))


def check_ends(answer: Callable[[socket.socket, bytes], Any]) -> None:
    """The request ends in time; the next one has a new connection and gets its own answer."""
    first = iter([answer])

    def answer_once(connection: socket.socket, request: bytes) -> Any:
        return next(first, in_parts(b"OWN"))(connection, request)

    with raw_server(answer_once) as server:
        start = time.monotonic()
        error, *then = ask(server, "a", *"bbbb")
        assert 0.25 < time.monotonic() - start < 10
    assert isinstance(error, errors.RequestTimeoutError)
    # On a busy machine an answer may take longer than this client waits.
    answers = [one for one in then if not isinstance(one, errors.RequestTimeoutError)]
    assert answers
    assert set(answers) == {"b"}


def test_deadline__bounds_a_tls_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        with (
            RespanClient("key", url, settings=SETTINGS) as client,
            pytest.raises(errors.RequestTimeoutError),
        ):
            client.get_log("a")
    assert time.monotonic() - start < 9  # The client alone would wait for 30 s


def test_deadline__bounds_all_addresses_of_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four addresses that nobody answers at, each of which could take the whole time."""
    settings = replace(SETTINGS, longest_request=1.0)
    with ExitStack() as stack, socket.socket() as full:  # Its queue is full: a connect waits.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        for one in [stack.enter_context(socket.socket()) for _ in range(3)]:
            one.setblocking(False)
            one.connect_ex(address)
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)] * 4
        find = socket.getaddrinfo

        def lookup(host: str, *rest: Any, **options: Any) -> Any:
            return found if host == "localhost" else find(host, *rest, **options)

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        start = time.monotonic()
        url = f"http://localhost:{address[1]}"
        with (
            RespanClient("key", url, settings=settings) as client,
            pytest.raises(errors.RequestTimeoutError),
        ):
            client.get_log("a")
        assert time.monotonic() - start < 3  # One after the other they would take 4 s.


def test_connect__goes_on_to_the_next_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(in_parts(b"OWN")) as server:
        port = int(server.base_url.rpartition(":")[2])
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
            for host in ("127.0.0.2", "127.0.0.3", "127.0.0.1")
        ]
        find = socket.getaddrinfo

        def lookup(host: str, *rest: Any, **options: Any) -> Any:
            return found if host == "localhost" else find(host, *rest, **options)

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        with RespanClient("key", f"http://localhost:{port}", settings=SETTINGS) as client:
            assert client.get_log("a") == {"log": "a"}
    assert f"Host: localhost:{port}\r\n".encode() in server.requests[0]


BOMB = zlib.compressobj(9, zlib.DEFLATED, 31)
BOMB_BODY = b"".join([*(BOMB.compress(bytes(2**20)) for _ in range(200)), BOMB.flush()])
ENDLESS = {
    "body": endless(HEAD + b"\r\n", b" " * 65_536),
    "chunk": endless(CHUNKED + b"fffffffffffffff\r\n", b" " * 65_536),
    "chunks": endless(CHUNKED, (b"100\r\n" + b" " * 256 + b"\r\n") * 99),
    "minus": endless(CHUNKED + b"-1\r\n", b" " * 65_536),
    "promised": endless(HEAD + b"Content-Length: 800000000\r\n\r\n", b" " * 65_536),
    "gzip": in_parts(reply(BOMB_BODY, "Content-Encoding: gzip")),
    "headers": endless(HEAD, b"x: " + b"y" * 65_000 + b"\r\n"),
    "1xx": endless(b"", b"HTTP/1.1 103 Early Hints\r\nx: " + b"y" * 65_000 + b"\r\n\r\n"),
    "of an error": endless(b"HTTP/1.1 500 Oops\r\n\r\n", b"x" * 65_536),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_answer__takes_bounded_memory(kind: str) -> None:
    settings = RequestSettings(call_attempts=1, longest_request=2, longest_answer=100_000)
    with raw_server(ENDLESS[kind]) as server, client_of(server, settings=settings) as client:
        tracemalloc.start()
        with pytest.raises(errors.RespanError) as caught:
            client.upsert_score("a", {"evaluator_slug": "s", "boolean_value": True})
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 3_000_000
    assert len(str(caught.value)) < 2_000


def test_answer__of_an_encoding_that_was_not_asked_for_is_not_decoded() -> None:
    with raw_server(in_parts(reply(b'{"log": "a"}', "Content-Encoding: br"))) as server:
        assert ask(server, "a") == ["a"]


@pytest.mark.parametrize("size", [999, 1000, 1001])
def test_answer__longest_is_read_whole(size: int) -> None:
    body = b'{"id": "' + b"s" * (size - 10) + b'"}'
    with raw_server(in_parts(reply(body))) as server, client_of(server) as client:
        score = {"evaluator_slug": "s", "boolean_value": True}
        if size <= 1000:
            assert client.upsert_score("a", score).id == "s" * (size - 10)
        else:
            with pytest.raises(errors.TooLongAnswerError, match="more than 1,000 bytes"):
                client.upsert_score("a", score)
