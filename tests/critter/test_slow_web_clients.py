"""The web server, the real one, among clients that take their time: honest ones do not notice (R66, F44)."""

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from critter.processes import gunicorn, http_connection
from critter.processes.http_connection import Backlog, Exchange
from critter.processes.http_requests import Framing
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.web_process import process, send, text

CROWD = 200
HONEST = 60
SLOWEST = 1.0  # seconds, of 99 in 100 honest requests


@pytest.fixture(autouse=True)
def installed(engine: Engine) -> None:
    with transaction(engine) as session:
        claim_mode(session, "simulated")


@contextmanager
def serving(settings: Settings, places: int = gunicorn.CONNECTIONS) -> Iterator[str]:
    url = "http://{}:{}".format(*settings.web_listen)
    first = f"import critter.processes.gunicorn; critter.processes.gunicorn.CONNECTIONS = {places}"
    with process(settings, "serve_web", lambda: requests.get(f"{url}/healthz", timeout=1), first):
        yield url


HEAD = b"POST /sms/inbound HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
SLOW = {
    "nothing said": (b"", b""),
    "half a line": (b"POST /sms/inb", b""),
    "a field now and then": (HEAD, b"X: y\r\n"),
    "no body": (HEAD + b"Content-Length: 2000\r\n\r\n", b""),
    "an octet of the body now and then": (HEAD + b"Content-Length: 2000\r\n\r\n", b"a"),
    "half a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n400\r\nabc", b"a"),
    "chunks without an end": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "a body that nobody asked for": (HEAD + b"Content-Length: 2000000\r\n\r\n", b"a"),
    "after an answer": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b""),
    "half-closed": (HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n", b""),
}


@contextmanager
def crowded(settings: Settings, many: bool) -> Iterator[list[socket.socket]]:
    """Of every kind, from one address or from many; what is cut comes again."""
    ended, kinds = threading.Event(), list(SLOW.values())
    crowd = [_connected(settings, number, kinds[number % len(kinds)][0], many) for number in range(CROWD)]

    def keep() -> None:
        while not ended.wait(0.5):
            for number, one in enumerate(crowd):
                first, again = kinds[number % len(kinds)]
                try:
                    one.sendall(again)
                    one.setblocking(False)
                    with suppress(BlockingIOError):
                        if not one.recv(4096):
                            raise ConnectionResetError
                    one.settimeout(5)
                except OSError:
                    one.close()
                    crowd[number] = _connected(settings, number, first, many)

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield crowd
    finally:
        ended.set()
        thread.join()
        for one in crowd:
            one.close()


def _connected(settings: Settings, number: int, first: bytes, many: bool) -> socket.socket:
    home = f"127.0.{number + 1}.1" if many else "127.0.0.1"
    one = socket.create_connection(settings.web_listen, 5, (home, 0))
    one.sendall(first)
    return one


def honest(url: str, settings: Settings) -> list[float]:
    """Half of them pages, half of them texts, each on a connection of its own."""
    took = []
    for number in range(HONEST):
        began = time.monotonic()
        if number % 2:
            answer = send(url, settings, "/sms/inbound", text(settings, number), timeout=5)
        else:
            answer = requests.get(f"{url}/healthz", timeout=5)
        took.append(time.monotonic() - began if answer.status_code == 200 else 99.0)
    return sorted(took)


@pytest.mark.parametrize("many", [False, True], ids=["one address", "many addresses"])
def test_slow_requests_stop_nobody(many: bool, settings: Settings) -> None:
    with serving(settings) as url, crowded(settings, many):
        time.sleep(0.3)
        took = honest(url, settings)
    assert took[int(len(took) * 0.99) - 1] < SLOWEST, took[-5:]


