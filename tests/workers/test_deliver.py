"""The road from a due row to a settled one: real database, real loop, a carrier that does as it is told."""

import asyncio
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest
from sqlalchemy import Engine

from gateway.carriers.common.protocol import Outcome
from gateway.carriers.common.send_gate import OPEN
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.people import addresses
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Address, Post
from tests.support.delivering import Carrier, change, open_context, people, person, post, rows, states
from tests.support.stall_meter import StallMeter
from workers import deliver
from workers.runtime.context import WorkerContext, enter
from workers.sending import number_pool


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"public_url": "https://critter.example"})


@pytest.fixture
def texts() -> Carrier:
    return Carrier("sms")


@pytest.fixture
def emails() -> Carrier:
    return Carrier("email")


@pytest.fixture
def context(settings: Settings, texts: Carrier, emails: Carrier) -> Iterator[WorkerContext]:
    context = open_context(settings, texts, emails)
    enter(context)
    yield context
    enter(None)
    context.close()


@pytest.fixture
def kim(engine: Engine) -> int:
    return person(engine, "kim", phone="+14155550101")[0]


def phones(engine: Engine, count: int) -> list[Target]:
    return [Target(address, "sms") for address in people(engine, count)]


def mailbox(engine: Engine, source_id: int | None = None, handle: str = "mia") -> Target:
    return Target(person(engine, handle, mailbox=f"{handle}@demo.example")[1], "email", source_id)


def test_a_text_goes_out_once_and_is_settled(context, engine, texts, kim):
    post(engine, kim, "Kim Lee: hello", phones(engine, 3))
    deliver.drain_sms()
    assert [text.body for text in texts.taken] == ["Kim Lee: hello"] * 3
    assert states(engine) == ["sent"] * 3
    assert {row.segments for row in rows(engine)} == {1}
    deliver.drain_sms()
    assert len(texts.taken) == 3


def test_what_the_carrier_is_told(context, engine, settings, texts, kim):
    post(engine, kim, "hello", phones(engine, 1))
    deliver.drain_sms()
    text = texts.taken[0]
    assert (text.sender, text.recipient, text.validity) == (settings.sms_numbers[0], "+14155560000", 4 * 3600)
    start, token = text.callback.rsplit("/", 1)
    assert start == "https://critter.example/sms/status"
    assert Signer(settings.secret_keys).read("status", token) == (text.attempt,)


def test_one_author_is_heard_in_order(context, engine, texts, kim):
    to = phones(engine, 2)
    words = [f"number {n}" for n in range(12)]
    for each in words:
        post(engine, kim, each, to)
    while "queued" in states(engine):
        deliver.drain_sms()
    for phone in ("+14155560000", "+14155560001"):
        heard = [text.body.split(" (")[0] for text in texts.taken if text.recipient == phone]
        assert heard == words


def test_a_long_text_has_a_link_for_its_reader_and_the_rest_waits_for_more(context, engine, settings, texts, kim):
    post(engine, kim, "Kim Lee: " + "many words " * 60, phones(engine, 2))
    deliver.drain_sms()
    signer, row = Signer(settings.secret_keys), rows(engine, "SELECT post_id FROM messages")[0]
    for text, delivery in zip(sorted(texts.taken, key=lambda one: one.recipient), rows(engine), strict=True):
        link = text.body.rsplit(" ", 1)[1]
        assert link.startswith("https://critter.example/p/")
        assert signer.read("page", link.rsplit("/", 1)[1]) == (row.post_id, delivery.address_id)
        assert delivery.segments == 2
    kept = rows(engine, "SELECT text, posts FROM remainders")
    assert len(kept) == 2
    assert all("many words" in one.text and one.posts == [row.post_id] for one in kept)


def test_a_private_text_hangs_on_no_link(context, engine, texts, kim):
    message = post(engine, kim, "Kim Lee (private): " + "many words " * 60, phones(engine, 1), visibility="direct")
    change(
        engine,
        "INSERT INTO post_recipients SELECT m.post_id, a.account_id, a.account_id FROM messages m, addresses a,"
        f" deliveries d WHERE m.id = {message} AND d.message_id = m.id AND a.id = d.address_id",
    )
    deliver.drain_sms()
    assert texts.taken[0].body.endswith("... text MORE for the rest")


