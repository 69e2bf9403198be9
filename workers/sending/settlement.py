"""Translates a carrier's outcome into the settlement of its row. workers/sending/delivery_store calls it."""

import random
from datetime import timedelta
from typing import Final

from gateway.carriers.common.protocol import Outcome
from gateway.channels import CHANNELS
from gateway.ledger.commit import backoff
from gateway.ledger.outbox.claims import ClaimedDelivery
from gateway.ledger.outbox.settlements import Settlement

BUSY: Final = ("429", "20429", "busy", "432 4.3.2")


def settlement(
    channel: str, claimed: ClaimedDelivery, outcome: Outcome, segments: int | None, look: timedelta
) -> Settlement:
    """Returns how the row is settled. `look`: after which time an unknown text is looked for.

    A mail whose outcome is unknown is sent again: its Message-ID stays the same, so that the receiver can fold the two
    (R15).
    """
    if outcome.state == "unknown" and CHANNELS[channel].folds_repeats:
        wait = backoff.next_wait(claimed.number, _chance())
        return Settlement(claimed, "retry", reason=outcome.reason, wait=wait, possible_duplicate=True)
    if outcome.state == "unknown":
        return Settlement(claimed, "unknown", reason=outcome.reason, wait=look)
    if outcome.state == "retry":
        busy = outcome.reason in BUSY
        wait = backoff.busy_wait(_chance()) if busy else backoff.next_wait(claimed.number, _chance())
        asked = timedelta(seconds=outcome.wait or 0)
        return Settlement(claimed, "retry", reason=outcome.reason, wait=max(wait, asked))
    parts = segments if outcome.state == "sent" else None
    return Settlement(claimed, outcome.state, outcome.carrier_id, outcome.reason or None, segments=parts)


def _chance() -> float:
    return random.random()  # noqa: S311  it only spreads waits, so it need not be secure
