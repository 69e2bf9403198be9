"""What no phone takes goes by mail: for each code of the table, once, to the same person, never for an opt-out."""

import itertools
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from gateway.carriers.common.protocol import Outcome
from gateway.carriers.twilio.error_codes import code_of
from gateway.ledger.outbox import callbacks, claims, email_fallback, outbox, settlements
from gateway.ledger.outbox.callbacks import CallbackCall
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.ledger.senders import senders
from gateway.mail.bounces.failure_reasons import INSTEAD, OPTED_OUT
from gateway.network.people import accounts, addresses
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Address
from tests.support.delivering import Carrier, change, open_context, person, post, rows, states
from workers import callbacks as receipts
from workers import deliver
from workers.effects import alarms
from workers.runtime.context import WorkerContext, enter

MAILED = """
    SELECT m.id, m.body, m.subject, m.note, m.post_id, d.state, d.author_id, d.source_id, a.address,
           d.give_up_at - now() AS left FROM deliveries d
    JOIN messages m ON m.id = d.message_id JOIN addresses a ON a.id = d.address_id
    WHERE d.channel = 'email' AND (m.kind <> 'notice' OR m.instead_of IS NOT NULL) ORDER BY d.message_id, d.address_id
"""


@pytest.fixture
def texts() -> Carrier:
    return Carrier("sms")


@pytest.fixture
def context(settings: Settings, texts: Carrier) -> Iterator[WorkerContext]:
    context = open_context(
        settings.model_copy(update={"public_url": "https://critter.example"}), texts, Carrier("email")
    )
    enter(context)
    yield context
    enter(None)
    context.close()


@pytest.fixture
def kim(engine: Engine) -> int:
    return person(engine, "kim", phone="+14155550101")[0]


def give_mailbox(engine: Engine, account: int, address: str, state: str = "verified") -> int:
    with transaction(engine) as session:
        row = Address(account_id=account, channel="email", address=address, is_primary=True, state=state)
        session.add(row)
        session.flush()
        return row.id


@pytest.fixture
def sam(engine: Engine) -> tuple[int, int]:
    """Somebody with a phone and a mailbox: the account, the phone."""
    account, phone = person(engine, "sam", phone="+14155550102")
    give_mailbox(engine, account, "sam@demo.example")
    return account, phone


def called(context: WorkerContext, engine: Engine, code: str, times: int = 1) -> None:
    """The carrier calls back about the last attempt, that often."""
    attempt = rows(engine, "SELECT max(id) AS id FROM attempts")[0].id
    with transaction(engine) as session:
        callbacks.record(session, [CallbackCall(attempt, f"SM{attempt:032x}", "undelivered", code)] * times)
    while receipts.step(context):
        pass


def send(engine: Engine) -> None:
    change(engine, "UPDATE deliveries SET not_before = now() WHERE ended_at IS NULL")
    deliver.drain_sms()


def to(phone: int) -> list[Target]:
    return [Target(phone, "sms")]


@pytest.mark.parametrize(
    ("code", "phone", "mailed"),
    [
        ("21211", "suspended", True),
        ("21614", "suspended", True),
        ("21408", "verified", False),
        ("21610", "stopped", False),
        ("63038", "verified", False),
    ],
)
def test_what_an_answer_does(context, engine, texts, kim, sam, code, phone, mailed):
    texts.answers = lambda parcel: Outcome("failed", reason=code)
    post(engine, kim, "hello", to(sam[1]))
    deliver.drain_sms()
    assert rows(engine, "SELECT state, reason FROM deliveries WHERE channel = 'sms'") == [("failed", code)]
    assert rows(engine, f"SELECT state FROM addresses WHERE id = {sam[1]}")[0].state == phone
    assert len(rows(engine, MAILED)) == mailed


