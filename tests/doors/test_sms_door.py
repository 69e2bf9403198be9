"""The SMS door on a real socket, in front of the real PostgreSQL; requests are signed by Twilio's own library."""

import http.client
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from sqlalchemy import Engine, make_url
from sqlalchemy import text as sql

from critter.servers import Servers
from gateway.doors.sms import twilio
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.settings.embedded import socket_folder
from gateway.store.database import claim_mode, transaction
from tests.support.database_proxy import DatabaseProxy
from tests.support.web_process import changed, process, send, served, text

INBOUND = "/sms/inbound"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def installed(engine: Engine) -> None:
    with transaction(engine) as session:
        claim_mode(session, "simulated")


def rows(engine: Engine, query: str = "SELECT * FROM inbound ORDER BY id") -> list:
    with engine.connect() as connection:
        return list(connection.execute(sql(query)))


def test_a_signed_text_is_one_row_and_an_empty_answer(settings, engine):
    form = text(settings, 1, Body="caffè 👍 + & = %41", OptOutType="STOP", EmptyAddOn="")
    with served(settings) as url:
        answer = send(url, settings, INBOUND, form)
    assert (answer.status_code, answer.text) == (200, twilio.NO_ANSWER)
    assert answer.headers["Content-Type"].startswith("text/xml")
    (row,) = rows(engine)
    assert (row.channel, row.sender, row.recipients) == ("sms", "+15551230001", ["+15005550006"])
    assert (row.text, row.message_id, row.opt_out_type) == ("caffè 👍 + & = %41", form["MessageSid"], "STOP")
    assert (row.state, row.trusted) == ("new", True)
    assert row.raw.startswith(b"ToCountry=US&MessageSid=SM")
    assert b"EmptyAddOn=" in row.raw


def test_the_bell_rings_for_texts_and_for_receipts(settings, servers):
    import redis

    with served(settings) as url:
        send(url, settings, INBOUND, text(settings, 1))
        token = Signer(settings.secret_keys).sign("status", 7)
        send(url, settings, f"/sms/status/{token}", status(settings))
    with redis.Redis.from_url(settings.redis_url) as client:
        assert {key.decode() for key in client.keys("rq:queue:*")} == {
            "rq:queue:critter-inbound",
            "rq:queue:critter-sms",
        }


def test_the_same_text_fifty_times_at_once_is_one_row_and_fifty_successes(settings, engine):
    form = text(settings, 2, NumMedia="1", MediaUrl0="https://api.twilio.com/1", MediaContentType0="image/png")
    with served(settings) as url, ThreadPoolExecutor(50) as crowd:
        codes = list(crowd.map(lambda _: send(url, settings, INBOUND, form).status_code, range(50)))
    assert codes == [200] * 50
    assert len(rows(engine)) == 1
    assert len(rows(engine, "SELECT * FROM media")) == 1


REFUSED: list[dict[str, str | None]] = [
    {"MessageSid": "SM1"},
    {"MessageSid": "SM" + "0" * 32 + "\n"},
    {"MessageSid": "CA" + "0" * 32},
    {"MessageSid": None},
    {"AccountSid": "AC" + "0" * 32},
    {"AccountSid": None},
    {"To": "+15550000000"},
    {"To": None},
    {"From": "kim"},
    {"From": "+1555123000x"},
    {"From": None},
    {"From": "+1555\x001230001"},
    {"MessagingServiceSid": "MG" + "0" * 32, "To": "+15550000000"},
]


def test_what_twilio_would_not_send_is_refused_however_well_signed(settings, engine):
    with served(settings) as url:
        codes = [send(url, settings, INBOUND, text(settings, 3, **changes)).status_code for changes in REFUSED]
    assert codes == [403] * len(REFUSED)
    assert rows(engine) == []


