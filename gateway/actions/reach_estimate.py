"""What a post would do before it goes: whom it reaches now, later or in a digest; phones, parts, money and minutes.
Many phones are confirmed first."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import REACH, ConfirmationRequired
from gateway.attention.planned_post import PlannedPost
from gateway.ledger.inbox import media
from gateway.ledger.money import budgets, spending
from gateway.network.audience import phone_estimate, post_preview
from gateway.network.posts import posts, rendering
from gateway.network.posts.posts import NewPost
from gateway.settings import Settings

TAG = "k7"  # every item of many has one


@dataclass(frozen=True, slots=True)
class ReachEstimate:
    """How many people get it `now`, `later` (the first of them at `until`), in a `digest`, on the `web` alone, or
    `nowhere`; `exact` unless there are so many that only some were looked at, and `phones_exact` when all who asked for
    texts were. `phones`: of those who get it as a text, now or later; `parts`: message segments, about; `cost`: US
    dollars. `parts_left`: what the budgets have left for them, None when that is enough."""

    phones: int
    parts: int
    cost: Decimal
    minutes: int
    parts_left: int | None
    now: int
    later: int
    until: datetime | None
    digest: int
    web: int
    nowhere: int
    exact: bool
    phones_exact: bool


def confirm_reach(session: Session, actor: Actor, words: NewPost) -> None:
    """Raises ConfirmationRequired when more than CRITTER_ASK_PHONES would get a text."""
    if REACH in actor.confirmed:
        return
    if wide := estimate_wide(session, actor, words):
        raise ConfirmationRequired("reach", REACH, reach=wide)


def estimate_wide(session: Session, actor: Actor, words: NewPost) -> ReachEstimate | None:
    """The reach, when it goes to so many phones that its writer must say yes. Most posts cost one short count; those
    whose followers mostly want them in a digest are found out by the preview."""
    limit, people = actor.settings.ask_phones, [person for person, _ in words.recipients]
    sources = posts.sources(session, words)
    if phone_estimate.phones(session, sources, people, limit + 1) <= limit:
        return None
    reach = estimate(session, actor, words)
    return None if reach.phones_exact and reach.phones <= limit else reach


def estimate(session: Session, actor: Actor, words: NewPost) -> ReachEstimate:
    """The reach of a post that is not written yet."""
    settings, found = actor.settings, post_preview.preview(session, _planned(session, words))
    each = _parts_of_one(session, actor, words)
    phones = {country: round(number) for country, number in found.phones.items()}
    cost = sum((number * each * settings.price_of(country) for country, number in phones.items()), Decimal(0))
    total = sum(phones.values())
    rate = settings.sms_rate * max(1, len(settings.sms_numbers))
    left = _parts_left(session, settings, words, total * each, cost)
    return ReachEstimate(
        phones=total,
        parts=total * each,
        cost=cost.quantize(Decimal("0.01")),
        minutes=ceil(total / rate / 60),
        parts_left=left,
        now=round(found.now),
        later=round(found.later),
        until=found.until,
        digest=round(found.digest),
        web=round(found.web),
        nowhere=round(found.nowhere),
        exact=found.exact,
        phones_exact=found.phones_exact,
    )


def _planned(session: Session, words: NewPost) -> PlannedPost:
    return PlannedPost(
        words.author.id,
        words.visibility,
        posts.sources(session, words),
        words.group.id if words.group else None,
        words.in_reply_to,
        list(words.recipients),
        posts.mentioned_in(session, words),
    )


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
