"""What an unknown sender may do: opt out, join when a colleague invited them, link a new phone to its owner.

`process` calls it. No money is spent on strangers: by text only those who were invited are ever answered."""

import re
from typing import Final

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, joined, say, translated
from gateway.inbound.commands import CommandRegistry
from gateway.inbound.outcome import InboundOutcome
from gateway.language.opt_out import keywords
from gateway.language.usage.arguments import KINDS, words
from gateway.language.words.normalize import clean
from gateway.ledger.audit import audit_log
from gateway.ledger.inbox import inbox
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.conversation import notices, reply_limits
from gateway.network.people import accounts, addresses, consent, invitations
from gateway.network.verification import codes
from gateway.store.tables import Account, Address, Inbound

STRANGER: Final = "nobody here has this address"
SUSPENDED: Final = "its owner is suspended"
OVERTAKEN: Final = "it came late: a STOP that was said after it holds"
CLOSED: Final = "too many wrong codes from there: none is looked at for a while"
_LINK: Final = re.compile(r"/?link[:,]?\s+(\d{6}|\d{8})[.!]?", re.IGNORECASE)
_NAME: Final = re.compile(r"/?name[:,]?\s+(.+?)[.!]?", re.IGNORECASE)
_LINK_WORDING: Final = "link (and a code)"


def process_unknown(session: Session, registry: CommandRegistry, inbound: Inbound, text: str) -> InboundOutcome:
    """Handles the input of an unknown sender; nothing of it is ever posted. By mail only a proved sender counts."""
    if inbound.channel == "email" and inbound.trusted and (keywords.plainly_stops(text) or keywords.stops_mails(text)):
        return _no_more_mails(session, inbound, text)
    word = (inbound.opt_out_type or keywords.carrier_word(text) or "").lower() if inbound.channel == "sms" else ""
    if word in ("stop", "start"):
        return _carriers_word(session, inbound, word, text)
    if inbound.channel == "sms" and keywords.sounds_like_refusal(text):
        consent.flag(session, inbound, addresses.ensure(session, "sms", inbound.sender).id)
    if addresses.owner_suspended(session, inbound.channel, inbound.sender):
        return InboundOutcome("done", None, SUSPENDED)
    if inbound.channel == "email" and not inbound.trusted:
        return InboundOutcome("done", None, STRANGER)
    first = clean(text).split("\n", 1)[0].strip()
    if code := _LINK.fullmatch(first):
        return _link(session, registry, inbound, code[1])
    invited = invitations.standing(session, inbound.channel, inbound.sender)
    if invited:
        return _invited(session, registry, inbound, *invited, text)
    return _unknown(session, registry, inbound)


def _carriers_word(session: Session, inbound: Inbound, word: str, text: str) -> InboundOutcome:
    """Keeps the opt-out or opt-in with the number, for the day when it belongs to somebody. START only takes a STOP
    back."""
    stranger = addresses.ensure(session, "sms", inbound.sender)
    kept = (text, _ours(inbound), inbound.message_id, "text")
    if word == "stop":
        addresses.stop(session, stranger, *kept)
        return InboundOutcome("done", "optout", f"a carrier word; {STRANGER}")
    if is_overtaken(inbound, stranger):
        return InboundOutcome("done", "optin", OVERTAKEN)
    addresses.start(session, stranger, *kept)
    if not addresses.owner_suspended(session, "sms", inbound.sender):
        stranger.state = "suspended" if stranger.account_id else "invited"  # its owner has left, or there is none yet
    return InboundOutcome("done", "optin", f"a carrier word; {STRANGER}")


def is_overtaken(inbound: Inbound, address: Address) -> bool:
    """Whether a later STOP overrides it: a START that was found late must not undo a STOP that was said after it."""
    return bool(inbound.sent_at and address.stopped_at and address.stopped_at > inbound.sent_at)


def _ours(inbound: Inbound) -> str | None:
    return inbound.recipients[0] if inbound.recipients else None


