"""Does what a text or mail was read as: its effects, and its one answer. process.py calls it."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.model import action_log
from gateway.actions.model.actor import Actor
from gateway.actions.preferences import digests
from gateway.i18n.phrases import joined, say, translated
from gateway.inbound import (
    mail_attachments,
    text_fragments,
    unknown_senders,
)
from gateway.inbound.commands import ONE_TEXT, CommandContext, CommandRegistry, perform, reopen_question
from gateway.inbound.mail_attachments import Attachments
from gateway.inbound.outcome import InboundOutcome
from gateway.language.model.reading import PendingFragment, Reading
from gateway.ledger.inbox import inbox, media
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.conversation import remainders, reply_limits
from gateway.network.mail import bounce_scores
from gateway.network.people import addresses, consent
from gateway.network.posts import rendering
from gateway.network.receipts import likes
from gateway.store.tables import Account, Address, Inbound

ENOUGH = say("That was the last answer for an hour. What you change is still confirmed.")
UNCHANGING: Final = ("asked", "login")  # effects that change nothing for anybody


def execute(
    session: Session,
    registry: CommandRegistry,
    inbound: Inbound,
    address: Address,
    account: Account,
    reading: Reading,
    said: str,
    subject: str = "",
    files: Attachments = Attachments(),
    half: PendingFragment | None = None,
) -> InboundOutcome:
    if ignored := _ignored(inbound, address, account, reading):
        return ignored
    actor = Actor(account, inbound.channel, registry.settings, registry.signer, address, inbound.id, said)
    _note_writer(session, actor, inbound, address, reading)
    context = _context(registry, actor, address, inbound, reading)
    text = _done(session, context, inbound, files, half)
    if text is not None:
        text = translated(text, account.language)
        _answer(session, context, inbound, text, subject)
    queues = _queues(context, text)
    state = "dropped" if context.dropped else "done"
    return InboundOutcome(state, reading.intent, context.dropped or reading.reason, account.id, text, queues, reading)


def _ignored(inbound: Inbound, address: Address, account: Account, reading: Reading) -> InboundOutcome | None:
    """What becomes of a text that nothing is done about; None for all others."""
    if reading.intent == "optin" and unknown_senders.is_overtaken(inbound, address):
        return InboundOutcome("done", "optin", unknown_senders.OVERTAKEN, account.id, reading=reading)
    if reading.intent in ("machine", "dropped"):
        return InboundOutcome("dropped", reading.intent, reading.reason, account.id, reading=reading)
    return None


def _note_writer(session: Session, actor: Actor, inbound: Inbound, address: Address, reading: Reading) -> None:
    """Notes what it tells about a person and their address that they have written from it. Opting out and in decide
    themselves what becomes of an invited phone."""
    if reading.intent in ("optout", "optin"):
        return
    to = inbound.recipients[0] if inbound.recipients else None
    heard = addresses.seen(session, address.id, to, inbound.message_id)
    consent.flag(session, inbound, address.id)
    if address.bouncing_since:  # whoever writes from a mailbox also reads it
        bounce_scores.turn_on(session, address.id)
    if heard.awaited:
        digests.bring_back(session, actor)


def _context(
    registry: CommandRegistry, actor: Actor, address: Address, inbound: Inbound, reading: Reading
) -> CommandContext:
    return CommandContext(
        registry=registry,
        actor=actor,
        address=address,
        inbound_id=inbound.id,
        reading=reading,
        carrier_answered=inbound.opt_out_type is not None,
        our_address=inbound.recipients[0] if inbound.recipients else None,
        carrier_id=inbound.message_id,
    )


def _done(
    session: Session, context: CommandContext, inbound: Inbound, files: Attachments, half: PendingFragment | None
) -> str | None:
    """Does what was read, and records it; returns the answer."""
    open_again = text_fragments.withdraw(session, context, half)
    text = _perform(session, context, files)
    text = reopen_question(session, context, open_again, text) if open_again else text
    if context.secret:
        inbox.redact(inbound)
    action_log.record(session, context.actor)
    text_fragments.keep(session, context, inbound, half)
    return text


def _perform(session: Session, context: CommandContext, files: Attachments) -> str | None:
    """Performs the reading and attaches the mail's files to the post it becomes, at once or once its writer has
    decided. A command takes no files; then the writer need not be told what was left out."""
    if not files.brought and not files.left_out:
        return perform(session, context)
    media.bring(session, context.inbound_id, files.brought)
    text = perform(session, context)
    if not {"post", "asked"} & {effect.kind for effect in context.actor.effects}:
        media.take_back(session, context.inbound_id)
        return text
    if files.brought:
        context.actor.queues.add("pictures")
    return joined([text or "", mail_attachments.describe_left_out(files.left_out)]) if files.left_out else text


def _queues(context: CommandContext, answer: str | None) -> frozenset[str]:
    """The queues whose workers are woken after the commit."""
    kinds = {effect.kind for effect in context.actor.effects}
    queues = {*context.actor.queues, "fanout"} if "post" in kinds else set(context.actor.queues)
    if answer is not None:
        queues.add(context.address.channel)
    return frozenset(queues)


def _with_likes(session: Session, context: CommandContext, text: str, liked: Sequence[int]) -> str:
    """Adds who liked what the person wrote, when the answer has room for it; else it waits for the next answer."""
    line = translated(likes.describe(session, context.account.id, liked), context.account.language)
    if line and context.address.channel == "sms" and len(text) + 1 + len(line) > ONE_TEXT:
        return text
    likes.forget(session, context.account.id)
    return f"{text} {line}".strip()


def _answer(session: Session, context: CommandContext, inbound: Inbound, text: str, subject: str) -> None:
    """The one answer, on the channel the inbound came from. The command line reads it from the row and needs no
    delivery."""
    changed = any(effect.kind not in UNCHANGING for effect in context.actor.effects)
    standing = reply_limits.read_allowance(session, context.address.id, inbound, changed=changed)
    if not standing.allowed:
        return
    if standing.last:
        text = translated(joined([text, ENOUGH]), context.account.language)
    if standing.liked:
        text = _with_likes(session, context, text, standing.liked)
    shown = rendering.fit_for_phone(text, None, None)
    if shown.rest and inbound.channel != "email":
        remainders.keep(session, context.address.id, shown.rest, context.quotes)
    outgoing = Outgoing(
        kind="answer",
        text=shown.text,
        subject=f"Re: {subject}" if subject else text.splitlines()[0][:70],
        body=text,
        inbound_id=inbound.id,
        priority=2,
        quotes=tuple(sorted(context.quotes)) or None,
    )
    to = [] if inbound.channel == "cli" else [Target(context.address.id, context.address.channel)]
    outbox.put(session, outgoing, to)
