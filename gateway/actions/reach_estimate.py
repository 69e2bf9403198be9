"""What a post would cost before it goes: phones, parts, money and minutes. Many phones are confirmed first."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import REACH, ConfirmationRequired
from gateway.ledger.inbox import media
from gateway.ledger.money import budgets, spending
from gateway.network.audience import phone_estimate
from gateway.network.posts import posts, rendering
from gateway.network.posts.posts import NewPost
from gateway.settings import Settings

TAG = "k7"  # every item of many has one


@dataclass(frozen=True, slots=True)
class ReachEstimate:
    """`cost`: US dollars. `parts`: message segments, about; `parts_left`: what the budgets have left for them, None
    when that is enough."""

    phones: int
    parts: int
    cost: Decimal
    minutes: int
    parts_left: int | None


def confirm_reach(session: Session, actor: Actor, words: NewPost) -> None:
    """Raises ConfirmationRequired when more than CRITTER_ASK_PHONES would get a text."""
    if REACH in actor.confirmed:
        return
    if wide := estimate_wide(session, actor, words):
        raise ConfirmationRequired("reach", REACH, reach=wide)


def estimate_wide(session: Session, actor: Actor, words: NewPost) -> ReachEstimate | None:
    """The reach, when it goes to so many phones that its writer must say yes."""
    limit, people = actor.settings.ask_phones, [person for person, _ in words.recipients]
    sources = posts.sources(session, words)
    if phone_estimate.phones(session, sources, people, limit + 1) <= limit:
        return None
    return _estimate(session, actor, words)


def _estimate(session: Session, actor: Actor, words: NewPost) -> ReachEstimate:
    settings, people = actor.settings, [person for person, _ in words.recipients]
    phones = phone_estimate.countries(session, posts.sources(session, words), people)
    each = _parts_of_one(session, actor, words)
    cost = sum((number * each * settings.price_of(country) for country, number in phones.items()), Decimal(0))
    parts = phones.total() * each
    rate = settings.sms_rate * max(1, len(settings.sms_numbers))
    left = _parts_left(session, settings, words, parts, cost)
    return ReachEstimate(phones.total(), parts, cost.quantize(Decimal("0.01")), ceil(phones.total() / rate / 60), left)


def _parts_of_one(session: Session, actor: Actor, words: NewPost) -> int:
    """The segments of this post's text on one phone, with its link."""
    attached = media.list_attached(session, words.upload_id or words.inbound_id)
    link = rendering.link_media(attached, words.text, actor.media_url(0, 0))
    shown = f"{words.author.name}: {words.text}{link}"
    return rendering.fit_for_phone(shown, TAG, actor.settings.public_url).segments


def _parts_left(session: Session, settings: Settings, words: NewPost, parts: int, cost: Decimal) -> int | None:
    """What is left of its writer's, its group's and the company's budgets, when that is less than everybody needs."""
    most = budgets.limits(settings)
    keys: list[budgets.Key] = [*budgets.COMPANY, ("person", str(words.author.id))]
    keys += [("group", str(words.group.id))] if words.group else []
    lefts = {left.scope: left.left for left in spending.read_budgets_left(session, most, keys)}
    month = max(0, lefts.pop("company_month") - budgets.reserve(most.month))
    lefts["company_day"] = max(0, lefts["company_day"] - budgets.reserve(most.day))
    fit = min(*lefts.values(), parts if month >= budgets.micros(cost) else int(parts * month / budgets.micros(cost)))
    return fit if fit < parts else None
