"""Addresses that take files take large bodies on the real web server; all others refuse them unread."""

import http.client
import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support import web_process

PICTURE = b"\x89PNG\r\n\x1a\n" + b"x" * 300_000
PARTS = (
    b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    + PICTURE
    + b"\r\n--cut--\r\n"
)
MULTIPART = {"Content-Type": "multipart/form-data; boundary=cut"}


@pytest.fixture
def served(settings: Settings, engine: Engine) -> Iterator[tuple[str, int]]:
    with transaction(engine) as session:
        claim_mode(session, "simulated")

    def ready() -> None:
        socket.create_connection(settings.web_listen, 1).close()

    with web_process.process(settings, "serve_web", ready):
        yield settings.web_listen


def send(served: tuple[str, int], path: str, body: bytes, **headers: str) -> int:
    connection = http.client.HTTPConnection(*served, timeout=30)
    connection.request("POST", path, body, MULTIPART | {name.replace("_", "-"): each for name, each in headers.items()})
    status = connection.getresponse().status
    connection.close()
    return status


def declared(served: tuple[str, int], path: str, length: int) -> int:
    """The answer when only the length was sent."""
    connection = http.client.HTTPConnection(*served, timeout=30)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_files_are_taken_where_they_may_be_sent(served: tuple[str, int], settings: Settings) -> None:
    """Who asks is looked at when the body is there: it is not too large."""
    assert send(served, "/api/v2/media", PARTS, Authorization="Bearer wrong") == 401
    assert send(served, "/updates", PARTS) == 401
    assert send(served, "/updates?draft=1", PARTS) == 401
    assert send(served, "/operate/people/import", PARTS) == 401
    for path in ("/sms/inbound", "/api/v1/statuses", "/sign-in", "/nowhere", "/%ff"):
        assert declared(served, path, len(PARTS)) == 413, path
    assert declared(served, "/api/v2/media", settings.media_largest + 200_000) == 413
    assert declared(served, "/updates", settings.media_largest + 200_000) == 413