def token_of(mailbox: str, prefix: str) -> str:
    local = mailbox.split("@")[0]
    assert local.startswith(prefix)
    return local.removeprefix(prefix)


def test_a_mail_can_be_answered_ended_and_bounced(context, engine, settings, emails, kim):
    to = mailbox(engine, source_id=kim)
    change(
        engine,
        "INSERT INTO follows (follower_id, account_id)"
        f" SELECT account_id, {kim} FROM addresses WHERE id = {to.address_id}",
    )
    message = post(engine, kim, "hello", [to])
    deliver.drain_email()
    email, signer = emails.taken[0], Signer(settings.secret_keys)
    mail = message_from_bytes(email.content, policy=policy.default)
    carried = rows(engine, "SELECT post_id FROM messages")[0].post_id
    tokens = {
        kind: value.strip("<>").split("@")[0] for kind, value in (("r", mail["Reply-To"]), ("b", email.envelope_from))
    }
    assert signer.read("reply", tokens["r"].removeprefix("r+")) == (carried, to.address_id)
    assert signer.read("bounce", tokens["b"].removeprefix("b+")) == (message, to.address_id)
    assert mail["From"] == "Kim via Critter <post@mail.example>"
    assert mail["Message-ID"] == f"<critter.{message}.{to.address_id}@mail.example>"
    assert mail["List-Id"] == "<kim.mail.example>"
    assert "https://critter.example/u/" in mail["List-Unsubscribe"]
    ending = mail["List-Unsubscribe"].split("mailto:")[1]
    assert signer.read("unsubscribe", token_of(ending, "u+")) == (kim, to.address_id)
    assert states(engine) == ["sent"]


def test_each_reads_what_stands_around_the_words_in_their_language(context, engine, emails, kim):
    readers = [mailbox(engine, kim, name) for name in ("mia", "pilar")]
    change(engine, "UPDATE accounts SET language = 'es' WHERE handle = 'pilar'")
    for reader in readers:
        change(
            engine,
            "INSERT INTO follows (follower_id, account_id)"
            f" SELECT account_id, {kim} FROM addresses WHERE id = {reader.address_id}",
        )
    post(engine, kim, "hello", readers)
    deliver.drain_email()
    mails = [message_from_bytes(email.content, policy=policy.default) for email in emails.taken]
    said = {mail["To"].strip("<>"): mail.get_body(("plain",)).get_content() for mail in mails}
    assert "You get this because you follow Kim (@kim). Stop:" in said["mia@demo.example"]
    assert "Recibes esto porque sigues a Kim (@kim). Dejar de recibirlo:" in said["pilar@demo.example"]
    assert all("hello" in words for words in said.values())


def test_a_reply_stands_in_its_thread(context, engine, emails, kim):
    to = mailbox(engine)
    first, second = post(engine, kim, "one", [to]), post(engine, kim, "two", [to])
    change(
        engine,
        "UPDATE posts SET in_reply_to = (SELECT min(id) FROM posts) WHERE id = (SELECT max(id) FROM posts)",
    )
    deliver.drain_email()
    opening, reply = (message_from_bytes(email.content, policy=policy.default) for email in emails.taken)
    assert first < second
    assert opening["References"] in reply["References"]
    assert reply["In-Reply-To"] == opening["References"]
    assert opening["In-Reply-To"] is None
    assert opening["List-Id"] is None


def test_an_answer_to_a_mail_answers_it(context, engine, emails, kim):
    to = mailbox(engine)
    change(
        engine,
        "INSERT INTO inbound (id, channel, natural_key, sender, recipients, message_id, trusted)"
        " VALUES (7, 'email', '\\x00', 'mia@demo.example', '{post@mail.example}', '<theirs@demo.example>', true)",
    )
    with transaction(engine) as session:
        outbox.put(session, Outgoing("answer", "ok", "Re: x", "ok", inbound_id=7, priority=2), [to])
    deliver.drain_email()
    mail = message_from_bytes(emails.taken[0].content, policy=policy.default)
    assert (mail["In-Reply-To"], mail["Auto-Submitted"]) == ("<theirs@demo.example>", "auto-replied")
    assert mail["From"].startswith("Critter <post@")
    assert mail["Reply-To"] == "post@mail.example"


