"""What we ask because somebody told us to (R45, F30): Twilio's own hosts and push services, and those only in public.

Pictures of texts are all that is ever fetched so, and pushes all that is sent so. Every connection that Python opens is
seen by an audit hook: it lets none of them leave this machine, and tells who was called.
"""

import ast
import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gateway.carriers.common import public_resolver
from gateway.carriers.twilio.media import HOPS, TwilioMedia
from gateway.doors.sms.twilio import _is_twilios
from gateway.errors import CarrierError
from gateway.network.push.push_subscriptions import PushDevice
from gateway.settings import Settings
from tests.support.push_browsers import keys_of, live, send

ACCOUNT = "AC" + "0" * 32
STORE = "https://media.twiliocdn.com/x"
PRIVATE = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
    "224.0.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::", "fc00::1", "fd12::1", "fe80::1", "fe80::1%lo",
    "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::", "2001:db8::1",
)  # fmt: skip
PUBLIC = ("93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822", "2002:5db8:d822::1")
# Spellings of this machine and its like, as they may stand in an address; and what is no address of Twilio's at all.
HOSTS = (
    "127.1", "[::ffff:127.0.0.1]", "0x7f000001", "017700000001", "2130706433", "[::1]", "0.0.0.0", "0", "localhost",
    "169.254.169.254", "[fe80::1]", "[64:ff9b::7f00:1]", "127.0.0.1.", "①②⑦.0.0.1", "metadata.google.internal",
)  # fmt: skip
ADDRESSES = (
    *(f"http://{host}/" for host in HOSTS),
    *(f"https://{host}/" for host in HOSTS),
    *(f"http://{host}:{{port}}/" for host in HOSTS[:9]),
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "ftp://127.0.0.1:{port}/", "//127.0.0.1:{port}/",
    "https://api.twilio.com@127.0.0.1:{port}/", "https://user:pass@api.twilio.com/", "https://api.twilio.com:8443/",
    "https://api.twilio.com.evil.example/", "https://evil.example/https://api.twilio.com/", "http://api.twilio.com/",
    "https://api.twilio.com\\@127.0.0.1:{port}/", "https://127.0.0.1:{port}#@api.twilio.com/", "data:text/plain,x",
    "https://media.twiliocdn.com:{port}/", "http://media.twiliocdn.com/", "https://media.twiliocdn.com%2f@127.0.0.1/",
    "https://127.0.0.1:{port}\r\nHost: api.twilio.com/", "https:// api.twilio.com/", "https://[::1", "javascript:1", "",
)  # fmt: skip


class Watched:
    """Who was called since; nothing but this machine may really be."""

    def __init__(self) -> None:
        self.on, self.called = False, []

    def hook(self, event: str, values: tuple) -> None:
        if self.on and event == "socket.connect" and isinstance(values[1], tuple):
            self.called.append(values[1])
            if not str(values[1][0]).startswith("127."):
                raise ConnectionRefusedError("kept here")


WATCHED = Watched()
sys.addaudithook(WATCHED.hook)  # for good: a hook cannot be taken away


@pytest.fixture
def called() -> Iterator[list]:
    WATCHED.called = []
    WATCHED.on = True
    yield WATCHED.called
    WATCHED.on = False


@contextmanager
def listener(answer) -> Iterator[tuple[int, list[str]]]:
    """A web server on this machine: its port, and what it was asked."""
    asked: list[str] = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers.get('Authorization', '')[:5]}")
            answer(self)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """DNS of our own: each look-up of a name takes the next answer; the names that were looked up."""
    looked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list:
        looked.append(host)
        found = answers[min(len(looked), len(answers)) - 1]
        return [
            {"hostname": host, "host": one, "port": port, "proto": 0, "flags": socket.AI_NUMERICHOST,
             "family": socket.AF_INET6 if ":" in one else socket.AF_INET}
            for one in found
        ]  # fmt: skip

    monkeypatch.setattr(public_resolver.ThreadedResolver, "resolve", resolve)
    return looked


def fetched(url: str, base: str = "https://api.twilio.com") -> bytes | CarrierError:
    try:
        return asyncio.run(TwilioMedia(ACCOUNT, "token", base).fetch(url))
    except CarrierError as error:
        return error


def test_no_name_leads_to_a_private_address(monkeypatch, called):
    for address in PRIVATE:
        for answers in ([address], [PUBLIC[0], address]):  # one of several is enough
            names(monkeypatch, answers)
            error = fetched(STORE)
            assert isinstance(error, CarrierError)
            assert (error.reason, error.kind) == ("not a public address", "permanent"), address
    assert called == []


