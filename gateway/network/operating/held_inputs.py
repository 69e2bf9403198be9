"""What waits for an operator: mails whose sender nothing proves, inputs that three workers crashed on. `critter held`
and the page of what is held call it."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.ledger.operations import retry
from gateway.network.operating import audit_reasons

STATES: Final = {"held.approve": "new", "held.drop": "dropped"}


def approve(session: Session, ids: Sequence[int], actor: str, reason: str = "", *, everything: bool = False) -> int:
    """Lets them in: they are read as if their senders were proved. Returns how many; the caller wakes a worker."""
    return _decide(session, ids, actor, "held.approve", reason, everything)


def drop(session: Session, ids: Sequence[int], actor: str, reason: str = "", *, everything: bool = False) -> int:
    """Puts them away unread; nobody is told. Returns how many."""
    return _decide(session, ids, actor, "held.drop", reason, everything)


def _decide(session: Session, ids: Sequence[int], actor: str, action: str, reason: str, everything: bool) -> int:
    if bool(ids) == everything:
        raise Refused("Say which: ids as critter held list names them, or --all.")
    audit_reasons.refuse_numbers(reason)
    waiting = [row.id for row in retry.list_held(session)]
    unknown = [str(one) for one in ids if one not in waiting]
    if unknown:
        raise Refused(f"Not held: {', '.join(unknown)}. Nothing was changed.")
    chosen = waiting if everything else ids
    return retry.decide(session, chosen, STATES[action], actor, action, audit_reasons.detail(reason))


def without_token(ours: str, mask: Callable[[str], str]) -> str:
    """One of our addresses without its token, which would let anyone who reads it answer in somebody's name."""
    local, at, domain = ours.partition("@")
    if not at:
        return mask(ours)
    return f"{re.sub(r'(?<=[-+.]).*', '…', local)}{at}{domain}"
