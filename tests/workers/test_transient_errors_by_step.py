"""Whatever trouble of the database passes: no step of a worker loses a row, blames it, or does it twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from gateway.carriers.common.protocol import ListedMessage, Outcome
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox.outbox import Target
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.database_errors import break_table, fails, mend
from tests.support.databases import restructure
from tests.support.delivering import Carrier, change, follow, open_context, person, post, rows
from workers import (
    author_reports,
    callbacks,
    daily_mail,
    deliver,
    fanout,
    inbound,
    mail_auth,
    media,
    offers,
    reconcile,
    redaction,
)
from workers.runtime.context import WorkerContext, enter

STATES = ["57014", "25P04", "57P01"]  # test_transient_errors has them all, and that they are taken alike
TROUBLES = 3  # times that each piece of work meets it: more than a row that is blamed would survive
LONGEST = 6  # looks after which the work must have been done
SAM, KIM, MAILBOX = "+14155550123", "+14155550124", "kim@corp.example"
OURS = "coalesce(current_setting('tests.helper', true), '') <> 'on'"


@dataclass
class World:
    context: WorkerContext
    engine: Engine
    texts: Carrier
    emails: Carrier
    number: int = 0  # of the piece of work in hand
    sam: int = 0
    phone: int = 0
    mailbox: int = 0

    def accept(self, **more: object) -> int:
        given = {"channel": "sms", "sender": SAM, "text": f"update {self.number}", "trusted": True, "raw": b"", **more}
        name = str(self.number)
        incoming = Incoming(identity=name.encode(), recipients=("+15005550006",), message_id=name, **given)  # type: ignore[arg-type]
        with transaction(self.engine) as session:
            return next(iter(inbox.accept(session, inbox.hash_key(session), [incoming]).values()))

    def post(self, *to: Target) -> int:
        return post(self.engine, self.sam, f"update {self.number}", to)

    def one(self, query: str) -> tuple:
        return tuple(rows(self.engine, query)[0])


@dataclass(frozen=True)
class Work:
    """One kind of work: `begin` makes a piece of it, `soon` makes due what waits, `query` then says `done` of the
    newest piece."""

    step: Callable[[WorkerContext], object]
    begin: Callable[[World], object]
    query: str
    done: tuple
    soon: str = "SELECT 1"


def text_comes(world: World) -> None:
    world.accept()


def mail_comes(world: World) -> None:
    mail = b"From: kim@corp.example\r\nTo: post@mail.example\r\nMessage-ID: <%d@x>\r\n\r\nhello\r\n" % world.number
    world.accept(channel="email", sender=MAILBOX, trusted=False, raw=mail, text=None)


def picture_comes(world: World) -> None:
    owner = world.accept(sender=KIM)
    url = f"https://x.example/{world.number}"
    change(world.engine, f"INSERT INTO media (inbound_id, number, url) VALUES ({owner}, 0, '{url}')")


def broken_picture_comes(world: World) -> None:
    picture_comes(world)
    change(world.engine, "UPDATE media SET url = NULL WHERE state = 'new'")  # nor has its text a mail


def post_spreads(world: World) -> None:
    message = world.post()
    change(
        world.engine,
        "INSERT INTO fanouts (message_id, source_id, post_id, author_id)"
        f" SELECT id, author_id, post_id, author_id FROM messages WHERE id = {message}",
    )


def text_is_due(world: World) -> None:
    world.post(Target(world.phone, "sms"))


def mail_is_due(world: World) -> None:
    world.post(Target(world.mailbox, "email"))


def carrier_calls_back(world: World) -> None:
    text_is_due(world)
    deliver.drain_sms()
    change(
        world.engine,
        "INSERT INTO callbacks (attempt_id, carrier_id, status)"
        " SELECT id, carrier_id, 'delivered' FROM attempts ORDER BY id DESC LIMIT 1",
    )


def text_is_in_doubt(world: World) -> None:
    world.texts.answers = lambda _: Outcome("unknown", reason="timeout")
    text_is_due(world)
    deliver.drain_sms()
    world.texts.answers = world.texts.accept
    (sent,) = world.texts.taken[-1:]
    (at,) = world.one("SELECT now()")
    shown = ListedMessage(f"SM{world.number:032x}", KIM, sent.body, "sent", at, "outbound-api", sent.sender)
    world.texts.listed = lambda: [shown]
    change(world.engine, "UPDATE deliveries SET not_before = now() WHERE state = 'unknown'")


def copy_is_old(world: World) -> None:
    change(world.engine, f"INSERT INTO redactions (carrier_id) VALUES ('SM{world.number:032x}')")


def report_is_due(world: World) -> None:
    message = world.post()
    change(world.engine, f"INSERT INTO tellings SELECT post_id, 'counts' FROM messages WHERE id = {message}")


def question_is_asked(world: World) -> None:
    """Two people wrote about what Sam asks, and hear nothing of his."""
    if world.number == 1:
        person(world.engine, "pat")
        change(world.engine, "UPDATE addresses SET state = 'verified'")
    said = "INSERT INTO posts (author_id, visibility, text, via) SELECT id, 'company', 'acme signed', 'cli'"
    change(world.engine, f"{said} FROM accounts WHERE handle IN ('mia', 'pat')")
    change(world.engine, "UPDATE conversations SET question = NULL")
    asks = f"VALUES ({world.sam}, 'company', 'who has the acme numbers?', 'cli') RETURNING id, author_id"
    change(
        world.engine,
        f"WITH asked AS (INSERT INTO posts (author_id, visibility, text, via) {asks})"
        " INSERT INTO offers (post_id, author_id) SELECT id, author_id FROM asked",
    )


def morning_comes(world: World) -> None:
    """Mia follows nobody, and wants to hear what colleagues write."""
    world.post()
    change(world.engine, "DELETE FROM messages WHERE kind = 'daily'")
    change(
        world.engine,
        "UPDATE accounts SET daily = true, daily_on = NULL, daily_upto = 0, created_at = now() - interval '1 day'"
        " WHERE handle = 'mia'",
    )


def sms(_: WorkerContext) -> None:
    deliver.drain_sms()


def email(_: WorkerContext) -> None:
    deliver.drain_email()


INPUT = """SELECT state, attempt, (SELECT count(*) FROM posts WHERE inbound_id = i.id)
    FROM inbound i ORDER BY id DESC LIMIT 1"""
DELIVERY = """SELECT state, attempt, possible_duplicate,
        (SELECT count(*) FROM attempts a WHERE a.message_id = d.message_id AND a.carrier_id IS NOT NULL)
    FROM deliveries d ORDER BY message_id DESC LIMIT 1"""
MEDIA = "SELECT state, attempt FROM media ORDER BY inbound_id DESC LIMIT 1"
SPREAD = """SELECT state, (SELECT count(*) FROM deliveries d WHERE d.message_id = f.message_id)
    FROM fanouts f ORDER BY message_id DESC LIMIT 1"""
COPIES = "SELECT count(*) FROM redactions"
REPORT = """SELECT (SELECT count(*) FROM messages m WHERE t.post_id = ANY (m.quotes)), told_at IS NOT NULL
    FROM tellings t ORDER BY post_id DESC LIMIT 1"""
OFFER = """SELECT word, (SELECT count(*) FROM offer_people p WHERE p.post_id = o.post_id),
        (SELECT count(*) FROM messages m WHERE o.post_id = ANY (m.quotes)),
        (SELECT count(*) FROM conversations WHERE question IS NOT NULL)
    FROM offers o ORDER BY post_id DESC LIMIT 1"""
DAILY = "SELECT count(*) FROM daily_mails"
READ_SOON = "UPDATE inbound SET not_before = NULL"
KEEP_SOON = "UPDATE media SET not_before = now()"
SPREAD_SOON = "UPDATE fanouts SET not_before = now()"
LOOK_SOON = "UPDATE deliveries SET not_before = now() WHERE state = 'unknown'"
TELL_SOON = "UPDATE tellings SET due_at = now()"
OFFER_SOON = "UPDATE offers SET due_at = now()"
DELETE_SOON = "UPDATE redactions SET not_before = now()"

READ = Work(inbound.step, text_comes, INPUT, ("done", 1, 1), READ_SOON)
PROVE = Work(mail_auth.step, mail_comes, INPUT, ("dropped", 0, 0), READ_SOON)
KEEP = Work(media.step, picture_comes, MEDIA, ("fetched", 1), KEEP_SOON)
KEEP_NOT = Work(media.step, broken_picture_comes, MEDIA, ("failed", 1), KEEP_SOON)
FAN_OUT = Work(fanout.step, post_spreads, SPREAD, ("done", 1), SPREAD_SOON)
TEXT = Work(sms, text_is_due, DELIVERY, ("sent", 1, False, 1))
MAIL = Work(email, mail_is_due, DELIVERY, ("sent", 1, False, 1))
RECEIPT = Work(callbacks.step, carrier_calls_back, DELIVERY, ("delivered", 1, False, 1))
DOUBT = Work(reconcile.step, text_is_in_doubt, DELIVERY, ("sent", 1, False, 1), LOOK_SOON)
REDACT = Work(redaction.step, copy_is_old, COPIES, (0,), DELETE_SOON)
TELL = Work(author_reports.step, report_is_due, REPORT, (1, True), TELL_SOON)
MAKE_OFFER = Work(offers.step, question_is_asked, OFFER, ("acme", 2, 1, 1), OFFER_SOON)
WRITE_DAILY = Work(daily_mail.step, morning_comes, DAILY, (1,))

# The work, and what meets the trouble: which write into which table.
STEPS = [
    (READ, "INSERT", "posts", "true"),
    (READ, "UPDATE", "inbound", "NEW.state = 'working'"),
    (READ, "UPDATE", "inbound", "OLD.state = 'working'"),
    (READ, "UPDATE", "inbound", "NEW.state = 'done'"),
    (PROVE, "UPDATE", "inbound", "NEW.lease_owner IS NOT NULL"),
    (PROVE, "UPDATE", "inbound", "OLD.lease_owner IS NOT NULL"),
    (PROVE, "UPDATE", "inbound", "NEW.state = 'dropped'"),
    (KEEP, "UPDATE", "media", "NEW.attempt > OLD.attempt"),
    (KEEP, "UPDATE", "media", "NEW.state = 'fetched'"),
    (KEEP_NOT, "UPDATE", "media", "NEW.state = 'failed'"),
    (FAN_OUT, "INSERT", "deliveries", "true"),
    (FAN_OUT, "UPDATE", "fanouts", "NEW.state = 'done'"),
    (FAN_OUT, "UPDATE", "fanouts", "true"),
    (TEXT, "INSERT", "attempts", "true"),
    (TEXT, "UPDATE", "deliveries", "NEW.state = 'sending'"),
    (TEXT, "UPDATE", "deliveries", "NEW.state = 'sent'"),
    (MAIL, "INSERT", "attempts", "true"),
    (MAIL, "UPDATE", "deliveries", "NEW.state = 'sending'"),
    (MAIL, "UPDATE", "deliveries", "NEW.state = 'sent'"),
    (RECEIPT, "UPDATE", "deliveries", "true"),
    (RECEIPT, "UPDATE", "attempts", "true"),
    (RECEIPT, "UPDATE", "callbacks", "true"),
    (DOUBT, "UPDATE", "deliveries", "true"),
    (DOUBT, "UPDATE", "deliveries", "NEW.state = 'sent'"),
    (REDACT, "UPDATE", "redactions", "true"),
    (REDACT, "DELETE", "redactions", "true"),
    (TELL, "INSERT", "messages", "NEW.kind = 'notice'"),
    (TELL, "INSERT", "deliveries", "true"),
    (TELL, "UPDATE", "tellings", "NEW.told_at IS NOT NULL"),
    (MAKE_OFFER, "UPDATE", "offers", "NEW.word IS NOT NULL"),
    (MAKE_OFFER, "INSERT", "offer_people", "true"),
    (MAKE_OFFER, "INSERT", "conversations", "true"),
    (MAKE_OFFER, "INSERT", "messages", "NEW.kind = 'notice'"),
    (MAKE_OFFER, "INSERT", "deliveries", "true"),
    (WRITE_DAILY, "UPDATE", "accounts", "NEW.daily_on IS NOT NULL"),
    (WRITE_DAILY, "INSERT", "messages", "NEW.kind = 'daily'"),
    (WRITE_DAILY, "INSERT", "deliveries", "true"),
    (WRITE_DAILY, "INSERT", "daily_mails", "true"),
]


def hasten(engine: Engine, statement: str) -> None:
    """What the test itself writes meets no trouble."""
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('tests.helper', 'on', true)"))
        connection.execute(text(statement))


@pytest.fixture
def world(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    texts, emails = Carrier("sms"), Carrier("email")
    twilio = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_tokens": ("token",)}
    morning = {"daily_mail_hour": datetime.now(UTC).hour}
    context = open_context(settings.model_copy(update={**twilio, **morning}), texts, emails)
    made = World(context, engine, texts, emails)
    made.sam, _ = person(engine, "sam", SAM)
    kim, made.phone = person(engine, "kim", KIM)
    _, made.mailbox = person(engine, "mia", mailbox="mia@demo.example")
    change(engine, "UPDATE addresses SET state = 'verified'")
    follow(engine, kim, made.sam)
    monkeypatch.setattr(media, "_brought", _brought)
    monkeypatch.setattr(media, "_cleaned", lambda content, _: media.CleanedFile(content, "application/pdf"))
    monkeypatch.setattr(redaction.TwilioRecords, "delete", _delete)
    enter(context)
    yield made
    context.close()
    enter(None)


def _brought(_: WorkerContext, due) -> bytes:
    if due.url is None:
        raise media.MediaNotKept("it is gone")
    return b"%PDF-1.4\n%%EOF\n"


async def _delete(_: object, sids: list[str]) -> dict[str, int]:
    return dict.fromkeys(sids, 204)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: " ".join([step[0].begin.__name__, *step[1:]]))
def test_no_trouble_that_passes_harms_a_row(world, engine, step):
    work, action, table, when = step
    restructure(engine, "CREATE SEQUENCE trouble; GRANT ALL ON SEQUENCE trouble TO PUBLIC")
    for world.number, state in enumerate(STATES, 1):
        work.begin(world)
        restructure(engine, "ALTER SEQUENCE trouble RESTART")
        sent = len(world.texts.taken) + len(world.emails.taken)
        break_table(engine, table, state, action, f"{when} AND {OURS} AND nextval('trouble') <= {TROUBLES}")
        for _ in range(LONGEST):
            fails(work.step, world.context)
            hasten(engine, work.soon)
            if world.one(work.query) == work.done:
                break
        mended = world.one("SELECT last_value > 3 FROM trouble") == (True,)
        mend(engine, table)
        assert mended, f"{state}: it met no trouble"
        assert world.one(work.query) == work.done, (state, world.one(work.query))
        assert len(world.texts.taken) + len(world.emails.taken) - sent == (work.step in (sms, email)), state
    restructure(engine, "DROP SEQUENCE trouble")


def test_a_report_that_meets_trouble_once_is_told_at_once(world, engine):
    """It is not put off like one that cannot be made."""
    for world.number, state in enumerate(STATES, 1):
        report_is_due(world)
        break_table(engine, "tellings", state, "UPDATE", f"NEW.told_at IS NOT NULL AND {OURS}")
        fails(author_reports.step, world.context)
        mend(engine, "tellings")
        author_reports.step(world.context)
        assert world.one(REPORT) == (1, True), state
