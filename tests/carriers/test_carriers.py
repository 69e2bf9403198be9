"""What every carrier for texts must make of the same situations, whatever the other side calls them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.carriers.common.protocol import Carrier, MessageList, Outcome, Text
from gateway.carriers.descriptors.registry import for_texts
from gateway.carriers.kannel.sms import KannelSms
from gateway.carriers.parts import make_texts
from gateway.carriers.twilio.sms import TwilioSms
from gateway.carriers.webhook.sms import HookSms
from gateway.settings import load
from tests.support.fake_http_server import CLOSE, WAIT, http, serving

SID = "SM" + "a" * 32
SOON, LATE = 0.5, 30.0  # seconds that a carrier waits: where nothing will come, and where something must
HUGE = b"x" * 200_000
HOME = "https://critter.example"
PERSONAL = ("+15558675310", "+15005550006", "the body", "a secret")


@dataclass(frozen=True)
class Kind:
    """One carrier under test, and how its other side says the few things that all of them can say."""

    make: Callable[[str, float], Carrier[Text]]
    taken: bytes
    busy: bytes
    unauthorized: bytes
    rejected: bytes


KINDS = {
    "twilio": Kind(
        lambda url, timeout: TwilioSms("AC" + "1" * 32, "a secret", url, timeout=timeout),
        taken=http(201, json.dumps({"sid": SID})),
        busy=http(429, json.dumps({"code": 20429})),
        unauthorized=http(401, json.dumps({"code": 20003})),
        rejected=http(400, json.dumps({"code": 21211})),
    ),
    "kannel": Kind(
        lambda url, timeout: KannelSms(f"{url}/cgi-bin/sendsms", "critter", "a secret", HOME, timeout=timeout),
        taken=http(202, "0: Accepted for delivery"),
        busy=http(503, "Temporal failure, try again later."),
        unauthorized=http(403, "Authorization failed for sendsms"),
        rejected=http(403, "Not routable. Do not try again."),
    ),
    "hook": Kind(
        lambda url, timeout: HookSms(f"{url}/out", "a secret", HOME, timeout=timeout),
        taken=http(200, json.dumps({"id": "1"})),
        busy=http(429, "", Retry_After="7"),
        unauthorized=http(401, ""),
        rejected=http(422, json.dumps({"reason": "invalid_number"})),
    ),
}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def texts(count: int, body: str = "the body") -> list[Text]:
    return [
        Text(n, "+15005550006", "+15558675310", body, f"{HOME}/sms/status/token{n}", 14400) for n in range(1, count + 1)
    ]


def sent(kind: Kind, script: Any, batch: list[Text], url: str | None = None) -> tuple[list[Outcome], Any]:
    """Each one's outcome, in the order of the batch; each is told exactly once."""

    silent = () if callable(script) else script

    async def story() -> tuple[list[Outcome], Any]:
        async with serving(script) as server:
            carrier, told = kind.make(url or server.url, SOON if WAIT in silent else LATE), []
            await carrier.send(batch, lambda text, outcome: told.append((text.attempt, outcome)))
            await carrier.close()
            assert sorted(attempt for attempt, _ in told) == [text.attempt for text in batch]
            return [outcome for _, outcome in sorted(told, key=lambda each: each[0])], server

    return asyncio.run(story())


def test_taken(kind: Kind) -> None:
    outcomes, server = sent(kind, [kind.taken], texts(20))
    assert {each.state for each in outcomes} == {"sent"}
    assert len(server.requests) == 20


def test_busy_is_tried_again(kind: Kind) -> None:
    [outcome], _ = sent(kind, [kind.busy], texts(1))
    assert (outcome.state, outcome.pause) == ("retry", False)


def test_an_account_that_is_refused_stops_the_batch(kind: Kind) -> None:
    outcomes, server = sent(kind, [kind.unauthorized], texts(500))
    assert {(each.state, each.pause) for each in outcomes} == {("retry", True)}
    assert len(server.requests) <= 128


def test_refused_for_good(kind: Kind) -> None:
    [outcome], _ = sent(kind, [kind.rejected], texts(1))
    assert (outcome.state, outcome.pause) == ("failed", False)
    assert outcome.reason


def test_nobody_listens(kind: Kind) -> None:
    [outcome], _ = sent(kind, [], texts(1), url="http://127.0.0.1:1")
    assert (outcome.state, outcome.reason) == ("retry", "refused")


def test_no_such_host(kind: Kind) -> None:
    [outcome], _ = sent(kind, [], texts(1), url="http://nowhere.invalid")
    assert (outcome.state, outcome.reason) in [("retry", "dns"), ("retry", "refused")]


