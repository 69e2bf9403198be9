"""What a send to many phones costs, told before it goes; nothing of it ever goes on silence."""

from decimal import Decimal
from math import ceil

from sqlalchemy.orm import Session

from gateway.commands import Turn, Unconfirmed
from gateway.language.phrases import Phrase, count, say
from gateway.network import estimates, posts, renderings
from gateway.network.posts import Words
from gateway.settings import Settings

TAG = "k7"  # every item of many has one


def ask_price(session: Session, turn: Turn, words: Words) -> None:
    """Raises Unconfirmed with phones, parts, money and minutes when more than CRITTER_ASK_PHONES would get a text."""
    limit = turn.world.settings.ask_phones
    if "price" in turn.confirmed:
        return
    sources, people = posts.sources(session, words), [person for person, _ in words.recipients]
    if estimates.phones(session, sources, people, limit + 1) > limit:
        raise Unconfirmed(_price(turn.world.settings, words, estimates.phones(session, sources, people)), "price")


def _price(settings: Settings, words: Words, phones: int) -> Phrase:
    shown = f"{words.author.name}: {words.text}"
    parts = phones * renderings.fitted(shown, TAG, settings.public_url).segments
    rate = settings.sms_rate * max(1, len(settings.sms_numbers))
    minutes = ceil(phones / rate / 60)
    return say(
        "To {phones} phones, {parts}, {price}, {minutes}. OK sends, DROP forgets.",
        phones=phones,
        parts=count("about {count} part", "about {count} parts", parts),
        price=(parts * settings.sms_price).quantize(Decimal("0.01")),
        minutes=count("{count} minute", "{count} minutes", minutes),
    )
