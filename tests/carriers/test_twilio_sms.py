"""The Twilio carrier against a real server that answers well, badly, late, or not at all."""

import asyncio
import base64
import gzip
import json
import logging
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs

import pytest
import uvloop

from gateway.carriers.common.protocol import Carrier, Text
from gateway.carriers.twilio.responses import read_answer
from gateway.carriers.twilio.sms import TwilioSms
from gateway.errors import CarrierError

ACCOUNT, TOKEN = "AC" + "1" * 32, "a very secret token"
SID = "SM" + "a" * 32
SENDER, RECIPIENT, BODY = "+15005550006", "+15558675310", "the body: Größe & 50 % + é"
CLOSE = object()  # cut the connection here
WAIT = object()  # hold it open and say nothing


def text(number=1, **changes):
    fields = {"attempt": number, "sender": SENDER, "recipient": RECIPIENT, "body": BODY, "validity": 14400}
    return Text(**{**fields, "callback": f"https://critter.example/sms/status/{number}", **changes})


def http(status, body, length=None, headers=""):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(raw) if length is None else length
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {size}\r\n\r\n"
    return head.encode() + raw


def refusal(status, code):
    return http(status, {"code": code, "message": f"no way to {RECIPIENT}", "status": status})


CREATED = http(201, {"sid": SID, "status": "queued", "body": BODY, "to": RECIPIENT})


class Fake:
    """An HTTP server that plays `script(request)`: a list of bytes, CLOSE and WAIT, for each request."""

    def __init__(self, script):
        self.script = script
        self.requests = []
        self.connections = 0
        self.busy = self.most = 0

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while await self.one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client may hang up at any point; the tests cut it on purpose
        finally:
            writer.transport.abort()

    async def one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
        form = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        request = {"line": head.split("\r\n")[0], "headers": headers, "form": parse_qs(form, strict_parsing=bool(form))}
        self.requests.append(request)
        self.busy += 1
        self.most = max(self.most, self.busy)
        await asyncio.sleep(0)
        for part in self.script(request):
            if part is CLOSE:
                self.busy -= 1
                return False
            if part is WAIT:
                await asyncio.sleep(60)
            writer.write(part)
            await writer.drain()
        self.busy -= 1
        return True


@asynccontextmanager
async def fake(script, **options):
    server = Fake(script if callable(script) else lambda _: script)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    carrier = TwilioSms(ACCOUNT, TOKEN, base, **{"timeout": 5.0, **options})
    try:
        yield server, carrier
    finally:
        await carrier.close()
        listener.close()


async def send(carrier, *batch):
    settled = []
    await carrier.send(batch, lambda parcel, outcome: settled.append((parcel, outcome)))
    assert sorted(parcel.attempt for parcel, _ in settled) == sorted(parcel.attempt for parcel in batch)
    return [outcome for _, outcome in settled]


async def one_outcome(script, **options):
    async with fake(script, **options) as (_, carrier):
        return (await send(carrier, text()))[0]


LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


@LOOPS
def test_what_is_sent_and_how_it_ends(run):
    async def story():
        async with fake([CREATED]) as (server, carrier):
            carrier_is_one: Carrier[Text] = carrier
            outcomes = await send(carrier_is_one, text(7))
        return server.requests, outcomes

    [request], [outcome] = run(story())
    assert (outcome.state, outcome.carrier_id, outcome.reason, outcome.pause) == ("sent", SID, "", False)
    assert request["line"] == f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1"
    assert request["form"] == {
        "To": [RECIPIENT],
        "From": [SENDER],
        "Body": [BODY],
        "StatusCallback": ["https://critter.example/sms/status/7"],
        "ValidityPeriod": ["14400"],
    }
    login = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode().lower()
    assert request["headers"]["authorization"] == f"basic {login}"
    assert request["headers"]["content-type"] == "application/x-www-form-urlencoded"


def test_a_messaging_service_instead_of_a_number():
    async def story():
        async with fake([CREATED]) as (server, carrier):
            await send(carrier, text(sender="MG" + "2" * 32))
        return server.requests[0]["form"]

    form = asyncio.run(story())
    assert form["MessagingServiceSid"] == ["MG" + "2" * 32]
    assert "From" not in form