def _link(session: Session, registry: CommandRegistry, inbound: Inbound, code: str) -> InboundOutcome:
    """Links the sender by a code. Wrong codes are counted and, from a phone, not answered."""
    inbox.redact(inbound)
    if not codes.stranger_may_try(session, inbound.channel, inbound.sender):
        return InboundOutcome("done", "link", CLOSED)
    owner = codes.is_linked(session, registry.signer, code)
    if owner is None:
        return _wrong_code(session, inbound)
    try:
        with session.begin_nested():
            said = (_LINK_WORDING, _ours(inbound), inbound.message_id)
            row = addresses.tie(session, owner.id, inbound.channel, inbound.sender, *said)
    except Refused:
        notice = say(
            "A phone or mailbox was not added to your account, because it is somebody else's. An operator can move it."
        )
        return InboundOutcome("done", "link", "it is somebody else's", queues=notices.tell(session, [owner.id], notice))
    audit_log.record(session, f"@{owner.handle}", "address.link", row.id, {"channel": row.channel})
    queues = _tell_owner(session, owner, row)
    answer = say(
        "You are connected as {name} (@{handle}). To see what you can do: ?", name=owner.name, handle=owner.handle
    )
    return _answered(session, inbound, row, answer, owner, queues, "link", "a code that its owner was shown")


def _wrong_code(session: Session, inbound: Inbound) -> InboundOutcome:
    codes.was_wrong(session, inbound.channel, inbound.sender)
    if inbound.channel == "sms":
        return InboundOutcome("done", "link", codes.WRONG)
    words_ = say("That code is wrong, or older than ten minutes. Nothing was changed. Get a new one and try again.")
    row = addresses.ensure(session, "email", inbound.sender)
    if not reply_limits.may_write_to_stranger(session, row.id):
        return InboundOutcome("done", "link", codes.WRONG)
    return _answered(session, inbound, row, words_, None, frozenset(), "link", codes.WRONG)


def _tell_owner(session: Session, owner: Account, row: Address) -> frozenset[str]:
    """Tells the owner on another channel than the new one; with no other address there is nobody else to be told."""
    if all(each.id == row.id for each in addresses.of_account(session, owner.id)):
        return frozenset()
    notice = (
        say("A phone was added to your account. Was that not you? Tell an operator.")
        if row.channel == "sms"
        else say("A mailbox was added to your account. Was that not you? Tell an operator.")
    )
    return notices.tell_elsewhere(session, owner.id, row.channel, notice)


def _invited(
    session: Session, registry: CommandRegistry, inbound: Inbound, row: Address, inviter: Account, text: str
) -> InboundOutcome:
    first = clean(text).split("\n", 1)[0].strip()
    if row.stopped_at:
        return InboundOutcome("done", None, f"opted out; {STRANGER}")
    name = _name(first) or (_signed(text) if inbound.channel == "email" else None)
    if name:
        return _join(session, registry, inbound, row, inviter, name, first)
    if not reply_limits.may_write_to_stranger(session, row.id):
        return InboundOutcome("done", None, "invited; it was told how to join before")
    how = HOW[inbound.channel]
    return _answered(session, inbound, row, how, inviter, frozenset(), None, "invited, and has not joined")


HOW: Final = {
    "sms": say("To join, reply with your name, like: name Sam Ortiz. Nothing was posted. To hear no more: STOP"),
    "email": say(
        "To join, reply to this mail with just your name, like: Sam Ortiz. Nothing was posted. "
        "To get no more mails: STOP"
    ),
}


def _no_more_mails(session: Session, inbound: Inbound, text: str) -> InboundOutcome:
    """Keeps the refusal with the mailbox, so that no colleague invites it again."""
    stranger = addresses.ensure(session, "email", inbound.sender)
    addresses.stop(session, stranger, text, _ours(inbound), inbound.message_id, "mail")
    return InboundOutcome("done", "optout", f"a request to stop; {STRANGER}")


_WORD: Final = r"[^\W\d_a-z](?:[^\W\d_]|[-'’.])*"
_SIGNED: Final = re.compile(rf"{_WORD}(?: (?:{_WORD}|(?:de|del|der|den|di|da|la|le|van|von|y|e|bin|al)))* {_WORD}")
_NO_NAME: Final = frozenset(
    {"no", "not", "thanks", "thank", "please", "hello", "hi", "hey", "dear", "sorry", "who", "what", "yes", "gracias"}
)


