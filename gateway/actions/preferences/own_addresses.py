"""The phones and mailboxes of whoever is signed in: adding one by a code that is sent there, choosing the main one,
taking one away (R38)."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import OK, ConfirmationRequired
from gateway.channels import EMAIL
from gateway.errors import Refused
from gateway.i18n.phrases import say, translated
from gateway.i18n.refusals import refusal
from gateway.ledger.audit import audit_log
from gateway.ledger.outbox import cancellations, outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.conversation import notices
from gateway.network.mail import bounce_scores
from gateway.network.people import accounts, addresses
from gateway.network.verification import codes, lockouts
from gateway.sms import destinations
from gateway.store.tables import Address

WORDING: Final = "agreed on the web, and typed the code that was sent there"
ALIVE: Final = ("verified", "stopped")  # what its owner has proved


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """What was done to which phone or mailbox; `address_id` is None when a code was wrong."""

    address_id: int | None
    channel: str


def send_code(session: Session, actor: Actor, written: str) -> AddressChanged:
    """Sends six digits to a new phone or mailbox. Nothing is said about whose it is: whether somebody else has it, or
    said STOP there, is told on that phone or mailbox at most."""
    channel, normal = _normal(actor, written)
    row = addresses.ensure(session, channel, normal)
    _refuse_own(actor, row)
    code = codes.prove(session, actor.signer, row, actor.account.id)  # always, so that no limit tells whose it is
    if _may_get_code(session, row, actor.account.id):
        send_digits(session, actor, row, code)
    audit_log.record(session, f"@{actor.account.handle}", "address.code", actor.account.id, {"channel": channel})
    return AddressChanged(row.id, channel)


def _normal(actor: Actor, written: str) -> tuple[str, str]:
    channel = addresses.channel_of(written)
    if channel not in actor.settings.channels:
        raise refusal("channel_off")
    if channel == EMAIL:
        return channel, addresses.normal_mailbox(written)
    number = addresses.normal_phone(written, actor.settings.sms_region)
    if destinations.trouble(number, actor.settings.sms_countries):
        raise refusal("phone_unreachable")
    return channel, number


def _refuse_own(actor: Actor, row: Address) -> None:
    if row.account_id == actor.account.id and row.state in ALIVE:
        raise refusal("phone_linked" if row.channel != EMAIL else "mailbox_linked")


def _may_get_code(session: Session, row: Address, account_id: int) -> bool:
    """One that is somebody else's is never moved by a code alone, and one that said STOP gets nothing."""
    owner = accounts.by_id(session, row.account_id) if row.account_id else None
    others = owner is not None and owner.id != account_id and owner.state != "deactivated"
    return not others and row.stopped_at is None


def send_digits(session: Session, actor: Actor, row: Address, code: str) -> None:
    """Sends a code to a phone or mailbox, in the words of who asked for it."""
    words, subject = (
        translated(each, actor.account.language)
        for each in (
            say(
                "{code} is your code at {company}'s Critter. Type it on the page that asked for it. If that was not "
                "you, ignore it.",
                code=code,
                company=actor.settings.company,
            ),
            say("Your code"),
        )
    )
    message = Outgoing("code", words, subject, words, priority=0, must_arrive=True)
    outbox.put(session, message, [Target(row.id, row.channel)])
    actor.queues.add(row.channel)


def take_code(session: Session, actor: Actor, code: str) -> AddressChanged:
    """Ties the phone or mailbox to them. A wrong code is counted, so it is told and not refused: a refusal would roll
    the count back."""
    row = codes.is_proved(session, actor.signer, actor.account.id, code, lockouts.WEB)
    if row is None:
        return AddressChanged(None, "")
    tied = addresses.tie(session, actor.account.id, row.channel, row.address, WORDING)
    _record(session, actor, "address.link", tied)
    notice = say("A new phone or mailbox was added to your account. Was that not you? Tell an operator.")
    actor.queues |= notices.tell_elsewhere(session, actor.account.id, tied.channel, notice)
    return AddressChanged(tied.id, tied.channel)


def make_main(session: Session, actor: Actor, address_id: int) -> AddressChanged:
    """What comes on this channel goes there from now on."""
    row = addresses.own(session, actor.account.id, address_id)
    if row.state != "verified":
        raise refusal("address_unproved")
    if not row.is_primary:
        addresses.make_primary(session, row)
        _record(session, actor, "address.main", row)
    return AddressChanged(row.id, row.channel)


def remove_address(session: Session, actor: Actor, address_id: int) -> AddressChanged:
    """Takes it away: what has not left is not sent there any more. The last one by which they can sign in stays."""
    row = addresses.own(session, actor.account.id, address_id)
    mine = [each for each in addresses.of_account(session, actor.account.id) if each.state == "verified"]
    if [each.id for each in mine] == [row.id]:
        raise refusal("last_address")
    if OK not in actor.confirmed:
        raise ConfirmationRequired("remove_address", OK, channel=row.channel, address=row.address)
    channel, was_main = row.channel, row.is_primary
    cancellations.cancel_open(session, select(Address.id).where(Address.id == row.id), "deactivated")
    _record(session, actor, "address.unlink", row)
    addresses.retire(session, row)
    rest = [each for each in mine if each.channel == channel and each.id != row.id]
    if was_main and rest:
        addresses.make_primary(session, rest[0])
    notice = say("A phone or mailbox was taken off your account. Was that not you? Tell an operator.")
    actor.queues |= notices.tell(session, [actor.account.id], notice)
    return AddressChanged(row.id, channel)


def _record(session: Session, actor: Actor, action: str, row: Address) -> None:
    audit_log.record(session, f"@{actor.account.handle}", action, actor.account.id, {"channel": row.channel})


def try_mailbox(session: Session, actor: Actor, address_id: int) -> AddressChanged:
    """Sends mails again to a mailbox that was switched off because they came back."""
    row = addresses.own(session, actor.account.id, address_id)
    if row.channel == EMAIL and bounce_scores.turn_on(session, row.id):
        _record(session, actor, "address.mail_on", row)
    return AddressChanged(row.id, row.channel)


def why_wrong(session: Session, actor: Actor) -> Refused:
    """What a wrong code is answered: that it was one, or that codes are locked for a while."""
    lock = lockouts.locked_until(session, actor.account.id, lockouts.WEB)
    return refusal("locked", hours=lockouts.hours(lock)) if lock else refusal("wrong_code")
