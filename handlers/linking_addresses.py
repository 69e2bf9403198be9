"""Inviting colleagues, and using several phones and mailboxes as one person. gateway/inbound/unknown_senders processes
the answers."""

from sqlalchemy.orm import Session

from gateway.actions import inviting
from gateway.i18n.phrases import say
from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, command
from gateway.network.verification import codes


@command("invite ADDRESS", intent="invite", about="invite a colleague", spanish="invitar")
def invite(session: Session, context: CommandContext) -> str:
    inviting.invite(session, context.actor, context.reading.args[0])
    return say("Invited. You will hear when they join. They have 30 days.")


@command("link CODE", intent="link", about="add this phone or mailbox to my account")
def link(session: Session, context: CommandContext) -> str:
    """Explains that the code must come from a new phone or mailbox. This one is somebody's already, so no code is even
    looked at."""
    context.secret = True
    raise refusal("phone_linked" if context.address.channel == "sms" else "mailbox_linked")


@command("login", intent="login", about="get a link to add a phone or mailbox")
def login(session: Session, context: CommandContext) -> str:
    token = codes.login(session, context.registry.signer, context.account.id, context.address.id)
    context.actor.did("login", context.account.id)
    page = f"{context.registry.settings.public_url}/login/{token}"
    return say("Your login link works once, for the next 10 minutes: {form}", form=page)