@pytest.mark.parametrize(
    ("code", "tries", "phone", "mailed"),
    [
        ("21610", 1, "stopped", False),
        ("30001", 4, "verified", False),
        ("30003", 3, "suspended", True),
        ("30004", 1, "verified", True),
        ("30005", 1, "verified", True),
        ("30006", 1, "suspended", True),
        ("30007", 1, "verified", True),
        ("30008", 2, "verified", False),
        ("30032", 1, "verified", False),
        ("30034", 1, "verified", False),
        ("39999", 1, "verified", False),
    ],
)
def test_what_a_callback_does(context, engine, texts, kim, sam, code, tries, phone, mailed):
    """However often each is called back; a retry comes as often as the table says and never again."""
    post(engine, kim, "hello", to(sam[1]))
    for number in range(1, tries + 1):
        send(engine)
        assert len(texts.taken) == number
        assert rows(engine, MAILED) == []
        called(context, engine, code, times=2)
    send(engine)
    assert len(texts.taken) == tries
    assert rows(engine, "SELECT state, reason FROM deliveries WHERE channel = 'sms'") == [("failed", code)]
    assert rows(engine, f"SELECT state FROM addresses WHERE id = {sam[1]}")[0].state == phone
    assert len(rows(engine, MAILED)) == mailed
    called(context, engine, code)
    assert len(rows(engine, MAILED)) == mailed


@pytest.mark.parametrize(("code", "state"), [("30002", "retry"), ("30034", "failed"), ("30032", "failed")])
def test_what_is_our_own_fault_pauses_our_number(context, engine, texts, kim, sam, code, state):
    """A suspended account costs no row."""
    post(engine, kim, "hello", to(sam[1]))
    deliver.drain_sms()
    called(context, engine, code)
    assert rows(engine, "SELECT state, reason FROM deliveries") == [(state, code)]
    assert rows(engine, "SELECT paused_until > now(), reason FROM senders WHERE state = 'active'") == [(True, code)]


def test_the_mail_says_whose_words_they_are_and_why_it_is_one(context, engine, kim, sam):
    source = f"INSERT INTO follows (follower_id, account_id, by_text) VALUES ({sam[0]}, {kim}, true)"
    change(engine, source)
    carried = post(engine, kim, "hello", [Target(sam[1], "sms", source_id=kim)])
    deliver.drain_sms()
    called(context, engine, "30007")
    mail = rows(engine, MAILED)[0]
    assert mail.body == "hello\n\nThis came by mail because the text was blocked on its way to your phone."
    assert (mail.address, mail.author_id, mail.source_id, mail.state) == ("sam@demo.example", kim, kim, "queued")
    assert mail.post_id == rows(engine, f"SELECT post_id FROM messages WHERE id = {carried}")[0].post_id
    assert timedelta(days=1, hours=23) < mail.left <= timedelta(days=2)
    deliver.drain_email()
    assert rows(engine, MAILED)[0].state == "sent"


def test_it_is_said_in_the_readers_language(context, engine, kim, sam):
    change(engine, f"UPDATE accounts SET language = 'es' WHERE id = {sam[0]}")
    post(engine, kim, "hola", to(sam[1]))
    deliver.drain_sms()
    called(context, engine, "30005")
    assert rows(engine, MAILED)[0].body.startswith("hola\n\nEsto ")


def test_a_batch_shares_its_mail(context, engine, kim):
    """Many phones fail alike: one copy of the message, one delivery each."""
    phones = []
    for number in range(30):
        account, phone = person(engine, f"p{number}", phone=f"+141555601{number:02}")
        give_mailbox(engine, account, f"p{number}@demo.example")
        phones.append(Target(phone, "sms"))
    message = post(engine, kim, "hello", phones)
    deliver.drain_sms()
    with transaction(engine) as session:
        tried = rows(engine, "SELECT id FROM attempts")
        callbacks.record(session, [CallbackCall(one.id, f"SM{one.id:032x}", "undelivered", "30004") for one in tried])
    receipts.step(context)
    assert len(rows(engine, MAILED)) == 30
    assert rows(engine, f"SELECT count(*) AS many FROM messages WHERE instead_of = {message}")[0].many == 1


def test_what_could_not_leave_in_time_goes_by_mail(engine, kim, sam):
    post(engine, kim, "hello", to(sam[1]))
    change(engine, "UPDATE deliveries SET give_up_at = now()")
    with transaction(engine) as session:
        assert settlements.give_up(session) == 1
    assert rows(engine, MAILED)[0].note == INSTEAD["gave_up"]


