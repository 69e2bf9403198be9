"""What goes to the operator's web hook, signed, and what it may answer. tests/carriers/test_carriers.py has what all
share."""

import asyncio
import json
from datetime import timedelta

import pytest

from gateway.carriers.common.http_client import HttpResponse
from gateway.carriers.common.protocol import Outcome, Text
from gateway.carriers.webhook.codes import code_of, read_answer, read_report
from gateway.carriers.webhook.sms import HookSms
from gateway.ledger.outbox.claims import ClaimedDelivery
from gateway.security import standard_webhooks
from tests.support.fake_http_server import http, serving
from workers.sending.settlement import settlement

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_text_is_signed_json():
    text = Text(7, "55555", "+15558675310", "hello שלום 😀", "https://critter.example/sms/status/abc", 14400)

    async def story():
        async with serving([http(202, '{"id": "x-1", "more": true}')]) as server:
            carrier, outcomes = HookSms(f"{server.url}/out", SECRET, "https://critter.example"), []
            await carrier.send([text], lambda _, outcome: outcomes.append(outcome))
            await carrier.close()
            return outcomes, server.requests[0]

    outcomes, request = asyncio.run(story())
    assert outcomes == [Outcome("sent", "x-1")]
    assert request.line == "POST /out HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert standard_webhooks.verify([standard_webhooks.key_of(SECRET)], request.headers, request.body) == "7"
    assert json.loads(request.body) == {
        "id": "7",
        "from": "55555",
        "to": "+15558675310",
        "text": "hello שלום 😀",
        "callback": "https://critter.example/sms/hook/status/abc",
        "valid_seconds": 14400,
    }


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (HttpResponse(201, '{"id": "a"}'), ("sent", "", None, False)),
        (HttpResponse(204, ""), ("unknown", "malformed", None, False)),
        (HttpResponse(200, '{"id": ""}'), ("unknown", "malformed", None, False)),
        (HttpResponse(200, '{"id": "two words"}'), ("unknown", "malformed", None, False)),
        (HttpResponse(200, '["id"]'), ("unknown", "malformed", None, False)),
        (HttpResponse(429, ""), ("retry", "busy", None, False)),
        (HttpResponse(429, "", 30.0), ("retry", "busy", 30.0, False)),
        (HttpResponse(503, "", 30.0), ("retry", "busy", 30.0, False)),
        (HttpResponse(503, ""), ("unknown", "503", None, False)),
        (HttpResponse(401, ""), ("retry", "401", None, True)),
        (HttpResponse(404, ""), ("retry", "404", None, True)),
        (HttpResponse(422, '{"reason": "opted_out"}'), ("failed", "21610", None, False)),
        (HttpResponse(422, '{"reason": "house_rule"}'), ("failed", "house_rule", None, False)),
        (HttpResponse(422, '{"reason": "call +1 415 555 0101"}'), ("failed", "422", None, False)),
        (HttpResponse(400, "{"), ("failed", "400", None, False)),
    ],
)
def test_its_answers(answer, outcome):
    found = read_answer(answer)
    assert (found.state, found.reason, found.wait, found.pause) == outcome


@pytest.mark.parametrize(
    ("status", "reason", "step", "action", "kept"),
    [
        ("queued", None, "queued", "none", ""),
        ("sent", None, "sent", "none", ""),
        ("delivered", None, "delivered", "none", ""),
        ("failed", None, "failed", "none", "failed"),
        ("failed", "opted_out", "failed", "opt_out", "21610"),
        ("failed", "invalid_number", "failed", "dead_number", "21211"),
        ("failed", "unreachable", "retry", "retry", "30003"),
        ("failed", "house_rule", "failed", "none", "house_rule"),
        ("failed", "20003", "failed", "none", "failed"),  # no word of the interface
    ],
)
def test_its_statuses(status, reason, step, action, kept):
    found = read_report(status, code_of(reason) or None)
    assert (found.step, found.action, found.reason) == (step, action, kept)


def test_a_status_that_is_not_in_the_interface():
    assert read_report("exploded", None) is None


def test_a_wait_that_was_asked_for_is_kept():
    claimed = ClaimedDelivery(1, 1, 1, 1, "+15558675310", None, False, None, None)
    look = timedelta(seconds=2)
    busy = [Outcome("retry", reason="busy", wait=wait) for wait in (None, 300.0)]
    waits = [settlement("sms", claimed, each, 1, look).wait for each in busy]
    assert waits[0] < timedelta(seconds=300) <= waits[1]
