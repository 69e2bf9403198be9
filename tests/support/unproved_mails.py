"""Mails that nothing proved at the door, in the company of personas.py, and how they stand; for tests of who wrote
them."""

import time

from sqlalchemy import text as sql

from gateway.ledger.inbox.inbox import Incoming
from gateway.mail.auth import trace_headers
from gateway.mail.auth.dmarc import Envelope
from gateway.network.mail import secret_addresses
from gateway.network.people import accounts
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from tests.support.office import Office
from tests.support.signed_mails import write_mail, zone
from workers import mail_auth
from workers.runtime.context import WorkerContext

DEMO = zone("demo.example")
BY_DEMO = Envelope("192.0.2.10", "mx.demo.example", "kim@demo.example")
ELSEWHERE = Envelope("198.51.100.66", "x.evil.example", "a@evil.example")
BY_EVIL = Envelope("198.51.100.66", "kim@demo.example", "")._replace(sender="b@evil.example")
KIM = "kim@demo.example"


def arrives(
    office: Office,
    mail: bytes | None = None,
    came: Envelope = ELSEWHERE,
    to: tuple[str, ...] = ("post@mail.example",),
    sender: str = KIM,
) -> int:
    """A mail that nothing proved at the door."""
    content = write_mail(sender) if mail is None else mail
    raw = trace_headers.write_header(came, "mail.example") + content
    identity = f"{time.monotonic_ns()}".encode()
    return office.accept(Incoming("email", identity, sender, to, raw, trusted=False, message_id="<1@demo.example>"))


def row(office: Office, row_id: int):
    return office.sql(
        f"SELECT state, proof, reason, trusted, recipients, attempt, not_before FROM inbound WHERE id = {row_id}"
    )[0]


def states(office: Office) -> list[str]:
    return [state for (state,) in office.sql("SELECT state FROM inbound ORDER BY id")]


def posts(office: Office) -> list[str]:
    return [words for (words,) in office.sql("SELECT text FROM posts ORDER BY id")]


def sent(office: Office, mailbox: str = KIM) -> list[tuple[str, str]]:
    """What was put for a mailbox: kind and words."""
    return office.sql(
        f"""SELECT m.kind, m.body FROM messages m JOIN deliveries d ON d.message_id = m.id
            JOIN addresses a ON a.id = d.address_id WHERE a.address = '{mailbox}' ORDER BY m.id"""
    )


def token(office: Office, inbound_id: int) -> str:
    [(address_id,)] = office.sql(
        f"SELECT a.id FROM addresses a JOIN inbound i ON sender = address AND i.id = {inbound_id}"
    )
    return f"c+{Signer(office.settings.secret_keys).sign('confirm', inbound_id, address_id)}@mail.example"


def answers(office: Office, context: WorkerContext, inbound_id: int, words: str, sender: str = KIM) -> int:
    to = token(office, inbound_id)
    answer = arrives(office, write_mail(sender, to=to, body=words), to=(to,), sender=sender)
    mail_auth.step(context)
    office.read()
    return answer


def change(office: Office, statement: str) -> None:
    with transaction(office.engine) as session:
        session.execute(sql(statement))


def secret_of(office: Office, handle: str = "kim", rotate: bool = False) -> str:
    with transaction(office.engine) as session:
        person = accounts.by_handle(session, handle)
        make = secret_addresses.rotate if rotate else secret_addresses.secret
        return make(session, Signer(office.settings.secret_keys), person.id)
