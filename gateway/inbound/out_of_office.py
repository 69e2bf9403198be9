"""Notes that a colleague's mailbox says that they are away: an automatic answer, which that mailbox sent to us. It is
never read as words and never answered. `process` asks of each mail of a machine, and bounce_intake of each answer to
the return address of one of our mails.
"""

import re
from email.message import Message
from typing import Any, Final

from sqlalchemy.orm import Session

from gateway.inbound import auto_responders
from gateway.inbound.inbound_mail import InboundMail
from gateway.ledger.inbox import replays
from gateway.mail.auth import named_recipients, replay_keys
from gateway.mail.decode import mime
from gateway.mail.decode.read_fields import LISTS
from gateway.mail.parse import author
from gateway.network.people import addresses, out_of_office
from gateway.store.tables import Address

# Our own mail that came back, an error of a server, a list: whatever else such a mail says of itself.
_OTHERS: Final = frozenset({"x-failed-recipients", "x-critter-id", "x-loop"})
_FIRST_WORD: Final = re.compile(r"[\s;(]")
UNPROVED: Final = "nobody"  # so begins the proof of a mail that the door let in for its address alone


def note_proved(session: Session, mail: InboundMail, domain: str) -> bool:
    """For a mail whose sender is proved: whether it said that they are away. A signature stays valid when somebody else
    sends the mail again with the marks of an automatic answer: so an answer to others says nothing, and neither does a
    mail that was read before."""
    proof = mail.inbound.proof or UNPROVED
    if proof.startswith(UNPROVED) or mail.mail.refused or not _to_us(mail.mail.message, domain):
        return False
    return not _came_before(session, mail) and _note(session, mail, None)


def _came_before(session: Session, mail: InboundMail) -> bool:
    marks = replay_keys.compute(mail.mail.octets, mail.mail.message, mail.inbound.sender)
    return replays.came_before(session, mail.inbound.id, tuple(marks))


def note_answer(session: Session, mail: InboundMail, address_ids: frozenset[int]) -> bool:
    """For an answer to the return address of our own mail, which only these mailboxes were told."""
    return _note(session, mail, address_ids)


def _note(session: Session, mail: InboundMail, address_ids: frozenset[int] | None) -> bool:
    known = addresses.identify(session, "email", mail.inbound.sender)
    if known is None or not _may_tell(known[0], address_ids) or not _says_away(mail):
        return False
    out_of_office.record(session, known[1].id)
    return True


def _may_tell(address: Address, address_ids: frozenset[int] | None) -> bool:
    return address.state in ("verified", "stopped") and (address_ids is None or address.id in address_ids)


def _says_away(mail: InboundMail) -> bool:
    """RFC 3834 marks an automatic answer as auto-replied. Exchange marks it as auto-generated, as it does all other
    mails of programs, so its subject must say what it is; older responders have fields of their own."""
    message = mail.mail.message
    names = set(mime.names(message))
    kinds = {_first_word(value) for value in mime.fields(message, "Auto-Submitted")}
    queues = {_first_word(value) for value in mime.fields(message, "Precedence")}
    if (
        _OTHERS & names
        or any(name.startswith(LISTS) for name in names)
        or "list" in queues
        or author.is_report(message)
    ):
        return False
    if "auto-replied" in kinds or {"x-autoreply", "x-autorespond"} & names or {"auto_reply", "auto-reply"} & queues:
        return True
    return "auto-generated" in kinds and auto_responders.is_away(mail.mail.words.subject)


def _first_word(value: str) -> str:
    return _FIRST_WORD.split(value.strip().lower(), maxsplit=1)[0]


def _to_us(message: "Message[Any, Any]", domain: str) -> bool:
    fields = [*mime.fields(message, "To"), *mime.fields(message, "Cc")]
    named = {each for field in fields for each in named_recipients.read_addresses(field)}
    return any(each.rpartition("@")[2] == domain for each in named)
