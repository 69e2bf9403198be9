"""The fast path of web hooks gives the answers of Flask's views and leaves the same rows; the real gunicorn serves
both."""

import http.client
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine, text
from twilio.request_validator import RequestValidator

from critter.processes import plain_requests
from gateway.doors.sms.twilio import NO_ANSWER
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support import web_process

FORM = "application/x-www-form-urlencoded"
WORKER = "import critter.processes.fast_requests as fast; fast."
WITHOUT, IMPATIENT = f"{WORKER}PREFIX = b'GET'", f"{WORKER}PATIENCE = 0.2"


@pytest.fixture(autouse=True)
def installed(engine: Engine) -> None:
    with transaction(engine) as session:
        claim_mode(session, "simulated")


@contextmanager
def served(settings: Settings, first: str = "") -> Iterator[tuple[str, int]]:
    def ready() -> None:
        socket.create_connection(settings.web_listen, 1).close()

    with web_process.process(settings, "serve_web", ready, first):
        yield settings.web_listen


# What gunicorn adds to the answers of Flask.
OWN = ("server", "date", "connection")
Written = tuple[str, bytes, dict[str, str]]  # a path, a body and headers


def written(settings: Settings, path: str, form: dict[str, str], **headers: str) -> Written:
    """What Twilio posts; headers that are given replace its own."""
    signature = RequestValidator(settings.twilio_auth_tokens[0]).compute_signature(settings.public_url + path, form)
    given = {"X-Twilio-Signature": signature, "Content-Type": FORM}
    return path, urlencode(form).encode(), given | {name.replace("_", "-"): value for name, value in headers.items()}


def requests(settings: Settings) -> list[Written]:
    """Usual and unusual ones."""
    signer, form = Signer(settings.secret_keys), web_process.text(settings, 1)
    status = f"/sms/status/{signer.sign('status', 4711)}"
    called = {"MessageSid": f"SM{9:032x}", "AccountSid": settings.twilio_account_sid, "MessageStatus": "sent"}
    media = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/1", "MediaContentType0": "image/png"}
    return [
        written(settings, "/sms/inbound", form),
        written(settings, "/sms/inbound", form),
        written(
            settings, "/sms/inbound", web_process.text(settings, 2, Body="caffè 👍 + & = %41\0", OptOutType="STOP")
        ),
        written(settings, "/sms/inbound", web_process.text(settings, 3, MessageSid=f"MM{3:032x}", **media)),
        written(settings, "/sms/inbound", form, X_Twilio_Signature="none"),
        written(settings, "/sms/inbound", form, X_Twilio_Signature="\xe9"),
        written(settings, "/sms/inbound", form, Content_Type="text/plain"),
        written(settings, "/sms/inbound", form, Content_Type=f"{FORM}; charset=utf-8"),
        written(settings, "/sms/inbound", web_process.text(settings, 4, From="kim")),
        written(settings, "/sms/inbound", web_process.text(settings, 5, To="+15550000000")),
        written(settings, "/sms/inbound?", form),
        written(settings, "/sms/%69nbound", form),
        written(settings, "/sms/inbound/", form),
        written(settings, "/sms/nowhere", form),
        written(settings, status, called),
        written(settings, status, called | {"MessageStatus": "undelivered", "ErrorCode": "30003"}),
        written(settings, status, called | {"MessageStatus": "Sent!"}),
        written(settings, status[:-1], called),
        written(settings, "/sms/status/", called),
        written(settings, "/sms/inbound", web_process.text(settings, 6, Body="x" * 70_000)),
        written(settings, "/sms/inbound", web_process.text(settings, 7), Connection="close"),
    ]


def posted(place: tuple[str, int], some: list[Written]) -> list[tuple[int, dict[str, str], bytes]]:
    """The answers, one after the other on a connection that is kept."""
    client = http.client.HTTPConnection(*place, timeout=20)
    found = []
    for path, body, headers in some:
        client.request("POST", path, body, headers)
        answer = client.getresponse()
        said = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in OWN}
        assert answer.getheader("Date") or answer.status in (413, 503)
        if answer.status == 204:
            said.pop("content-type", None)  # Flask names the type even of no content
        found.append((answer.status, said, answer.read()))
    client.close()
    return found


