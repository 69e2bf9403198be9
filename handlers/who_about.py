"""`who about`: the people who wrote about something, and how to ask them. handlers/lookups.py has the command."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.actions.lookups import who_about
from gateway.attention.zones import zone
from gateway.channels import EMAIL
from gateway.i18n.phrases import Phrase, count, joined, languages, month, say, translated, weekday
from gateway.inbound.commands import ONE_TEXT, CommandContext
from gateway.language.track_phrases import quoted
from gateway.network.posts.author_search import FoundAuthor

MOST: Final = 3  # people in one answer
WEEK: Final = timedelta(days=7)  # how old a last post may be to be told by its weekday


def find_people(session: Session, context: CommandContext, topic: str) -> Phrase:
    found = who_about.who_about(session, context.actor, topic, MOST)
    if not found.first:
        nobody = say('Nobody has written about "{topic}" where all may read it.', topic=found.topic)
        return joined([nobody, say("To hear when somebody does: TRACK {phrase!u}", phrase=quoted(found.topic))])
    now: datetime = session.execute(select(func.now())).scalar_one()
    return _fitting(context, found.topic, found.first, now)


def _fitting(context: CommandContext, topic: str, people: Sequence[FoundAuthor], now: datetime) -> Phrase:
    """By mail all of it; by text as much as one text has room for: all of them with their last days, else without, else
    fewer people."""
    tries = [
        _answer(context, topic, people[:number], now, dated=dated)
        for number in range(len(people), 0, -1)
        for dated in (True, False)
    ]
    if context.address.channel == EMAIL:
        return tries[0]
    return next((each for each in tries if _fits(each)), tries[-1])


def _fits(words: Phrase) -> bool:
    return all(len(translated(words, language)) <= ONE_TEXT for language in languages())


def _answer(
    context: CommandContext, topic: str, people: Sequence[FoundAuthor], now: datetime, *, dated: bool
) -> Phrase:
    today = _local(context, now)
    each = [
        _person(place, person, _since(_local(context, person.last), today) if dated else None)
        for place, person in enumerate(people, 1)
    ]
    ask = say("To ask: D {handle!u} text", handle=people[0].handle)
    return joined([say('On "{topic}":', topic=topic), *each, ask])


def _person(place: int, person: FoundAuthor, last: Phrase | None) -> Phrase:
    values = {"place": place, "name": person.name, "last": last}
    if last is None:
        return count("{place} {name}, {count} update.", "{place} {name}, {count} updates.", person.posts, **values)
    if place == 1:
        return count(
            "{place} {name}, {count} update, {last}.",
            "{place} {name}, {count} updates, last {last}.",
            person.posts,
            **values,
        )
    return count("{place} {name}, {count}, {last}.", "{place} {name}, {count}, last {last}.", person.posts, **values)


def _local(context: CommandContext, moment: datetime) -> date:
    return moment.astimezone(zone(context.account.zone_now)).date()


def _since(day: date, today: date) -> Phrase:
    if day >= today:
        return say("today")
    if day == today - timedelta(days=1):
        return say("yesterday")
    if today - day < WEEK:
        return say("on {day}", day=weekday(day))
    return say("in {month}", month=month(day, with_year=day.year != today.year))
