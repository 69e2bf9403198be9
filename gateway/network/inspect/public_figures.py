"""How large the company is here, in the few figures that anybody may ask for."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class PublicFigures:
    """`active_month`, `active_half_year`: people who wrote something that anybody may read. `updates`: those ever
    written, as the database estimates them once there are many."""

    people: int
    active_month: int
    active_half_year: int
    updates: int


def count(session: Session) -> PublicFigures:
    return PublicFigures(*session.execute(FIGURES).one())


# Counting millions of rows for a stranger would cost more than the figure is worth.
EXACT: Final = 100_000
FIGURES: Final = text(f"""
    WITH people AS (SELECT id FROM accounts WHERE kind = 'person' AND state = 'active'),
    writers AS (
        SELECT EXISTS (SELECT FROM posts p WHERE p.author_id = people.id AND p.visibility <> 'direct'
                       AND p.id >= id_at(now() - interval '30 days')) AS month,
               EXISTS (SELECT FROM posts p WHERE p.author_id = people.id AND p.visibility <> 'direct'
                       AND p.id >= id_at(now() - interval '180 days')) AS half_year
        FROM people
    ), estimated AS (SELECT CAST(reltuples AS bigint) AS updates FROM pg_class WHERE oid = 'posts'::regclass)
    SELECT (SELECT count(*) FROM people), (SELECT count(*) FILTER (WHERE month) FROM writers),
           (SELECT count(*) FILTER (WHERE half_year) FROM writers),
           CASE WHEN estimated.updates > {EXACT} THEN estimated.updates
                ELSE (SELECT count(*) FROM posts WHERE deleted_at IS NULL) END
    FROM estimated
""")  # noqa: S608 - put together from constants