def rows(engine: Engine) -> list[list[tuple[object, ...]]]:
    asked = (
        "SELECT channel, sender, recipients, message_id, text, raw, trusted, opt_out_type, state FROM inbound",
        "SELECT number, url, content_type, state FROM media",
        "SELECT attempt_id, carrier_id, status, reason, carrier, applied_at FROM callbacks",
    )
    with engine.connect() as connection:
        return [[tuple(row) for row in connection.execute(text(f"{each} ORDER BY 1, 2, 3, 4"))] for each in asked]


def test_the_fast_path_answers_and_stores_as_flask_does(settings: Settings, engine: Engine) -> None:
    asked = requests(settings)
    with served(settings) as place:
        fast, stored = posted(place, asked), rows(engine)
    with engine.begin() as connection:
        for table in ("media", "inbound", "callbacks"):
            connection.execute(text(f"DELETE FROM {table}"))
    with served(settings, WITHOUT) as place:
        flask = posted(place, asked)
    for one, other, (path, _, _) in zip(fast, flask, asked, strict=True):
        assert one == other, path
    assert stored == rows(engine)
    assert [code for code, _, _ in fast][:5] == [200, 200, 200, 200, 403]


def test_usual_web_hooks_need_no_thread_and_no_flask(settings: Settings) -> None:
    """A crowd that is larger than gunicorn's threads, on a server whose threads do nothing."""
    broken = "import gunicorn.workers.gthread as g; g.ThreadWorker.enqueue_req = lambda *_: None"
    with served(settings, broken) as place, ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(place, 10)) for _ in range(40)]
        for number, client in enumerate(clients):
            client.sendall(raw(written(settings, "/sms/inbound", web_process.text(settings, number))) * 2)
        for client in clients:
            client.settimeout(20)
            heard = b""
            while heard.count(NO_ANSWER.encode()) < 2:  # the second came before the first was answered
                heard += client.recv(4096)
            assert len(re.findall(rb"HTTP/1\.1 200 OK\r\nDate: ", heard)) == 2


def raw(one: Written) -> bytes:
    path, body, headers = one
    lines = [f"POST {path} HTTP/1.1", "Host: critter.example", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def test_a_commit_that_takes_too_long_is_503_and_its_text_may_come_again(settings: Settings, engine: Engine) -> None:
    one = written(settings, "/sms/inbound", web_process.text(settings, 1))
    with served(settings, IMPATIENT) as place:
        with engine.begin() as other:
            other.execute(text("LOCK TABLE inbound"))
            [(late, _, body)] = posted(place, [one])
        assert (late, body) == (503, b"")
        [(code, _, _)] = posted(place, [one])
    assert code == 200
    assert len(rows(engine)[0]) == 1


PLAIN = b"POST /sms/inbound HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"


def test_only_plain_requests_are_read() -> None:
    found = plain_requests.parse(PLAIN + b"Content-Type:  a; b \r\n\r\na=b".replace(b"  a; b ", b" a; b"))
    assert found
    assert (found.path, found.mimetype, found.body) == ("/sms/inbound", "a", b"a=b")
    assert plain_requests.keeps_open(found)
    closing = plain_requests.parse(PLAIN + b"Connection: Close\r\n\r\na=b")
    assert closing
    assert not plain_requests.keeps_open(closing)


@pytest.mark.parametrize(
    "unusual",
    [
        PLAIN + b"Content-Length: 3\r\n\r\na=b",
        PLAIN + b"Transfer-Encoding: chunked\r\n\r\na=b",
        PLAIN + b"Expect: 100-continue\r\n\r\na=b",
        PLAIN + b" folded: x\r\n\r\na=b",
        PLAIN + b"X : y\r\n\r\na=b",
        PLAIN + b"X: a\x00b\r\n\r\na=b",
        PLAIN + b"X:\r\n\r\na=b",
        PLAIN + b"X: y\nZ: z\r\n\r\na=b",
        PLAIN + b"".join(b"X-%d: y\r\n" % number for number in range(50)) + b"\r\na=b",
        PLAIN + b"\r\na=bc",
        PLAIN.replace(b"Host: x\r\n", b"") + b"\r\na=b",
        PLAIN.replace(b"inbound", b"inbound?x") + b"\r\na=b",
        PLAIN.replace(b"inbound", b"in%62ound") + b"\r\na=b",
        PLAIN.replace(b"1.1", b"1.0") + b"\r\na=b",
        PLAIN.replace(b"POST", b"PUT") + b"\r\na=b",
        PLAIN.replace(b" HTTP", b"  HTTP") + b"\r\na=b",
    ],
)
def test_whatever_is_written_otherwise_is_left_to_gunicorn(unusual: bytes) -> None:
    assert plain_requests.parse(unusual) is None
