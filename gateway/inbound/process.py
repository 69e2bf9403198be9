"""Takes one accepted text or mail from its row to what it means; execution.py then does that. workers/inbound calls
`process`."""

from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from gateway.i18n.phrases import joined, say, translated
from gateway.inbound import (
    auto_responders,
    bounce_intake,
    execution,
    mail_attachments,
    mail_routing,
    out_of_office,
    plain_texts,
    unknown_senders,
)
from gateway.inbound.commands import CommandRegistry
from gateway.inbound.inbound_mail import InboundMail
from gateway.inbound.outcome import InboundOutcome
from gateway.language import grammar
from gateway.language.model.reading import Channel, Reading
from gateway.language.opt_out.keywords import carrier_word
from gateway.ledger.inbox import media, replays, sender_limits
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.conversation import reading_context, reply_limits
from gateway.network.follows import reachability
from gateway.network.people import accounts, addresses
from gateway.network.verification import number_lifecycle
from gateway.store.tables import Account, Address, Inbound

SET_ASIDE = say(
    "Your message reached us, but we could not read it. It is kept, nothing was posted, and an operator has been told."
)
TOO_MANY = say(
    "That is more than Critter reads from one phone or mailbox in an hour. The rest is kept "
    "unread. Please go on in an hour."
)


def process(
    session: Session,
    registry: CommandRegistry,
    inbound: Inbound,
    mail: InboundMail | None = None,
    *,
    usual: bool = False,
) -> InboundOutcome:
    """Reads one inbound and does what it says. The caller commits, or rolls back when it only wanted to know the
    outcome. `mail`: the same mail, when the caller has looked at it already; `usual`: it is known that nothing is
    unusual about its sender (plain_texts.py)."""
    if inbound.channel == "email":
        return _hear_mail(session, registry, mail or InboundMail(inbound, registry.signer))
    known = _identify(session, inbound)
    if known is None:
        return unknown_senders.process_unknown(session, registry, inbound, inbound.text or "")
    address, account = known
    if number_lifecycle.is_silent(address, inbound.heard_at, registry.settings.silent_days):
        outcome = _from_a_silent_phone(session, registry, inbound, address, account)
        if outcome:
            return outcome
    text = _words(session, inbound)
    machine = _machine(registry, inbound)
    reading, half = _carriers_own(inbound), None
    resolver = reading_context.resolver(session, account.id)
    if usual:
        reading = plain_texts.read_command(registry, resolver, inbound.sender, text, account.language)
    if reading is None:
        context = reading_context.context(session, address, machine, inbound.heard_at, inbound.late)
        channel: Channel = "email" if address.channel == "email" else "sms"
        reading = grammar.read(text, channel, registry.verbs_for(account.language), resolver, context)
        half = context.half
    return execution.execute(session, registry, inbound, address, account, reading, text, half=half)


def _from_a_silent_phone(
    session: Session, registry: CommandRegistry, inbound: Inbound, phone: Address, owner: Account
) -> InboundOutcome | None:
    """A number that may have a new owner must first be confirmed: nothing else from it is done, nor answered from what
    its owner may know. STOP and START are valid from anybody and confirm nothing; None for those."""
    word = (inbound.opt_out_type or carrier_word(inbound.text or "") or "").lower()
    if word in ("stop", "start"):
        return None
    if word == "yes":
        addresses.seen(session, phone.id)
        said = say("Thank you, {name}. Everything is as it was. For help: ?", name=owner.name.split()[0])
    elif word == "help":
        said = say("This is {company}'s Critter. Reply STOP to end texts.", company=registry.settings.company)
        said = joined([said, number_lifecycle.question(owner.name)])
    else:
        said = joined([number_lifecycle.question(owner.name), NOT_DONE])
    done = InboundOutcome("done", None, number_lifecycle.SILENT, owner.id)
    if inbound.opt_out_type or not reply_limits.may_answer(session, phone.id, inbound):
        return done
    words = translated(said, owner.language)
    outgoing = Outgoing("answer", words, words, words, inbound_id=inbound.id, priority=2)
    outbox.put(session, outgoing, [Target(phone.id, phone.channel)])
    return replace(done, answer=words, queues=frozenset({phone.channel}))


NOT_DONE: Final = say("Nothing was done yet. Reply YES first, then send it again.")


def _words(session: Session, inbound: Inbound) -> str:
    """The words of a text; a picture without words is named."""
    text = inbound.text or ""
    attached = None if text.strip() else media.list_attached(session, inbound.id)
    return f"({attached})" if attached else text


def _carriers_own(inbound: Inbound) -> Reading | None:
    """The reading of what the carrier took as STOP, START or HELP and answered: a Twilio customer may have keywords of
    its own."""
    intent = {"STOP": "optout", "START": "optin", "HELP": "help"}.get(inbound.opt_out_type or "")
    return Reading(intent, reason="the carrier took it so", text=inbound.text or "") if intent else None


