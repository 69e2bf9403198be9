"""Why a delivery must not leave any more: decided for each at the moment when it is about to be sent."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from gateway.attention import facts
from gateway.attention.decide import decide
from gateway.attention.decision import Send
from gateway.attention.facts import Facts, Key
from gateway.network.audience.visibility import may_read_all


def find_refusals(session: Session, keys: Collection[Key]) -> dict[Key, str]:
    """(message, address) → why it must not leave, for those of `keys` that must not."""
    reasons = {key: _reason(session, found) for key, found in facts.find(session, keys).items()}
    return {key: reason for key, reason in reasons.items() if reason}


def _reason(session: Session, found: Facts) -> str | None:
    decision = decide(found)
    return _quotes_lost(session, found) if isinstance(decision, Send) else decision.reason


def _quotes_lost(session: Session, found: Facts) -> str | None:
    """Refuses an answer or a notice with words of posts which its reader may not read any more. Few have any."""
    if not found.quotes:
        return None
    readable = found.reader_id is not None and may_read_all(session, found.reader_id, found.quotes)
    return None if readable else "retracted"
