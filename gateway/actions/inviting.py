"""Inviting colleagues. gateway/inbound/unknown_senders.py processes their answers."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.channels import EMAIL, SMS
from gateway.i18n.phrases import Phrase, say, translated
from gateway.i18n.refusals import refusal
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.people import accounts, addresses, invitations
from gateway.settings import Settings
from gateway.sms import destinations
from gateway.store.tables import Address


def invite(session: Session, actor: Actor, written: str) -> int:
    """Invites a phone or a mailbox, as people write it. Returns the id of its address row."""
    channel, address = _parse(actor.settings, written)
    row = addresses.ensure(session, channel, address)
    _check_welcome(session, actor, row)
    invitations.keep(session, row.id, actor.account.id)
    words = translated(_invitation(actor, channel), actor.account.language)
    subject = translated(say("{name} invites you to Critter", name=actor.account.name), actor.account.language)
    notice = Outgoing("welcome", words, subject, words, inbound_id=actor.inbound_id, priority=2)
    outbox.put(session, notice, [Target(row.id, channel)])
    actor.queues.add(channel)
    actor.did("invite", row.id)
    return row.id


def _parse(settings: Settings, written: str) -> tuple[str, str]:
    """The channel and the address; raises Refused when it cannot be a colleague's."""
    if addresses.channel_of(written) == EMAIL:
        return EMAIL, _colleagues_mailbox(settings, addresses.normal_mailbox(written))
    return SMS, _near_phone(settings, addresses.normal_phone(written, settings.sms_region))


def _colleagues_mailbox(settings: Settings, mailbox: str) -> str:
    domains = settings.invite_domains
    if not domains:
        raise refusal("no_invitations_by_mail")
    if mailbox.rpartition("@")[2] not in domains:
        raise refusal("mailbox_elsewhere", names=", ".join(domains))
    return mailbox


def _near_phone(settings: Settings, number: str) -> str:
    """Refuses numbers abroad and premium numbers: a text there costs more, and attackers who abuse free texts want such
    numbers."""
    match destinations.trouble(number, settings.sms_countries):
        case destinations.UnreachableReason.COUNTRY:
            raise refusal("phone_abroad")
        case destinations.UnreachableReason.SERVICE:
            raise refusal("service_number")
    return number


def _check_welcome(session: Session, actor: Actor, row: Address) -> None:
    owner = accounts.by_id(session, row.account_id) if row.account_id else None
    if owner and owner.state == "active":
        raise refusal("here_already", name=owner.name, handle=owner.handle)
    if row.stopped_at:
        raise refusal("opted_out")
    if owner:
        raise refusal("address_of_leaver")
    if invitations.was_invited_lately(session, row.id):
        raise refusal("invited_lately")
    if invitations.today(session, actor.account.id) >= invitations.DAILY:
        raise refusal("invitations_a_day", number=invitations.DAILY)


def _invitation(actor: Actor, channel: str) -> Phrase:
    """The only words that an address gets from us until it answers; it says who we are, and how to be left alone."""
    name, company = actor.account.name, actor.settings.company
    if channel == SMS:
        return say(
            "{name} invites you to {company}'s Critter: updates by text. To join, reply with your "
            "name, like: name Sam Ortiz. STOP to end, HELP for help.",
            name=name,
            company=company,
        )
    return say(
        "{name} invites you to {company}'s Critter: short updates by text and mail. To join, "
        "reply to this mail with just your name, like: Sam Ortiz. If you do not reply, you will "
        "not hear from us again.",
        name=name,
        company=company,
    )