def test_only_the_signature_counts(settings, engine):
    """Unsigned, signed by others, altered, for another URL, shifted, not a form, with a query: refused."""
    form = text(settings, 4)
    shifted = {**form, "From": "+1555123000", "FromCity": ""}
    shifted["Body"] += "From+15551230001"
    del shifted["From"]
    with served(settings) as url:
        place = url + INBOUND
        refused = [
            requests.post(place, data=form, timeout=9),
            requests.post(place, data=form, headers={"X-Twilio-Signature": ""}, timeout=9),
            requests.post(place, data=form, headers={"X-Twilio-Signature": "\xe9"}, timeout=9),
            send(url, settings, INBOUND, form, token="0" * 32),
            send(url, settings, INBOUND, form, data={**form, "Body": "other"}),
            send(url, settings, INBOUND, {**form, "Body": form["Body"] + "From" + form["From"]}, data=shifted),
            send(url, settings, INBOUND, form, json={"MessageSid": form["MessageSid"]}, data=None),
            send(url, settings, INBOUND, form, files={"MessageSid": "x"}),
            send(url, settings, INBOUND, form, data=b"\xff\xfe=\x80", headers={"Content-Type": FORM}),
            send(url, settings, INBOUND, form, data=b"Body=%FF", headers={"Content-Type": FORM}),
            send(url, settings, INBOUND, {f"n{n}": "" for n in range(600)}),
            send(url, settings, INBOUND + "?", form),
            send(url, settings, INBOUND + "?bodySHA256=" + "0" * 64, form),
            send(url, settings, "/sms/%69nbound", form),
        ]
        assert [answer.status_code for answer in refused] == [403] * len(refused)
        assert requests.get(place, timeout=9).status_code == 405
        assert requests.put(place, data=form, timeout=9).status_code == 405
    assert rows(engine) == []


def test_a_repeated_field_is_refused(settings, engine):
    pairs = [*text(settings, 5).items(), ("From", "+15551230002")]
    from twilio.request_validator import RequestValidator
    from werkzeug.datastructures import MultiDict

    signature = RequestValidator(settings.twilio_auth_tokens[0]).compute_signature(
        settings.public_url + INBOUND, MultiDict(pairs)
    )
    with served(settings) as url:
        answer = requests.post(url + INBOUND, data=pairs, headers={"X-Twilio-Signature": signature}, timeout=9)
    assert answer.status_code == 403


def test_host_and_forwarded_headers_change_nothing(settings, engine):
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    with served(settings) as url:
        assert send(url, settings, INBOUND, text(settings, 6), headers=forged).status_code == 200
        elsewhere = changed(settings, CRITTER_PUBLIC_URL="http://evil.example")
        assert send(url, elsewhere, INBOUND, text(settings, 7), headers=forged).status_code == 403
    assert len(rows(engine)) == 1


def test_two_tokens_and_two_urls_are_live(settings, engine):
    both = changed(settings, TWILIO_AUTH_TOKEN="old,new", CRITTER_FALLBACK_URL="https://fallback.example")
    fallback = changed(both, CRITTER_PUBLIC_URL="https://fallback.example")
    with served(both) as url:
        assert send(url, both, INBOUND, text(both, 8), token="old").status_code == 200
        assert send(url, both, INBOUND, text(both, 9), token="new").status_code == 200
        assert send(url, both, INBOUND, text(both, 10), token="third").status_code == 403
        assert send(url, fallback, INBOUND, text(both, 11)).status_code == 200
    assert len(rows(engine)) == 3


def test_a_messaging_service_may_bring_texts_to_any_of_its_numbers(settings, engine):
    ours = "MG" + "1" * 32
    pooled = changed(settings, TWILIO_MESSAGING_SERVICE_SID=ours)
    with served(pooled) as url:
        form = text(pooled, 12, To="+15550000000", MessagingServiceSid=ours)
        assert send(url, pooled, INBOUND, form).status_code == 200
        assert send(url, pooled, INBOUND, text(pooled, 13, To="+15550000000")).status_code == 403
    assert [row.recipients for row in rows(engine)] == [["+15550000000"]]


