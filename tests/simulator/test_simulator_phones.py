"""Texts from simulated phones: signature and parameters, retries, the carrier's own words, status callbacks."""

import pytest
import requests
from twilio.request_validator import RequestValidator

from simulator import carrier_words
from tests.support.simulation import ACCOUNT, KIM, OURS, SAM, SECOND, SERVICE, TOKEN, simulation, soon


@pytest.fixture(scope="module")
def started():
    with simulation() as running:
        yield running


@pytest.fixture
def sim(started):
    started.reset()
    return started


def test_a_text_is_a_signed_web_hook(sim):
    answer = sim.text("follow sales — 50 % + é")
    url, path, form, headers = sim.heard.requests[0]
    assert (answer["status"], answer["hook"]["attempt"], path) == (200, 1, "/sms/inbound")
    assert RequestValidator(TOKEN).validate(url, form, headers["X-Twilio-Signature"])
    assert form["MessageSid"] == form["SmsSid"] == form["SmsMessageSid"] == answer["sid"]
    assert (form["From"], form["To"], form["Body"]) == (SAM, OURS, "follow sales — 50 % + é")
    told = (form["AccountSid"], form["ApiVersion"], form["NumMedia"], form["NumSegments"], form["ToCountry"])
    assert told == (ACCOUNT, "2010-04-01", "0", "1", "US")
    assert "OptOutType" not in form
    assert [text["body"] for text in sim.get(f"/phones/{SAM}.json")["texts"]] == ["follow sales — 50 % + é"]


def test_to_another_of_our_numbers(sim):
    sim.text("hi", to=SECOND)
    assert sim.heard.forms("/sms/inbound")[0]["To"] == SECOND
    assert "error" in sim.text("hi", to=KIM)


def test_pictures(sim):
    answer = requests.post(
        f"{sim.url}/phones/{SAM}/texts",
        data={"body": "look", "media": "http://127.0.0.1/cat.jpg"},
        files={"media": ("dot.png", b"png", "image/png")},
        timeout=5,
    ).json()
    form = sim.heard.forms("/sms/inbound")[0]
    assert answer["sid"].startswith("MM")
    assert (form["NumMedia"], form["MediaContentType0"], form["MediaContentType1"]) == ("2", "image/jpeg", "image/png")
    assert answer["sid"] in form["MediaUrl1"]
    assert requests.get(form["MediaUrl1"], auth=(ACCOUNT, TOKEN), timeout=5).content == b"png"
    assert requests.get(form["MediaUrl1"], timeout=5).status_code == 401


@pytest.mark.parametrize("word", ["STOP", "stopall", "Unsubscribe", "CANCEL", "end", "QUIT", "revoke", "OptOut"])
def test_stop_words(sim, word):
    sim.text(f" {word}\n")
    assert sim.heard.forms("/sms/inbound")[0]["OptOutType"] == "STOP"
    phone = sim.get(f"/phones/{SAM}.json")
    assert phone["blocked"] == [OURS]
    assert phone["texts"][-1]["by"] == "carrier"
    assert "Acme" in phone["texts"][-1]["body"]


@pytest.mark.parametrize("body", ["stop it", "STOP.", "please stop", "", "yes"])
def test_only_the_bare_word_counts(sim, body):
    sim.text(body)
    assert "OptOutType" not in sim.heard.forms("/sms/inbound")[0]
    assert sim.get(f"/phones/{SAM}.json")["blocked"] == []


@pytest.mark.parametrize("word", ["start", "UNSTOP", "Yes"])
def test_start_words_unblock(sim, word):
    sim.text("stop")
    sim.text("help")  # a blocked phone gets no answer
    sim.text("stop")
    assert len(sim.get(f"/phones/{SAM}.json")["texts"]) == 4
    sim.text(word)
    assert [form["OptOutType"] for form in sim.heard.forms("/sms/inbound")] == ["STOP", "HELP", "STOP", "START"]
    assert sim.get(f"/phones/{SAM}.json")["blocked"] == []
    assert sim.send().status == "queued"


