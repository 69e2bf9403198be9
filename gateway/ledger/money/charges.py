"""Charges: what each text cost its budgets. It is given back when the text surely did not leave; a text in doubt stays
charged. The carrier's own price corrects it.

gateway/ledger/money/budgets writes a charge when it takes a text.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.money.budgets import lock
from gateway.store.arrays import numbers


def refund(session: Session, attempt_ids: Sequence[int]) -> None:
    """Gives back what these attempts cost, for they surely did not leave. Harmless when it was given back before."""
    if attempt_ids:
        lock(session)
        session.execute(REFUND, {"attempts": numbers(attempt_ids)})


def correct(session: Session, prices: dict[str, int]) -> int:
    """Writes the carrier's own prices (its id of the text → millionths of a dollar) into the charges, and corrects the
    months that they were charged to. Returns how many were new."""
    lock(session)
    return int(session.scalar(CORRECT, {"ids": list(prices), "prices": numbers(prices.values())}) or 0)


# The budgets that a charge counted in, one row for each. `unit`: 1 counts parts, 2 money, 3 texts.
FROM: Final = """(VALUES ('company_day', '', 1), ('company_month', '', 2), ('country', c.country, 1),
                  ('group', CAST(c.group_id AS text), 1), ('person', CAST(c.author_id AS text), 1),
                  ('reader', CAST(c.reader_id AS text), 3))
                 AS took (scope, subject, unit)"""
CHARGED: Final = """CASE took.scope WHEN 'company_month' THEN date_trunc('month', c.charged_at AT TIME ZONE 'UTC')
                    WHEN 'reader' THEN c.reader_day ELSE c.charged_at AT TIME ZONE 'UTC' END::date"""

REFUND: Final = text(f"""
    WITH c AS (
        DELETE FROM charges WHERE attempt_id = ANY (CAST(:attempts AS bigint[])) RETURNING *
    ), back AS (
        SELECT {CHARGED} AS day, took.scope, took.subject,
               sum(CASE took.unit WHEN 2 THEN coalesce(c.billed, c.micros) WHEN 3 THEN 1 ELSE c.parts END) AS amount
        FROM c CROSS JOIN LATERAL {FROM} GROUP BY 1, 2, 3
    )
    UPDATE budgets b SET used = greatest(0, b.used - back.amount)
    FROM back WHERE b.day = back.day AND b.scope = back.scope AND b.subject = back.subject
""")  # noqa: S608

CORRECT: Final = text("""
    WITH priced AS MATERIALIZED (
        SELECT c.attempt_id, given.price
        FROM unnest(CAST(:ids AS text[]), CAST(:prices AS bigint[])) AS given (id, price)
        JOIN attempts a ON a.carrier_id = given.id JOIN charges c ON c.attempt_id = a.id
        WHERE c.billed IS DISTINCT FROM given.price
    ), moved AS (
        UPDATE charges c SET billed = priced.price FROM priced, charges old
        WHERE c.attempt_id = priced.attempt_id AND old.attempt_id = c.attempt_id
        RETURNING c.charged_at, priced.price - coalesce(old.billed, old.micros) AS more
    ), by_month AS (
        SELECT date_trunc('month', charged_at AT TIME ZONE 'UTC')::date AS day, sum(more) AS more FROM moved GROUP BY 1
    ), budget AS (
        UPDATE budgets b SET used = greatest(0, b.used + by_month.more),
                             allowed = greatest(b.allowed, b.used + by_month.more)
        FROM by_month WHERE b.day = by_month.day AND b.scope = 'company_month'
    )
    SELECT count(*) FROM moved
""")
