"""Plain texts: what a text must be, and what must be known of its sender, to be read together with many others. Nearly
all texts are such; whatever is unusual about one, or may be, is read by process.py, alone.

The facts come with the claim, as one answer: whether nothing at all is unusual. Then the text is read by the same
grammar, with a context that has no answer to any question; a text whose reading asks for one is not plain either.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple, NoReturn

from gateway.inbound.commands import CommandRegistry
from gateway.language import grammar
from gateway.language.fragments.part_marks import part
from gateway.language.model.reading import Context, Item, NamedAccount, Reading, Resolver
from gateway.language.opt_out.keywords import sounds_like_refusal
from gateway.language.words.normalize import clean
from gateway.ledger.inbox import batches
from gateway.ledger.inbox.sender_limits import LIMITS
from gateway.network.posts.timelines import LATE
from gateway.store.direct import Statement

SHORT_CODE: Final = 7  # digits; what has fewer is no person's phone


class ClaimedText(NamedTuple):
    """A row of a batch. `address_id`, `account_id`, `name`, `language`: of its sender, when nothing about them is
    unusual."""

    id: int
    attempt: int
    channel: str = ""
    sender: str = ""
    text: str | None = None
    address_id: int | None = None
    account_id: int | None = None
    name: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text with its reading."""

    row: ClaimedText
    reading: Reading


class NotPlain(Exception):
    """The grammar asked something that has to be looked up."""


def _ask(*_: Any) -> NoReturn:
    raise NotPlain


# Something that everybody may read came last, long ago: with it a reading is a question rather than an update, and
# whatever is a question is not plain.
_LAST: Final = Item(post=0, author=NamedAccount(0, "", "person", ""), age=float("inf"))
_CONTEXT: Final = Context(last=_LAST, quotes_item=_ask, numbered=_ask, called=_ask, known_tag=_ask)


def read(registry: CommandRegistry, row: ClaimedText) -> PlainText | None:
    """The reading of a plain text; None when it is to be read alone."""
    if row.address_id is None or not (row.text or "").strip() or _is_machine(registry, row.sender):
        return None
    assert row.text is not None
    if sounds_like_refusal(row.text) or part(clean(row.text)):
        return None
    try:
        reading = grammar.read(row.text, "sms", registry.verbs_for(row.language), _ask, _CONTEXT)
    except NotPlain:
        return None
    return PlainText(row, reading)


def read_command(
    registry: CommandRegistry, resolver: Resolver, sender: str, text: str, language: str
) -> Reading | None:
    """The reading of a text of whose sender nothing is unusual, when it is a command that does not depend on what came
    last on their phone; else None."""
    if not text.strip() or _is_machine(registry, sender):
        return None
    try:
        reading = grammar.read(text, "sms", registry.verbs_for(language), resolver, _CONTEXT)
    except NotPlain:
        return None
    return reading if reading.verb is not None and reading.verb == reading.intent and reading.post is None else None


def _is_machine(registry: CommandRegistry, sender: str) -> bool:
    return sender in registry.settings.sms_numbers or len(sender.lstrip("+")) < SHORT_CODE


_COLUMNS: Final = """i.channel, i.sender, i.text, found.address_id, found.account_id, coalesce(found.name, '') AS name,
               coalesce(found.language, 'en') AS language"""

# Nothing waits before it, and its sender writes at the pace of a person.
_LIMIT: Final = LIMITS["sms"]
_LIMITED: Final = f"""
          AND (SELECT count(*) < {_LIMIT.hour} AND count(*) FILTER (
                   WHERE id >= id_at(i.received_at - interval '1 minute')) < {_LIMIT.minute}
               FROM (SELECT id FROM inbound read
                     WHERE read.channel = i.channel AND read.sender = i.sender AND read.id < i.id
                       AND read.id >= id_at(i.received_at - interval '1 hour') AND state NOT IN ('new', 'working')
                     ORDER BY id DESC LIMIT {_LIMIT.hour}) AS hour)"""  # noqa: S608
# Nothing was asked on this phone, nothing private or from a broadcast group is among what came last there, and no
# digest whose numbers may be meant.
_FACTS: Final = """
        LEFT JOIN LATERAL (
            SELECT a.id AS address_id, p.id AS account_id, p.name, p.language
            FROM (SELECT * FROM addresses WHERE channel = i.channel AND address = i.sender OFFSET 0) a
            CROSS JOIN LATERAL (SELECT * FROM accounts WHERE id = a.account_id OFFSET 0) p
            WHERE i.channel = 'sms' AND i.opt_out_type IS NULL AND i.sent_at IS NULL AND i.not_before IS NULL
              AND a.state = 'verified'
              AND (CAST(:silent AS interval) IS NULL
                   OR coalesce(a.seen_at, a.created_at) >= i.received_at - CAST(:silent AS interval))
              AND p.state = 'active' AND p.pin = 'none' AND NOT p.ack
              AND NOT EXISTS (SELECT FROM inbound earlier
                              WHERE earlier.channel = i.channel AND earlier.sender = i.sender AND earlier.id < i.id
                                AND earlier.state IN ('new', 'working') OFFSET 0)
              AND NOT EXISTS (SELECT FROM media WHERE inbound_id = i.id OFFSET 0)
              AND NOT EXISTS (SELECT FROM attention w WHERE w.account_id = p.id AND w.digest_back OFFSET 0)
              AND NOT EXISTS (SELECT FROM fanouts f WHERE f.author_id = p.id AND f.state = 'waiting' OFFSET 0)
              AND NOT EXISTS (SELECT FROM conversations c WHERE c.address_id = a.id
                              AND (c.question IS NOT NULL OR c.half IS NOT NULL OR c.thread_until > now()) OFFSET 0)
              AND NOT EXISTS (SELECT FROM digests g
                              WHERE g.address_id = a.id AND g.message_id >= id_at(now() - interval '12 hours') OFFSET 0)
              AND NOT EXISTS (
                  SELECT FROM (SELECT message_id, reason FROM deliveries
                               WHERE address_id = a.id AND state IN ('sending', 'sent', 'delivered', 'unknown')
                               ORDER BY message_id DESC LIMIT {last}) d
                  CROSS JOIN LATERAL (SELECT post_id FROM messages WHERE id = d.message_id OFFSET 0) m
                  CROSS JOIN LATERAL (SELECT visibility, call, group_id FROM posts WHERE id = m.post_id OFFSET 0) o
                  LEFT JOIN LATERAL (SELECT access FROM accounts WHERE id = o.group_id OFFSET 0) g ON true
                  WHERE o.visibility = 'direct' OR o.call IS NOT NULL OR g.access = 'broadcast' OR d.reason = 'digest')
              {limited}
            OFFSET 0) found ON true"""


class BatchStatements(NamedTuple):
    """What claims a batch with its facts, and what reads the facts of rows that are claimed again."""

    claim: Statement
    again: Statement


def _statements(limited: str) -> BatchStatements:
    facts = _FACTS.format(last=LATE, limited=limited)
    return BatchStatements(batches.claiming(_COLUMNS, facts), batches.reading_again(_COLUMNS, facts))


STATEMENTS: Final = {True: _statements(_LIMITED), False: _statements("")}  # by CRITTER_SENDER_LIMITS


def silent(days: int) -> timedelta | None:
    """How long a phone may have been silent and still be its owner's; None: for ever."""
    return timedelta(days=days) if days else None
