"""`zone`: the clock of a person who is away from home, by which quiet hours, digests and ends like `till 9` go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.lookups.zone_state import zone_state
from gateway.actions.preferences import zone as travel
from gateway.attention import zones
from gateway.attention.zones import ZoneNow
from gateway.i18n.phrases import Phrase, joined, say
from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, command
from gateway.language.words import durations, time_zones
from handlers.follows import local_in

HOME: Final = ("home", "off")
LONGEST: Final = 30  # characters of what somebody wrote, in an answer
ROOM: Final = 60  # characters of names in an answer


@command(
    "zone [ZONE]",
    "zone ZONE [for]",
    "zone home",
    "zone off",
    about="my clock while I travel, like tokyo; alone, what it shows",
    spanish="zona",
)
def zone(session: Session, context: CommandContext) -> str:
    args = context.reading.args
    if not args:
        return _shown(zone_state(session, context.actor))
    if args[0] in HOME:
        return describe_clock(travel.go_home(session, context.actor))
    name = _meant(context, args[0])
    until = durations.ends(args[1], datetime.now(zones.zone(name))) if len(args) > 1 else None
    return _tell(travel.set_zone(session, context.actor, name, until))


def _meant(context: CommandContext, written: str) -> str:
    """The one zone that is called so in the person's language."""
    found = time_zones.find(written, context.account.language)
    if len(found.exact) == 1:
        return found.exact[0]
    word, near = written[:LONGEST], found.exact or found.near or time_zones.look_up(written).exact
    first = time_zones.written_as(near[0])
    if found.exact:
        raise refusal("several_zones", word=word, zones=_named(near), first=first)
    raise refusal("no_zone", word=word, zones=_named(near), place=first)


def _named(found: Sequence[str]) -> str:
    """As many of their names as an answer has room for."""
    named = found[:1]
    for name in found[1:]:
        if len(", ".join([*named, name])) <= ROOM:
            named = [*named, name]
    return ", ".join(named)


def _tell(clock: ZoneNow) -> Phrase:
    if clock.name == clock.home:
        return describe_clock(clock)
    return joined([describe_clock(clock), say("Quiet hours and digests follow it. To end it: ZONE HOME")])


def _shown(clock: ZoneNow) -> Phrase:
    if clock.name == clock.home:
        return joined([describe_clock(clock), say("While you travel: ZONE TOKYO, or ZONE TOKYO TILL SUNDAY")])
    return joined([describe_clock(clock), say("To end it: ZONE HOME")])


def describe_clock(clock: ZoneNow) -> Phrase:
    """As a sentence: Your clock is on Tokyo time till Sun 00:00: it is 23:05 there."""
    there = datetime.now(zones.zone(clock.name))
    place, time = time_zones.place(clock.name), f"{there:%H:%M}"
    if clock.until is None:
        return say("Your clock is on {place} time: it is {time} there.", place=place, time=time)
    end = local_in(clock.until, clock.name)
    return say("Your clock is on {place} time till {end}: it is {time} there.", place=place, end=end, time=time)