def test_who_opted_out_meanwhile_gets_nothing(context, engine, texts, kim):
    to = phones(engine, 2)
    post(engine, kim, "hello", to)
    change(engine, f"UPDATE addresses SET state = 'stopped' WHERE id = {to[0].address_id}")
    deliver.drain_sms()
    assert [text.recipient for text in texts.taken] == ["+14155560001"]
    assert sorted(states(engine)) == ["cancelled", "sent"]
    assert rows(engine, "SELECT * FROM attempts")[0].address_id == to[1].address_id


def test_an_opt_out_overtakes_a_running_fan_out(context, engine, texts, kim):
    texts.delay = 0.3  # the batch lasts longer than a decision is good for
    to = phones(engine, 400)
    post(engine, kim, "hello", to)
    said: list[float] = []
    accept = texts.accept

    def answers(parcel):
        if len(texts.taken) >= 64 and not said:
            with transaction(engine) as session:
                for target in to[200:]:
                    row = session.get_one(Address, target.address_id)
                    addresses.stop(session, row, "STOP")
            said.append(time.monotonic())
        return accept(parcel)

    texts.answers = answers
    with StallMeter() as stalls:
        while "queued" in states(engine):
            deliver.drain_sms()
    assert said
    stopped = {f"+1415556{n:04}" for n in range(200, 400)}
    late = [began for began, text in zip(texts.began, texts.taken, strict=True) if text.recipient in stopped]
    assert max(late, default=0.0) <= said[0] + 1.0 + stalls.together
    assert sorted(set(states(engine))) == ["cancelled", "sent"]


def test_no_second_holds_more_than_the_rate(settings, engine, texts, kim):
    context = open_context(settings.model_copy(update={"sms_rate": 100.0}), texts)
    enter(context)
    post(engine, kim, "hello", phones(engine, 120))
    while "queued" in states(engine):
        deliver.drain_sms()
    enter(None)
    context.close()
    began = sorted(texts.began)
    assert len(began) == 120
    assert all(later - earlier > 1.0 for earlier, later in zip(began, began[100:], strict=False))


def test_no_more_is_on_the_road_than_the_carrier_has_connections(context, engine, texts, kim):
    texts.delay = 0.01
    post(engine, kim, "hello", phones(engine, 200))
    while "queued" in states(engine):
        deliver.drain_sms()
    assert texts.most <= number_pool.AT_ONCE
    assert states(engine) == ["sent"] * 200


def test_one_slow_answer_holds_up_nobody_else(context, engine, texts, kim):
    sound, to = texts.send, phones(engine, 3)
    answered = threading.Event()

    async def send(batch, settled, gate=OPEN):
        if batch[0].recipient.endswith("0000"):
            await asyncio.to_thread(answered.wait, 20)
        await sound(batch, settled)

    texts.send = send
    post(engine, kim, "slow", to[:1])
    drain = threading.Thread(target=deliver.drain_sms)
    drain.start()
    while states(engine) != ["sending"]:
        time.sleep(0.01)
    post(engine, kim, "quick", to[1:])
    while sorted(states(engine)) != ["sending", "sent", "sent"]:
        time.sleep(0.01)
    answered.set()
    drain.join(20)
    assert states(engine) == ["sent"] * 3


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Outcome("failed", reason="21408"), "failed", "21408"),
        (Outcome("unknown", reason="timeout"), "unknown", "timeout"),
        (Outcome("retry", reason="refused"), "retry", "refused"),
    ],
)
def test_every_outcome_has_its_state(context, engine, texts, kim, outcome, state, reason):
    texts.answers = lambda _: outcome
    post(engine, kim, "hello", phones(engine, 1))
    deliver.drain_sms()
    assert [(row.state, row.reason) for row in rows(engine)] == [(state, reason)]


def test_too_many_at_once_goes_again_within_seconds(context, engine, texts, kim):
    texts.answers = lambda _: Outcome("retry", reason="20429")
    post(engine, kim, "hello", phones(engine, 1))
    deliver.drain_sms()
    wait = rows(engine, "SELECT not_before - now() AS wait FROM deliveries")[0].wait
    assert wait.total_seconds() < 2


