"""How a text would be read and answered, without sending or keeping anything. `critter explain` and tests ask."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

import handlers
from gateway.channels import EMAIL, SMS
from gateway.errors import Refused
from gateway.inbound import commands
from gateway.inbound.commands import CommandRegistry
from gateway.inbound.outcome import InboundOutcome
from gateway.inbound.process import process
from gateway.language.model.reading import Channel, Reading
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.people import accounts, addresses
from gateway.settings import Settings
from gateway.store.tables import Account, Address, Post

DEMO = "kim"
QUIET = timedelta(hours=2)
# These belong to nobody: a number without an area code, and a mailbox in an example domain of RFC 2606.
FRESH: dict[Channel, str] = {SMS: "+10000000000", EMAIL: "somebody@explain.invalid"}


@dataclass(frozen=True, slots=True)
class Explained:
    """How a text reads for one person. `reading` is None when a mail is kept before it is read."""

    reader: str
    handle: str
    intent: str
    reason: str
    reading: Reading | None
    would_answer: str | None

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "intent": self.intent,
            "args": list(self.reading.args) if self.reading else [],
            "privacy": self.reading.privacy if self.reading else None,
            "reason": self.reason,
            "would_answer": self.would_answer,
        }


def build_registry(settings: Settings) -> CommandRegistry:
    """All the commands: handlers/ declares its own when it is imported."""
    assert handlers.MODULES
    return commands.build_registry(settings)


def explain(
    connection: Connection, registry: CommandRegistry, text: str, channel: Channel = SMS, handle: str | None = None
) -> Explained:
    """Processes the text in a transaction of its own and rolls it back, so no text knows of the one before.

    With `handle`: as from that person's own phone or mailbox, with their open question and their last item. Without:
    from a device that was asked nothing and last got a public update, two hours ago.
    """
    with forget_person(connection) as session:
        person = _named(session, handle) if handle else _anyone(session, registry.settings)
        address = _own(session, person, channel) if handle else _quiet(session, person, channel)
        came = _incoming(registry.settings, channel, address.address, text.replace("\0", ""))
        inbound = inbox.put_claimed(session, came)
        return _explained(person, process(session, registry, inbound))


@contextmanager
def forget_person(connection: Connection) -> Iterator[Session]:
    """A session whose work is rolled back."""
    with Session(connection, expire_on_commit=False) as session:
        try:
            yield session
        finally:
            session.rollback()


def _explained(person: Account, outcome: InboundOutcome) -> Explained:
    intent = outcome.intent or outcome.state
    return Explained(person.name, person.handle, intent, outcome.reason, outcome.reading, outcome.answer)


def _named(session: Session, handle: str) -> Account:
    person = accounts.by_handle(session, handle)
    if person and person.kind == "person":
        return person
    found = accounts.find(session, handle, None)
    near = ", ".join(f"@{each.handle}" for each in (found.exact or found.near) if each.kind == "person")
    raise Refused(f"Nobody is @{handle.lstrip('@')}.{f' Near: {near}.' if near else ' critter people list shows all.'}")


def _anyone(session: Session, settings: Settings) -> Account:
    """The demo's Kim, an admin, or anybody; in an empty company a made-up person."""
    demo = accounts.by_handle(session, DEMO) if settings.mode == "simulated" else None
    if demo and demo.kind == "person":
        return demo
    people = select(Account).where(Account.kind == "person", Account.state == "active")
    first = people.order_by((Account.role == "admin").desc(), Account.id).limit(1)
    return session.scalars(first).first() or _newcomer(session)


def _newcomer(session: Session) -> Account:
    person = Account(kind="person", handle=f"new_{uuid.uuid4().hex[:8]}", name="Somebody")
    session.add(person)
    session.flush()
    session.refresh(person)
    return person


def _own(session: Session, person: Account, channel: Channel) -> Address:
    """Their primary address, in its current state; where they have none, a made-up one."""
    address = addresses.primary(session, person.id, channel)
    return address if address and address.state != "suspended" else _fresh(session, person, channel)


def _fresh(session: Session, person: Account, channel: Channel) -> Address:
    return addresses.add(session, person.id, channel, FRESH[channel])


def _quiet(session: Session, person: Account, channel: Channel) -> Address:
    address = _fresh(session, person, channel)
    others = select(Account).where(Account.kind == "person", Account.state == "active", Account.id != person.id)
    author = session.scalars(others.order_by(Account.id).limit(1)).first() or _newcomer(session)
    post = Post(author_id=author.id, visibility="company", text="", via="cli")
    session.add(post)
    session.flush()
    update = Outgoing("update", "", "", "", author_id=author.id, post_id=post.id)
    outbox.put_sent(session, update, Target(address.id, channel), QUIET)
    return address


def _incoming(settings: Settings, channel: Channel, sender: str, text: str) -> Incoming:
    """What the door would have accepted."""
    post = f"post@{settings.mail_domain or 'localhost'}"
    number = settings.sms_numbers[0] if settings.sms_numbers else ""
    return Incoming(
        channel=channel,
        identity=uuid.uuid4().bytes,
        sender=sender,
        recipients=(post if channel == EMAIL else number,),
        text=text if channel == SMS else None,
        raw=_mail(sender, post, text) if channel == EMAIL else b"",
        trusted=True,
    )


def _mail(sender: str, recipient: str, text: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = sender, recipient
    mail.set_content(text)
    return mail.as_bytes()
