"""Offers to ask people who wrote about something: who wants to be found and be made offers, and the answer to an offer,
which puts the update once more, privately, to each of those people."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.network.conversation import offers
from gateway.network.people import discoverability
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Account, Effect, Offer, Post


@dataclass(frozen=True, slots=True)
class AskedPeople:
    """The names of those who were asked; none when nobody of the offer can be asked any more."""

    names: tuple[str, ...]


def ask_offered(session: Session, actor: Actor, post_id: int) -> AskedPeople:
    """`post_id`: the update of the actor's that the offer is about. They are asked once, each in their language."""
    taken = offers.take(session, actor.account, post_id)
    if taken is None:
        return AskedPeople(())
    offer, people = taken
    asked = [_ask(session, actor, offer, language, people) for language in dict.fromkeys(p.language for p in people)]
    actor.did("ask_offered", asked[0], posts=asked)
    actor.queues.add("fanout")
    return AskedPeople(tuple(person.name for person in people))


def _ask(session: Session, actor: Actor, offer: Offer, language: str, people: Sequence[Account]) -> int:
    """One private post to those of one language. Its words are public already, so nothing has to be confirmed."""
    question = session.get_one(Post, offer.post_id)
    mine = [person.id for person in people if person.language == language]
    words = NewPost(
        actor.account, question.text, "direct", actor.door, recipients=[(one, one) for one in mine],
        inbound_id=actor.inbound_id, upload_id=question.upload_id,
        asks_again=offers.render(actor.account, offer.word or "", question, language),
    )  # fmt: skip
    post = posts.publish(session, words)
    offers.mark_asked(session, offer, mine, post.id)
    return post.id


def undo_ask_offered(session: Session, actor: Actor, effect: Effect) -> Undone:
    """What has not left is recalled, as with a private message."""
    facts = {"stopped": 0, "gone": 0}
    for post_id in effect.detail["posts"]:
        stopped, gone = posts.retract(session, session.get_one(Post, post_id))
        facts = {"stopped": facts["stopped"] + stopped, "gone": facts["gone"] + gone}
    return Undone("message_retracted", facts)


def set_connecting(session: Session, actor: Actor, wanted: bool) -> bool:
    """Whether they are found by what they wrote, and are made offers; False when it is so already."""
    if discoverability.connects(session, actor.account.id) == wanted:
        return False
    discoverability.put(session, actor.account.id, wanted)
    actor.did("connect", actor.account.id, wanted=wanted)
    return True


def undo_connecting(session: Session, actor: Actor, effect: Effect) -> Undone:
    before = not effect.detail["wanted"]
    discoverability.put(session, actor.account.id, before)
    return Undone("connecting" if before else "not_connecting")
