"""Calls: how one begins, is answered, and ends. gateway/actions/urgent_calls and workers/calls use it.

Whoever changes what a call has come to locks its row first, so that the last answer, its end and `undo` each see what
the others did. The steps of those who are asked need no such lock: each is fenced by the row of its person (steps.py).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from sqlalchemy import distinct, func, select, text
from sqlalchemy.orm import Session

from gateway.ledger.outbox import call_messages
from gateway.network.calls import call_people
from gateway.store.tables import Address, Call, CallPerson

STEP_AFTER: Final = timedelta(minutes=5)
REPORT_AFTER: Final = timedelta(minutes=10)
ENDS_AFTER: Final = timedelta(minutes=30)

Ending = Literal["all", "time", "undone"]
Noted = Literal["noted", "already", "late", "undone"]


class Unanswered(NamedTuple):
    """Somebody who has not answered; `gone`: why nobody waits for them."""

    name: str
    gone: str | None


@dataclass(frozen=True, slots=True)
class CallTally:
    """`asked`: those of whom an answer is expected, with those who have given it. `late`: answered after the end.
    `unreached`: nothing reached them; `left`: how many are not in the group any more. `took`: until the last answer."""

    asked: int
    answered: int
    late: int
    open: Sequence[str]
    unreached: Sequence[Unanswered]
    left: int
    took: timedelta


class Answer(NamedTuple):
    """What became of an answer: `late` after the end, `already` when there is an earlier one; `at`: when it counts."""

    state: Noted
    at: datetime


def begin_rollcall(session: Session, post_id: int, asker_id: int, group_id: int) -> Call:
    """Makes an urgent call of a post that nobody has yet: its readers, and the deliveries to all of them."""
    timing = {"step_after": STEP_AFTER, "report_after": REPORT_AFTER, "ends_after": ENDS_AFTER}
    given = {"post": post_id, "asker": asker_id, "group": group_id, **timing}
    session.execute(BEGIN, given)
    session.execute(call_people.PUT, given)
    message_id = call_messages.mark_urgent(session, post_id)
    call_messages.tell_all(session, message_id, group_id, call_people.RECIPIENTS)
    return session.get_one(Call, post_id)


def lock(session: Session, post_id: int) -> Call | None:
    """The call of this post as it is now, locked until this transaction ends; None when the post is none."""
    return session.get(Call, post_id, with_for_update={"key_share": True}, populate_existing=True)


def answer(session: Session, call: Call, account_id: int, inbound_id: int | None) -> Answer | None:
    """Notes that somebody has answered a call that is locked. None when they were not asked."""
    given = {"post": call.post_id, "account": account_id, "inbound": inbound_id, "late": call.ended_at is not None}
    standing = session.execute(STANDING, given).first()
    if standing is None or call.ending == "undone":
        return None if standing is None else Answer("undone", call.ended_at or call.created_at)
    if standing.answered_at:
        return Answer("already", standing.answered_at)
    at = session.execute(ANSWER, given).scalar_one()
    call_messages.close_answered(session, call.post_id, account_id)
    return Answer("late" if call.ended_at else "noted", at)


def is_asked(session: Session, post_id: int, account_id: int) -> bool:
    return session.get(CallPerson, (post_id, account_id)) is not None


def count_people(session: Session, address_ids: Collection[int]) -> int:
    """Whose addresses these are: how many people."""
    owners = select(func.count(distinct(Address.account_id))).where(Address.id.in_(address_ids))
    return session.scalar(owners) or 0


def all_answered(session: Session, call: Call) -> bool:
    return not session.scalar(WAITED_FOR, {"post": call.post_id})


def end(session: Session, call: Call, ending: Ending) -> None:
    """Ends a call that is locked: no step of it is due any more. A step that is being taken commits before."""
    session.execute(CLOSE_PEOPLE, {"post": call.post_id})
    session.execute(END, {"post": call.post_id, "ending": ending})
    session.refresh(call)


def end_of_posts(session: Session, post_ids: Collection[int]) -> None:
    """Ends the calls among posts that are taken back."""
    for post_id in sorted(post_ids):
        call = lock(session, post_id)
        if call is not None and call.ending != "undone":
            end(session, call, "undone")


def depart(session: Session, post_id: int) -> None:
    """Records who left the group, opted out or is not here any more, while the call goes on: nobody waits for them."""
    session.execute(DEPART, {"post": post_id})


def tally(session: Session, post_id: int) -> CallTally:
    """How a call stands now. Whoever has left since is recorded as gone before."""
    depart(session, post_id)
    rows = session.execute(PEOPLE, {"post": post_id}).all()
    answered = [row for row in rows if row.answered_at]
    silent = [Unanswered(row.name, row.gone) for row in rows if not row.answered_at]
    waited = [one.name for one in silent if one.gone is None]
    unreached = [one for one in silent if one.gone in ("opted_out", "off", "unreached")]
    took = max((row.answered_at - row.created_at for row in answered), default=timedelta(0))
    return CallTally(
        asked=len(answered) + len(waited),
        answered=sum(not row.late for row in answered),
        late=sum(row.late for row in answered),
        open=waited,
        unreached=unreached,
        left=len(silent) - len(waited) - len(unreached),
        took=took,
    )


BEGIN: Final = text("""
    WITH marked AS (UPDATE posts SET call = 'rollcall' WHERE id = :post)
    INSERT INTO calls (post_id, kind, asker_id, group_id, step_after, next_at, ends_at)
    VALUES (:post, 'rollcall', :asker, :group, :step_after, now() + CAST(:report_after AS interval),
            now() + CAST(:ends_after AS interval))