def test_no_push_leads_to_a_private_address(monkeypatch, called, tmp_path):
    """The endpoint of a device is whatever its browser says."""
    settings = live(tmp_path)
    for address in PRIVATE:
        names(monkeypatch, [PUBLIC[0], address])
        outcome = send(settings, PushDevice(1, keys_of("https://push.example.com/a")))
        assert (outcome.state, outcome.reason, outcome.detail) == ("failed", "forbidden", "CarrierError"), address
    assert called == []
    names(monkeypatch, ["10.1.2.3"], ["127.0.0.1"])
    inside = send(live(tmp_path, CRITTER_PUSH_HOSTS="ntfy.inside"), PushDevice(1, keys_of("https://ntfy.inside/a")))
    assert (inside.state, inside.reason) == ("retry", "refused")
    assert [place[0] for place in called] == ["10.1.2.3"]


def test_a_public_one_is_called_at_the_address_that_was_looked_at(monkeypatch, called):
    """A name that means something else a moment later (rebinding) is not asked again."""
    for address in PUBLIC:
        looked = names(monkeypatch, [address], ["127.0.0.1"])
        assert isinstance(fetched(STORE), CarrierError)  # nothing leaves this machine
        assert looked == ["media.twiliocdn.com"]
        assert [place[0] for place in called] == [address]
        called.clear()


def test_the_api_itself_is_not_asked_in_private(monkeypatch, called):
    names(monkeypatch, ["127.0.0.1"])
    assert isinstance(fetched("https://api.twilio.com/x"), CarrierError)
    assert called == []


def test_no_other_address_is_asked_at_all(monkeypatch, called, settings: Settings):
    looked = names(monkeypatch, ["127.0.0.1"])
    for address in ADDRESSES:
        url = address.format(port=9)
        assert not _is_twilios(settings, url), url
        error = fetched(url)
        assert isinstance(error, CarrierError), url
        assert error.kind == "permanent", url
    assert (called, looked) == ([], [])


def test_no_redirect_leads_away(monkeypatch, called):
    """From the one host that may be here, the simulator's, to each of them."""
    to: list[str] = [""]

    def redirects(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.wfile.write(b"".join(request._headers_buffer) + f"Location: {to[0]}\r\n\r\n".encode("utf-8", "replace"))
        request.close_connection = True
        request._headers_buffer = []

    with listener(lambda request: request.send_response(200)) as (silent, heard), listener(redirects) as (home, asked):
        for address in ADDRESSES:
            to[0] = address.format(port=silent).replace("\r", "%0d").replace("\n", "%0a")
            if not to[0]:
                continue  # no Location: the same page once more, which is counted below
            error = fetched(f"http://127.0.0.1:{home}/x", f"http://127.0.0.1:{home}")
            assert isinstance(error, CarrierError), to
            assert {place[1] for place in called} == {home}, to
            called.clear()
        assert heard == []
        names(monkeypatch, ["127.0.0.1"])
        to[0] = STORE
        assert isinstance(fetched(f"http://127.0.0.1:{home}/x", f"http://127.0.0.1:{home}"), CarrierError)
        asked.clear()
        to[0] = "/again"
        error = fetched(f"http://127.0.0.1:{home}/x", f"http://127.0.0.1:{home}")
    assert isinstance(error, CarrierError)
    assert error.reason == "too many redirects"
    assert len(asked) == HOPS + 1


def test_no_proxy_of_the_environment_is_asked(monkeypatch, called):
    def content(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b"a picture")

    with listener(content) as (proxy, heard), listener(content) as (home, asked):
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        monkeypatch.delenv("no_proxy", raising=False)
        assert fetched(f"http://127.0.0.1:{home}/x", f"http://127.0.0.1:{home}") == b"a picture"
        assert asked == ["/x Basic"]
        names(monkeypatch, ["93.184.216.34"])
        fetched(STORE)
    assert heard == []


def test_every_client_refuses_proxies_and_redirects_of_others():
    """Whoever asks anything over HTTP says so himself: the library's own defaults would do both."""
    for path in sorted(Path("gateway").rglob("*.py")) + sorted(Path("workers").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            called_ = ast.unparse(node.func)
            if called_.endswith("ClientSession"):
                assert given.get("trust_env") == "False", f"{path}:{node.lineno}"
            if called_.split(".")[0] in ("session", "_session", "self._kept") and called_.split(".")[-1] in (
                "get", "post", "request"
            ) and "headers" in given:  # fmt: skip
                assert given.get("allow_redirects") == "False", f"{path}:{node.lineno}"
            assert called_ not in ("urlopen", "urllib.request.urlopen", "requests.get", "requests.post"), path
