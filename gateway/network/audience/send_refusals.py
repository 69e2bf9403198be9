"""Why a delivery must not leave any more: decided for each at the moment when it is about to be sent."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from gateway.attention import facts
from gateway.attention.decide import decide
from gateway.attention.decision import Send
from gateway.attention.facts import Key, UnusualDelivery
from gateway.network.audience.visibility import may_read_all


def find_refusals(session: Session, keys: Collection[Key]) -> dict[Key, str]:
    """(message, address) → why it must not leave, for those of `keys` that must not."""
    refused: dict[Key, str] = {}
    for known, deliveries in facts.find(session, keys):
        decision = decide(known)
        if isinstance(decision, Send):
            refused |= {one.key: "retracted" for one in deliveries if one.quotes and not _may_read(session, one)}
        else:
            refused |= {one.key: decision.reason for one in deliveries}
    return refused


def _may_read(session: Session, delivery: UnusualDelivery) -> bool:
    """Whether the reader of an answer or a notice may still read the posts whose words are in it. Few have any."""
    return delivery.reader_id is not None and may_read_all(session, delivery.reader_id, delivery.quotes or ())
