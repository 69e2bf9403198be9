"""Words that were private are confirmed before more people can read them, however they were read and whatever door they
came by."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import REPEAT, ConfirmationRequired
from gateway.network.audience import private_repeats
from gateway.network.audience.private_repeats import Readers
from gateway.network.posts.posts import NewPost


def confirm_repeat(session: Session, actor: Actor, words: NewPost) -> None:
    """Raises ConfirmationRequired when the words repeat what was private to their writer; a repeat of a post is public
    already."""
    if REPEAT in actor.confirmed or words.repeats:
        return
    repeated = private_repeats.find(session, words.author, words.text, _readers(words), actor.said)
    if repeated:
        raise ConfirmationRequired("repeat", REPEAT, repeated=repeated, private=words.visibility == "direct")


def _readers(words: NewPost) -> Readers:
    if words.visibility == "direct":
        people = [person for person, _ in words.recipients]
        to_people = all(person == named for person, named in words.recipients)
        return Readers(people=people, own_words_free=to_people)
    if words.group and words.group.access == "closed" and not words.also and not words.followers:
        return Readers(group_id=words.group.id)
    return Readers(everyone=True)
