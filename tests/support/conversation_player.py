"""Plays a conversation file against the real database: who > says by text, who >> by mail, who < hears, who << reads.

    # a comment, or the story in a sentence
    sam > follow sales
    sam < You follow sales: ...
    priya >> re: thank you          a mail that answers the last one; "sales: hello" is a mail to sales@
    priya >> post: a subject // and its words      and "post: a subject //" is an empty mail
    priya >> post: the van [van.jpg, setup.exe]       with these files; sam > the van [van.jpg] sends a picture
    (the daily mails go out)
    (10 seconds later)          everything becomes that much older
    (it is Tuesday 06:55)       the clock, of UTC, moves on till then: whatever is due meanwhile happens in its time
    (kim is deactivated)
    (kim is suspended)
    (kim is restored)
    (kim is an operator)
    (the mailbox of kim says that they are away)     their auto-responder answers our last mail
    (more than 2 phones are asked about)
    (kim has the PIN 4826, always asked for)
    (50 more people are in acme)
    (sam was never written to)
    (sam tracks 50 words)
    (41 updates have kitchen in them)
    (dispatch may send urgent calls)
    (sam is on the web)
    (sam sees the last update on the web)
    (there is a person patq, Pat Quinn)    or a group; a person has a mailbox
    sam hears nothing

{code} in an expected line stands for the last 4 to 6 digits in it, later on for the same digits. A stranger speaks by
number or mailbox. An expected line may end in "..." when the rest does not matter.
What nobody expected fails the story.
"""

import re
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import DateTime, Engine, func, select, text
from sqlalchemy.orm import Session

import handlers
from gateway.actions import seeing
from gateway.attention.decision import Redirect
from gateway.attention.text_limit import TextLimit
from gateway.inbound.commands import CommandRegistry, build_registry
from gateway.inbound.process import process
from gateway.language.track_phrases import track_phrase
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming, Picture
from gateway.ledger.money import budgets
from gateway.ledger.money.budgets import BudgetRequest, ReaderDay
from gateway.ledger.outbox import digest_items, due_work, fanouts, held, redirects
from gateway.ledger.outbox.claims import ClaimedDelivery, Key
from gateway.ledger.outbox.held import Hold
from gateway.network.audience import delivery_decisions, recipients
from gateway.network.calls import call_timers, call_words, escalation
from gateway.network.conversation import offers
from gateway.network.digests import digest_words, wake_up
from gateway.network.follows import follows, trackers
from gateway.network.mail import daily_mail
from gateway.network.people import accounts, addresses
from gateway.network.posts import rendering
from gateway.network.presence import presence
from gateway.network.receipts import call_reports
from gateway.network.verification import pins
from gateway.settings import Settings
from gateway.sms.first_contact import introduction
from gateway.store.database import transaction
from gateway.store.tables import Account, Address, Delivery, Message, Post, Table
from tests.support import personas, sample_files
from tests.support.moving_clock import MovingClock, moving_clock

assert handlers.MODULES  # importing them fills the table

LINE = re.compile(r"(?P<who>[\w+@.]+) (?P<how>>>|>|<<|<) (?P<what>.*)")
CODE = re.compile(r"\b\d{4,6}\b")
FILES = re.compile(r" ?\[([\w-]+\.\w{3,4}(?:, [\w-]+\.\w{3,4})*)\]$")
CLOCK = re.compile(r"^\(it is (\w+day) (\d\d):(\d\d)\)$", re.MULTILINE)
SILENT = re.compile(r"([\w+@.]+) hears nothing")


@dataclass
class Stage:
    """The company, and what each of its people has been sent and not yet read in the story."""

    engine: Engine
    registry: CommandRegistry
    clock: MovingClock | None = None
    heard: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    last_mail: dict[str, tuple[int, int]] = field(default_factory=dict)
    said: int = 0
    code: str = ""


def play(path: Path, engine: Engine, settings: Settings) -> None:
    """Runs the story; an AssertionError names the line that went otherwise. One in which the clock moves gets a
    database for that."""
    if not CLOCK.search(path.read_text()):
        _play(path, engine, settings, None)
        return
    with moving_clock(engine) as clock:
        _play(path, clock.engine, settings, clock)


def _play(path: Path, engine: Engine, settings: Settings, clock: MovingClock | None) -> None:
    with transaction(engine) as session:
        personas.assemble(session)
        session.execute(text("INSERT INTO installation (mode) VALUES ('simulated')"))
    stage = Stage(engine, build_registry(settings), clock)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            _play_line(stage, line.strip(), f"{path.name}:{number}")
    left = {who: rest for who, rest in stage.heard.items() if rest}
    assert not left, f"{path.name}: nobody expected {left}"


