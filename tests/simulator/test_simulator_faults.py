"""Each fault switch, once, and what a wrong switch is told."""

import json
import time

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from simulator.faults import FAULTS, Faults
from tests.support.simulation import ACCOUNT, KIM, OURS, SAM, TOKEN, simulation, soon


@pytest.fixture(scope="module")
def started():
    with simulation() as running:
        yield running


@pytest.fixture
def sim(started):
    started.reset()
    return started


def post(sim, to=SAM):
    with requests.Session() as session:
        return session.post(
            f"{sim.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
            auth=(ACCOUNT, TOKEN),
            data={"To": to, "From": OURS, "Body": "hello"},
            timeout=5,
        )


def delivered(sim):
    return len(sim.get(f"/phones/{SAM}.json")["texts"])


def statuses(sim, count):
    """What the status callbacks of one text told, in the order they came."""
    sim.send(status_callback=f"{sim.critter}/sms/status/abc")
    soon(lambda: len(sim.ledger("callback")) >= count)
    return [form["MessageStatus"] for form in sim.heard.forms("/sms/status")]


def test_delay(sim):
    sim.faults({"fault": "delay", "seconds": 0.2, "times": 1})
    began = time.monotonic()
    assert post(sim).status_code == 201
    assert time.monotonic() - began >= 0.2


def test_delay_after_lets_callbacks_overtake_the_answer(sim):
    sim.faults({"fault": "delay", "seconds": 0.3, "after": True})
    sim.send(status_callback=f"{sim.critter}/sms/status/abc")
    assert len(sim.heard.forms("/sms/status")) == 2


def test_too_many_requests(sim):
    sim.faults({"fault": "429", "retry_after": 7})
    answer = post(sim)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (429, 20429, "7")
    assert delivered(sim) == 0


def test_too_many_above_a_rate(sim):
    sim.faults({"fault": "429", "above": 5})
    assert 201 in {post(sim).status_code for _ in range(3)}
    codes = [post(sim).status_code for _ in range(15)]
    assert set(codes) == {201, 429}


@pytest.mark.parametrize("name", ["500", "503"])
def test_server_errors(sim, name):
    sim.faults({"fault": name, "times": 1}, {"fault": name, "accepted": True})
    assert [post(sim).status_code for _ in range(2)] == [int(name)] * 2
    assert delivered(sim) == 1
    assert [(line["accepted"], line["status"], line["fault"]) for line in sim.ledger("create")] == [
        (False, int(name), name),
        (True, int(name), name),
    ]


def test_refuse(sim):
    sim.faults({"fault": "refuse", "code": 21408})
    with pytest.raises(TwilioRestException) as raised:
        sim.send()
    assert (raised.value.status, raised.value.code) == (400, 21408)


@pytest.mark.parametrize(("name", "reached"), [("accept-then-cut", 1), ("cut-before", 0)])
def test_cut_answers(sim, name, reached):
    sim.faults({"fault": name})
    with pytest.raises(requests.ConnectionError):
        post(sim)
    assert delivered(sim) == reached
    assert sim.ledger("create")[0]["status"] == "cut"


def test_half_a_body(sim):
    sim.faults({"fault": "half-body"})
    with pytest.raises(requests.RequestException):
        post(sim)
    assert delivered(sim) == 1


def test_garbage(sim):
    sim.faults({"fault": "garbage", "text": '{"sid": 42'})
    assert post(sim).text == '{"sid": 42'
    assert delivered(sim) == 1


def test_faults_of_lists(sim):
    sim.faults({"fault": "503", "on": "list", "times": 1})
    assert sim.send().sid
    url = f"{sim.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert [requests.get(url, auth=(ACCOUNT, TOKEN), timeout=5).status_code for _ in range(2)] == [503, 200]


def test_lost_web_hook_is_in_the_list(sim):
    sim.faults({"fault": "webhook-drop"})
    answer = sim.text("hi")
    assert (answer["status"], answer["hook"]["to"]) == (None, "dropped")
    assert sim.heard.requests == []
    assert sim.twilio.messages.list(to=OURS)[0].sid == answer["sid"]


@pytest.mark.parametrize("together", [False, True])
def test_repeated_web_hook(sim, together):
    sim.faults({"fault": "webhook-repeat", "n": 3, "together": together})
    sim.text("hi")
    assert len({form["MessageSid"] for form in sim.heard.forms("/sms/inbound")}) == 1
    assert len(sim.heard.requests) == 4


