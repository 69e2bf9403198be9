"""What a send to many phones costs, told before it goes; nothing of it ever goes on silence."""

from decimal import Decimal
from math import ceil

from sqlalchemy.orm import Session

from gateway.commands import Turn, Unconfirmed
from gateway.language.phrases import Phrase, count, joined, say
from gateway.network import estimates, posts, renderings
from gateway.network.posts import Words
from gateway.settings import Settings

TAG = "k7"  # every item of many has one


def ask_price(session: Session, turn: Turn, words: Words) -> None:
    """Raises Unconfirmed with phones, parts, money and minutes when more than CRITTER_ASK_PHONES would get a text."""
    told = None if "price" in turn.confirmed else price(session, turn, words)
    if told:
        raise Unconfirmed(joined([told, say("OK sends, DROP forgets.")]), "price")


def price(session: Session, turn: Turn, words: Words) -> Phrase | None:
    """What it costs, when it goes to so many phones that its writer must say yes."""
    limit = turn.world.settings.ask_phones
    sources, people = posts.sources(session, words), [person for person, _ in words.recipients]
    if estimates.phones(session, sources, people, limit + 1) <= limit:
        return None
    return _price(turn.world.settings, words, estimates.phones(session, sources, people))


def _price(settings: Settings, words: Words, phones: int) -> Phrase:
    shown = f"{words.author.name}: {words.text}"
    parts = phones * renderings.fitted(shown, TAG, settings.public_url).segments
    rate = settings.sms_rate * max(1, len(settings.sms_numbers))
    minutes = ceil(phones / rate / 60)
    return say(
        "To {phones} phones, {parts}, {price}, {minutes}.",
        phones=phones,
        parts=count("about {count} part", "about {count} parts", parts),
        price=(parts * settings.sms_price).quantize(Decimal("0.01")),
        minutes=count("{count} minute", "{count} minutes", minutes),
    )