@pytest.mark.parametrize(
    ("status", "code", "state", "reason", "pause"),
    [
        (429, 20429, "retry", "20429", False),
        (429, None, "retry", "20429", False),
        (401, 20003, "retry", "20003", True),
        (401, None, "retry", "401", True),
        (403, 20003, "retry", "20003", True),
        (403, 20005, "retry", "20005", True),
        (400, 21610, "failed", "21610", False),
        (400, 21211, "failed", "21211", False),
        (400, 21614, "failed", "21614", False),
        (400, 21408, "failed", "21408", False),
        (400, 30034, "retry", "30034", True),
        (400, 30032, "retry", "30032", True),
        (400, 21606, "retry", "21606", True),
        (400, 21608, "retry", "21608", True),
        (400, 30001, "failed", "30001", False),
        (404, 20404, "failed", "20404", False),
        (400, None, "failed", "400", False),
        (400, "21610", "failed", "400", False),
        (400, True, "failed", "400", False),
        (408, None, "unknown", "408", False),
        (500, 20500, "unknown", "500", False),
        (503, None, "unknown", "503", False),
        (307, None, "unknown", "307", False),
    ],
)
def test_refusals(status, code, state, reason, pause):
    async def story():
        async with fake([refusal(status, code)]) as (_, carrier):
            return (await send(carrier, text()))[0]

    outcome = asyncio.run(story())
    assert (outcome.state, outcome.reason, outcome.pause, outcome.carrier_id) == (state, reason, pause, None)
    assert outcome.detail == f"HTTP {status}"


HALF = http(201, {"sid": SID}, length=5000)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ([CLOSE], "cut"),
        ([CREATED[:9], CLOSE], "cut"),
        ([CREATED[:-20], CLOSE], "cut"),
        ([HALF, CLOSE], "cut"),
        ([b"220 this is not HTTP\r\n\r\n", CLOSE], "cut"),
        ([b"HTTP/1.1 201 X\r\n" + b"A: " + b"b" * 100_000 + b"\r\n\r\n", CLOSE], "cut"),
        ([http(201, b"")], "malformed"),
        ([http(201, b"{")], "malformed"),
        ([http(201, b"[" * 60_000)], "malformed"),
        ([http(201, b"\xff\xfe\x00")], "malformed"),
        ([http(201, ["sid"])], "malformed"),
        ([http(201, "sid")], "malformed"),
        ([http(201, {"sid": None})], "malformed"),
        ([http(201, {"sid": {"sid": SID}})], "malformed"),
        ([http(201, {"sid": "SM1"})], "malformed"),
        ([http(200, b"<html>hello</html>")], "malformed"),
        ([http(500, b"<html>sorry</html>")], "500"),
        ([http(201, {"sid": SID, "filler": "x" * 70_000})], "too long"),
        ([http(201, b"", length=10**12), *[b" " * 65536] * 64], "too long"),
        ([http(201, gzip.compress(b" " * 10**7), headers="Content-Encoding: gzip\r\n")], "too long"),
        ([http(201, b"x" * 99, headers="Content-Encoding: gzip\r\n")], "cut"),
    ],
)
def test_an_answer_that_says_nothing_certain(script, reason):
    outcome = asyncio.run(one_outcome(script))
    assert (outcome.state, outcome.reason, outcome.carrier_id, outcome.pause) == ("unknown", reason, None, False)


@pytest.mark.parametrize("script", [[WAIT], [CREATED[:9], WAIT], [HALF, WAIT]])
def test_a_slow_answer_is_not_waited_for(script):
    started = asyncio.run(timed(one_outcome(script, timeout=0.3)))
    outcome, spent = started
    assert (outcome.state, outcome.reason) == ("unknown", "timeout")
    assert spent < 3


async def timed(work):
    loop = asyncio.get_running_loop()
    started = loop.time()
    return await work, loop.time() - started


