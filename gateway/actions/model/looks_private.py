"""Words that look like a private message, written where everyone would read them: their writer is asked first.

A text is read by the grammar, which knows this by itself. On a page, or by an app, the audience was chosen before, and
whoever has the habit of their phone may still begin the words with somebody's name."""

from functools import partial

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import ADDRESSED, ConfirmationRequired
from gateway.language.model.reading import Reading
from gateway.language.privacy.plain_words import plainly_private
from gateway.language.privacy.preambles import private_behind
from gateway.language.privacy.private_messages import private_reading, read_slip
from gateway.network.people.directory import find
from gateway.network.posts.posts import NewPost


def confirm_public(session: Session, actor: Actor, post: NewPost) -> None:
    """Raises ConfirmationRequired for words that seem to be for somebody alone, with whom they name, and the words for
    them."""
    if not actor.on_screen or post.visibility == "direct" or post.repeats or ADDRESSED in actor.confirmed:
        return
    if found := _read(session, actor, post.text):
        words = found.text if found.intent == "direct" else post.text
        raise ConfirmationRequired("looks_private", ADDRESSED, names=found.names, words=words)


def _read(session: Session, actor: Actor, text: str) -> Reading | None:
    resolver = partial(find, session, viewer_id=actor.account.id)
    return (
        private_reading(text, resolver)
        or read_slip(text, resolver)
        or plainly_private(text, resolver)
        or private_behind(text, resolver)
    )
