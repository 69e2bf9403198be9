"""What a carrier had in hand for too long is decided again before it leaves: what changed meanwhile counts (R65)."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.carriers.common.protocol import OutboundEmail, Outcome, Text
from gateway.carriers.common.send_gate import OPEN, Gate, may_leave
from gateway.ledger.money import charges
from gateway.ledger.outbox import settlements
from gateway.ledger.outbox.outbox import Target
from gateway.network.posts import posts
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Post
from tests.support.delivering import Carrier, change, follow, open_context, people, person, post, rows, states
from workers import deliver
from workers.runtime.context import WorkerContext, enter
from workers.sending import send_decisions, send_loop

FRESH = 0.4  # seconds that a decision is good for, here


class Slow(Carrier):
    """Has its parcels in hand until `go` is set, and begins each only after the last look, as real carriers do."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self.handed_over = threading.Event()
        self.go = threading.Event()

    async def send(
        self,
        batch: Sequence[Text | OutboundEmail],
        settled: Callable[[Text | OutboundEmail, Outcome], None],
        gate: Gate = OPEN,
    ) -> None:
        self.handed_over.set()
        await asyncio.to_thread(self.go.wait, 20)
        for parcel in batch:
            if await may_leave(gate, parcel):
                self.began.append(time.monotonic())
                self.taken.append(parcel)
                settled(parcel, self.answers(parcel))


@pytest.fixture
def texts() -> Slow:
    return Slow("sms")


@pytest.fixture
def emails() -> Slow:
    return Slow("email")


@pytest.fixture
def context(settings: Settings, texts: Slow, emails: Slow, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerContext]:
    for module in (send_decisions, send_loop):
        monkeypatch.setattr(module, "FRESH", FRESH)
    context = open_context(settings, texts, emails)
    change(context.engine, "INSERT INTO installation (mode) VALUES ('simulated')")
    enter(context)
    yield context
    enter(None)
    context.close()


@pytest.fixture
def kim(engine: Engine) -> int:
    return person(engine, "kim", phone="+14155550101")[0]


def reader(engine: Engine, kim: int, channel: str) -> int:
    """Someone who follows Kim on that channel; their address."""
    where = {"phone": "+14155550102"} if channel == "sms" else {"mailbox": "sam@demo.example"}
    account, address = person(engine, "sam", **where)
    follow(engine, account, kim)
    change(engine, f"UPDATE follows SET by_text = {channel == 'sms'}")
    return address


def while_in_hand(carrier: Slow, channel: str, happens: Callable[[], object]) -> None:
    """Drains; as soon as the carrier has it, something happens, and the carrier begins when the decision is stale."""
    drain = threading.Thread(target=deliver.drain_sms if channel == "sms" else deliver.drain_email)
    drain.start()
    assert carrier.handed_over.wait(10)
    happens()
    time.sleep(FRESH + 0.1)
    carrier.go.set()
    drain.join(20)
    assert not drain.is_alive()