def test_what_none_of_our_numbers_may_text_goes_by_mail(engine, kim, sam):
    post(engine, kim, "hello", to(sam[1]))
    with transaction(engine) as session:
        senders.assign(session, lambda phone: None)
    assert rows(engine, MAILED)[0].note == INSTEAD["no_route"]


def test_what_is_given_up_when_it_is_claimed_goes_by_mail(context, engine, kim, sam):
    post(engine, kim, "hello", to(sam[1]))
    change(engine, "UPDATE deliveries SET give_up_at = now()")
    deliver.drain_sms()
    assert states(engine) == ["failed", "queued"]


def test_what_waits_for_a_phone_that_is_switched_off_goes_by_mail(context, engine, texts, kim, sam):
    """The first text shows that the phone is dead; the others, and one that was put there since, go by mail."""
    for words in ("one", "two"):
        post(engine, kim, words, to(sam[1]))
    texts.answers = lambda parcel: Outcome("failed", reason="21614")
    deliver.drain_sms()
    assert [text.body for text in texts.taken] == ["one"]
    post(engine, kim, "three", to(sam[1]))
    deliver.drain_sms()
    assert len(texts.taken) == 1
    assert [mail.body.split("\n")[0] for mail in rows(engine, MAILED)] == ["one", "two", "three"]


@pytest.mark.parametrize("code", [*INSTEAD, *OPTED_OUT])
def test_an_opt_out_never_raises_another_channel(engine, kim, sam, code):
    """Also when the phone opted out after the text had left, and whatever it then failed for."""
    message = post(engine, kim, "hello", to(sam[1]))
    with transaction(engine) as session:
        addresses.stop(session, session.get_one(Address, sam[1]), "STOP")
    change(engine, f"UPDATE deliveries SET state = 'failed', reason = '{code}', ended_at = now()")
    with transaction(engine) as session:
        assert email_fallback.send_by_mail(session, [(message, sam[1])]) == 0
    assert rows(engine, MAILED) == []


def test_no_opt_out_is_a_reason():
    assert not set(INSTEAD) & {*OPTED_OUT}
    assert code_of(21610).action == "opt_out"


def test_it_happens_once_however_often_it_is_asked(engine, kim, sam):
    message = post(engine, kim, "hello", to(sam[1]))
    for reason in ("30003", "30005"):
        change(engine, f"UPDATE deliveries SET state = 'failed', reason = '{reason}', ended_at = now()")
        with transaction(engine) as session:
            email_fallback.send_by_mail(session, [(message, sam[1])] * 2)
    assert len(rows(engine, MAILED)) == 1
    assert [row.reason for row in rows(engine, "SELECT * FROM fallbacks")] == ["30003"]


def fail(engine: Engine, message: int, phone: int) -> int:
    change(engine, "UPDATE deliveries SET state = 'failed', reason = '30003', ended_at = now() WHERE channel = 'sms'")
    with transaction(engine) as session:
        return email_fallback.send_by_mail(session, [(message, phone)])


@pytest.mark.parametrize("state", ["invited", "stopped", "suspended"])
def test_only_a_verified_mailbox_gets_it(engine, kim, sam, state):
    change(engine, f"UPDATE addresses SET state = '{state}' WHERE channel = 'email'")
    assert fail(engine, post(engine, kim, "hello", to(sam[1])), sam[1]) == 0


def test_only_the_mailbox_of_the_same_person_gets_it(engine, kim, sam):
    give_mailbox(engine, kim, "kim@demo.example")
    change(engine, f"UPDATE addresses SET account_id = NULL WHERE id = {sam[1]}")
    assert fail(engine, post(engine, kim, "hello", to(sam[1])), sam[1]) == 0


@pytest.mark.parametrize("gone", ["suspend", "deactivate"])
def test_who_is_not_here_any_more_gets_nothing(engine, kim, sam, gone):
    message = post(engine, kim, "hello", to(sam[1]))
    with transaction(engine) as session:
        getattr(accounts, gone)(session, sam[0])
    assert fail(engine, message, sam[1]) == 0
    assert rows(engine, MAILED) == []


def test_words_of_who_was_suspended_do_not_leave_by_mail(engine, kim, sam):
    message = post(engine, kim, "hello", to(sam[1]))
    with transaction(engine) as session:
        accounts.suspend(session, kim)
    assert fail(engine, message, sam[1]) == 0


