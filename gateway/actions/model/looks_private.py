"""Words that look like a private message, written where everyone would read them: their writer is asked first.

A text is read by the grammar, which knows this by itself; pages and the API ask here."""

from functools import partial

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import ADDRESSED, ConfirmationRequired
from gateway.language.model.reading import Reading
from gateway.language.privacy.plain_words import plainly_private
from gateway.language.privacy.preambles import private_behind
from gateway.language.privacy.private_messages import private_reading, read_slip
from gateway.language.words.normalize import clean
from gateway.network.people.directory import find


def confirm_public(session: Session, actor: Actor, text: str) -> None:
    """Raises ConfirmationRequired for words that seem to be for somebody alone, with whom they name, and the words for
    them."""
    if ADDRESSED in actor.confirmed:
        return
    if found := _read(session, actor, clean(text)):
        words = found.text if found.intent == "direct" else text
        raise ConfirmationRequired("looks_private", ADDRESSED, names=found.names, words=words)


def _read(session: Session, actor: Actor, text: str) -> Reading | None:
    resolver = partial(find, session, viewer_id=actor.account.id)
    return (
        private_reading(text, resolver)
        or read_slip(text, resolver)
        or plainly_private(text, resolver)
        or private_behind(text, resolver)
    )
