"""In which order a digest lists what waited: what was written to its reader, what they track, then by whom they answer
most, small groups before large ones, and the newest first. digest_words.py asks."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gateway.attention.causes import DeliveryCause
from gateway.store.arrays import numbers

LOOKED_AT: Final = 200  # answers of a reader, of the last 90 days
LARGE: Final = 200  # members; larger groups count alike


def by_importance(session: Session, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Rows with account_id, author_id, cause, message_id and group_id, of any number of readers."""
    if len(rows) < 2:
        return list(rows)
    answers, sizes = _count_answers(session, rows), _count_members(session, rows)

    def place(row: Row[Any]) -> tuple[bool, bool, int, int, int]:
        answered = answers.get((row.account_id, row.author_id), 0)
        addressed, tracked = DeliveryCause(row.cause).addressed, row.cause == DeliveryCause.TRACKED
        return not addressed, not tracked, -answered, sizes.get(row.group_id, 0), -row.message_id

    return sorted(rows, key=place)


def _count_answers(session: Session, rows: Sequence[Row[Any]]) -> dict[tuple[int, int], int]:
    """(reader, author) → how often the reader has answered that author."""
    given = {
        "readers": numbers({row.account_id for row in rows}),
        "authors": numbers({row.author_id for row in rows}),
    }
    return {(row[0], row[1]): row[2] for row in session.execute(ANSWERS, given)}


def _count_members(session: Session, rows: Sequence[Row[Any]]) -> dict[int, int]:
    groups = {row.group_id for row in rows if row.group_id}
    if not groups:
        return {}
    return {row[0]: row[1] for row in session.execute(MEMBERS, {"groups": numbers(groups)})}


ANSWERS: Final = text(f"""
    SELECT reader.id, theirs.author_id, count(*)
    FROM unnest(CAST(:readers AS bigint[])) AS reader (id)
    CROSS JOIN LATERAL (
        SELECT in_reply_to FROM posts
        WHERE author_id = reader.id AND in_reply_to IS NOT NULL AND id >= id_at(now() - interval '90 days')
        ORDER BY id DESC LIMIT {LOOKED_AT}
    ) AS mine
    JOIN posts theirs ON theirs.id = mine.in_reply_to
    WHERE theirs.author_id = ANY (CAST(:authors AS bigint[])) GROUP BY reader.id, theirs.author_id
""")  # noqa: S608
MEMBERS: Final = text(f"""
    SELECT place.id, (SELECT count(*) FROM (
        SELECT FROM follows_in_force WHERE account_id = place.id LIMIT {LARGE}) AS members)
    FROM unnest(CAST(:groups AS bigint[])) AS place (id)
""")  # noqa: S608
