"""Claims and settles texts about which nothing is unusual, which nearly all are: one statement claims them, decides
about them and brings their words, one round trip asks their budgets, and one statement settles them.

As soon as anything is unusual (an opt-out, a digest, a budget that is full, words that are too long …), the claim is
taken back, and the general way of DeliveryStore makes it, with the same rules. docs/decisions/0054 has the figures.
"""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache

import structlog
from sqlalchemy.exc import OperationalError

from gateway.attention import fact_statements
from gateway.carriers.common.protocol import Text
from gateway.channels import SMS
from gateway.ledger.money import budgets
from gateway.ledger.outbox import claims, settlements
from gateway.ledger.outbox.claims import ClaimedDelivery, ClaimedWords, MessageContent
from gateway.ledger.outbox.settlements import Settlement
from gateway.store.direct import DirectTransaction, Rows, Statement
from workers.runtime.context import WorkerContext
from workers.sending import budget_reservation
from workers.sending.send_loop import Batch, OutboundItem

Rendering = Callable[[ClaimedDelivery, MessageContent], tuple[OutboundItem[Text], str]]

log = structlog.get_logger()


class Unusual(Exception):
    """Something about a claim is for the general way."""


class UsualTexts:
    """The texts of one of our numbers."""

    def __init__(self, context: WorkerContext, sender: int, render: Rendering, alone: Callable[[], bool]) -> None:
        """`alone`: whether the texts of this number, and of no other, may leave from it now."""
        self._context, self._sender, self._render, self._alone = context, sender, render, alone
        self._most = budgets.limits(context.settings)
        self._given = {"channel": SMS, "owner": context.owner, "lease": f"{context.settings.lease_seconds} s"}

    def claim(self, limit: int) -> Batch[Text] | None:
        """Claims texts that are due; None when the general way is to look."""
        if not self._alone():
            return None
        limit = 1 << (limit.bit_length() - 1)  # a few statements, each prepared once
        decided_at = time.monotonic()
        try:
            with self._context.claims.transaction() as transaction:
                loads = self._claimed(transaction, limit)
        except Unusual:
            return None
        except OperationalError:
            raise
        except Exception:
            log.exception("texts are claimed in the general way")
            return None
        return Batch(loads, len(loads), decided_at, full=len(loads) == limit)

    def _claimed(self, transaction: DirectTransaction, limit: int) -> Sequence[OutboundItem[Text]]:
        [rows] = transaction.run((_claiming(limit, self._sender), self._given))
        loads = [self._rendered(claims.claimed_words(row[1:])) for row in _due(rows)]
        if not loads:
            transaction.finish()
            return ()
        wanted = [budget_reservation.request(self._context.settings, load, content, None) for load, content in loads]
        items = [load for load, _ in loads]
        if any(budget_reservation.is_barred(self._context.settings, each) for each in items):
            raise Unusual
        if not budgets.take_all(transaction, self._most, wanted):
            claims.release_directly(transaction, [load.claimed for load in items])
            raise Unusual
        return items

    def _rendered(self, one: ClaimedWords) -> tuple[OutboundItem[Text], MessageContent]:
        if one.unusual or one.content.kind == "digest" or one.content.call:
            raise Unusual
        load, rest = self._render(one.claimed, one.content)
        if rest:
            raise Unusual
        return load, one.content

    def settle(self, rows: Sequence[Settlement]) -> bool | None:
        """Settles rows that were simply sent; returns whether others wait behind them, None when there are other
        rows."""
        if not all(settlements.is_simply_sent(one) for one in rows):
            return None
        return settlements.settle_sent(self._context.settlements, rows)


def _due(rows: Rows) -> Rows:
    """The rows that are due. The first column says whether texts wait for a number, which the general way gives
    them."""
    if rows[0][0]:
        raise Unusual
    return rows if rows[0][1] is not None else []


@lru_cache(maxsize=256)
def _claiming(limit: int, sender: int) -> Statement:
    return claims.claiming_texts(limit, sender, fact_statements.UNUSUAL)
