"""Tells what a send to many phones costs before it goes; without an answer it is never sent."""

from decimal import Decimal
from math import ceil

from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.inbound.commands import CommandContext, ConfirmationRequired
from gateway.ledger.inbox import media
from gateway.ledger.money import budgets, spending
from gateway.network.audience import phone_estimate
from gateway.network.posts import posts, rendering
from gateway.network.posts.posts import NewPost
from gateway.settings import Settings

TAG = "k7"  # every item of many has one


def ask_price(session: Session, turn: CommandContext, words: NewPost) -> None:
    """Raises ConfirmationRequired with phones, parts, money and minutes when more than CRITTER_ASK_PHONES would get a
    text."""
    told = None if "price" in turn.confirmed else price(session, turn, words)
    if told:
        raise ConfirmationRequired(joined([told, say("Reply OK to send it, DROP to delete it.")]), "price")


def price(session: Session, turn: CommandContext, words: NewPost) -> Phrase | None:
    """The price, when it goes to so many phones that its writer must say yes."""
    limit = turn.world.settings.ask_phones
    sources, people = posts.sources(session, words), [person for person, _ in words.recipients]
    if phone_estimate.phones(session, sources, people, limit + 1) <= limit:
        return None
    settings, phones = turn.world.settings, phone_estimate.countries(session, sources, people)
    shown = f"{words.author.name}: {words.text}"
    hangs = media.list_attached(session, words.pictures_of or words.inbound_id)
    link = rendering.link_media(hangs, words.text, turn.world.media_url(0, 0))
    each = rendering.fit_for_phone(shown + link, TAG, settings.public_url).segments
    cost = sum((number * each * settings.price_of(country) for country, number in phones.items()), Decimal(0))
    parts = sum(phones.values()) * each
    return joined([_price(settings, phones.total(), parts, cost), _shortage(session, settings, words, parts, cost)])


def _price(settings: Settings, phones: int, parts: int, cost: Decimal) -> Phrase:
    rate = settings.sms_rate * max(1, len(settings.sms_numbers))
    minutes = ceil(phones / rate / 60)
    return say(
        "This goes to {phones} phones: {parts}, {price}, {minutes}.",
        phones=phones,
        parts=count("about {count} part", "about {count} parts", parts),
        price=cost.quantize(Decimal("0.01")),
        minutes=count("{count} minute", "{count} minutes", minutes),
    )


def _shortage(session: Session, settings: Settings, words: NewPost, parts: int, cost: Decimal) -> Phrase | str:
    """A sentence for when its writer's, its group's or the company's budget would be used up before everybody has
    it."""
    most = budgets.limits(settings)
    keys: list[budgets.Key] = [*budgets.COMPANY, ("person", str(words.author.id))]
    keys += [("group", str(words.group.id))] if words.group else []
    lefts = {left.scope: left.left for left in spending.read_budgets_left(session, most, keys)}
    month = max(0, lefts.pop("company_month") - budgets.reserve(most.month))
    lefts["company_day"] = max(0, lefts["company_day"] - budgets.reserve(most.day))
    fit = min(*lefts.values(), parts if month >= budgets.micros(cost) else int(parts * month / budgets.micros(cost)))
    if fit >= parts:
        return ""
    return count(
        "The budget has {count} part left, so not everybody gets it.",
        "The budget has {count} parts left, so not everybody gets it.",
        fit,
    )
