"""Finds what a mail's thread had before it: the item that it answers and those above it, what we sent to its writer,
and mails of the thread that came to us. mail_routing asks, so that none of it is taken for the writer's own words.
"""

import re
from email.message import Message
from typing import Any, Final

from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.inbound.commands import CommandRegistry
from gateway.inbound.inbound_mail import InboundMail
from gateway.mail.auth import trace_headers
from gateway.mail.decode import mime
from gateway.mail.history.known_words import KnownWords, known_words
from gateway.mail.parse import own_words

MOST: Final = 20  # ids of one mail that are looked up
_ID: Final = re.compile(r"<[^<>\s]{3,990}>")
_OURS: Final = re.compile(r"<critter\.(\d{1,18})\.\d{1,18}@([a-z0-9.-]+)>", re.IGNORECASE)

# Only what went to the very mailbox that writes is used: a mail may name any id.
SENT: Final = sql("""
    SELECT DISTINCT m.post_id, m.body FROM messages m
    JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id
    WHERE m.id = ANY(:ids) AND a.channel = 'email' AND a.address = :sender
""")
# The items themselves, and what each of them answered.
ITEMS: Final = sql("""
    WITH RECURSIVE thread (id, text, in_reply_to, depth) AS (
        SELECT id, text, in_reply_to, 0 FROM posts WHERE id = ANY(:ids)
        UNION SELECT p.id, p.text, p.in_reply_to, t.depth + 1 FROM posts p JOIN thread t ON p.id = t.in_reply_to
        WHERE t.depth < 10
    )
    SELECT text FROM thread
""")
POSTED: Final = sql("""
    SELECT e.subject_id FROM inbound i JOIN actions a ON a.inbound_id = i.id JOIN effects e ON e.action_id = a.id
    WHERE i.channel = 'email' AND i.message_id = :id AND e.kind = 'post' ORDER BY e.number LIMIT 1
""")
CAME: Final = sql("""
    SELECT raw FROM inbound WHERE channel = 'email' AND message_id = ANY(:ids) AND raw IS NOT NULL
    AND state NOT IN ('unproved', 'held') AND id < :before LIMIT 5
""")


def earlier_words(session: Session, registry: CommandRegistry, mail: InboundMail) -> KnownWords | None:
    """The earlier words of the thread; None for a mail that answers nothing, which costs no query. Raises Refused."""
    inbound, posts = mail.inbound, _answered(mail)
    named = _named(mail.mail.message)
    if not posts and not named:
        return None
    ours = [int(match[1]) for match in map(_OURS.fullmatch, named) if match and _here(registry, match[2])]
    foreign = [each for each in named if not _OURS.fullmatch(each)]
    texts: list[str] = []
    for post_id, body in session.execute(SENT, {"ids": ours, "sender": inbound.sender}) if ours else ():
        texts.extend([body] if body else [])
        posts.extend([post_id] if post_id else [])
    if posts:
        texts.extend(session.scalars(ITEMS, {"ids": posts}))
    if foreign:
        came = session.scalars(CAME, {"ids": foreign, "before": inbound.id})
        texts.extend(text for raw in came for text in _of_mail(bytes(raw)))
    return known_words(texts)


def answered_item(session: Session, registry: CommandRegistry, mail: InboundMail) -> int | None:
    """The post that a mail answers, by the reply address that it came to, or by the mail that it names first. Raises
    Refused."""
    if posts := _answered(mail):
        return posts[0] if len(posts) == 1 else None
    for named in [found for value in mime.fields(mail.mail.message, "In-Reply-To") for found in _ID.findall(value)][:1]:
        ours = _OURS.fullmatch(named)
        if ours is None:
            came: int | None = session.scalar(POSTED, {"id": named})
            return came
        if _here(registry, ours[2]):
            sent = session.execute(SENT, {"ids": [int(ours[1])], "sender": mail.inbound.sender}).first()
            return sent[0] if sent else None
    return None


def _named(message: "Message[Any, Any]") -> list[str]:
    """The Message-IDs that it says it answers, the nearest last."""
    values = [value for field in ("References", "In-Reply-To") for value in mime.fields(message, field)]
    return list(dict.fromkeys(found for value in values for found in _ID.findall(value)))[-MOST:]


def _here(registry: CommandRegistry, domain: str) -> bool:
    return domain.lower() == registry.settings.mail_domain


def _answered(mail: InboundMail) -> list[int]:
    """The items that the reply addresses name; whether they may be used is checked elsewhere."""
    return [one.ids[0] for one in mail.came_to("reply")]


def _of_mail(raw: bytes) -> list[str]:
    try:
        own = own_words.read_own_words(trace_headers.read(raw).mail)
    except Refused:
        return []
    return [own.text, own.trimmed]
