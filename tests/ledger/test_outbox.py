"""The outbox against the real PostgreSQL: claims, lanes, tags, settling, expiring, calling back."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.ledger.commit import backoff
from gateway.ledger.outbox import claims, due_work, in_doubt, outbox, settlements
from gateway.ledger.outbox.claims import ClaimedDelivery
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.ledger.outbox.settlements import Settlement
from gateway.network.posts import posts
from gateway.store.database import transaction
from gateway.store.tables import Post
from tests.support.delivering import begin, change, follow, person, post, rows, states

LEASE = timedelta(seconds=20)
LOOK = timedelta(seconds=2)


@pytest.fixture
def kim(engine: Engine) -> int:
    return person(engine, "kim", phone="+14155550101")[0]


@pytest.fixture
def phones(engine: Engine) -> list[Target]:
    return [Target(person(engine, f"p{n}", phone=f"+1415555{200 + n:04}")[1], "sms") for n in range(5)]


@pytest.fixture
def mailbox(engine: Engine) -> Target:
    return Target(person(engine, "mia", mailbox="mia@demo.example")[1], "email")


def claim(engine: Engine, channel: str = "sms", limit: int = 100, owner: str = "one") -> list[ClaimedDelivery]:
    with transaction(engine) as session:
        claimed = claims.claim(session, channel, owner, LEASE, limit)
        return begin(session, claimed) if channel == "sms" else claimed


def settle(engine: Engine, *settlement: Settlement) -> None:
    with transaction(engine) as session:
        settlements.settle(session, settlement)


def expire(engine: Engine) -> settlements.Expired:
    change(engine, "UPDATE deliveries SET lease_until = now() - interval '1 second' WHERE state = 'sending'")
    with transaction(engine) as session:
        return settlements.expire(session, LOOK)


def test_put_queues_one_row_for_each_address(engine, kim, phones):
    with transaction(engine) as session:
        outbox.put(session, Outgoing("notice", "hello", "hello", "hello"), [*phones, phones[0]])
    found = rows(engine)
    assert [row.address_id for row in found] == sorted(target.address_id for target in phones)
    assert {row.state for row in found} == {"queued"}
    assert {row.give_up_at - row.created_at for row in found} == {timedelta(hours=4)}


def test_mail_is_tried_for_two_days_and_a_delay_counts_from_its_end(engine, mailbox):
    with transaction(engine) as session:
        outbox.put(session, Outgoing("notice", "a", "b", "c"), [mailbox], not_before=timedelta(hours=1))
    row = rows(engine)[0]
    assert row.give_up_at - row.not_before == timedelta(days=2)
    assert claim(engine, "email") == []


def test_a_claim_is_an_attempt_with_a_lease(engine, kim, phones):
    post(engine, kim, "hello", phones)
    claimed = claim(engine, limit=3)
    assert len(claimed) == 3
    assert len({one.attempt_id for one in claimed}) == 3
    assert {row.state for row in rows(engine)} == {"sending", "queued"}
    tries = rows(engine, "SELECT id, number, state FROM attempts")
    assert {(row.id, row.number, row.state) for row in tries} == {(one.attempt_id, 1, "sending") for one in claimed}


def test_one_row_of_a_lane_is_on_the_road_at_a_time(engine, kim, phones):
    first, second = (post(engine, kim, words, phones[:1]) for words in ("one", "two"))
    assert [one.message_id for one in claim(engine)] == [first]
    assert claim(engine) == []
    change(engine, "UPDATE deliveries SET state = 'sent', ended_at = now() WHERE state = 'sending'")
    assert [one.message_id for one in claim(engine)] == [second]


def test_lanes_of_other_authors_and_phones_go_on(engine, kim, phones):
    bob = person(engine, "bob", phone="+14155550102")[0]
    post(engine, kim, "one", phones[:1])
    assert len(claim(engine)) == 1
    post(engine, kim, "two", phones[:2])
    post(engine, bob, "three", phones[:1])
    assert len(claim(engine)) == 2


def test_the_urgent_goes_first(engine, kim, phones):
    post(engine, kim, "an update", phones[:1])
    with transaction(engine) as session:
        code = outbox.put(session, Outgoing("code", "123456", "", "", priority=0), phones[1:2])
    assert claim(engine, limit=1)[0].message_id == code


def test_two_workers_never_claim_the_same_row(engine, kim, phones):
    many = [Target(person(engine, f"q{n}", phone=f"+1415556{n:04}")[1], "sms") for n in range(60)]
    post(engine, kim, "hello", many)
    taken: list[ClaimedDelivery] = []

    def work(owner: str) -> None:
        while found := claim(engine, limit=7, owner=owner):
            taken.extend(found)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len({one.key for one in taken}) == 60


def test_a_tag_is_given_when_another_item_went_there(engine, kim, phones):
    for words in ("one", "two", "three"):
        post(engine, kim, words, phones[:1])
    tags = []
    while found := claim(engine):
        tags.append(found[0].tag)
        settle(engine, Settlement(found[0], "sent"))
    assert tags == [None, "k1", "k2"]


def test_items_of_one_claim_are_told_apart(engine, kim, phones):
    bob = person(engine, "bob", phone="+14155550102")[0]
    post(engine, kim, "one", phones[:1])
    post(engine, bob, "two", phones[:1])
    assert [one.tag for one in claim(engine)] == [None, "b1"]


def test_answers_have_no_tag(engine, kim, phones):
    post(engine, kim, "one", phones[:1])
    with transaction(engine) as session:
        outbox.put(session, Outgoing("notice", "ok", "ok", "ok", priority=2), phones[:1])
    assert {one.tag for one in claim(engine)} == {None}


def test_sent_is_an_end(engine, kim, phones):
    post(engine, kim, "hello", phones[:1])
    settle(engine, Settlement(claim(engine)[0], "sent", "SM1", segments=2))
    row = rows(engine)[0]
    assert (row.state, row.segments, row.lease_owner) == ("sent", 2, None)
    assert row.sent_at
    assert row.ended_at
    assert [tuple(one) for one in rows(engine, "SELECT state, carrier_id FROM attempts")] == [("sent", "SM1")]


def test_a_retry_waits_and_counts(engine, kim, phones):
    post(engine, kim, "hello", phones[:1])
    settle(engine, Settlement(claim(engine)[0], "retry", reason="refused", wait=timedelta(minutes=5)))
    assert claim(engine) == []
    change(engine, "UPDATE deliveries SET not_before = now()")
    assert [one.number for one in claim(engine)] == [2]


def test_a_retry_beyond_its_time_has_failed(engine, kim, phones):
    post(engine, kim, "hello", phones[:1])
    settle(engine, Settlement(claim(engine)[0], "retry", reason="refused", wait=timedelta(hours=5)))
    row = rows(engine)[0]
    assert (row.state, row.reason) == ("failed", "gave_up")
    assert row.ended_at


def test_a_late_worker_is_refused(engine, kim, phones):
    post(engine, kim, "hello", phones[:1])
    late = claim(engine)[0]
    expire(engine)
    with transaction(engine) as session:
        in_doubt.record_absent(session, [late.attempt_id])
    with transaction(engine) as session:
        again = claims.claim(session, "sms", "two", LEASE, 1)[0]
    settle(engine, Settlement(late, "failed", reason="30007"))
    assert states(engine) == ["sending"]
    settle(engine, Settlement(again, "sent", "SM2"))
    assert states(engine) == ["sent"]


def test_a_late_sent_keeps_a_mail_from_going_twice(engine, kim, mailbox):
    post(engine, kim, "hello", [mailbox])
    late = claim(engine, "email")[0]
    expire(engine)
    assert states(engine) == ["retry"]
    settle(engine, Settlement(late, "sent", "queued as 1"))
    assert states(engine) == ["sent"]
    assert rows(engine)[0].ended_at


def test_a_lost_worker_leaves_texts_in_doubt_and_mails_to_go_again(engine, kim, phones, mailbox):
    post(engine, kim, "hello", [phones[0], mailbox])
    claim(engine)
    claim(engine, "email")
    assert expire(engine).channels == {"sms", "email"}
    assert {(row.channel, row.state, row.possible_duplicate) for row in rows(engine)} == {
        ("sms", "unknown", False),
        ("email", "retry", True),
    }


def test_the_third_lost_worker_sets_a_row_aside(engine, kim, mailbox):
    post(engine, kim, "hello", [mailbox])
    claim(engine, "email")
    assert expire(engine).quarantined == ()
    assert len(claim(engine, "email")) == 1
    assert expire(engine).quarantined == ()
    assert claim(engine, "email") == []  # now it goes alone
    with transaction(engine) as session:
        assert len(claims.claim_suspect(session, "email", "one", LEASE)) == 1
    aside = expire(engine).quarantined
    row = rows(engine)[0]
    assert aside == ((row.message_id, row.address_id),)
    assert (row.state, row.reason) == ("failed", "quarantined")


def test_a_lease_is_kept_while_its_worker_lives(engine, kim, phones):
    post(engine, kim, "hello", phones[:1])
    claim(engine)
    before = rows(engine)[0].lease_until
    with transaction(engine) as session:
        claims.renew(session, "one", LEASE)
    assert rows(engine)[0].lease_until > before
    expire(engine)
    with transaction(engine) as session:
        claims.renew(session, "one", LEASE)
    assert rows(engine)[0].lease_until is None


def test_what_did_not_leave_is_given_back_as_it_was(engine, kim, phones):
    post(engine, kim, "hello", phones[:2])
    with transaction(engine) as session:
        claims.release(session, claims.claim(session, "sms", "one", LEASE, 9), timedelta(0))
    assert {(row.state, row.attempt) for row in rows(engine)} == {("queued", 0)}
    assert rows(engine, "SELECT * FROM attempts") == []
    assert len(claim(engine)) == 2


def test_a_mail_has_its_attempt_when_it_ended(engine, kim, mailbox):
    post(engine, kim, "hello", [mailbox])
    claimed = claim(engine, "email")[0]
    assert rows(engine, "SELECT * FROM attempts") == []
    settle(engine, Settlement(claimed, "sent", "queued as 1"))
    tried = rows(engine, "SELECT *, now() - started_at AS age FROM attempts")[0]
    assert (tried.id, tried.number, tried.state, tried.carrier_id) == (claimed.attempt_id, 1, "sent", "queued as 1")
    assert timedelta(0) <= tried.age < timedelta(seconds=30)


def test_what_was_never_tried_in_its_time_has_failed(engine, kim, phones):
    post(engine, kim, "hello", phones[:1])
    change(engine, "UPDATE deliveries SET give_up_at = now()")
    with transaction(engine) as session:
        assert settlements.give_up(session) == 1
        assert settlements.give_up(session) == 0
    row = rows(engine)[0]
    assert (row.state, row.reason) == ("failed", "gave_up")
    assert row.ended_at


def test_a_refused_row_ends_without_an_attempt(engine, kim, phones):
    post(engine, kim, "hello", phones[:2])
    with transaction(engine) as session:
        first, second = claims.claim(session, "sms", "one", LEASE, 9)
        claims.cancel(session, [first, second], {first.key: "opted_out", second.key: "gave_up"})
    assert [(row.state, row.reason) for row in rows(engine)] == [("cancelled", "opted_out"), ("failed", "gave_up")]
    assert rows(engine, "SELECT * FROM attempts") == []


def test_undo_calls_back_what_has_not_left(engine, kim, phones):
    post(engine, kim, "hello", phones)
    settle(engine, Settlement(claim(engine, limit=1)[0], "sent"))
    claim(engine, limit=1)
    carried = rows(engine, "SELECT post_id FROM messages")[0].post_id
    with transaction(engine) as session:
        assert posts.retract(session, session.get_one(Post, carried)) == (3, 2)
    assert sorted(states(engine)) == ["cancelled"] * 3 + ["sending", "sent"]
    assert [row.reason for row in rows(engine) if row.state == "cancelled"] == ["retracted"] * 3


def test_the_clock_sees_what_is_due_and_what_will_be(engine, kim, phones, mailbox):
    with transaction(engine) as session:
        assert due_work.look(session) == due_work.DueWork(frozenset(), None)
        outbox.put(session, Outgoing("notice", "a", "b", "c"), [mailbox], not_before=timedelta(seconds=40))
    post(engine, kim, "hello", phones[:1])
    with transaction(engine) as session:
        found = due_work.look(session)
    assert found.drains == {"sms"}
    assert found.next_in
    assert 30 < found.next_in.total_seconds() <= 40
    claim(engine)
    expire(engine)
    change(engine, "UPDATE deliveries SET not_before = now() WHERE state = 'unknown'")
    with transaction(engine) as session:
        assert due_work.look(session).drains == {"reconcile"}


def test_contents_know_the_thread(engine, kim, phones):
    post(engine, kim, "hello", phones[:1])
    more = "INSERT INTO posts (id, author_id, in_reply_to, visibility, text, via)"
    change(engine, f"{more} VALUES (1, {kim}, NULL, 'company', '', ''), (2, {kim}, 1, 'company', '', '')")
    change(engine, "UPDATE posts SET in_reply_to = 2 WHERE id > 2")
    claimed = claim(engine)[0]
    with transaction(engine) as session:
        content = claims.contents(session, [claimed.message_id])[claimed.message_id]
    assert (content.author, content.parents, content.private) == ("kim", (1, 2), False)


def numbers() -> Iterator[int]:
    yield from range(1, 10)


def test_the_schedule_is_the_published_one():
    whole = [backoff.next_wait(number, 1.0) for number in numbers()]
    assert whole == [timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 60, 60, 60, 60)]
    assert {backoff.next_wait(number, 0.0) for number in numbers()} == {timedelta(0)}
    assert backoff.busy_wait(0.0) == timedelta(seconds=0.5)
    half_hour = timedelta(minutes=30)
    assert [backoff.unreached_wait(earlier, 0.0) for earlier in range(2)] == [half_hour, 2 * half_hour]
    assert backoff.unreached_wait(0, 1.0) + backoff.unreached_wait(1, 1.0) < timedelta(hours=4)


def test_a_follow_is_named_with_the_row_that_it_brings(engine, kim, phones):
    reader, address = person(engine, "rae", phone="+14155550999")
    follow(engine, reader, kim)
    post(engine, kim, "hello", [Target(address, "sms", source_id=kim)])
    assert [(one.source_id, one.source) for one in claim(engine)] == [(kim, "kim")]