def test_a_crowd_keeps_nobody_out_of_a_full_door(settings: Settings) -> None:
    """It is twice as many as there are places, and whoever is cut comes again."""
    with serving(settings, CROWD // 2) as url, crowded(settings, many=True):
        time.sleep(2.5)  # by now each has had to go once, and pushes nobody out any more
        took = honest(url, settings)
    assert took[int(len(took) * 0.99) - 1] < SLOWEST, took[-5:]


def test_a_full_door_parts_with_whoever_makes_least_progress(settings: Settings) -> None:
    """It came last, so that it is not for its age."""
    body = HEAD + b"Content-Length: 60000\r\n\r\n"
    with serving(settings, 6) as url, ExitStack() as stack:
        time.sleep(1)  # the connection of whoever asked whether it serves is gone
        busy = [stack.enter_context(_connected(settings, number, body, many=True)) for number in range(5)]
        still = stack.enter_context(_connected(settings, 9, b"POST /sms/inb", many=True))
        _go_on(busy, seconds=1.5)
        assert send(url, settings, "/sms/inbound", text(settings), timeout=5).status_code == 200
        assert _is_cut(still)
        _go_on(busy, seconds=0.5)
        assert not any(_is_cut(one) for one in busy)


def _go_on(busy: list[socket.socket], seconds: float) -> None:
    """Each sends somewhat more than is asked of a request that is on its way."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for one in busy:
            one.sendall(b"a" * 400)
        time.sleep(0.1)


def _is_cut(one: socket.socket) -> bool:
    one.settimeout(0.3)
    try:
        return one.recv(100) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def test_slow_readers_stop_nobody(settings: Settings) -> None:
    """Each asks for page after page, and reads none of them."""
    ask = b"GET /help HTTP/1.1\r\nHost: x\r\n\r\n" * 200
    with serving(settings) as url, ExitStack() as stack:
        for number in range(60):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.bind((f"127.0.{number + 1}.1", 0))
            one.connect(settings.web_listen)
            one.settimeout(0.5)
            with suppress(TimeoutError):
                one.sendall(ask)
        took = honest(url, settings)
    assert took[int(len(took) * 0.99) - 1] < SLOWEST, took[-5:]


# What is said, at once and every half second; the answer, and after how many seconds it comes.
DEADLINES = [
    (b"GET / HT", b"", b"408", 10),
    (HEAD, b"X: y\r\n", b"408", 10),
    (HEAD + b"Content-Length: 2000\r\n\r\n", b"a", b"408", 20),
    (HEAD + b"Content-Length: 65537\r\n\r\n", b"", b"413", 0),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n10001\r\n", b"", b"413", 0),
    (HEAD + b"X: " + b"y" * 66_000, b"", b"431", 0),
]


def test_each_request_has_its_time_and_its_size(settings: Settings) -> None:
    """The deadline is for the whole request: an octet now and then does not move it."""
    with serving(settings), ThreadPoolExecutor(len(DEADLINES)) as clients:
        found = list(clients.map(lambda each: _answered(settings, *each[:2]), DEADLINES))
    for (status, took), (*_, wanted, after) in zip(found, DEADLINES, strict=True):
        assert status == wanted
        assert after - 0.5 <= took < after + 4


def _answered(settings: Settings, said: bytes, again: bytes) -> tuple[bytes, float]:
    began, answer = time.monotonic(), b""
    with socket.create_connection(settings.web_listen, 5) as one:
        one.sendall(said)
        one.settimeout(0.5)
        while b"\r\n\r\n" not in answer and time.monotonic() - began < 30:
            try:
                more = one.recv(4096)
            except TimeoutError:
                one.sendall(again)
            else:
                answer += more
    return answer.split(b" ")[1], time.monotonic() - began


def test_requests_come_in_pieces_and_many_at_once(settings: Settings) -> None:
    """Kept alive, pipelined, split at every octet, in chunks, with a question whether the body may come."""
    get = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    chunked = b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: t\r\n\r\n"
    sized = b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    stream = get + chunked + sized + get
    with serving(settings):
        for cut in range(0, len(stream), 7):
            with socket.create_connection(settings.web_listen, 5) as one:
                one.sendall(stream[:cut])
                time.sleep(0.002)
                one.sendall(stream[cut:])
                assert statuses(one, 4) == [b"200", b"405", b"405", b"200"], cut
        with socket.create_connection(settings.web_listen, 5) as one:
            one.sendall(b"POST /healthz HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            assert one.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
            one.sendall(b"abc")
            assert statuses(one, 1) == [b"405"]


def statuses(one: socket.socket, count: int) -> list[bytes]:
    said = b""
    while said.count(b"HTTP/1.1 ") < count or not said.endswith((b"ok\n", b"\r\n\r\n", b">\n", b">")):
        more = one.recv(65536)
        if not more:
            break
        said += more
    return [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]]


def test_what_two_may_read_differently_ends_the_connection(settings: Settings) -> None:
    """No octet behind the end that was found first is ever read as a request (request smuggling)."""
    hidden = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    start = b"POST /healthz HTTP/1.1\r\nHost: x\r\n"
    odd = [
        b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
        b"Content-Length: 5, 5\r\n\r\n",
        b"Content-Length: +5\r\n\r\n",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        b"Content_Length: 40\r\nContent-Length: 0\r\nX:\n\r\n",
    ]
    with serving(settings):
        for fields in odd:
            with socket.create_connection(settings.web_listen, 5) as one:
                one.sendall(start + fields + hidden)
                said = b""
                with suppress(OSError):
                    while more := one.recv(4096):
                        said += more
                assert said.count(b"HTTP/1.1 200") == 0, fields


# The pure parts


@given(st.binary(max_size=300), st.integers(1, 40))
def test_where_a_request_ends_does_not_depend_on_how_it_comes(body, step):
    raw = b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body + b"GET / HTTP/1.1\r\n\r\n"
    framing = Framing(1000)
    taken = []
    for at in range(0, len(raw), step):
        framing.feed(raw[at : at + step])
        while framing.is_complete:
            taken.append(framing.take())
            framing.look()
    assert taken == [raw[: -len(b"GET / HTTP/1.1\r\n\r\n")], b"GET / HTTP/1.1\r\n\r\n"]
    assert framing.size == 0


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.integers(1, 40), st.booleans())
def test_chunks_end_where_they_say(chunks, step, trailed):
    raw = b"POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"
    raw += b"".join(b"%x;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    raw += b"0\r\nT: t\r\n\r\n" if trailed else b"0\r\n\r\n"
    framing = Framing(10_000)
    for at in range(0, len(raw), step):
        assert not framing.is_complete
        framing.feed(raw[at : at + step])
    assert framing.is_complete
    assert framing.take() == raw


def test_no_answer_grows_without_end():
    ours, theirs = socket.socketpair()
    backlog = Backlog(http_connection.MOST_OF_ALL)
    with theirs:
        left = []
        exchange = Exchange(ours, backlog, lambda: left.append(1))
        pieces = iter([b"x" * 1_000_000] * 100)
        with pytest.raises(BrokenPipeError):
            deque(map(exchange.sendall, pieces), maxlen=0)
        assert exchange.unsent == 0
        assert backlog.octets == 0
        assert left
        exchange.cut()