def test_late_web_hook(sim):
    sim.faults({"fault": "webhook-delay", "seconds": 0.2})
    began = time.monotonic()
    sim.text("hi")
    assert time.monotonic() - began >= 0.2
    sim.text("not waited for", wait="no")
    assert len(sim.heard.requests) == 1
    soon(lambda: len(sim.heard.requests) == 2)


def test_lost_callback(sim):
    sim.faults({"fault": "callback-drop", "status": "sent"})
    assert statuses(sim, 2) == ["delivered"]


def test_doubled_callbacks(sim):
    sim.faults({"fault": "callback-double"})
    assert statuses(sim, 4) == ["sent", "sent", "delivered", "delivered"]


def test_reversed_callbacks(sim):
    sim.faults({"fault": "callback-reverse"})
    assert statuses(sim, 2) == ["delivered", "sent"]


@pytest.mark.parametrize(("status", "told"), [("undelivered", ["sent", "undelivered"]), ("failed", ["failed"])])
def test_failed_status(sim, status, told):
    sim.faults({"fault": "status-failed", "code": 30008, "status": status})
    assert statuses(sim, len(told)) == told
    assert sim.heard.forms("/sms/status")[-1]["ErrorCode"] == "30008"
    message = sim.twilio.messages.list(to=SAM)[0]
    assert (message.status, message.error_code, message.error_message) == (status, 30008, "Unknown error")


def test_every_times_and_for(sim):
    sim.faults({"fault": "500", "every": 2, "times": 2, "for": SAM})
    assert [post(sim).status_code for _ in range(6)] == [201, 500, 201, 500, 201, 201]
    sim.faults({"fault": "500", "for": "*0002"})
    assert [post(sim, to).status_code for to in (SAM, KIM)] == [201, 500]
    assert sim.get("/faults")[0]["hits"] == 1
    assert requests.delete(f"{sim.url}/faults", timeout=5).json() == []
    assert post(sim, KIM).status_code == 201


def test_the_same_dice_every_time():
    faults = Faults(seed=7)
    runs = []
    for _ in range(2):
        faults.set([{"fault": "500", "share": 0.3}])
        runs.append([bool(faults.strike_rest("create", SAM)) for _ in range(200)])
    assert runs[0] == runs[1]
    assert 30 < sum(runs[0]) < 90


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"fault": "delay"}, "list"),
        ([1], "must be one of"),
        ([{"fault": "rain"}], "must be one of"),
        ([{"fault": "delay", "share": 2}], "'share'"),
        ([{"fault": "delay", "share": True}], "'share'"),
        ([{"fault": "delay", "share": 0.5, "every": 2}], "not both"),
        ([{"fault": "delay", "every": 0}], "'every'"),
        ([{"fault": "delay", "times": 1.5}], "'times'"),
        ([{"fault": "delay", "for": 5}], "'for'"),
        ([{"fault": "delay", "second": 1}], "no parameter 'second'; it has: on, seconds"),
        ([{"fault": "delay", "seconds": "long"}], "'seconds' must be a number"),
        ([{"fault": "delay", "seconds": -1}], "negative"),
        ([{"fault": "delay", "on": "monday"}], "'on' must be one of"),
        ([{"fault": "status-failed", "status": "sent"}], "'status' must be one of"),
        ([{"fault": "smtp-4xx", "code": 550}], "between 400 and 499"),
        ([{"fault": "smtp-5xx", "text": "two\r\nlines"}], "one line"),
        ([{"fault": "smtp-5xx", "at": "noon"}], "'at' must be one of"),
    ],
)
def test_wrong_switches(sim, wanted, told):
    before = sim.faults({"fault": "500"})
    answer = requests.put(f"{sim.url}/faults", json=wanted, timeout=5)
    assert answer.status_code == 400
    assert told in answer.json()["error"]
    assert sim.get("/faults") == before


def test_what_is_shown_can_be_put_back(sim):
    shown = sim.faults(*({"fault": name} for name in FAULTS))
    assert [fault["fault"] for fault in shown] == list(FAULTS)
    assert sim.faults(*shown) == shown
    assert requests.put(f"{sim.url}/faults", data="{", timeout=5).status_code == 400
    json.dumps(shown)