CHANGES = {
    "opted out": ("UPDATE addresses SET state = 'stopped' WHERE account_id = {sam}", "opted_out"),
    "left": ("DELETE FROM follows", "left"),
    "switched off": ("UPDATE addresses SET receiving = false", "off"),
    "muted": ("INSERT INTO silences (account_id, other_id, kind) VALUES ({sam}, {kim}, 'mute')", "silenced"),
    "blocked": ("INSERT INTO silences (account_id, other_id, kind) VALUES ({kim}, {sam}, 'block')", "silenced"),
    "undone": ("UPDATE posts SET deleted_at = now()", "retracted"),
    "deactivated": ("UPDATE accounts SET state = 'deactivated' WHERE id = {sam}", "deactivated"),
    "author suspended": ("UPDATE accounts SET state = 'suspended' WHERE id = {kim}", "suspended"),
    "too late": ("UPDATE deliveries SET give_up_at = now()", "gave_up"),
}


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize(("statement", "reason"), CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changed_meanwhile_counts(context, engine, texts, emails, kim, channel, statement, reason):
    address = reader(engine, kim, channel)
    post(engine, kim, "hello", [Target(address, channel, kim)])
    sam = rows(engine, "SELECT id FROM accounts WHERE handle = 'sam'")[0].id
    carrier = texts if channel == "sms" else emails
    while_in_hand(carrier, channel, lambda: change(engine, statement.format(sam=sam, kim=kim)))
    row = rows(engine)[0]
    assert (carrier.taken, row.reason) == ([], reason)
    assert row.ended_at
    assert row.state in ("cancelled", "failed")
    assert rows(engine, "SELECT count(*) AS n FROM charges")[0].n == 0
    assert rows(engine, "SELECT coalesce(sum(used), 0) AS n FROM budgets")[0].n == 0
    assert rows(engine, "SELECT count(*) AS n FROM attempts")[0].n == 0


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_what_may_still_leave_leaves_once_and_costs_once(context, engine, texts, emails, kim, channel):
    post(engine, kim, "hello", [Target(reader(engine, kim, channel), channel, kim)])
    carrier = texts if channel == "sms" else emails
    while_in_hand(carrier, channel, lambda: None)
    assert len(carrier.taken) == 1
    assert states(engine) == ["sent"]
    assert rows(engine, "SELECT count(*) AS n FROM attempts")[0].n == 1
    if channel == "sms":
        day = rows(engine, "SELECT used FROM budgets WHERE scope = 'company_day'")[0].used
        assert day == rows(engine, "SELECT sum(parts) AS n FROM charges")[0].n == 1


def test_a_budget_that_was_used_up_meanwhile_keeps_it_back(context, engine, texts, kim):
    post(engine, kim, "hello", [Target(reader(engine, kim, "sms"), "sms", kim)])
    spend = f"UPDATE budgets SET used = {context.settings.daily_sms_budget} WHERE scope = 'company_day'"
    while_in_hand(texts, "sms", lambda: change(engine, spend))
    assert texts.taken == []
    assert [(row.state, row.reason) for row in rows(engine)] == [("cancelled", "budget")]


def test_a_carrier_that_was_paused_meanwhile_gets_nothing(context, engine, texts, emails, kim):
    post(engine, kim, "hello", [Target(reader(engine, kim, "email"), "email", kim)])
    pause = "UPDATE installation SET mail_paused_until = now() + interval '1 hour', mail_pause_reason = '535'"
    while_in_hand(emails, "email", lambda: change(engine, pause))
    assert emails.taken == []
    assert states(engine) == ["queued"]


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_worker_that_slept_past_its_lease_sends_nothing(context, engine, texts, emails, kim, channel):
    """Somebody else has the row by now: it is theirs to send, and ours does not touch it."""

    def lost() -> None:
        change(engine, "UPDATE deliveries SET lease_until = now() - interval '1 second'")
        with transaction(engine) as session:
            settlements.expire(session, timedelta(seconds=60))

    post(engine, kim, "hello", [Target(reader(engine, kim, channel), channel, kim)])
    carrier = texts if channel == "sms" else emails
    taken: list[int] = []

    def stolen() -> None:
        lost()
        change(
            engine,
            "UPDATE deliveries SET state = 'sending', attempt = attempt + 1, lease_owner = 'another',"
            " lease_until = now() + interval '1 hour', not_before = now()",
        )
        taken.append(rows(engine)[0].attempt)

    while_in_hand(carrier, channel, stolen)
    row = rows(engine)[0]
    assert carrier.taken == []
    assert (row.state, row.lease_owner, row.attempt) == ("sending", "another", taken[0])


def test_they_are_asked_about_together(context, engine, texts, kim, monkeypatch):
    """64 texts that a frozen worker had in hand: one transaction, not 64; and who opted out gets none."""
    change(engine, "UPDATE addresses SET introduced_at = now()")
    to = [Target(address, "sms") for address in people(engine, 40)]
    post(engine, kim, "hello", to)
    asked: list[int] = []
    refund = charges.refund

    def counted(session, attempts):
        asked.append(len(attempts))
        refund(session, attempts)

    monkeypatch.setattr(charges, "refund", counted)
    stop = "UPDATE addresses SET state = 'stopped' WHERE address LIKE '+14155560_1_'"
    while_in_hand(texts, "sms", lambda: (time.sleep(FRESH / 2), change(engine, stop)))
    while "queued" in states(engine):  # a machine that is busy claims them in more than one turn
        deliver.drain_sms()
    assert len(asked) <= 20  # on a busy machine they come to the gate in more groups, but never one by one
    stopped = {row.address for row in rows(engine, "SELECT address FROM addresses WHERE state = 'stopped'")}
    assert not stopped & {text.recipient for text in texts.taken}
    out = [row.reason for row in rows(engine) if row.state == "cancelled"]
    assert out == ["opted_out"] * 10
    assert len(texts.taken) == 30


def test_an_undo_finds_in_the_queue_what_cannot_begin_within_a_second(context, engine, emails, kim):
    """A relay that takes nothing: only few mails are in its hands, the others can still be called back."""
    with transaction(engine) as session:
        session.connection().exec_driver_sql(
            "WITH made AS (INSERT INTO accounts (kind, handle, name) SELECT 'person', 'm' || n, 'M' FROM"
            " generate_series(1, 600) n RETURNING id, handle) INSERT INTO addresses (account_id, channel, address,"
            " is_primary) SELECT id, 'email', handle || '@demo.example', true FROM made"
        )
    to = [Target(row.id, "email") for row in rows(engine, "SELECT id FROM addresses WHERE channel = 'email'")]
    post(engine, kim, "hello", to)
    gone: list[int] = []

    def undo() -> None:
        post_id = rows(engine, "SELECT id FROM posts")[0].id
        with transaction(engine) as session:
            gone.append(posts.retract(session, session.get_one(Post, post_id))[1])

    while_in_hand(emails, "email", undo)
    assert gone[0] <= deliver.MAILS_FIRST
    assert emails.taken == []
    assert set(states(engine)) == {"cancelled"}
