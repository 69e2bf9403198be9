"""What somebody has seen on a page or in an app: nothing of it is sent to them any more."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.ledger.outbox import held_seen


def mark_seen(session: Session, account_id: int, post_ids: Collection[int]) -> int:
    """Ends what still waits of these posts for this reader; returns how many items. A page says so of what was on the
    screen for two seconds. It can be said again, and of posts that are nothing to them."""
    return held_seen.mark(session, account_id, post_ids)


def mark_answered(session: Session, actor: Actor, post_id: int) -> None:
    """Whoever answers a post or reacts to it on a page has seen it. On a phone or by mail they have what they answer
    already, so nothing is asked of the database."""
    if actor.on_screen:
        mark_seen(session, actor.account.id, [post_id])