@pytest.mark.parametrize(
    ("ours", "service", "word", "blocked", "read"),
    [
        ("24365", False, "STOP", False, None),
        ("24365", False, "HELP", False, None),
        ("24365", True, "STOP", False, "STOP"),
        ("+18005550100", False, "stop", False, "STOP"),
        ("+18005550100", False, "yes", True, None),
        ("+18005550100", False, "UNSTOP", True, "START"),
        (OURS, False, "yes", True, "START"),
    ],
)
def test_what_the_carrier_does_depends_on_the_number(ours, service, word, blocked, read):
    assert carrier_words.read(word, blocked, ours, service) == read


def test_help_answers(sim):
    sim.text("info")
    assert [text["by"] for text in sim.get(f"/phones/{SAM}.json")["texts"]] == ["phone", "carrier"]
    assert sim.heard.forms("/sms/inbound")[0]["OptOutType"] == "HELP"


def test_a_failed_hook_is_repeated_once_then_falls_back(sim):
    sim.heard.statuses = [503, 500]
    answer = sim.text("hi")
    assert [path for _, path, _, _ in sim.heard.requests] == ["/sms/inbound", "/sms/inbound", "/fallback"]
    assert (answer["status"], answer["hook"]["to"]) == (200, "fallback")
    url, _, form, headers = sim.heard.requests[2]
    assert RequestValidator(TOKEN).validate(url, form, headers["X-Twilio-Signature"])


def test_a_refused_hook_falls_back_at_once(sim):
    sim.heard.statuses = [403]
    sim.text("hi")
    assert [path for _, path, _, _ in sim.heard.requests] == ["/sms/inbound", "/fallback"]


def test_status_callbacks_are_signed_and_in_order(sim):
    message = sim.send(status_callback=f"{sim.critter}/sms/status/abc?x=1")
    forms = soon(lambda: len(found := sim.heard.forms("/sms/status")) == 2 and found)
    assert [form["MessageStatus"] for form in forms] == [form["SmsStatus"] for form in forms] == ["sent", "delivered"]
    assert all(form["MessageSid"] == form["SmsSid"] == message.sid for form in forms)
    assert (forms[0]["To"], forms[0]["From"], forms[0]["AccountSid"]) == (SAM, OURS, ACCOUNT)
    assert len(forms[1]["RawDlrDoneDate"]) == 10
    for url, _, form, headers in sim.heard.requests:
        assert RequestValidator(TOKEN).validate(url, form, headers["X-Twilio-Signature"])
    lines = soon(lambda: len(found := sim.ledger("callback")) == 2 and found)
    assert [(line["callback"], line["told"], line["status"]) for line in lines] == [
        ("/sms/status/abc", "sent", 200),
        ("/sms/status/abc", "delivered", 200),
    ]


def test_nothing_outside_this_machine_is_called(sim):
    sim.send(status_callback="https://critter.example/sms/status/abc")
    lines = soon(lambda: len(found := sim.ledger("callback")) == 2 and found)
    assert {line["reason"] for line in lines} == {"not on this machine"}


def test_a_public_url_is_signed_but_called_here():
    with (
        simulation() as far,
        simulation(webhook_url="https://critter.example/sms/inbound?a=%20b", connect=far.critter) as sim,
    ):
        sim.text("hi")
        url, path, form, headers = far.heard.requests[0]
        assert path == "/sms/inbound"
        assert url.endswith("?a=%20b")
        assert RequestValidator(TOKEN).validate(
            "https://critter.example/sms/inbound?a=%20b", form, headers["X-Twilio-Signature"]
        )


def test_a_fallback_on_this_machine_keeps_its_port():
    with simulation() as primary, simulation(connect=primary.critter, hook_retry_after=0.01) as sim:
        sim.heard.statuses = [500, 500]
        sim.text("hi")
        assert [path for _, path, _, _ in sim.heard.requests] == ["/sms/inbound", "/sms/inbound", "/fallback"]
        assert primary.heard.requests == []


def test_a_messaging_service_blocks_all_its_numbers():
    with simulation(messaging_service_sid=SERVICE, callbacks=False) as sim:
        sim.text("stop")
        assert sim.heard.forms("/sms/inbound")[0]["MessagingServiceSid"] == SERVICE
        assert sim.get(f"/phones/{SAM}.json")["blocked"] == [OURS, SECOND]
        sim.send(to=KIM, status_callback=f"{sim.critter}/sms/status/abc")
        soon(lambda: sim.get(f"/phones/{KIM}.json")["texts"][0]["status"] == "delivered")
        assert sim.heard.forms("/sms/status") == []