UNCERTAIN = {
    "cut at once": ([CLOSE], "cut"),
    "cut in the head": ([b"HTTP/1.1 200 OK\r\nConte", CLOSE], "cut"),
    "cut in the body": ([http(200, "0: Acc", length=500), CLOSE], "cut"),
    "silence": ([WAIT], "timeout"),
    "silence in the body": ([http(200, "0: Acc", length=500), WAIT], "timeout"),
    "a huge answer": ([http(200, HUGE)], "too long"),
    "a huge error": ([http(400, HUGE)], "too long"),
    "another protocol": ([b"220 mail.example ESMTP\r\n", CLOSE], "cut"),
    "an empty 200": ([http(200, "")], "malformed"),
    "a page of some proxy": ([http(200, "<html>Please log in</html>")], "malformed"),
    "bytes": ([http(200, b"\xff\xfe\x00\x80")], "malformed"),
    "deep JSON": ([http(200, "[" * 50_000)], "malformed"),
    "JSON of the wrong type": ([http(200, '{"sid": 5, "id": 5}')], "malformed"),
    "a proxy's 502": ([http(502, "<html>Bad Gateway</html>")], "502"),
    "a proxy's 503": ([http(503, "<html>Service Unavailable</html>")], "503"),
    "a proxy's 504": ([http(504, "")], "504"),
    "500": ([http(500, "")], "500"),
    "elsewhere": ([http(302, "", Location="http://127.0.0.1:1/steal")], "302"),
    "an unheard-of status": ([http(999, "")], "999"),
}


@pytest.mark.parametrize("situation", UNCERTAIN)
def test_what_may_have_left_is_never_tried_again(kind: Kind, situation: str) -> None:
    """And it was asked for once: no library under us repeats a request."""
    script, reason = UNCERTAIN[situation]
    [outcome], server = sent(kind, script, texts(1))
    assert (outcome.state, outcome.reason) == ("unknown", reason)
    assert len(server.requests) == 1


def test_a_kept_connection_that_dies_repeats_nothing(kind: Kind) -> None:
    """The other side takes the second text and cuts: it must not get it again over a new connection."""

    async def story() -> tuple[list[Outcome], int]:
        taken = []

        def script(request: Any) -> list[object]:
            taken.append(request)
            return [kind.taken] if len(taken) == 1 else [CLOSE]

        async with serving(script) as server:
            carrier, outcomes = kind.make(server.url, LATE), []
            for text in texts(2):
                await carrier.send([text], lambda _, outcome: outcomes.append(outcome))
            await carrier.close()
            assert server.connections == 1
            return outcomes, len(taken)

    outcomes, requests = asyncio.run(story())
    assert [each.state for each in outcomes] == ["sent", "unknown"]
    assert requests == 2


def test_one_that_fails_leaves_the_others_alone(kind: Kind) -> None:
    count = iter(range(1000))
    script = lambda _: [[kind.taken], [CLOSE], [kind.rejected], [http(500, "")]][next(count) % 4]  # noqa: E731
    outcomes, _ = sent(kind, script, texts(40))
    states = [each.state for each in outcomes]
    assert (states.count("sent"), states.count("unknown"), states.count("failed")) == (10, 20, 10)


def test_what_is_no_unicode_fails_alone(kind: Kind) -> None:
    bad = Text(1, "+15005550006", "+15558675310", "\ud800", f"{HOME}/sms/status/t", 60)
    outcomes, _ = sent(kind, [kind.taken], [bad, *texts(2)[1:]])
    assert [each.state for each in outcomes] == ["failed", "sent"]


def test_nothing_of_a_person_is_told_to_a_log(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for script, _ in UNCERTAIN.values():
        if WAIT not in script:
            [outcome], _ = sent(kind, script, texts(1))
            assert not any(each in outcome.reason + outcome.detail for each in PERSONAL)
    assert not any(each in caplog.text for each in PERSONAL)


def test_only_twilio_says_that_it_has_a_list() -> None:
    made = {name: kind.make("http://127.0.0.1:1", LATE) for name, kind in KINDS.items()}
    assert [name for name, carrier in made.items() if isinstance(carrier, MessageList)] == ["twilio"]


def test_every_name_that_the_settings_know_is_a_carrier() -> None:
    assert tuple(for_texts()) == tuple(KINDS)


def test_the_carriers_of_our_numbers_are_built(tmp_path) -> None:
    settings = load(
        {
            "CRITTER_VAR": str(tmp_path),
            "CRITTER_SMS_NUMBERS": "+15005550006, +4915550100@kannel, 55555@hook, +15005550007",
            "KANNEL_URL": "http://127.0.0.1:13013/cgi-bin/sendsms",
            "KANNEL_USERNAME": "critter",
            "KANNEL_PASSWORD": "p",
            "KANNEL_TOKEN": "t",
            "CRITTER_HOOK_URL": "http://127.0.0.1:9/out",
            "CRITTER_HOOK_SECRET": "s",
        }
    )
    made = make_texts(settings)
    assert {name: type(carrier) for name, carrier in made.items()} == {
        "twilio": TwilioSms,
        "kannel": KannelSms,
        "hook": HookSms,
    }
    assert [isinstance(each, MessageList) for each in made.values()] == [True, False, False]
