"""What stands around the words of a call: that it is urgent or a question, and how to answer it.

A post has one message for all its readers, so this is put around it when it leaves, in the language and by the clock of
each reader. workers/sending does so; conversation/quoted_items.py knows it again when a phone quotes it.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.channels import SMS
from gateway.i18n.phrases import say, translated
from gateway.ledger.outbox.call_messages import AGAIN
from gateway.ledger.outbox.claims import Key
from gateway.store.arrays import numbers

URGENT: Final = say("URGENT")
UNANSWERED: Final = say("URGENT, not yet answered.")
REPLY_OK: Final = say("Reply OK")
QUESTION: Final = say("Asked by")  # a name follows


class CallWords(NamedTuple):
    """`before` the words of a text, and before the subject of a mail; `after` the words of either."""

    before: str
    after: str


def find(session: Session, keys: Collection[Key]) -> dict[Key, CallWords]:
    """For those of these (message, address) that bring a call."""
    given = {"messages": numbers(key[0] for key in keys), "addresses": numbers(key[1] for key in keys)}
    return {(row.message_id, row.address_id): _words(row) for row in session.execute(FIND, given)}


def _words(row: Row[Any]) -> CallWords:
    if row.kind == "rollcall":
        return of_urgent(row.channel, row.language, again=row.note == AGAIN)
    return _of_question(row.channel, row.language, f"{row.ends_at.astimezone(zones.zone(row.zone)):%H:%M}")


def of_urgent(channel: str, language: str, *, again: bool = False) -> CallWords:
    """Of an urgent call; `again`: it was not answered yet. A mail says at its end how to answer, as any mail does."""
    before = translated(UNANSWERED if again else URGENT, language)
    return CallWords(f"{before} ", f" {translated(REPLY_OK, language)}" if channel == SMS else "")


def _of_question(channel: str, language: str, till: str) -> CallWords:
    if channel == SMS:
        how = translated(say("r text answers, privately, till {time}", time=till), language)
        return CallWords(f"{translated(QUESTION, language)} ", f" {how}")
    closing = say("Answers to this mail are private, till {time}: then all who answered get one summary.", time=till)
    return CallWords("", f"\n\n{translated(closing, language)}")


FIND: Final = text("""
    SELECT m.id AS message_id, a.id AS address_id, a.channel, c.kind, m.note, c.ends_at, reader.language, z.zone
    FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[])) AS k (message_id, address_id)
    JOIN messages m ON m.id = k.message_id AND m.kind = 'update'
    JOIN calls c ON c.post_id = m.post_id
    JOIN addresses a ON a.id = k.address_id
    JOIN accounts reader ON reader.id = a.account_id
    JOIN zones_now z ON z.account_id = reader.id
""")
