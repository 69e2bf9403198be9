"""Who wrote about something, so that one can ask them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.language.track_phrases import LONGEST, MOST_WORDS, track_phrase
from gateway.network.posts import author_search
from gateway.network.posts.author_search import FoundAuthor
from gateway.network.receipts.receipt_text import shorten


@dataclass(frozen=True, slots=True)
class TopicAuthors:
    """`topic`: as people read it. `first`: the people to ask, the one to ask first at the front."""

    topic: str
    first: Sequence[FoundAuthor]


def who_about(session: Session, actor: Actor, topic: str, most: int) -> TopicAuthors:
    """`topic`: words, a "phrase" in quotation marks, or a #tag. Raises Refused for what cannot be looked for."""
    phrase = track_phrase(topic)
    if phrase.too_short:
        raise refusal("topic_too_short", words=shorten(topic))
    if phrase.too_long:
        raise refusal("topic_too_long", words=MOST_WORDS, letters=LONGEST)
    found = author_search.find_authors(session, actor.account, topic, most)
    if found is None:
        raise refusal("topic_too_frequent", topic=phrase.shown)
    return TopicAuthors(phrase.shown, found)