def _play_line(stage: Stage, line: str, where: str) -> None:
    for direction, direct in DIRECTIONS:
        if match := direction.fullmatch(line):
            direct(stage, *match.groups())
            return
    if silent := SILENT.fullmatch(line):
        assert not stage.heard.get(silent[1]), f"{where}: {silent[1]} heard {stage.heard[silent[1]]}"
    elif match := LINE.fullmatch(line):
        who, how, what = match["who"], match["how"], match["what"]
        if how.startswith(">"):
            _say(stage, who, what, by_mail=how == ">>")
        else:
            _expect(stage, who, "email" if how == "<<" else "sms", what, where)
    else:
        raise AssertionError(f"{where}: cannot be read: {line}")


def _expect(stage: Stage, who: str, channel: str, what: str, where: str) -> None:
    waiting = stage.heard.get(who, [])
    what = what.replace("\\n", "\n")
    for place, (by, words) in enumerate(waiting):
        if by == channel and _is(stage, what, words):
            del waiting[place]
            return
    raise AssertionError(f"{where}: {who} should hear {what!r}, but heard {waiting}")


def _is(stage: Stage, expected: str, words: str) -> bool:
    """Whether it was said as expected; a code in it is kept for the lines that follow."""
    codes = CODE.findall(words)
    if "{code}" in expected and codes:
        expected = expected.replace("{code}", codes[-1])
    right = words.startswith(expected[:-3].rstrip()) if expected.endswith("...") else words == expected
    if right and codes:
        stage.code = codes[-1]
    return right


def _speaker(who: str) -> personas.Person:
    """One of the cast, or a stranger by their number or mailbox."""
    found = next((person for person in personas.PEOPLE if person.handle == who), None)
    return found or personas.Person(who, who, who if who.startswith("+") else None, who if "@" in who else None)


def _say(stage: Stage, who: str, what: str, by_mail: bool) -> None:
    person = _speaker(who)
    what = what.replace("\\n", "\n").replace("{code}", stage.code)
    stage.said += 1
    if by_mail:
        incoming = _mail(stage, person, what)
    else:
        assert person.phone
        identity = uuid.uuid4().bytes
        what, files = _enclosed(what)
        sent = tuple(Picture(f"https://api.twilio.com/{name}", "image/jpeg") for name in files)
        incoming = Incoming("sms", identity, person.phone, (personas.NUMBER,), b"", True, text=what, pictures=sent)
    with transaction(stage.engine) as session:
        inbox.accept(session, inbox.hash_key(session), [incoming])
    _work(stage)


def _enclosed(what: str) -> tuple[str, list[str]]:
    """The words, and the files in brackets behind them."""
    found = FILES.search(what)
    return (what[: found.start()], found[1].split(", ")) if found else (what, [])


def _mail(stage: Stage, person: personas.Person, what: str) -> Incoming:
    assert person.mailbox
    what, files = _enclosed(what)
    local, _, body = what.partition(": ")
    subject, mark, rest = (body + " ").partition(" // ")
    subject, body = (subject, rest.strip()) if mark else ("(no subject)", body)
    mail = EmailMessage()
    to = tuple(f"{_local(stage, person, one)}@{personas.DOMAIN}" for one in local.split(","))
    mail["From"], mail["To"], mail["Subject"] = person.mailbox, ", ".join(to), subject
    mail["Message-ID"] = f"<{uuid.uuid4()}@demo.example>"
    mail.set_content(body)
    for name in files:
        sample_files.enclose(mail, name)
    raw = f"Return-Path: <{person.mailbox}>\r\n".encode() + mail.as_bytes()
    identity = uuid.uuid4().bytes
    return Incoming("email", identity, person.mailbox, to, raw, True, str(mail["Message-ID"]))


def _local(stage: Stage, person: personas.Person, written: str) -> str:
    head, _, whose = written.partition("/")  # re/priya: the reply address that Priya was given
    if head != "re":
        return written.partition("@")[0]
    post, address = stage.last_mail[f"{whose}@demo.example" if whose else person.mailbox or ""]
    return f"r+{stage.registry.signer.sign('reply', post, address)}"


def _work(stage: Stage) -> None:
    """What the workers do, until nothing is left to do."""
    while _turn(stage):
        pass


