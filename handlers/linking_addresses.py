"""Inviting colleagues, and using several phones and mailboxes as one person. gateway/inbound/unknown_senders processes
the answers."""

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, say, translated
from gateway.inbound.commands import CommandContext, command
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.people import accounts, addresses, invitations
from gateway.network.verification import codes
from gateway.settings import Settings
from gateway.sms import destinations
from gateway.store.tables import Address


@command("invite ADDRESS", intent="invite", about="invite a colleague", spanish="invitar")
def invite(session: Session, turn: CommandContext) -> str:
    channel, address = _wanted(turn.world.settings, turn.reading.args[0])
    row = addresses.ensure(session, channel, address)
    _refuse_unwelcome(session, turn, row)
    invitations.keep(session, row.id, turn.account.id)
    words = translated(_invitation(turn, channel), turn.account.language)
    subject = translated(say("{name} invites you to Critter", name=turn.account.name), turn.account.language)
    notice = Outgoing("welcome", words, subject, words, inbound_id=turn.inbound_id, priority=2)
    outbox.put(session, notice, [Target(row.id, channel)])
    turn.rings.add(channel)
    turn.did("invite", row.id)
    return say("Invited. You will hear when they join. They have 30 days.")


def _wanted(settings: Settings, written: str) -> tuple[str, str]:
    """The channel and the address; raises Refused when it cannot be a colleague's."""
    if addresses.channel_of(written) == "email":
        return "email", _colleagues_mailbox(settings, addresses.normal_mailbox(written))
    return "sms", _near_phone(settings, addresses.normal_phone(written, settings.sms_region))


def _colleagues_mailbox(settings: Settings, mailbox: str) -> str:
    domains = settings.invite_domains
    if not domains:
        raise Refused(say("Nobody can be invited by mail here yet. Ask an operator to set CRITTER_INVITE_DOMAINS."))
    if mailbox.rpartition("@")[2] not in domains:
        raise Refused(say("Only mail addresses at {names} can be invited.", names=", ".join(domains)))
    return mailbox


def _near_phone(settings: Settings, number: str) -> str:
    """Refuses numbers abroad and premium numbers: a text there costs more, and attackers who abuse free texts want such
    numbers."""
    match destinations.trouble(number, settings.sms_countries):
        case destinations.UnreachableReason.COUNTRY:
            raise Refused(say("Only phones in this country can be invited. Try their mail address."))
        case destinations.UnreachableReason.SERVICE:
            raise Refused(say("That is a service number, not a colleague's phone. Nobody was invited."))
    return number


def _refuse_unwelcome(session: Session, turn: CommandContext, row: Address) -> None:
    owner = accounts.by_id(session, row.account_id) if row.account_id else None
    if owner and owner.state == "active":
        raise Refused(say("That is {name} (@{handle}), who is here already.", name=owner.name, handle=owner.handle))
    if row.stopped_at:
        raise Refused(say("They have opted out, and only they can undo that."))
    if owner:
        raise Refused(say("That belonged to somebody who left. Ask an operator to add them."))
    if invitations.was_invited_lately(session, row.id):
        raise Refused(say("They were invited already. You can invite somebody only once in 30 days."))
    if invitations.today(session, turn.account.id) >= invitations.DAILY:
        raise Refused(say("You can invite {number} people a day. Go on tomorrow.", number=invitations.DAILY))


def _invitation(turn: CommandContext, channel: str) -> Phrase:
    """The only words that an address gets from us until it answers; it says who we are, and how to be left alone."""
    name, company = turn.account.name, turn.world.settings.company
    if channel == "sms":
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


@command("link CODE", intent="link", about="add this phone or mailbox to my account")
def link(session: Session, turn: CommandContext) -> str:
    """Explains that the code must come from a new phone or mailbox. This one is somebody's already, so no code is even
    looked at."""
    turn.secret = True
    if turn.address.channel == "sms":
        raise Refused(say("This phone is yours already. To give it to somebody else, ask an operator."))
    raise Refused(say("This mailbox is yours already. To give it to somebody else, ask an operator."))


@command("login", intent="login", about="get a link to add a phone or mailbox")
def login(session: Session, turn: CommandContext) -> str:
    token = codes.login(session, turn.world.signer, turn.account.id, turn.address.id)
    turn.did("login", turn.account.id)
    page = f"{turn.world.settings.public_url}/login/{token}"
    return say("Your login link works once, for the next 10 minutes: {form}", form=page)
