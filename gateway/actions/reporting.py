"""Reports to the operators about an item or about somebody. Whoever is reported is not told."""

from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.i18n.phrases import Phrase, say
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.language.words.normalize import clean
from gateway.network.audience import visibility
from gateway.network.conversation import notices
from gateway.network.inspect import abuse_reports
from gateway.network.people import accounts
from gateway.network.posts import timelines
from gateway.store.tables import Effect, Post

LONGEST_REASON: Final = 1_000  # characters


def report_account(session: Session, actor: Actor, who: NamedAccount, reason: str = "") -> bool:
    """False when they reported it before. `reason`: for the operators."""
    if who.id == actor.account.id:
        raise refusal("report_of_self")
    if not _file(session, actor, who.id, None, reason):
        return False
    mark = "#" if who.kind == "group" else "@"
    values = {"handle": actor.account.handle, "name": mark + who.handle}
    _tell(session, actor, who.id, say("@{handle} reported {name}. To see it: critter reports", **values))
    return True


def report_post(session: Session, actor: Actor, post_id: int, reason: str = "") -> bool:
    """False when they reported it before. What reached somebody may be reported, also when they may not read it any
    more."""
    post = session.get(Post, post_id)
    author = accounts.by_id(session, post.author_id) if post else None
    if post is None or author is None or not _knows(session, actor, post):
        raise refusal("nothing_to_report")
    if author.id == actor.account.id:
        raise refusal("report_of_self")
    if not _file(session, actor, author.id, post.id, reason):
        return False
    values = {"handle": actor.account.handle, "name": f"@{author.handle}"}
    _tell(
        session, actor, author.id, say("@{handle} reported an update by {name}. To see it: critter reports", **values)
    )
    return True


def undo_report(session: Session, actor: Actor, effect: Effect) -> Undone:
    """A report that operators have read cannot be unread; one that still waits is closed."""
    assert effect.subject_id
    abuse_reports.withdraw(session, effect.subject_id)
    return Undone("report_withdrawn")


def _knows(session: Session, actor: Actor, post: Post) -> bool:
    reader = actor.account.id
    return visibility.may_read(session, reader, post.id) or timelines.has_received(session, reader, post.id)


def _file(session: Session, actor: Actor, account_id: int, post_id: int | None, reason: str) -> bool:
    words = clean(reason)[:LONGEST_REASON].strip() or None
    report_id = abuse_reports.add(session, actor.account.id, account_id, post_id, words)
    if report_id:
        actor.did("report", report_id)
    return report_id is not None


def _tell(session: Session, actor: Actor, reported_id: int, words: Phrase) -> None:
    """The notice to the operators has no words of anybody's. The reporter and the reported get none, should they be
    operators."""
    people = accounts.operators(session) - {actor.account.id, reported_id}
    actor.queues |= notices.tell(session, people, words, inbound_id=actor.inbound_id)