def _turn(stage: Stage) -> bool:
    with transaction(stage.engine) as session:
        due = due_work.look(session).drains
    if ("inbound" in due and _read_one(stage)) or ("fanout" in due and _spread_one(stage)):
        return True
    if "offers" in due and _offer(stage):
        return True
    if (due & {"sms", "email"} and _deliver(stage)) or ("wake_ups" in due and _wake_up(stage)):
        return True
    return "calls" in due and _go_on_calling(stage)


def _read_one(stage: Stage) -> bool:
    with transaction(stage.engine) as session:
        claimed = inbox.claim(session, "test", timedelta(seconds=60), 1)
        for one in claimed:
            row, _ = inbox.take(session, one) or (None, None)
            assert row is not None
            outcome = process(session, stage.registry, row)
            inbox.finish(session, row, outcome.state, outcome.intent, outcome.reason, outcome.account_id)
    return bool(claimed)


def _spread_one(stage: Stage) -> bool:
    with transaction(stage.engine) as session:
        fanout = fanouts.claim(session)
        if fanout is None:
            return False
        chunk = recipients.expand(session, fanout, fanouts.priority(session, fanout), 3)
        fanouts.advance(session, fanout, chunk, done=chunk.upto == recipients.END)
    return True


def _offer(stage: Stage) -> bool:
    with transaction(stage.engine) as session:
        due = offers.due(session, 1)
        for offer in due:
            offers.make(session, stage.registry.settings, offer)
    return bool(due)


def _deliver(stage: Stage) -> bool:
    with transaction(stage.engine) as session:
        due = select(Delivery, Message, Address).join(Message, Message.id == Delivery.message_id)
        due = due.join(Address, Address.id == Delivery.address_id)
        rows = session.execute(due.where(Delivery.ended_at.is_(None)).order_by(Delivery.message_id)).all()
        keys = [(row[0].message_id, row[0].address_id) for row in rows]
        refused, _, limits = delivery_decisions.find(session, keys)
        for delivery, message, address in rows:
            key = delivery.message_id, delivery.address_id
            why = refused.get(key) or _over(stage, session, key, limits.get(key))
            if isinstance(why, Hold):
                _hold(session, delivery, address, why)
            elif isinstance(why, Redirect):
                delivery.state, delivery.reason, delivery.ended_at = "cancelled", redirects.REDIRECTED, func.now()
                session.flush()
                redirects.put(session, {(delivery.message_id, delivery.address_id): why.address_id})
            elif message.kind != "digest" or _compose(stage, session, message):
                _hand_over(stage, session, delivery, message, address, why.reason if why else None)
            else:
                delivery.state, delivery.reason, delivery.ended_at = "cancelled", "empty", func.now()
    return bool(rows)


def _over(stage: Stage, session: Session, key: Key, limit: TextLimit | None) -> Hold | None:
    """Counts a text to somebody who wants only so many a day, as the workers do when they charge it."""
    if limit is None:
        return None
    attempt = session.scalar(text("SELECT new_id()")) or 0
    day = ReaderDay(limit.reader_id, limit.day, limit.most, limit.over is None)
    asked = BudgetRequest(attempt, *key, 1, b"", 0, 0, "US", 1, 1, urgent=True, pausable=False, reader=day)
    taken = budgets.take(session, budgets.limits(stage.registry.settings), [asked])
    return limit.over if taken.full_days else None


def _hold(session: Session, delivery: Delivery, address: Address, why: Hold) -> None:
    delivery.state, delivery.attempt = "sending", delivery.attempt + 1
    session.flush()
    key = delivery.message_id, delivery.address_id
    claimed = ClaimedDelivery(0, *key, delivery.attempt, address.address, None, False, delivery.source_id, None)
    held.hold(session, [claimed], {key: why})
    session.expire(delivery)


def _compose(stage: Stage, session: Session, message: Message) -> bool:
    words = digest_words.compose(session, [message.id], stage.registry.signer, personas.DOMAIN).get(message.id)
    if words:
        message.text, message.subject, message.body = words.text, words.subject, words.body
    return words is not None


def _wake_up(stage: Stage) -> bool:
    with transaction(stage.engine) as session:
        digest_items.follow_digests(session)
        items = held.due(session, 100)
        if items:
            wake_up.wake_up(session, items)
    return bool(items)