def test_too_much_is_refused_and_a_nul_is_not(settings, engine):
    with served(settings) as url:
        assert send(url, settings, INBOUND, text(settings, 14, Body="x" * 70_000)).status_code == 413
        assert send(url, settings, INBOUND, text(settings, 15, Body="a\0b", OptOutType="\0")).status_code == 200
        chunked = send(
            url, settings, INBOUND, text(settings, 16), data=iter([b"x" * 70_000]), headers={"Content-Type": FORM}
        )
        assert chunked.status_code in (403, 411, 413)
    (row,) = rows(engine)
    assert (row.text, row.opt_out_type) == ("ab", None)


def test_pictures_are_kept_when_they_lie_at_twilio(settings, engine):
    urls = [
        "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1",
        f"{settings.twilio_api_base}/Media/ME2",
        "http://api.twilio.com/plain",
        "https://api.twilio.com.evil.example/",
        "https://api.twilio.com@evil.example/",
        "https://evil.example\\@api.twilio.com/",
        "file:///etc/passwd",
        "http://169.254.169.254/latest",
        "https://[",
        "",
    ]
    media = {f"MediaUrl{n}": url for n, url in enumerate(urls)}
    types = {"MediaContentType0": "image/png", "MediaContentType1": "text/html; <script>"}
    with served(settings) as url:
        form = text(settings, 17, MessageSid=f"MM{17:032x}", NumMedia="10", **media, **types)
        assert send(url, settings, INBOUND, form).status_code == 200
        assert send(url, settings, INBOUND, text(settings, 18, NumMedia="-1")).status_code == 200
    kept = rows(engine, "SELECT number, url, content_type FROM media ORDER BY number")
    assert [tuple(row) for row in kept] == [(0, urls[0], "image/png"), (1, urls[1], None)]


def status(settings: Settings, **changes: str) -> dict[str, str]:
    form = {"MessageSid": f"SM{99:032x}", "MessageStatus": "undelivered", "ErrorCode": "30003", **changes}
    return {**form, "AccountSid": settings.twilio_account_sid, "To": "+15551230001", "From": settings.sms_numbers[0]}


def test_a_status_callback_is_kept_with_its_attempt(settings, engine):
    path = "/sms/status/" + Signer(settings.secret_keys).sign("status", 4711)
    with served(settings) as url:
        assert send(url, settings, path, status(settings)).status_code == 204
        assert send(url, settings, path, status(settings, MessageStatus="sent", ErrorCode="")).status_code == 204
        assert send(url, settings, path, status(settings, MessageStatus="Sent!")).status_code == 403
        assert send(url, settings, path, status(settings), token="0" * 32).status_code == 403
        other = "/sms/status/" + Signer(settings.secret_keys).sign("page", 4711)
        assert send(url, settings, other, status(settings)).status_code == 403
        assert send(url, settings, path[:-1], status(settings)).status_code == 403
        assert requests.get(url + path, timeout=9).status_code == 405
    kept = rows(engine, "SELECT attempt_id, carrier_id, status, reason, applied_at FROM callbacks ORDER BY id")
    sid = f"SM{99:032x}"
    assert [tuple(row) for row in kept] == [(4711, sid, "undelivered", "30003", None), (4711, sid, "sent", None, None)]


@pytest.fixture
def proxy(servers: Servers, settings: Settings):
    proxy = DatabaseProxy(socket_folder(servers.var) / ".s.PGSQL.5432")
    yield proxy
    proxy.pull()


def wired(settings: Settings, proxy: DatabaseProxy) -> Settings:
    name = make_url(settings.database_url).database
    return changed(
        settings,
        CRITTER_DATABASE_URL=f"postgresql://critter@127.0.0.1:{proxy.port}/{name}?sslmode=disable&gssencmode=disable",
    )


