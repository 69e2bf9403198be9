"""The real Kannel with its fakesmsc, set up by deploy/kannel.conf, between Critter and the phones."""

import time
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import pytest

from bench.company import Company, company
from bench.kannel import Kannel, missing
from gateway.carriers.kannel import check
from gateway.errors import Refused
from tests.support.ports import free_port

OURS, KIM = "+4915550100", "+4915550101"
PEOPLE = """
    WITH writer AS (
        INSERT INTO accounts (kind, handle, name) VALUES ('person', 'kim', 'Kim Lee') RETURNING id
    ), hearer AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 'p' || n, 'Person ' || n FROM generate_series(1, :count) n RETURNING id, handle
    ), own AS (
        INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
        SELECT id, 'sms', :kim, true, now() FROM writer
    ), phones AS (
        INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
        SELECT id, 'sms', '+49155512' || lpad(substr(handle, 2), 5, '0'), true, now() FROM hearer
    )
    INSERT INTO follows (follower_id, account_id, by_text) SELECT hearer.id, writer.id, true FROM hearer, writer
"""
OPEN = "SELECT count(*) FROM deliveries WHERE ended_at IS NULL AND state <> 'unknown'"
ENDS = "SELECT json_object_agg(address, d.state) FROM deliveries d JOIN addresses a ON a.id = d.address_id"


@pytest.fixture
def kannel() -> Iterator[Kannel]:
    if problem := missing():
        pytest.skip(problem)
    with Kannel(free_port()) as running:
        yield running


@pytest.fixture
def place(kannel: Kannel) -> Iterator[Company]:
    web = {"CRITTER_WEB_LISTEN": kannel.environ["KANNEL_CALLBACKS"].removeprefix("http://")}
    numbers = {"CRITTER_SMS_NUMBERS": f"{OURS}@kannel", "CRITTER_SMS_REGION": "DE"}
    processes = ("worker inbound", "worker fanout", "worker sms", "clock")
    with company(*processes, **kannel.environ, **numbers, **web) as made:
        yield made


def say(kannel: Kannel, words: str, count: int = 1) -> None:
    kannel.send(f"{KIM} {OURS} text {words}", count=count)


def heard(kannel: Kannel) -> dict[str, list[str]]:
    """What each phone got, by number, in the order it came."""
    phones: dict[str, list[str]] = {}
    for _, phone, what in kannel.received():
        phones.setdefault(phone, []).append(_words(what))
    return phones


def _words(what: str) -> str:
    kind, _, rest = what.partition(" ")
    return unquote_to_bytes(rest.replace("+", " ")).decode("utf-16-be") if kind == "ucs-2" else rest


def test_a_text_comes_in_goes_out_and_is_reported(kannel: Kannel, place: Company) -> None:
    """Words of GSM's alphabet and others, both ways; what reports say reaches the deliveries."""
    place.run(PEOPLE, kim=KIM, count=3)
    with place.process("web"):
        for words in ("off to lunch, back at 2", "Grüße aus Łódź, שלום 😀"):
            before = place.scalar("SELECT count(*) FROM inbound")
            say(kannel, words)
            place.wait(lambda before=before: place.scalar("SELECT count(*) FROM inbound") == before + 1)
            place.wait(
                lambda words=words: sum(any(words in each for each in got) for got in heard(kannel).values()) == 3
            )
        place.wait(lambda: not place.scalar("SELECT count(*) FROM deliveries WHERE state <> 'delivered'"))
    assert set(place.scalar("SELECT array_agg(DISTINCT sender) FROM inbound")) == {KIM}
    assert place.scalar("SELECT array_agg(text ORDER BY id) FROM inbound") == [
        "off to lunch, back at 2",
        "Grüße aus Łódź, שלום 😀",
    ]
    assert place.scalar("SELECT array_agg(DISTINCT carrier) FROM callbacks") == ["kannel"]
    assert {each for each, _, _ in kannel.received()} == {OURS}


def test_a_long_text_arrives_in_parts_and_whole(kannel: Kannel, place: Company) -> None:
    place.run(PEOPLE, kim=KIM, count=1)
    words = " ".join(f"word{number:02}" for number in range(28))
    with place.process("web"):
        say(kannel, words)
        place.wait(lambda: len(heard(kannel).get("+4915551200001", ())) == 2)
        place.wait(lambda: not place.scalar("SELECT count(*) FROM deliveries WHERE state <> 'delivered'"))
    parts = [what for _, phone, what in kannel.received() if phone == "+4915551200001"]
    assert all(part.startswith("udh %05%00%03") for part in parts)
    whole = "".join(part.partition(" data ")[2].replace("+", " ") for part in parts)
    assert words in whole


def test_the_doctor_knows_a_wrong_password(kannel: Kannel, place: Company) -> None:
    assert "takes our user" in check.user(place.settings)
    wrong = place.settings.model_copy(update={"kannel_password": "wrong"})
    with pytest.raises(Refused, match="KANNEL_PASSWORD"):
        check.user(wrong)
    elsewhere = place.settings.model_copy(update={"kannel_url": place.settings.kannel_url + "x"})
    with pytest.raises(Refused, match="KANNEL_URL"):
        check.user(elsewhere)


def test_what_comes_in_while_we_are_away_is_kept_by_kannel(kannel: Kannel, place: Company) -> None:
    """Nobody listens, then somebody does: smsbox tries until it is taken, and each is one row."""
    place.run(PEOPLE, kim=KIM, count=0)
    say(kannel, "hello", count=25)
    time.sleep(2)
    with place.process("web"):
        place.wait(lambda: place.scalar("SELECT count(*) FROM inbound") == 25, 30)
    assert place.scalar("SELECT count(DISTINCT message_id) FROM inbound") == 25


@pytest.mark.parametrize("victim", ["bearerbox", "smsbox"])
def test_a_kannel_that_is_killed_under_load_loses_nothing(kannel: Kannel, place: Company, victim: str) -> None:
    """Every text that we call sent arrived, what waits leaves afterwards, and what is in doubt says so."""
    count = 1500
    place.run(PEOPLE, kim=KIM, count=count)
    with place.process("web"):
        say(kannel, "off to lunch")
        place.wait(lambda: len(kannel.received()) > count / 5)
        kannel.kill(victim)
        time.sleep(1)
        at_kill = len(kannel.received())
        if victim == "bearerbox":
            kannel.kill("smsbox")  # it would wait ten seconds before it looks for a new one
            kannel.kill("fakesmsc")
        for name in ("bearerbox", "fakesmsc", "smsbox"):
            if victim == "bearerbox" or name == "smsbox":
                kannel.start(name)
        place.wait(lambda: not place.scalar(OPEN), 60)
        time.sleep(3)  # reports that are still on their way
    got = Counter({phone: len(each) for phone, each in heard(kannel).items()})
    ended = place.scalar(ENDS)
    states = Counter(ended.values())
    print(f"\n{victim} killed after {at_kill}: {dict(states)}; heard twice: {sum(n > 1 for n in got.values())}")
    assert at_kill < count == len(ended), "it was killed after all was done"
    assert {phone for phone, state in ended.items() if phone not in got and state != "unknown"} == set()
    assert states["unknown"] <= 64  # no more than were on the road