def _go_on_calling(stage: Stage) -> bool:
    """The steps, reports and ends of urgent calls."""
    with transaction(stage.engine) as session:
        people = escalation.due(session, 100)
        escalation.take(session, people)
        call = None if people else call_timers.due(session)
        if call:
            ended = call_timers.move(session, call) == "end"
            (call_reports.tell_end if ended else call_reports.tell_report)(session, call)
    return bool(people or call)


def _hand_over(
    stage: Stage,
    session: Session,
    delivery: Delivery,
    message: Message,
    address: Address,
    reason: str | None,
) -> None:
    delivery.state = "cancelled" if reason else "sent"
    delivery.reason = reason
    now = session.scalar(text("SELECT clock_timestamp()"))
    delivery.ended_at = now
    if reason:
        return
    delivery.sent_at = now
    account = session.get(Account, address.account_id) if address.account_id else None
    who = account.handle if account else address.address
    stage.heard.setdefault(who, []).append((address.channel, _words(session, message, address)))
    answered = message.id if message.kind in ("daily", "digest") else message.post_id
    if answered and address.channel == "email":
        stage.last_mail[address.address] = (answered, address.id)


def _words(session: Session, message: Message, address: Address) -> str:
    """A text as the phone shows it; a mail as its subject's author and its words."""
    key = message.id, address.id
    before, after = call_words.find(session, [key]).get(key, ("", ""))
    if address.channel == "sms":
        private = message.post_id and session.get_one(Post, message.post_id).visibility == "direct"
        post = session.get_one(Post, message.post_id) if message.post_id else None
        said = before + message.text
        said += rendering.link_media(post.attached, said, "https://x.example/m/1") if post else ""
        said += after
        if address.introduced_at is None:
            owner = session.get(Account, address.account_id) if address.account_id else None
            said += introduction(said, "Critter Demo Co", owner.language if owner else "en")
            address.introduced_at = func.now()
        return rendering.fit_for_phone(said, None, None if private else "https://x.example/p/1").text
    return before + message.text if message.post_id else message.body


def _change(stage: Stage, handle: str, what: str) -> None:
    with transaction(stage.engine) as session:
        account = accounts.by_handle(session, handle, active=False)
        assert account
        if what == "an operator":
            accounts.set_role(session, account.id, "operator")
            return
        change = {"deactivated": accounts.deactivate, "suspended": accounts.suspend, "restored": accounts.restore}
        assert change[what](session, account.id)


def _answer_automatically(stage: Stage, handle: str) -> None:
    person = _speaker(handle)
    incoming = _mail(stage, person, "post: Out of office // I am away until Monday.")
    marked = incoming.raw.replace(b"Subject:", b"Auto-Submitted: auto-replied\r\nSubject:", 1)
    with transaction(stage.engine) as session:
        inbox.accept(session, inbox.hash_key(session), [replace(incoming, raw=marked, proof="a server of ours")])
    _work(stage)


def _forget(stage: Stage, handle: str) -> None:
    """Their phone's next text is its first."""
    with transaction(stage.engine) as session:
        account = accounts.by_handle(session, handle)
        assert account
        for address in addresses.of_account(session, account.id):
            address.introduced_at = None


def _add_people(stage: Stage, number: str, handle: str) -> None:
    """Made-up members with phones."""
    with transaction(stage.engine) as session:
        group = accounts.by_handle(session, handle)
        assert group
        for place in range(int(number)):
            person = accounts.create_person(session, f"more{place}", f"More {place}").id
            addresses.add(session, person, "sms", f"+1415556{place:04}")
            follows.follow(session, person, group.id, True, role="member")


def _add_tracked(stage: Stage, handle: str, number: str) -> None:
    with transaction(stage.engine) as session:
        account = accounts.by_handle(session, handle)
        assert account
        for place in range(int(number)):
            trackers.put(session, account.id, track_phrase(f"word{place}"), by_text=True)


def _add_posts(stage: Stage, number: str, word: str) -> None:
    with transaction(stage.engine) as session:
        kim = accounts.by_handle(session, "kim")
        assert kim
        rows = [Post(author_id=kim.id, visibility="company", text=f"{word} {n}", via="cli") for n in range(int(number))]
        session.add_all(rows)


def _let_urge(stage: Stage, handle: str) -> None:
    with transaction(stage.engine) as session:
        group = accounts.by_handle(session, handle)
        assert group
        group.may_urge = True


def _come_by(stage: Stage, handle: str) -> None:
    with transaction(stage.engine) as session:
        presence.note_activity(session, _account(session, handle).id)


