"""Texts about which nothing is unusual are claimed, charged and settled in a shorter way: with the same rows in the
end, and never when anything is unusual."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from gateway.carriers.common.protocol import Outcome
from gateway.ledger.outbox.outbox import Target
from gateway.settings import Settings
from gateway.store.database import connect, transaction
from tests.support.databases import Kept
from tests.support.delivering import Carrier, change, open_context, people, person, post, rows
from workers import deliver
from workers.runtime.context import WorkerContext, enter
from workers.sending.delivery_store import DeliveryStore
from workers.sending.text_fast_path import UsualTexts

KEY = "a secret that all tests have in common"
FOUND = (
    """SELECT a.address, d.state, d.reason, d.attempt, d.segments, d.tag, d.sender_id, d.introduces, d.lease_owner,
              d.sent_at IS NULL, d.ended_at IS NULL FROM deliveries d JOIN addresses a ON a.id = d.address_id
       ORDER BY d.message_id, a.address""",
    """SELECT a.address, t.number, t.state, t.carrier_id IS NULL, t.reason, length(t.body_hash), t.ended_at IS NULL
       FROM attempts t JOIN addresses a ON a.id = t.address_id ORDER BY t.message_id, a.address""",
    "SELECT scope, used, allowed, exhausted_at IS NULL FROM budgets ORDER BY scope, used",
    "SELECT parts, micros, country, reader_id, reader_day, count(*) FROM charges GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2",
    "SELECT sum(parts) FROM hours",
    "SELECT count(*), NULL FROM remainders",
    "SELECT count(*), NULL FROM held",
)


class Texts:
    """A worker that sends texts from one database; `ways`: how each of its claims was made."""

    def __init__(self, settings: Settings, engine: Engine, url: str) -> None:
        self.engine, self.carrier, self.ways = engine, Carrier("sms"), []
        self.context: WorkerContext = open_context(settings, self.carrier)
        self.context.engine = connect(url, by_key=True)

    def drain(self) -> None:
        enter(self.context)
        deliver._texts.cache_clear()
        deliver.drain_sms()
        enter(None)

    def found(self) -> list[list[tuple[Any, ...]]]:
        return [[tuple(row) for row in rows(self.engine, each)] for each in FOUND]


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How each claim that found anything was made."""
    made: list[str] = []
    usual, general = UsualTexts.claim, DeliveryStore._claim_any

    def watched_usual(self: Any, limit: int) -> Any:
        batch = usual(self, limit)
        made.extend(["usual"] if batch else [])
        return batch

    def watched_general(self: Any, limit: int, suspects: bool) -> Any:
        batch = general(self, limit, suspects)
        made.extend(["general"] if batch.claimed else ["suspects"] if suspects else ["nothing"])
        return batch

    monkeypatch.setattr(UsualTexts, "claim", watched_usual)
    monkeypatch.setattr(DeliveryStore, "_claim_any", watched_general)
    return made


@pytest.fixture
def usual(engine: Engine, settings: Settings, database: str) -> Iterator[Texts]:
    made = Texts(settings, engine, database)
    yield made
    made.context.close()


@pytest.fixture
def general(databases: Kept, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Texts]:
    """The same in a database of its own, where every claim and every settlement is made in the general way."""
    with databases.lent() as url:
        engine = databases.connect(url, keys=(KEY,))
        made = Texts(settings, engine, url)
        claim, settle = UsualTexts.claim, UsualTexts.settle
        monkeypatch.setattr(
            UsualTexts, "claim", lambda self, limit: None if self._context is made.context else claim(self, limit)
        )
        monkeypatch.setattr(
            UsualTexts, "settle", lambda self, some: None if self._context is made.context else settle(self, some)
        )
        yield made
        made.context.close()
        engine.dispose()


def number_phones(texts: Texts) -> None:
    """The first claim gives each phone its number, which is no usual thing."""
    texts.drain()
    change(texts.engine, "UPDATE addresses SET sender_id = (SELECT min(id) FROM senders) WHERE channel = 'sms'")