def test_without_the_database_it_is_503_and_then_works_again(settings, engine, proxy):
    through = wired(settings, proxy)
    token = Signer(settings.secret_keys).sign("status", 1)
    with served(through) as url:
        assert send(url, through, INBOUND, text(through, 20)).status_code == 200
        proxy.pull()
        lost = send(url, through, INBOUND, text(through, 21))
        assert (lost.status_code, lost.content) == (503, b"")
        assert send(url, through, f"/sms/status/{token}", status(through)).status_code == 503
        assert requests.get(url + "/readyz", timeout=9).status_code == 503
        assert requests.get(url + "/healthz", timeout=9).status_code == 200
        proxy.plug_in()
        assert send(url, through, INBOUND, text(through, 21)).status_code == 200
        assert send(url, through, f"/sms/status/{token}", status(through)).status_code == 204
        assert requests.get(url + "/readyz", timeout=9).status_code == 200
    assert len(rows(engine)) == 2


def test_our_own_faults_are_503_without_a_word(settings, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise RuntimeError("CANARY")

    monkeypatch.setattr("gateway.ledger.inbox.inbox.natural_key", fail)
    with served(settings) as url:
        answer = send(url, settings, INBOUND, text(settings, 22))
    assert (answer.status_code, answer.content) == (503, b"")
    assert "CANARY" not in str(answer.headers)
    assert "ACME" not in caplog.text
    assert "+1555" not in caplog.text


def ready(settings: Settings):
    return lambda: socket.create_connection(settings.web_listen, 1).close()


def test_kill_9_and_start_again_lose_no_text_that_was_accepted(settings, engine):
    """gunicorn's worker dies by kill -9 in the middle of a crowd; it comes back, and every 200 is a row."""
    accepted: list[str] = []
    url = settings.public_url

    def texts(start: int) -> None:
        for number in range(start, start + 40):
            form = text(settings, number)
            try:
                if send(url, settings, INBOUND, form).status_code == 200:
                    accepted.append(form["MessageSid"])
            except requests.RequestException:
                continue

    with process(settings, "serve_web", ready(settings)) as server, ThreadPoolExecutor(8) as crowd:
        wait_for_children(server.pid)
        work = [crowd.submit(texts, 1000 * n) for n in range(8)]
        killed = 0
        while not all(future.done() for future in work) and killed < 3:
            time.sleep(0.25)
            for child in children(server.pid):
                os.kill(child, signal.SIGKILL)
                killed += 1
        for future in work:
            future.result()
        retry(lambda: send(url, settings, INBOUND, text(settings, 99_999)))
    assert killed
    assert accepted
    stored = {row.message_id for row in rows(engine)}
    assert stored >= set(accepted)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for_children(pid: int) -> None:
    deadline = time.monotonic() + 10
    while not children(pid) and time.monotonic() < deadline:
        time.sleep(0.05)


def retry(act) -> None:
    for _ in range(50):
        try:
            act()
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("it never came back")


def test_sigterm_lets_a_request_in_hand_end(settings, engine):
    with process(settings, "serve_web", ready(settings)) as server:
        retry(lambda: requests.get(settings.public_url + "/healthz", timeout=5))
        blocker = engine.connect()
        blocker.execute(sql("LOCK TABLE inbound IN EXCLUSIVE MODE"))
        with ThreadPoolExecutor(1) as other:
            waiting = other.submit(send, settings.public_url, settings, INBOUND, text(settings, 30))
            time.sleep(0.4)
            server.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            blocker.rollback()
            blocker.close()
            assert waiting.result().status_code == 200
        assert server.wait(10) == 0
    assert len(rows(engine)) == 1


def test_half_a_request_is_no_text(settings, engine):
    """A caller that hangs up in the middle of its form leaves nothing behind, and nobody waits for it."""
    with process(settings, "serve_web", ready(settings)):
        retry(lambda: requests.get(settings.public_url + "/healthz", timeout=5))
        for cut in (0, 1, 40):
            connection = http.client.HTTPConnection(*settings.web_listen, timeout=5)
            connection.putrequest("POST", INBOUND)
            connection.putheader("Content-Type", FORM)
            connection.putheader("Content-Length", "500")
            connection.endheaders(b"x" * cut)
            connection.close()
        assert send(settings.public_url, settings, INBOUND, text(settings, 31)).status_code == 200
    assert len(rows(engine)) == 1