def _see(stage: Stage, handle: str) -> None:
    with transaction(stage.engine) as session:
        newest = session.scalars(select(Post.id).order_by(Post.id.desc()).limit(1)).one()
        seeing.mark_seen(session, _account(session, handle).id, [newest])
    _work(stage)


def _account(session: Session, handle: str) -> Account:
    account = accounts.by_handle(session, handle)
    assert account
    return account


def _make(stage: Stage, kind: str, handle: str, name: str) -> None:
    with transaction(stage.engine) as session:
        if kind == "group":
            accounts.create_group(session, handle, name, "open")
            return
        person = accounts.create_person(session, handle, name)
        addresses.add(session, person.id, "email", f"{handle}@demo.example")


def _set_pin(stage: Stage, handle: str, pin: str, always: str | None) -> None:
    with transaction(stage.engine) as session:
        account = accounts.by_handle(session, handle)
        assert account
        pins.set_pin(session, account.id, pin, always=always is not None)


def _let_pass(stage: Stage, number: str, unit: str) -> None:
    """Everything that has a time becomes that much older, but for the audit, which nobody can change."""
    span = timedelta(**{unit: int(number)})
    with transaction(stage.engine) as session:
        for table in Table.metadata.sorted_tables:
            moments = [column.name for column in table.columns if isinstance(column.type, DateTime)]
            if moments and table.name != "audit":
                changes = ", ".join(f"{name} = {name} - CAST(:span AS interval)" for name in moments)
                session.execute(text(f"UPDATE {table.name} SET {changes}"), {"span": span})
    _work(stage)


def _move_on(stage: Stage, day: str, hour: str, minute: str) -> None:
    """The next time that the clock shows this. It stops for all that is due before."""
    assert stage.clock
    now = stage.clock.now()
    end = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    end += timedelta(days=(DAYS.index(day) - now.weekday()) % 7)
    end += timedelta(days=0 if end > now else 7)
    while (next_in := _next_due(stage, end)) is not None:
        stage.clock.move(next_in)
        _work(stage)


def _next_due(stage: Stage, end: datetime) -> timedelta | None:
    """How long till the next thing is due, and at most till `end`; None when that has come."""
    assert stage.clock
    left = end - stage.clock.now()
    if left <= timedelta():
        return None
    with transaction(stage.engine) as session:
        next_in = due_work.look(session).next_in
    return min(left, next_in + MOMENT) if next_in is not None else left


def _daily_mails(stage: Stage) -> None:
    """Another day: of everybody it is the morning."""
    with transaction(stage.engine) as session:
        session.execute(text("UPDATE accounts SET daily_on = daily_on - 1"))
        zone = session.scalar(text("SELECT date_part('hour', now() AT TIME ZONE 'UTC')"))
        world_ = stage.registry
        daily_mail.write(session, world_.signer, personas.DOMAIN, world_.settings.company, int(zone or 0), 100)
    _work(stage)


def _ask_about(stage: Stage, phones: str) -> None:
    settings = stage.registry.settings.model_copy(update={"ask_phones": int(phones)})
    stage.registry = replace(stage.registry, settings=settings)


def _budget(stage: Stage, parts: str) -> None:
    settings = stage.registry.settings.model_copy(update={"daily_sms_budget": int(parts)})
    stage.registry = replace(stage.registry, settings=settings)


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOMENT = timedelta(milliseconds=10)  # what is due then is due for sure
DIRECTIONS = [
    (re.compile(rf"\({words}\)"), direct)
    for words, direct in (
        (r"(\d+) (seconds|minutes|hours) later", _let_pass),
        (r"(\w+) is (deactivated|suspended|restored|an operator)", _change),
        (r"the daily mails go out", _daily_mails),
        (r"it is (\w+day) (\d\d):(\d\d)", _move_on),
        (r"the mailbox of (\w+) says that they are away", _answer_automatically),
        (r"more than (\d+) phones are asked about", _ask_about),
        (r"(\d+) parts are all that the company has a day", _budget),
        (r"(\w+) was never written to", _forget),
        (r"(\d+) more people are in (\w+)", _add_people),
        (r"(\w+) tracks (\d+) words", _add_tracked),
        (r"(\d+) updates have (\w+) in them", _add_posts),
        (r"(\w+) has the PIN (\d+)(, always asked for)?", _set_pin),
        (r"there is a (person|group) (\w+), (.+)", _make),
        (r"(\w+) may send urgent calls", _let_urge),
        (r"(\w+) is on the web", _come_by),
        (r"(\w+) sees the last update on the web", _see),
    )
]
