"""A test mail of `critter check mail`: on a round trip to our own door, or to a mailbox that somebody reads.

The one to ourselves has a bounce address with a token that belongs to no mail: the door accepts it, no worker answers.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gateway.carriers.common.protocol import OutboundEmail, Outcome
from gateway.carriers.operator_advice import advice
from gateway.carriers.smtp.provider_profiles import provider_terms, relay
from gateway.errors import Refused
from gateway.i18n.phrases import ENGLISH
from gateway.mail.compose import compose, dkim_keys
from gateway.mail.compose.layout import lay_out
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction

EVERY: Final = 0.25  # seconds between two looks
ARRIVED: Final = text("SELECT EXISTS (SELECT FROM inbound WHERE :address = ANY (recipients) AND received_at > :since)")
NOW: Final = text("SELECT now() - interval '1 second'")
WORDS: Final = "This mail was sent to see whether mails get through. Nobody needs to answer it.\n"


@dataclass(frozen=True, slots=True)
class Sent:
    """What the relay took. `carrier_id` is its name for it, when it gave one; `seconds` how long that took."""

    message_id: str
    carrier_id: str | None
    seconds: float


def own_address(settings: Settings) -> str:
    """A new address at each call."""
    token = Signer(settings.secret_keys).sign("bounce", 0, secrets.randbits(62))
    return f"b+{token}@{settings.mail_domain}"


def send(settings: Settings, recipient: str) -> Sent:
    """Sends through the relay, as all mails are sent. Raises Refused with what to do when it is not taken."""
    begun = time.monotonic()
    message_id, content = _written(settings, recipient)
    sender = provider_terms(settings).sender or own_address(settings)
    outcome = asyncio.run(_sent(settings, OutboundEmail(0, sender, recipient, content)))
    if outcome.state != "sent":
        raise Refused(_why(outcome))
    return Sent(message_id, outcome.carrier_id, time.monotonic() - begun)


def _why(outcome: Outcome) -> str:
    detail = f", {outcome.detail}" if outcome.detail else ""
    step = advice(outcome.reason) or "look at CRITTER_SMTP_RELAY and at the relay's log"
    return f"the relay did not take it ({outcome.reason}{detail}): {step}"


async def _sent(settings: Settings, email: OutboundEmail) -> Outcome:
    carrier, outcomes = relay(settings), list[Outcome]()
    try:
        await carrier.send([email], lambda _, outcome: outcomes.append(outcome))
    finally:
        await carrier.close()
    return outcomes[0]


def _written(settings: Settings, recipient: str) -> tuple[str, bytes]:
    """A mail like ours: signed if they are, and marked as a machine's, so that no machine answers it."""
    domain = settings.mail_domain
    message_id = f"<critter.doctor.check.{secrets.token_hex(8)}@{domain}>"
    mail = compose.compose(
        "Critter",
        provider_terms(settings).sender or f"post@{domain}",
        "Critter: a test mail",
        WORDS,
        date=datetime.now(UTC),
        critter_id=domain,
        frame=lay_out(settings.company, ENGLISH, kind="test"),
        keys=dkim_keys.of(settings),
    )
    return message_id, mail.fill(recipient, f"post@{domain}", message_id)


def round_trip(settings: Settings, engine: Engine, patience: float, sent: Callable[[Sent], None]) -> float:
    """Seconds until a mail to ourselves was accepted at our door; `sent` is called when the relay has taken it.

    Raises Refused when it was not taken, or has not come `patience` seconds later."""
    address = own_address(settings)
    with transaction(engine) as session:
        since = session.scalar(NOW)
    begun = time.monotonic()
    taken = send(settings, address)
    sent(taken)
    while not _arrived(engine, address, since):
        if time.monotonic() - begun > patience:
            raise Refused(_lost(taken, patience))
        time.sleep(EVERY)
    return time.monotonic() - begun


def _arrived(engine: Engine, address: str, since: object) -> bool:
    try:
        with transaction(engine) as session:
            return bool(session.scalar(ARRIVED, {"address": address, "since": since}))
    except ProgrammingError:
        raise Refused("the database is not of this version: run critter migrate") from None


def _lost(taken: Sent, patience: float) -> str:
    known = f" as {taken.carrier_id}" if taken.carrier_id else ""
    return (
        f"the relay took it{known}, and it did not come in within {patience:g} s: look for it in the relay's log, "
        "then at the MX record or the forwarding rule, whether critter mail runs and can be reached on port 25, and "
        "at junk and quarantine; greylisting needs --wait 900"
    )