def test_a_mail_lost_after_its_dot_goes_again_with_the_same_id(context, engine, emails, kim):
    emails.answers = lambda _: Outcome("unknown", reason="cut")
    post(engine, kim, "hello", [mailbox(engine)])
    deliver.drain_email()
    row = rows(engine)[0]
    assert (row.state, row.possible_duplicate) == ("retry", True)
    emails.answers = emails.accept
    change(engine, "UPDATE deliveries SET not_before = now()")
    deliver.drain_email()
    first, second = (message_from_bytes(email.content)["Message-ID"] for email in emails.taken)
    assert first == second
    assert states(engine) == ["sent"]


def test_a_refusal_of_the_carrier_is_an_opt_out(context, engine, texts, kim):
    texts.answers = lambda _: Outcome("failed", reason="21610")
    to = phones(engine, 1)
    post(engine, kim, "one", to)
    post(engine, kim, "two", to)
    deliver.drain_sms()
    assert [(row.state, row.reason) for row in rows(engine)] == [("failed", "21610"), ("cancelled", "stopped")]
    assert len(texts.taken) == 1
    assert rows(engine, "SELECT state FROM addresses WHERE address = '+14155560000'")[0].state == "stopped"
    assert [row.source for row in rows(engine, "SELECT * FROM consent")] == ["carrier"]


def test_wrong_credentials_pause_the_carrier_and_fail_no_row(context, engine, texts, kim):
    texts.answers = lambda _: Outcome("retry", reason="20003", pause=True)
    post(engine, kim, "hello", phones(engine, 150))
    deliver.drain_sms()
    assert {(row.state, row.attempt) for row in rows(engine)} == {("queued", 0)}
    tried = len(texts.taken)
    assert tried < 150
    change(engine, "UPDATE deliveries SET not_before = now()")
    deliver.drain_sms()
    assert len(texts.taken) == tried


def test_a_carrier_that_breaks_leaves_doubt_and_the_others_go_on(context, engine, texts, kim):
    sound = texts.send

    async def send(batch, settled, gate=OPEN):
        if batch[0].recipient.endswith("0000"):
            raise RuntimeError("CANARY")
        await sound(batch, settled)

    texts.send = send
    post(engine, kim, "hello", phones(engine, 3))
    deliver.drain_sms()
    assert states(engine) == ["unknown", "unknown", "sent"]  # two are handed over together


def test_what_cannot_be_rendered_fails_alone(context, engine, emails, kim):
    broken = person(engine, "broken", mailbox="two\nlines@demo.example")[1]
    post(engine, kim, "hello", [mailbox(engine), Target(broken, "email")])
    deliver.drain_email()
    assert sorted((row.state, row.reason) for row in rows(engine)) == [("failed", "rendering"), ("sent", None)]


def test_a_suspect_goes_alone_and_after_the_others(context, engine, emails, kim):
    sizes: list[int] = []
    sound = emails.send

    async def send(batch, settled, gate=OPEN):
        sizes.append(len(batch))
        await sound(batch, settled)

    emails.send = send
    to = [Target(person(engine, f"m{n}", mailbox=f"m{n}@demo.example")[1], "email") for n in range(5)]
    post(engine, kim, "hello", to)
    lost = "UPDATE deliveries SET state = 'retry', reason = 'crash', attempt = 2"
    change(engine, f"{lost} WHERE address_id <= {to[1].address_id}")
    deliver.drain_email()
    assert sizes == [3, 1, 1]
    assert states(engine) == ["sent"] * 5


def test_told_to_stop_it_gives_back_what_has_not_begun(context, engine, texts, kim):
    texts.delay = 0.05
    accept = texts.accept

    def answers(parcel):
        context.stop()
        return accept(parcel)

    texts.answers = answers
    post(engine, kim, "hello", phones(engine, 300))
    deliver.drain_sms()
    found = states(engine)
    assert set(found) == {"sent", "queued"}
    assert found.count("sent") == len(texts.taken) < 300


def test_a_channel_that_is_off_is_left_alone(settings, engine, kim):
    context = open_context(settings)
    enter(context)
    post(engine, kim, "hello", phones(engine, 1))
    deliver.drain_sms()
    deliver.drain_email()
    assert states(engine) == ["queued"]
    enter(None)
    context.close()


def test_a_deleted_post_is_not_sent(context, engine, texts, kim):
    post(engine, kim, "hello", phones(engine, 1))
    with transaction(engine) as session:
        for row in session.query(Post):
            row.deleted_at = row.created_at
    deliver.drain_sms()
    assert [(row.state, row.reason) for row in rows(engine)] == [("cancelled", "retracted")]
