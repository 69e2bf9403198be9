"""Keeps the parts of a text that a phone or a gateway cut into several, until the others come. process.py calls it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.orm import Session

from gateway.inbound.commands import CommandContext
from gateway.language.fragments import reassembly
from gateway.language.fragments.part_marks import TextPart
from gateway.language.fragments.reassembly import Arrived, find_mark, place_part
from gateway.language.grammar import carries_words
from gateway.language.model.reading import PendingFragment, Reading
from gateway.language.words.normalize import clean
from gateway.network.audience import visibility
from gateway.network.conversation import conversations
from gateway.store.tables import Inbound, Post

LONG: Final = 150  # characters from which on a phone may have cut a text in two
DECIDED: Final = ("undo", "choice")
POSTED: Final = ("post", "appended")


def withdraw(session: Session, context: CommandContext, half: PendingFragment | None) -> dict[str, Any] | None:
    """Closes the questions about early parts that this text is read with. Returns the question that is open again, if
    any."""
    piece = _piece(context, half)
    if not piece or not half or not half.drafts:
        return None
    found = _arrived(half, piece, context.reading)
    read = [draft for number, draft in half.drafts.items() if number < found.missing or number == piece.number]
    return conversations.withdraw(session, context.address.id, read) if read and not found.mixed else None


def keep(session: Session, context: CommandContext, inbound: Inbound, half: PendingFragment | None) -> None:
    """Remembers the text when another part of it may come. A long private text may have a second half, which must not
    become an update, whether the first half was sent, asked about, or refused. Once its writer has decided, no other
    part is waited for. A text that is marked as a part has others, however short or public it is."""
    if inbound.channel == "email":
        return
    if context.reading.intent in DECIDED:
        if half:
            _decide(session, context, half)
    elif piece := _piece(context, half):
        _keep(session, context, inbound, _of_part(session, context, piece, half))
    elif half and _goes_on(context, half):
        more = _with_more(session, context, half)
        if len(context.said) >= LONG:  # there may be a third
            _keep(session, context, inbound, more)
        else:
            conversations.change_half(session, context.address.id, _packed(more))
    elif len(context.said) >= LONG and (kept := _unmarked(session, context)):
        _keep(session, context, inbound, kept)


def _piece(context: CommandContext, half: PendingFragment | None) -> TextPart | None:
    return find_mark(clean(context.said), half) if context.address.channel == "sms" else None


def _keep(session: Session, context: CommandContext, inbound: Inbound, half: PendingFragment | None) -> None:
    conversations.keep_half(session, context.address.id, inbound.heard_at, _packed(half) if half else None)


def _arrived(half: PendingFragment | None, piece: TextPart, reading: Reading) -> Arrived:
    found = place_part(half, piece)
    return found if found.kind != "begins" or carries_words(reading) else reassembly.only_part(found)


def _of_part(
    session: Session, context: CommandContext, piece: TextPart, half: PendingFragment | None
) -> PendingFragment | None:
    """The text with the parts that have come so far. None: it is complete, or what looked like a part was none."""
    before = half if half and half.total == piece.total else PendingFragment(total=piece.total)
    found = _arrived(half, piece, context.reading)
    if found.kind in ("early", "unclear") and not piece.sure:
        return half
    if found.missing > piece.total:
        return None
    text = replace(before, missing=found.missing, parts=found.parts, mixed=found.mixed)
    text = reassembly.read_up_to(text, found.missing)
    if found.kind == "unclear":
        return text
    if found.kind == "early":
        draft = _asked(context)
        return replace(text, drafts={**text.drafts, piece.number: draft}) if draft else text
    return _with_target(session, context, text, found, before.held if found.kind == "goes on" else "")


def _with_target(
    session: Session, context: CommandContext, text: PendingFragment, found: Arrived, held: str
) -> PendingFragment:
    """What the next part joins: the post, or the words that are held; nothing after a command."""
    post_id = _posted(context)
    if post_id or not carries_words(context.reading):
        return replace(text, post=post_id, held="", draft=None)
    return replace(text, post=None, held=f"{held} {found.words}".strip(), draft=_asked(context))


def _goes_on(context: CommandContext, half: PendingFragment) -> bool:
    """Whether this unmarked text was read as the second half of that one."""
    if half.held:
        return context.reading.text != clean(context.said) and context.reading.text.startswith(half.held)
    return bool(half.total) and half.post is not None and context.reading.post == half.post


def _with_more(session: Session, context: CommandContext, half: PendingFragment) -> PendingFragment:
    if half.held:
        return replace(half, held=context.reading.text, draft=_asked(context) or half.draft)
    return replace(half, post=_posted(context) or half.post)


def _unmarked(session: Session, context: CommandContext) -> PendingFragment | None:
    """What a second half belongs to, if it may be private: the post that the first half became, or its words."""
    post_id = _posted(context)
    if post_id:
        return None if visibility.open_to_all(session, post_id) else PendingFragment(post=post_id)
    private = context.reading.privacy == "direct" or context.reading.intent == "group"
    return PendingFragment(held=context.said, draft=_asked(context)) if private else None


def _decide(session: Session, context: CommandContext, half: PendingFragment) -> None:
    """What became of the text by an answer or by `undo`. For early parts that were decided about, nothing is waited
    for."""
    ended = frozenset(number for number, draft in half.drafts.items() if not _is_kept(session, context, draft))
    text: PendingFragment | None = reassembly.without(half, ended)
    if half.post:
        post = session.get(Post, half.post)
        text = text if post and not post.deleted_at else None
    elif half.held and not (half.draft and _is_kept(session, context, half.draft)):
        text = _decided(session, context, text or half)
    if text != half:
        conversations.change_half(session, context.address.id, _packed(text) if text else None)


def _decided(session: Session, context: CommandContext, held: PendingFragment) -> PendingFragment | None:
    """The same once the writer has decided about the words that were held; the question may be asked again."""
    if post_id := _posted(context):
        waited_for = held.total or not visibility.open_to_all(session, post_id)
        return replace(held, post=post_id, held="", draft=None) if waited_for else None
    draft = _asked(context)
    return replace(held, draft=draft) if draft else None


def _is_kept(session: Session, context: CommandContext, draft: int) -> bool:
    return conversations.draft(session, context.account.id, draft) is not None


def _posted(context: CommandContext) -> int | None:
    return next((effect.subject_id for effect in context.actor.effects if effect.kind in POSTED), None)


def _asked(context: CommandContext) -> int | None:
    return next((effect.subject_id for effect in context.actor.effects if effect.kind == "asked"), None)


def _packed(half: PendingFragment) -> dict[str, Any]:
    """The fields as JSON, without those that have their default value."""
    fields = {
        "post": half.post, "held": half.held, "total": half.total, "missing": half.missing, "draft": half.draft,
        "parts": _by_number(half.parts), "drafts": _by_number(half.drafts), "mixed": half.mixed,
    }  # fmt: skip
    return {key: value for key, value in fields.items() if value}


def _by_number(values: Mapping[int, Any]) -> dict[str, Any]:
    return {str(number): value for number, value in values.items()}
