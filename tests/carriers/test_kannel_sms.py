"""What goes to Kannel, and what its answers and reports mean. tests/carriers/test_carriers.py has what all carriers
share."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.common.protocol import Outcome, Text
from gateway.carriers.kannel.codes import read_answer, read_report, reason_of
from gateway.carriers.kannel.sms import KannelSms
from tests.support.fake_http_server import http, serving

HOME = "http://127.0.0.1:8000"


def request_for(body: str):
    text = Text(7, "+4915550100", "+4915550101", body, "https://critter.example/sms/status/abc", 14400)

    async def story():
        async with serving([http(202, "0: Accepted for delivery")]) as server:
            carrier = KannelSms(f"{server.url}/cgi-bin/sendsms", "critter", "p&ss", HOME)
            outcomes = []
            await carrier.send([text], lambda _, outcome: outcomes.append(outcome))
            await carrier.close()
            assert outcomes == [Outcome("sent")]
            return server.requests[0]

    return asyncio.run(story())


def test_a_text_in_gsm():
    request = request_for("hello {world} é € 100%")
    assert request.line == "POST /cgi-bin/sendsms HTTP/1.1"
    assert request.body.decode() == "hello {world} é € 100%"
    assert request.headers["content-type"] == "text/plain; charset=UTF-8"
    kannel = {name: value for name, value in request.headers.items() if name.startswith("x-kannel-")}
    assert kannel == {
        "x-kannel-username": "critter",
        "x-kannel-password": "p&ss",
        "x-kannel-from": "+4915550100",
        "x-kannel-to": "+4915550101",
        "x-kannel-coding": "0",
        "x-kannel-validity": "240",
        "x-kannel-dlr-mask": "31",
        "x-kannel-dlr-url": f"{HOME}/sms/kannel/status/abc?type=%d&answer=%A&report=%a&id=%F",
    }


@pytest.mark.parametrize("body", ["שלום 😀", "Łódź", "“quoted”"])
def test_a_text_in_unicode(body):
    request = request_for(body)
    assert (request.headers["x-kannel-coding"], request.body.decode()) == ("2", body)


@pytest.mark.parametrize(
    ("status", "words", "state", "reason", "pause"),
    [
        (202, "0: Accepted for delivery", "sent", "", False),
        (202, "3: Queued for later delivery", "sent", "", False),
        (200, "Sent.", "sent", "", False),
        (202, "", "unknown", "malformed", False),
        (202, "Accepted", "unknown", "malformed", False),
        (503, "Temporal failure, try again later.", "retry", "busy", False),
        (503, "Service Unavailable", "unknown", "503", False),
        (429, "", "retry", "busy", False),
        (403, "Authorization failed for sendsms", "retry", "403", True),
        (404, "Unknown request.", "retry", "404", True),
        (401, "", "retry", "401", True),
        (403, "Not routable. Do not try again.", "failed", "403", False),
        (403, "Number(s) has/have been denied by white- and/or black-lists.", "failed", "403", False),
        (400, "Empty receiver number not allowed, rejected", "failed", "400", False),
        (408, "", "unknown", "408", False),
        (500, "", "unknown", "500", False),
        (301, "", "unknown", "301", False),
    ],
)
def test_its_answers(status, words, state, reason, pause):
    outcome = read_answer(status, words)
    assert (outcome.state, outcome.reason, outcome.pause) == (state, reason, pause)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("NACK/0x0000000b/Invalid Destination Address", "smpp b"),
        ("NACK/11/Invalid", "smpp 11"),
        ("ACK/", ""),
        ("id:123 sub:001 dlvrd:000 submit date:2611251200 stat:UNDELIV err:045 text:call 5550101", "UNDELIV 045"),
        ("id:123 stat:EXPIRED text:the secret", "EXPIRED"),
        ("id:123 stat:DELIVRD err:000 text:hello", ""),
        ("call +1 415 555 0101, please", ""),
        ("", ""),
    ],
)
def test_reasons_are_codes_alone(answer, reason):
    assert reason_of(answer) == reason


@given(st.text(max_size=200))
def test_no_words_get_through(answer):
    assert len(reason_of(answer)) <= 20


@pytest.mark.parametrize(
    ("kind", "reason", "step", "rank", "action"),
    [
        ("8", None, "sent", 2, "none"),
        ("4", None, "sent", 2, "none"),
        ("1", None, "delivered", 3, "none"),
        ("2", "UNDELIV 045", "failed", 3, "none"),
        ("2", None, "failed", 3, "none"),
        ("16", "smpp b", "failed", 3, "dead_number"),
        ("16", None, "failed", 3, "none"),
    ],
)
def test_its_reports(kind, reason, step, rank, action):
    found = read_report(kind, reason)
    assert (found.step, found.rank, found.action) == (step, rank, action)
    assert found.reason or step != "failed"


@pytest.mark.parametrize("kind", ["0", "3", "32", "64", "999", "", "x", "-1", "٣"])
def test_types_that_kannel_does_not_have(kind):
    assert read_report(kind, None) is None