@LOOPS
def test_a_drip_does_not_outlive_the_timeout(run):
    async def story():
        async def drip(_, writer):
            for byte in CREATED:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        listener = await asyncio.start_server(drip, "127.0.0.1", 0)
        carrier = TwilioSms(ACCOUNT, TOKEN, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", timeout=0.3)
        outcomes = await send(carrier, text())
        await carrier.close()
        listener.close()
        return outcomes

    [outcome] = run(story())
    assert (outcome.state, outcome.reason) == ("unknown", "timeout")


async def elsewhere(base):
    carrier = TwilioSms(ACCOUNT, TOKEN, base, timeout=5.0)
    try:
        return (await send(carrier, text()))[0]
    finally:
        await carrier.close()


def test_nobody_there_is_surely_not_sent():
    outcome = asyncio.run(elsewhere("http://127.0.0.1:1"))
    assert (outcome.state, outcome.reason) == ("retry", "refused")


def test_no_such_host_is_surely_not_sent():
    outcome = asyncio.run(elsewhere("http://api.critter.invalid"))
    assert (outcome.state, outcome.reason) == ("retry", "dns")


def test_a_broken_tls_handshake_is_surely_not_sent():
    async def story():
        listener = await asyncio.start_server(lambda _, writer: writer.transport.abort(), "127.0.0.1", 0)
        outcome = await elsewhere(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        listener.close()
        return outcome

    outcome = asyncio.run(story())
    assert (outcome.state, outcome.reason) == ("retry", "refused")


def test_a_body_no_wire_can_carry():
    async def story():
        async with fake([CREATED]) as (server, carrier):
            outcomes = await send(carrier, text(1, body="half \ud83d"), text(2))
        return outcomes, len(server.requests)

    outcomes, requests = asyncio.run(story())
    assert sorted(outcome.state for outcome in outcomes) == ["failed", "sent"]
    assert requests == 1


@LOOPS
def test_many_at_once_over_few_kept_connections(run):
    async def story():
        async with fake([CREATED], connections=8) as (server, carrier):
            for _ in range(3):
                assert {each.state for each in await send(carrier, *map(text, range(200)))} == {"sent"}
            return server

    server = run(story())
    assert len(server.requests) == 600
    assert server.connections <= 8
    assert 2 <= server.most <= 8


def test_nothing_is_tried_twice_by_the_library():
    async def story():
        async with fake([CLOSE]) as (server, carrier):
            await send(carrier, *map(text, range(20)))
        return len(server.requests)

    assert asyncio.run(story()) == 20


def test_wrong_credentials_end_the_batch():
    async def story():
        async with fake([refusal(401, 20003)], connections=4) as (server, carrier):
            outcomes = await send(carrier, *map(text, range(50)))
        return outcomes, len(server.requests)

    outcomes, requests = asyncio.run(story())
    assert {(each.state, each.reason, each.pause) for each in outcomes} == {("retry", "20003", True)}
    assert requests <= 4


def test_one_bad_sender_does_not_end_the_batch():
    def script(request):
        return [CREATED if request["form"]["From"] == [SENDER] else refusal(400, 30034)]

    async def story():
        async with fake(script, connections=1) as (_, carrier):
            return await send(carrier, text(1, sender="+15005550007"), text(2))

    bad, good = asyncio.run(story())
    assert (bad.reason, bad.pause, good.state) == ("30034", True, "sent")


def test_an_empty_batch():
    assert asyncio.run(elsewhere_empty()) == []


async def elsewhere_empty():
    return await send(TwilioSms(ACCOUNT, TOKEN, "http://127.0.0.1:1"))


def test_nothing_private_reaches_a_log_or_an_outcome(caplog):
    caplog.set_level(logging.DEBUG)
    scripts = [[CREATED], [refusal(400, 21610)], [CLOSE], [http(201, BODY.encode())], [refusal(500, 1)]]
    outcomes = [asyncio.run(one_outcome(script)) for script in scripts]
    with pytest.raises(CarrierError) as lost:
        asyncio.run(list_all([refusal(500, 1)]))
    seen = caplog.text + repr(outcomes) + repr(lost.value)
    for secret in (RECIPIENT, RECIPIENT[1:], SENDER[1:], BODY, BODY[:10], TOKEN, "status/1"):
        assert secret not in seen


def test_the_environment_does_not_move_the_base_url(monkeypatch):
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert asyncio.run(one_outcome([CREATED])).state == "sent"


SINCE = datetime(2026, 3, 4, 23, 59, 58, 700_000, tzinfo=UTC)


def listed(number, sent="Wed, 04 Mar 2026 23:59:58 +0000", **changes):
    fields = {"sid": f"SM{number:032x}", "to": RECIPIENT, "from": SENDER, "body": BODY, "status": "sent"}
    return {**fields, "date_sent": sent, "direction": "outbound-api", **changes}


def page(messages, following=None):
    return http(200, {"messages": messages, "next_page_uri": following, "page": 0, "page_size": 2, "uri": "/x"})


def paged(*pages):
    """Serves the pages in turn: the first under the plain path, each next one under ?Page=n."""

    def script(request):
        path = request["line"].split()[1]
        number = int(parse_qs(path.partition("?")[2]).get("Page", ["0"])[0])
        return pages[number] if isinstance(pages[number], list) else [pages[number]]

    return script


def following(number):
    return f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B1555&Page={number}&PageToken=PA{number}"


async def list_all(script, recipient=RECIPIENT, sender=None, since=SINCE, **options):
    async with fake(script, **options) as (server, carrier):
        return await carrier.listing(recipient, sender, since), server.requests


def test_what_twilio_writes_before_texts_on_trial_is_not_ours():
    message = {**listed(1), "body": f"Sent from your Twilio trial account - {BODY}"}
    found, _ = asyncio.run(list_all(paged(page([message]))))
    assert [each.body for each in found] == [BODY]


def test_the_list_over_several_pages():
    script = paged(page([listed(1), listed(2)], following(1)), page([], following(2)), page([listed(3, sent=None)]))
    found, requests = asyncio.run(list_all(script, sender=SENDER))
    assert [each.carrier_id for each in found] == [f"SM{n:032x}" for n in (1, 2, 3)]
    assert (found[0].recipient, found[0].sender, found[0].body) == (RECIPIENT, SENDER, BODY)
    assert (found[0].status, found[0].direction) == ("sent", "outbound-api")
    assert (found[0].sent_at, found[2].sent_at) == (SINCE.replace(microsecond=0), None)
    query = parse_qs(requests[0]["line"].split()[1].partition("?")[2])
    assert query == {"To": [RECIPIENT], "From": [SENDER], "DateSent>": ["2026-03-04"], "PageSize": ["500"]}
    assert all("authorization" in request["headers"] for request in requests)


def test_the_list_is_asked_by_day_in_utc_and_kept_by_time():
    since = SINCE.astimezone(timezone(timedelta(hours=9)))
    script = paged(page([listed(1, sent="Wed, 04 Mar 2026 23:59:57 +0000"), listed(2)]))
    found, requests = asyncio.run(list_all(script, recipient=None, since=since))
    assert [each.carrier_id[-1] for each in found] == ["2"]
    assert "DateSent%3E=2026-03-04" in requests[0]["line"]
    assert "To=" not in requests[0]["line"]


@pytest.mark.parametrize(
    ("bad", "reason", "kind"),
    [
        (refusal(500, 1), "500", "transient"),
        (refusal(429, 20429), "20429", "transient"),
        (refusal(401, 20003), "20003", "permanent"),
        (refusal(404, 20404), "20404", "permanent"),
        ([CLOSE], "cut", "transient"),
        ([WAIT], "timeout", "transient"),
        ([page([listed(2)])[:-30], CLOSE], "cut", "transient"),
        (http(200, b"{"), "malformed", "transient"),
        (http(200, b"[" * 100_000), "malformed", "transient"),
        (http(200, []), "malformed", "transient"),
        (http(200, {"uri": "/x"}), "malformed", "transient"),
        (page([{}]), "malformed", "transient"),
        (page([listed(2, sid=None)]), "malformed", "transient"),
        (page("x"), "malformed", "transient"),
        (http(200, b" " * (5 * 1024 * 1024)), "too long", "transient"),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_half_a_list_is_no_list(bad, reason, kind, place):
    script = paged(*[page([listed(1)], following(n + 1)) for n in range(place)], bad)
    with pytest.raises(CarrierError) as lost:
        asyncio.run(list_all(script, timeout=1.0 if reason != "timeout" else 0.3))
    assert (lost.value.reason, lost.value.kind) == (reason, kind)


def test_a_page_elsewhere_does_not_get_our_credentials():
    async def story():
        async with fake([page([])]) as (stranger, other):
            meta = {"messages": [], "meta": {"next_page_url": other._http._home + "2010-04-01/x", "key": "messages"}}
            try:
                await list_all([http(200, meta)])
            finally:
                assert not stranger.requests

    with pytest.raises(CarrierError) as lost:
        asyncio.run(story())
    assert lost.value.reason == "malformed"


def test_a_list_without_end():
    with pytest.raises(CarrierError):
        asyncio.run(list_all([page([listed(1)], following(1))], timeout=30))


def test_a_long_page_is_still_a_page():
    messages = [listed(n, body=BODY * 10) for n in range(500)]
    found, _ = asyncio.run(list_all([page(messages)]))
    assert len(found) == 500


def test_answers_without_a_server():
    assert read_answer(201, json.dumps({"sid": SID})).state == "sent"
    assert read_answer(201, json.dumps({"sid": "MM" + "0" * 32})).carrier_id == "MM" + "0" * 32
