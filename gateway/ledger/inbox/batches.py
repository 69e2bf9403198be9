"""Batches: many inputs that are claimed by one statement, which also brings what reading them needs, and whose rows one
statement ends. gateway/inbound/plain_texts asks for the facts, workers/inbound reads.

A row that once ended a worker is never in a batch: inbox.claim_again claims it alone.
"""

from typing import Final

from gateway.ledger.inbox.inbox import CLAIM_FRESH
from gateway.store.direct import NOT_WAITING, Statement


def claiming(columns: str, facts: str) -> Statement:
    """The statement that claims a batch. `columns` and `facts`: what it returns behind the id and the attempt of each
    row, and the joins where that is found; there the row is called `i`."""
    return Statement(f"""
        WITH {CLAIM_FRESH.format(limit=":limit", result=f"i.*, {NOT_WAITING}")}
        SELECT i.id, i.attempt, {columns} FROM claimed i {facts} ORDER BY i.id
    """)  # noqa: S608 - put together from constants


def reading_again(columns: str, facts: str) -> Statement:
    """The same for rows that are claimed already, because a row of the same sender had to be read before them."""
    return Statement(f"""
        SELECT i.id, i.attempt, {columns}
        FROM unnest(CAST(:ids AS bigint[]), CAST(:attempts AS smallint[])) AS given (id, attempt)
        JOIN inbound i ON i.id = given.id AND i.attempt = given.attempt AND i.state = 'working'
        {facts} ORDER BY i.id
    """)  # noqa: S608 - put together from constants


# As parts of a statement that ends a batch. A row that another worker has by now is not ours any more: this one was
# stopped for longer than its lease.
STILL_OURS: Final = "i.id = given.inbound_id AND i.attempt = given.attempt AND i.state = 'working'"


def ending(rows: str, intent: str) -> str:
    """The UPDATE that ends each row of the query `rows` with its inbound_id, account_id and reason."""
    return f"""
        UPDATE inbound i
        SET state = 'done', intent = '{intent}', reason = {rows}.reason, account_id = {rows}.account_id,
            lease_until = NULL, lease_owner = NULL, done_at = now()
        FROM {rows} WHERE i.id = {rows}.inbound_id
    """  # noqa: S608 - put together from constants
