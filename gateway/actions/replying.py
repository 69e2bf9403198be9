"""Replies. A reply is as private as what it answers."""

from sqlalchemy.orm import Session

from gateway.actions import group_questions, messaging, posting, seeing, urgent_calls
from gateway.actions.group_questions import AnsweredQuestion
from gateway.actions.messaging import SentMessage
from gateway.actions.model.actor import Actor
from gateway.actions.posting import Posted
from gateway.actions.urgent_calls import Acknowledged
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.language.replies import says_yes
from gateway.network.audience import recipients, visibility
from gateway.network.calls import calls
from gateway.network.follows import mutes
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.network.posts import posts, timelines
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Account, Post


def reply(
    session: Session, actor: Actor, post_id: int | None, text: str
) -> Posted | SentMessage | Acknowledged | AnsweredQuestion:
    """Answers a post: an urgent call or a question to its asker; others privately, in their group, or for everyone, as
    they came. A reply to a repeat goes to the original post, and so to its writer. SentMessage when it went
    privately."""
    post = _answered(session, actor, post_id)
    seeing.mark_answered(session, actor, post.id)
    if post.call == "rollcall" and calls.is_asked(session, post.id, actor.account.id):
        return urgent_calls.acknowledge(session, actor, post.id, "" if says_yes(text) else text)
    if post.call == "ask" and post.author_id != actor.account.id:
        return group_questions.answer_question(session, actor, post.id, text)
    if post.visibility == "direct":
        return messaging.send(session, actor, [_author(session, post)], text, post.id)
    if post.group_id:
        return _in_group(session, actor, post, accounts.by_id(session, post.group_id), text)
    return _publicly(session, actor, post.id, text)


def reply_publicly(session: Session, actor: Actor, post_id: int | None, text: str) -> Posted:
    """An update that answers a public post, or only names somebody in its text."""
    if post_id and not _is_public(session, actor, session.get(Post, post_id)):
        raise refusal("nothing_to_answer")
    if post_id:
        seeing.mark_answered(session, actor, post_id)
    return _publicly(session, actor, post_id, text)


def _publicly(session: Session, actor: Actor, post_id: int | None, text: str) -> Posted:
    words = NewPost(
        actor.account, text, "company", actor.door, in_reply_to=post_id, inbound_id=actor.inbound_id
    )  # fmt: skip
    written = posting.publish(session, actor, words)
    has_readers = recipients.has_readers(session, written)
    return Posted(written.id, unheard=None if has_readers else "first")


def _answered(session: Session, actor: Actor, post_id: int | None) -> Post:
    """The post that is answered. That its writer cannot be reached is told only to those who know of the post."""
    item = session.get(Post, post_id) if post_id else None
    post = posts.written_first_by(session, item) if item else None
    if post and mutes.are_apart(session, actor.account.id, post.author_id) and _knows(session, actor, post):
        messaging.check_reaches(session, actor.account, _author(session, post))
    if post is None or not visibility.may_read(session, actor.account.id, post.id):
        raise refusal("nothing_to_answer")
    return post


def _is_public(session: Session, actor: Actor, post: Post | None) -> bool:
    """Whether everyone may see what is answered: the first words of a thread are the subject of all its mails. A block
    since it came does not matter, for its words are known."""
    if post is None or post.visibility != "company":
        return False
    return visibility.may_read(session, actor.account.id, post.id) or _knows(session, actor, post)


def _knows(session: Session, actor: Actor, post: Post) -> bool:
    return timelines.has_received(session, actor.account.id, post.id)


def _author(session: Session, post: Post) -> NamedAccount:
    author = accounts.by_id(session, post.author_id)
    if author is None or author.state != "active":
        raise refusal("writer_left")
    return find_named(author)


def _in_group(session: Session, actor: Actor, post: Post, group: Account | None, text: str) -> Posted | SentMessage:
    """In a broadcast group only posters post: what others answer goes to them alone."""
    if group is None or group.state != "active":
        raise refusal("group_gone")
    if not visibility.may_post(session, actor.account.id, group):
        return messaging.tell_posters(session, actor, find_named(group), text, post.id)
    words = NewPost(
        actor.account, text, "group", actor.door, group, in_reply_to=post.id, inbound_id=actor.inbound_id
    )  # fmt: skip
    return Posted(posting.publish(session, actor, words).id, group.handle)
