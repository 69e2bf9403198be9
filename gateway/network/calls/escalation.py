"""The steps of an urgent call: whoever has not answered gets a mail, and then a text on their other phones.

Each step is one UPDATE of its person's row, fenced by the step that was seen, in one transaction with the deliveries
that it makes. Two workers never take the same person (SKIP LOCKED); whoever answers meanwhile waits for the row, and
then calls back what the step has made. After a standstill a step is overdue once, however long that lasted.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.channels import EMAIL, SMS
from gateway.i18n.phrases import say, translated
from gateway.ledger.outbox import call_messages
from gateway.ledger.outbox.call_messages import AGAIN, CallCopy
from gateway.network.calls.calls import GONE
from gateway.store.arrays import numbers


class DuePerson(NamedTuple):
    """Somebody who has not answered, and whose next step is due. `mailbox`: where no mail of this call went yet;
    `phones`: their other ones; `mailed`: a mail of it has gone there already, because their phone did not get it."""

    post_id: int
    account_id: int
    step: int
    gone: str | None
    told_at: datetime
    language: str
    zone: str
    mailbox: int | None
    mailed: bool
    phones: Sequence[int]


def due(session: Session, most: int) -> list[DuePerson]:
    """Some of those whose next step is due, locked."""
    return [DuePerson(*row) for row in session.execute(DUE, {"most": most})]


def take(session: Session, people: Sequence[DuePerson]) -> frozenset[str]:
    """Takes one step with each of them; returns the channels on which something leaves."""
    session.execute(MOVE, _columns(people))
    waited_for = [one for one in people if one.gone is None]
    mails = [CallCopy(one.post_id, one.mailbox, _note(one)) for one in waited_for if one.mailbox and _next(one) == 1]
    texts = [CallCopy(one.post_id, each, AGAIN) for one in waited_for if _next(one) == 2 for each in one.phones]
    call_messages.put_copies(session, [*mails, *texts])
    return frozenset([*([EMAIL] if mails else []), *([SMS] if texts else [])])


def put_off(session: Session, people: Sequence[DuePerson], wait: timedelta) -> None:
    """Has steps that could not be taken tried again later."""
    session.execute(PUT_OFF, _columns(people) | {"wait": wait})


def _next(one: DuePerson) -> int:
    """Without a mailbox there is no first step."""
    return 1 if one.step == 0 and (one.mailbox or one.mailed) else 2


def _note(one: DuePerson) -> str:
    told = one.told_at.astimezone(zones.zone(one.zone))
    return translated(say("You have not answered the text of {time}.", time=f"{told:%H:%M}"), one.language)


def _columns(people: Sequence[DuePerson]) -> dict[str, object]:
    return {
        "posts": numbers(one.post_id for one in people),
        "accounts": numbers(one.account_id for one in people),
        "seen": numbers(one.step for one in people),
        "steps": numbers(one.step if one.gone else _next(one) for one in people),
        "reasons": [one.gone for one in people],
    }


_MAILED: Final = """EXISTS (
    SELECT FROM messages m JOIN deliveries d ON d.message_id = m.id
    WHERE m.post_id = p.post_id AND d.address_id = box.id)"""

DUE: Final = text(f"""
    SELECT p.post_id, p.account_id, p.step, {GONE}, c.created_at, reader.language, z.zone,
           CASE WHEN NOT {_MAILED} THEN box.id END, coalesce({_MAILED}, false),
           ARRAY(SELECT other.id FROM addresses other
                 WHERE other.account_id = p.account_id AND other.channel = '{SMS}' AND other.state = 'verified'
                   AND NOT other.is_primary AND NOT EXISTS (
                       SELECT FROM messages m JOIN deliveries d ON d.message_id = m.id
                       WHERE m.post_id = p.post_id AND d.address_id = other.id)
                 ORDER BY other.id)
    FROM call_people p
    JOIN calls c ON c.post_id = p.post_id AND c.ended_at IS NULL
    JOIN accounts reader ON reader.id = p.account_id
    JOIN zones_now z ON z.account_id = p.account_id
    LEFT JOIN addresses_now box ON box.account_id = p.account_id AND box.channel = '{EMAIL}' AND box.is_primary
         AND box.state = 'verified' AND box.bouncing_since IS NULL
    WHERE p.answered_at IS NULL AND p.next_at <= now()
    ORDER BY p.next_at, p.post_id, p.account_id LIMIT :most FOR NO KEY UPDATE OF p SKIP LOCKED
""")  # noqa: S608

_GIVEN: Final = """
    FROM unnest(CAST(:posts AS bigint[]), CAST(:accounts AS bigint[]), CAST(:seen AS smallint[]),
                CAST(:steps AS smallint[]), CAST(:reasons AS text[])) AS given (post_id, account_id, seen, step, gone),
         calls c
    WHERE c.post_id = given.post_id AND p.post_id = given.post_id AND p.account_id = given.account_id
      AND p.step = given.seen AND p.answered_at IS NULL"""

MOVE: Final = text(f"""
    UPDATE call_people p SET step = given.step, gone = given.gone,
        next_at = CASE WHEN given.gone IS NULL AND given.step = 1 THEN now() + c.step_after END
    {_GIVEN}
""")  # noqa: S608

PUT_OFF: Final = text(f"UPDATE call_people p SET next_at = now() + :wait {_GIVEN}")  # noqa: S608
