"""Keeps what `more` gives next: the rest of words that were cut, with the posts whose words they are (R58).

Answers, `more` itself and workers that send store it; handlers/help_command gives it, and asks first whether its reader
may still read all of those posts. The rest of a post is kept nowhere else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Interval, delete, func, select, type_coerce
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Remainder


@dataclass(frozen=True, slots=True)
class KeptRemainder:
    """A rest, the ids of the posts whose words are in it (none in words of our own), and how long ago it was kept."""

    text: str
    posts: tuple[int, ...]
    age: timedelta


def keep(session: Session, address_id: int, rest: str | None, posts: Collection[int]) -> None:
    """Replaces what was kept before; a rest of None deletes it."""
    if rest:
        keep_all(session, {address_id: (rest, posts)})
    else:
        forget(session, address_id)


def keep_all(session: Session, rests: Mapping[int, tuple[str, Collection[int]]]) -> None:
    """Stores many: address → its rest and posts. They go in the order of ids, so that two workers do not wait for each
    other."""
    rows = [
        {"address_id": address, "text": rest, "posts": sorted(posts)}
        for address, (rest, posts) in sorted(rests.items())
    ]
    new = insert(Remainder).values(rows)
    values = {"text": new.excluded.text, "posts": new.excluded.posts, "kept_at": func.now()}
    session.execute(new.on_conflict_do_update(index_elements=["address_id"], set_=values))


def read_remainder(session: Session, address_id: int) -> KeptRemainder | None:
    """What is kept now. The caller must ask `audience` before it gives the rest to anybody."""
    age = type_coerce(func.now() - Remainder.kept_at, Interval)
    row = session.execute(
        select(Remainder.text, Remainder.posts, age).where(Remainder.address_id == address_id)
    ).first()
    return KeptRemainder(row[0], tuple(row[1]), row[2]) if row else None


def forget(session: Session, address_id: int) -> None:
    session.execute(delete(Remainder).where(Remainder.address_id == address_id))
