"""Sends the six digits that somebody types to sign in on the web (R38). Who is not known here gets none, and the page
that asked says the same."""

from typing import Final

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import say, translated
from gateway.ledger.audit import audit_log
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.people import addresses
from gateway.network.verification import codes
from gateway.security.signed_tokens import Signer

NOBODY: Final = 0  # the id of no code
SENT_TO: Final = ("verified",)  # a phone that said STOP gets no code either


def send(session: Session, signer: Signer, company: str, channel: str, address: str) -> int:
    """Sends a code to a (normal) phone or mailbox of somebody; returns the code's id, NOBODY when nothing was sent."""
    found = addresses.identify(session, channel, address)
    if found is None or found[0].state not in SENT_TO:
        return NOBODY
    row, person = found
    try:
        code_id, code = codes.sign_in(session, signer, row, person.id)
    except Refused:
        return NOBODY  # too many codes: who asked must not learn by that who is known here
    words = translated(
        say(
            "{code} signs you in at {company}'s Critter, once, within 10 minutes. Nobody of us ever asks for it.",
            code=code,
            company=company,
        ),
        person.language,
    )
    subject = translated(say("Your code"), person.language)
    message = Outgoing("code", words, subject, words, priority=0, must_arrive=True)
    outbox.put(session, message, [Target(row.id, channel)])
    audit_log.record(session, f"@{person.handle}", "sign_in.code", person.id, {"channel": channel})
    return code_id