SAID = ("hello", "é" * 80, "x" * 200, "hello", "👍")
CHANGES = {
    "nothing": "SELECT 1",
    "somebody opted out": "UPDATE addresses SET state = 'stopped', stopped_at = now() WHERE address = '+14155560001'",
    "somebody is new": "UPDATE addresses SET introduced_at = NULL WHERE address = '+14155560001'",
    "a budget is full": """INSERT INTO budgets (day, scope, subject, used, allowed)
                           VALUES ((now() AT TIME ZONE 'UTC')::date, 'company_day', '', 10000000, 1)""",
    "updates wait": "INSERT INTO breaker (tripped_at, parts, usual) VALUES (now(), 1, 1)",
    "a post is gone": "UPDATE posts SET deleted_at = now() WHERE text = 'hello'",
    "a number is paused": "UPDATE senders SET paused_until = now() + interval '1 hour'",
    "abroad": "UPDATE addresses SET address = '+491701234567' WHERE address = '+14155560002'",
    "a silence": """INSERT INTO silences (account_id, other_id, kind)
                    SELECT r.id, w.id, 'mute' FROM accounts r, accounts w WHERE r.handle = 'p0' AND w.handle = 'kim'""",
    "late": "UPDATE deliveries SET give_up_at = now() WHERE ended_at IS NULL",
}


@pytest.mark.parametrize("what", CHANGES)
def test_both_ways_leave_the_same(what: str, usual: Texts, general: Texts, claims: list[str]) -> None:
    for texts in (usual, general):
        kim = person(texts.engine, "kim", phone="+14155550101")[0]
        phones = [Target(address, "sms") for address in people(texts.engine, 4)]
        number_phones(texts)
        for words in SAID:
            post(texts.engine, kim, words, phones)
        change(texts.engine, CHANGES[what])
        del claims[:]
        texts.drain()
        if texts is usual:
            assert ("usual" in claims) or what != "nothing"
            assert ("general" not in claims) or what != "nothing"
    assert usual.found() == general.found()
    assert sorted(each.body for each in usual.carrier.taken) == sorted(each.body for each in general.carrier.taken)


def test_nothing_is_looked_for_twice(usual: Texts, claims: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.sending.send_loop.LOOK", 10.0)  # however slow the machine is just now
    monkeypatch.setattr("workers.sending.send_loop.SUSPECTS", 60.0)
    kim, phone = person(usual.engine, "kim", phone="+14155550101")[0], Target(people(usual.engine, 1)[0], "sms")
    number_phones(usual)
    enter(usual.context)
    try:
        deliver.drain_sms()  # looks for suspects, too
        del claims[:]
        post(usual.engine, kim, "hello", [phone])
        deliver.drain_sms()
    finally:
        enter(None)
    assert claims == ["usual"]
    assert [row.state for row in rows(usual.engine)] == ["sent"]


def test_the_next_of_a_lane_follows_at_once(usual: Texts, claims: list[str]) -> None:
    kim, phone = person(usual.engine, "kim", phone="+14155550101")[0], Target(people(usual.engine, 1)[0], "sms")
    number_phones(usual)
    for number in range(3):
        post(usual.engine, kim, f"number {number}", [phone])
    usual.drain()
    assert [each.body.partition(" (")[0] for each in usual.carrier.taken] == [f"number {number}" for number in range(3)]


@pytest.mark.parametrize("outcome", [Outcome("failed", reason="21211"), Outcome("unknown", reason="timeout")])
def test_other_outcomes_are_settled_in_the_general_way(outcome: Outcome, usual: Texts) -> None:
    kim = person(usual.engine, "kim", phone="+14155550101")[0]
    phones = [Target(address, "sms") for address in people(usual.engine, 2)]
    number_phones(usual)
    usual.carrier.answers = lambda parcel: outcome if parcel.recipient.endswith("1") else Outcome("sent", "SM1")
    post(usual.engine, kim, "hello", phones)
    usual.drain()
    assert sorted(row.state for row in rows(usual.engine)) == sorted(["sent", outcome.state])


def test_what_fails_in_the_short_way_goes_the_general_way(usual: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("a row that cannot be read")

    kim, phone = person(usual.engine, "kim", phone="+14155550101")[0], Target(people(usual.engine, 1)[0], "sms")
    number_phones(usual)
    monkeypatch.setattr("workers.sending.text_fast_path.claims.claimed_words", broken)
    post(usual.engine, kim, "hello", [phone])
    usual.drain()
    assert [(row.state, row.attempt) for row in rows(usual.engine)] == [("sent", 1)]
    with transaction(usual.engine) as session:
        assert session.scalar(text("SELECT count(*) FROM charges")) == 1
