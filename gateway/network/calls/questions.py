"""Questions to a group: who is asked, and their answers, until a summary goes to all who answered. A question is an
ordinary post; its answers are no posts, and stay between its asker and those who answered, too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.store.tables import Call

ENDS_AFTER: Final = timedelta(hours=1)


class Given(NamedTuple):
    """An answer that counts: of whom, their words, when."""

    account_id: int
    name: str
    text: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Replaced:
    """What became of an answer: `late`, after the summary. `before`: when the one was given that it replaces, and its
    words, for `undo`."""

    state: Literal["noted", "late"]
    before: datetime | None = None
    words: str | None = None


def begin(session: Session, post_id: int, asker_id: int, group_id: int) -> Call:
    """Makes a question of a post that nobody has yet."""
    given = {"post": post_id, "asker": asker_id, "group": group_id, "ends_after": ENDS_AFTER}
    session.execute(BEGIN, given)
    session.execute(ASK, given)
    return session.get_one(Call, post_id)


def answer(session: Session, call: Call, account_id: int, words: str, inbound_id: int | None) -> Replaced:
    """Keeps the newest answer of somebody to a question that is locked."""
    given = {"post": call.post_id, "account": account_id, "words": words, "inbound": inbound_id}
    late = call.ended_at is not None
    before = session.execute(STANDING, given).first()
    session.execute(ANSWER, given | {"late": late})
    return Replaced("late" if late else "noted", *(before or (None, None)))


def take_back(session: Session, call: Call, account_id: int) -> None:
    session.execute(TAKE_BACK, {"post": call.post_id, "account": account_id})


def list_given(session: Session, post_id: int) -> Sequence[Given]:
    """The answers that count, in the order in which they came."""
    return [Given(*row) for row in session.execute(GIVEN, {"post": post_id})]


def count_asked(session: Session, post_id: int) -> int:
    return session.scalar(ASKED, {"post": post_id}) or 0


def blocked_pairs(session: Session, people: Sequence[int]) -> set[tuple[int, int]]:
    """Those of these people between whom there is a block, each pair in both orders."""
    rows = session.execute(BLOCKED, {"people": list(people)}).all()
    return {pair for one, other in rows for pair in ((one, other), (other, one))}


BEGIN: Final = text("""
    WITH marked AS (UPDATE posts SET call = 'ask' WHERE id = :post)
    INSERT INTO calls (post_id, kind, asker_id, group_id, next_at, ends_at)
    VALUES (:post, 'ask', :asker, :group, now() + CAST(:ends_after AS interval), now() + CAST(:ends_after AS interval))
""")

ASK: Final = text("""
    INSERT INTO call_people (post_id, account_id)
    SELECT :post, f.follower_id FROM follows_in_force f
    JOIN accounts reader ON reader.id = f.follower_id AND reader.state = 'active'
    WHERE f.account_id = :group AND f.follower_id <> :asker
""")

STANDING: Final = text("""
    SELECT answered_at, text FROM call_people
    WHERE post_id = :post AND account_id = :account AND answered_at IS NOT NULL AND retracted_at IS NULL AND NOT late
    FOR NO KEY UPDATE
""")

# Whoever reads the post without being in the group may answer, too.
ANSWER: Final = text("""
    INSERT INTO call_people (post_id, account_id, answered_at, late, text, inbound_id)
    VALUES (:post, :account, now(), :late, :words, :inbound)
    ON CONFLICT (post_id, account_id) DO UPDATE
    SET answered_at = excluded.answered_at, late = excluded.late, text = excluded.text,
        inbound_id = excluded.inbound_id, retracted_at = NULL, next_at = NULL
""")

TAKE_BACK: Final = text("""
    UPDATE call_people SET retracted_at = now() WHERE post_id = :post AND account_id = :account
""")

GIVEN: Final = text("""
    SELECT a.id, a.name, p.text, p.answered_at FROM call_people p JOIN accounts a ON a.id = p.account_id
    WHERE p.post_id = :post AND p.answered_at IS NOT NULL AND p.retracted_at IS NULL AND p.text IS NOT NULL
      AND NOT p.late AND a.state <> 'suspended'
    ORDER BY p.answered_at, a.id
""")

ASKED: Final = text("SELECT count(*) FROM call_people WHERE post_id = :post")

BLOCKED: Final = text("""
    SELECT account_id, other_id FROM silences_in_force
    WHERE kind = 'block' AND account_id = ANY (CAST(:people AS bigint[])) AND other_id = ANY (CAST(:people AS bigint[]))
""")