def test_an_answer_and_a_code_belong_to_the_phone(engine, sam):
    for kind, code in itertools.product(("answer", "code", "welcome"), ("30003", "21211")):
        with transaction(engine) as session:
            message = outbox.put(session, Outgoing(kind, "1234", "a", "1234"), to(sam[1]))
        change(engine, f"UPDATE deliveries SET state = 'failed', reason = '{code}', ended_at = now()")
        with transaction(engine) as session:
            assert email_fallback.send_by_mail(session, [(message, sam[1])]) == 0


def test_a_private_post_goes_only_to_whom_it_is_for(context, engine, kim, sam):
    """As any mail of it: decided when it leaves."""
    message = post(engine, kim, "Kim (private): 12%", to(sam[1]), visibility="direct")
    assert fail(engine, message, sam[1]) == 1
    deliver.drain_email()
    assert [(mail.state) for mail in rows(engine, MAILED)] == ["cancelled"]
    change(engine, "DELETE FROM fallbacks; DELETE FROM deliveries WHERE channel = 'email'")
    change(engine, f"INSERT INTO post_recipients SELECT post_id, {sam[0]}, {sam[0]} FROM messages WHERE id = {message}")
    assert fail(engine, message, sam[1]) == 1
    deliver.drain_email()
    assert [(mail.state) for mail in rows(engine, MAILED)] == ["sent"]


def test_a_crash_between_loses_neither(engine, kim, sam):
    """The end of the text and its mail are one transaction."""
    message = post(engine, kim, "hello", to(sam[1]))
    with transaction(engine) as session:
        claimed = claims.claim(session, "sms", "one", timedelta(seconds=20), 1)[0]
    failed = settlements.Settlement(claimed, "failed", reason="21211")
    with Session(engine) as session:  # ends without a commit, as that of a lost worker does
        settlements.settle(session, [failed])
        assert session.scalar(text("SELECT count(*) FROM fallbacks")) == 1
    assert states(engine) == ["sending"]
    with transaction(engine) as session:
        settlements.settle(session, [failed])
    assert sorted(states(engine)) == ["failed", "queued"]
    assert message


def test_an_opt_out_that_the_carrier_knows_of_counts_for_a_suspended_phone(context, engine, kim, sam):
    post(engine, kim, "hello", to(sam[1]))
    deliver.drain_sms()
    change(engine, f"UPDATE addresses SET state = 'suspended' WHERE id = {sam[1]}")
    called(context, engine, "21610")
    row = rows(engine, f"SELECT * FROM addresses WHERE id = {sam[1]}")[0]
    assert row.state == "suspended"
    assert row.stopped_at
    assert [one.source for one in rows(engine, "SELECT * FROM consent")] == ["carrier"]


def filtered(engine: Engine, number: int, of: int) -> None:
    change(
        engine,
        f"""INSERT INTO attempts (message_id, address_id, number, state, reason)
            SELECT 1, n, 1, 'failed', CASE WHEN n <= {number} THEN '30007' END FROM generate_series(1, {of}) n""",
    )


@pytest.mark.parametrize(
    ("number", "of", "new", "alarm"),
    [(19, 19, 19, False), (20, 20, 1, True), (25, 25, 2, False), (41, 41, 2, True), (20, 2100, 1, False)],
)
def test_filtered_texts_are_an_alarm_when_there_are_many(engine, number, of, new, alarm):
    filtered(engine, number, of)
    with transaction(engine) as session, capture_logs() as logs:
        alarms.raise_alarms(session, alarms.Counter({"30007": new}))
    assert [log["filtered"] for log in logs] == ([number] if alarm else [])


@pytest.mark.parametrize("code", ["21408", "30034", "30032", "21606", "21608", "30002"])
def test_what_is_our_own_fault_is_said_with_the_step_to_take(engine, code):
    with transaction(engine) as session, capture_logs() as logs:
        alarms.raise_alarms(session, alarms.Counter({code: 7}))
    assert [(log["reason"], log["texts"], log["log_level"]) for log in logs] == [(code, 7, "error")]
    assert logs[0]["step"]
