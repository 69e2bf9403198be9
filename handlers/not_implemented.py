"""Verbs that are known and not implemented yet: the answer says so, and what was texted is never posted."""

from sqlalchemy.orm import Session

from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, command


@command("prefer CHANNEL", intent="setting", ready=False, about="texts or mails")
def not_yet(session: Session, context: CommandContext) -> str:
    """Says that it is not implemented; the words are kept from everybody but the writer."""
    raise refusal("not_available", verb=context.reading.verb or context.reading.intent)