""")

STANDING: Final = text("""
    SELECT answered_at FROM call_people WHERE post_id = :post AND account_id = :account FOR NO KEY UPDATE
""")

ANSWER: Final = text("""
    UPDATE call_people SET answered_at = now(), late = :late, inbound_id = :inbound, next_at = NULL
    WHERE post_id = :post AND account_id = :account AND answered_at IS NULL RETURNING answered_at
""")

WAITED_FOR: Final = text("""
    SELECT EXISTS (SELECT FROM call_people WHERE post_id = :post AND answered_at IS NULL AND gone IS NULL)
""")

CLOSE_PEOPLE: Final = text("""
    UPDATE call_people SET next_at = NULL, step = CASE WHEN gone IS NULL THEN 3 ELSE step END
    WHERE post_id = :post AND answered_at IS NULL
""")

END: Final = text("""
    UPDATE calls SET ended_at = coalesce(ended_at, now()), ending = :ending, next_at = NULL WHERE post_id = :post
""")

# Why nobody waits for this person any more; NULL while somebody does.
GONE: Final = """
    CASE WHEN reader.state <> 'active' THEN 'deactivated'
         WHEN NOT EXISTS (SELECT FROM follows_in_force f
                          WHERE f.follower_id = p.account_id AND f.account_id = c.group_id) THEN 'left'
         WHEN EXISTS (SELECT FROM addresses a WHERE a.account_id = p.account_id AND a.is_primary
                      AND a.state = 'stopped' AND a.stopped_at >= c.created_at) THEN 'opted_out' END"""

DEPART: Final = text(f"""
    UPDATE call_people w SET gone = now_.gone, next_at = NULL
    FROM (SELECT p.account_id, {GONE} AS gone FROM call_people p JOIN calls c ON c.post_id = p.post_id
          JOIN accounts reader ON reader.id = p.account_id
          WHERE p.post_id = :post AND p.answered_at IS NULL AND p.gone IS NULL AND c.ended_at IS NULL) AS now_
    WHERE w.post_id = :post AND w.account_id = now_.account_id AND now_.gone IS NOT NULL AND w.answered_at IS NULL
""")  # noqa: S608

PEOPLE: Final = text("""
    SELECT reader.name, p.gone, p.answered_at, p.late, c.created_at
    FROM call_people p JOIN calls c ON c.post_id = p.post_id JOIN accounts reader ON reader.id = p.account_id
    WHERE p.post_id = :post ORDER BY reader.name, reader.id
""")
