"""Dismissing what is to somebody and taking talks out of a list, so that an app shows them no more. Nobody is told, and
nothing else changes."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.network.feeds import news, to_you
from gateway.network.web import read_marks


def dismiss_notice(session: Session, actor: Actor, key: int) -> None:
    """One of them; what is not there can be dismissed, too."""
    to_you.dismiss(session, actor.account.id, key)


def clear_notices(session: Session, actor: Actor) -> None:
    """All that there are now."""
    read_marks.advance(session, actor.account.id, read_marks.CLEARED, news.newest(session))


def hide_talk(session: Session, actor: Actor, other_id: int) -> None:
    """Until something is said there again."""
    read_marks.advance(session, actor.account.id, read_marks.hidden(other_id), news.newest(session))