def _identify(session: Session, inbound: Inbound) -> tuple[Address, Account] | None:
    """The address and the person who wrote it. The command line names the person; their phone's conversation is
    used."""
    if inbound.channel != "cli":
        return addresses.identify(session, inbound.channel, inbound.sender)
    account = accounts.by_handle(session, inbound.sender)
    address = reachability.own_address(session, account.id) if account else None
    return (address, account) if account and address else None


def _machine(registry: CommandRegistry, inbound: Inbound) -> str | None:
    """Why a text was not written by a person: it is from our own number, or from a short code."""
    if inbound.sender in registry.settings.sms_numbers:
        return "it came from our own number"
    if inbound.channel == "sms" and len(inbound.sender.lstrip("+")) < 7:
        return "it came from a short code"
    return None


def _hear_mail(session: Session, registry: CommandRegistry, mail: InboundMail) -> InboundOutcome:
    inbound = mail.inbound
    if bounce := bounce_intake.take_bounce(session, registry, mail):
        return bounce
    if mail_routing.is_for_operator(mail):
        return InboundOutcome("held", None, "for the operator")
    opened = mail_routing.open_mail(session, registry, mail)
    if machine := mail_routing.machine(registry, inbound, opened):
        away = out_of_office.note_proved(session, mail, registry.settings.mail_domain)
        return InboundOutcome("dropped", "machine", f"{machine}: its writer is away" if away else machine)
    if ended := mail_routing.is_unsubscribe(session, mail):
        return InboundOutcome(ended.state, ended.intent, ended.reason)
    if (inbound.proof or "").startswith("nobody"):  # the door let it in for its address alone, which proves nothing
        return InboundOutcome("dropped", None, "it was written to an address that means nothing any more")
    if not opened.reaction and (responds := auto_responders.suspect(session, registry, mail, opened)):
        return InboundOutcome("held", "machine", responds)
    known = addresses.identify(session, "email", inbound.sender)
    if known is None:
        return unknown_senders.process_unknown(session, registry, inbound, opened.text)
    return _from_a_person(session, registry, mail, *known, opened)


def _from_a_person(
    session: Session,
    registry: CommandRegistry,
    mail: InboundMail,
    address: Address,
    account: Account,
    opened: mail_routing.OpenedMail,
) -> InboundOutcome:
    if mail_routing.came_before(session, mail):
        return InboundOutcome("held", None, replays.AGAIN, account.id)
    files = mail_attachments.look(mail.mail, opened.forwarded, registry.settings)
    if not opened.unread:
        opened = replace(opened, text=opened.text or files.called)
    sorted_out = mail_routing.sort(session, registry, mail, opened, address, account)
    if isinstance(sorted_out, mail_routing.UnreadMail):
        return InboundOutcome(
            sorted_out.state, sorted_out.intent, sorted_out.reason, account.id, queues=sorted_out.queues
        )
    outcome = execution.execute(
        session, registry, mail.inbound, address, account, sorted_out, opened.text, opened.subject, files
    )
    if opened.unread == "source" and sorted_out.intent == "error":  # an operator can see what went wrong
        return replace(outcome, state="held")
    return outcome


def apologise(session: Session, inbound_id: int) -> str | None:
    """Puts the one answer to a row that was set aside; returns the channel whose worker is to be woken."""
    inbound = session.get_one(Inbound, inbound_id)
    known = _identify(session, inbound)
    if known is None or known[0].channel != inbound.channel:
        return None
    words, subject = (translated(each, known[1].language) for each in (SET_ASIDE, say("Your message")))
    outgoing = Outgoing("answer", words, subject, words, inbound_id=inbound_id, priority=2)
    outbox.put(session, outgoing, [Target(known[0].id, known[0].channel)])
    return known[0].channel


def process_limited(session: Session, inbound: Inbound, mail: InboundMail | None) -> InboundOutcome:
    """For a sender far above the rate of a person: the row is kept unread, for an operator to let in. Somebody whom we
    know is told, once; strangers and machines are never answered, and nothing of theirs is kept for an operator to look
    at."""
    known = _identify(session, inbound)
    if known is None or (mail and mail.machine):
        return InboundOutcome("dropped", sender_limits.INTENT, sender_limits.REASON)
    address, account = known
    if sender_limits.was_told(session, inbound):
        return InboundOutcome("held", sender_limits.INTENT, sender_limits.REASON, account.id)
    words, subject = (translated(each, account.language) for each in (TOO_MANY, say("Your messages")))
    outgoing = Outgoing("answer", words, subject, words, inbound_id=inbound.id, priority=2)
    outbox.put(session, outgoing, [Target(address.id, address.channel)])
    queues = frozenset({address.channel})
    return InboundOutcome("held", sender_limits.INTENT, sender_limits.REASON, account.id, words, queues)