def _signed(text: str) -> str | None:
    """The name, when a mail consists of nothing else: two to five words, each written like one. "No Thanks" is none."""
    alone = clean(text).strip().rstrip(".")
    if not _SIGNED.fullmatch(alone) or len(alone.split()) > 5:
        return None
    return None if _NO_NAME.intersection(alone.casefold().split()) else _name(f"name {alone}")


def _name(first: str) -> str | None:
    """The name as the command `name` takes it."""
    match = _NAME.fullmatch(first)
    said = words(match[1]) if match else None
    taken = next(KINDS["FULLNAME"](said, 0), None) if said else None
    return taken[1] if taken and said and taken[0] == len(said) and not said.more else None


def _join(
    session: Session,
    registry: CommandRegistry,
    inbound: Inbound,
    row: Address,
    inviter: Account,
    name: str,
    wording: str,
) -> InboundOutcome:
    reserved = frozenset(registry.verbs)
    handle = invitations.free_handle(session, name, reserved)
    spoken = {"language": inviter.language, "timezone": inviter.timezone}
    person = accounts.create_person(session, handle, name, reserved=reserved, **spoken)
    invitations.accept(session, row, person.id, wording, _ours(inbound), inbound.message_id)
    audit_log.record(session, f"@{handle}", "people.join", person.id, {"handle": handle, "inviter": inviter.handle})
    notice = say("{name} (@{handle}) has joined. To follow them: FOLLOW {handle!u}", name=person.name, handle=handle)
    queues = notices.tell(session, [inviter.id], notice)
    welcome = _welcome(registry, inbound.channel, person, inviter)
    return _answered(session, inbound, row, welcome, person, queues, "join", "invited, and said a name")


def _welcome(registry: CommandRegistry, channel: str, person: Account, inviter: Account) -> Phrase:
    """The welcome; by mail there is room to say what to do next."""
    if channel == "email":
        domain, names = registry.settings.mail_domain, inviter.handle
        lines = [
            say("Welcome, {name}. You are @{handle}.", name=person.name, handle=person.handle),
            say("To follow {name}, reply to this mail with: FOLLOW {handle!u}", name=inviter.name, handle=names),
            say(
                "Mail what you are doing to {address}. Everyone who follows you gets it.",
                address=f"post@{domain}",
            ),
            say("To write to one colleague privately, use their name, like {address}", address=f"{names}@{domain}"),
            say("For everything else, reply HELP. To stop all mails: OFF. To get them back: ON"),
        ]
        return joined(lines, "\n\n")
    return say(
        ("Welcome, {name}. You are @{handle}. Try: follow {names}. Or text what you are doing. For help: ?"),
        name=person.name,
        handle=person.handle,
        names=inviter.handle,
    )


def _unknown(session: Session, registry: CommandRegistry, inbound: Inbound) -> InboundOutcome:
    if inbound.channel != "email":
        return InboundOutcome("done", None, STRANGER)
    row = addresses.ensure(session, "email", inbound.sender)
    if not reply_limits.may_write_to_stranger(session, row.id):
        return InboundOutcome("done", None, f"{STRANGER}; it was answered before")
    text = say(
        "This is {company}'s Critter. Nobody here has this mail address yet, so nothing was posted. Ask the people "
        "who run it to add you, or a colleague to invite you, then write again.",
        company=registry.settings.company,
    )
    return _answered(session, inbound, row, text, None, frozenset(), None, STRANGER)


def _answered(
    session: Session,
    inbound: Inbound,
    row: Address,
    answer: Phrase,
    reader: Account | None,
    queues: frozenset[str],
    intent: str | None,
    reason: str,
) -> InboundOutcome:
    """The one answer, in the language of whoever is known best."""
    about = say("Welcome to Critter") if intent == "join" else say("How to join")
    said, subject = (translated(each, reader.language if reader else "en") for each in (answer, about))
    outgoing = Outgoing("answer", said, subject, said, inbound_id=inbound.id, priority=2)
    outbox.put(session, outgoing, [Target(row.id, row.channel)])
    owner = row.account_id
    return InboundOutcome("done", intent, reason, owner, said, queues | {row.channel})
