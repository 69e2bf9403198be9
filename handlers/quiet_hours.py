"""Quiet hours: when a phone or a mailbox is not to ring."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from gateway.actions.lookups.quiet_setting import quiet_setting
from gateway.actions.preferences.quiet_hours import QuietSetting, set_hours
from gateway.i18n.phrases import Phrase, count, joined, listed, say
from gateway.inbound.commands import CommandContext, ask, command, question
from gateway.language.words import quiet_hours, time_zones
from gateway.language.words.quiet_hours import ShownSpan
from gateway.network.conversation.conversations import AskedQuestion
from handlers.pausing import describe_waited

LONG: Final = timedelta(hours=14)  # of quiet; more is asked about
DAYS: Final = (say("Mon"), say("Tue"), say("Wed"), say("Thu"), say("Fri"), say("Sat"), say("Sun"))


@command(
    "quiet [RANGE]",
    "quiet off",
    about="hours in which nothing comes, like 22-7; alone, mine",
    spanish="silencio",
)
def quiet(session: Session, context: CommandContext) -> str:
    said = context.reading.args[0] if context.reading.args else None
    if said is None:
        return _shown(context, quiet_setting(session, context.actor, context.address))
    if said == "off":
        return _ended(session, context)
    other = quiet_hours.evening(said, LONG)
    if other and quiet_hours.longest(said) > LONG:
        return _ask(session, context, said, other)
    return _set(session, context, said)


def _set(session: Session, context: CommandContext, hours: str) -> Phrase:
    set_hours(session, context.actor, context.address, hours)
    comes = say("What comes then waits till they end, but for urgent calls. To end them: QUIET OFF")
    return joined([describe_hours(hours, context.account.zone_now), comes])


def _ended(session: Session, context: CommandContext) -> Phrase:
    done = set_hours(session, context.actor, context.address, None)
    return joined([say("Quiet hours are off."), describe_waited(done.waiting)])


def _shown(context: CommandContext, now: QuietSetting) -> Phrase:
    if now.hours is None:
        return say("You have no quiet hours. To have some: QUIET 22-7, or QUIET MON-FRI 22-7")
    waits = count("{count} update waits.", "{count} updates wait.", now.waiting) if now.waiting else ""
    return joined([describe_hours(now.hours, context.account.zone_now), waits, say("To end them: QUIET OFF")])


def describe_hours(hours: str, timezone: str) -> Phrase:
    """As a sentence: Quiet 22:00-07:00 on Mon-Fri, New York time."""
    spans = listed(_span(each) for each in quiet_hours.shown(hours))
    return say("Quiet {spans}, {city} time.", spans=spans, city=time_zones.place(timezone))


def _span(shown: ShownSpan) -> Phrase:
    hours = f"{shown.span.begin:%H:%M}-{shown.span.end:%H:%M}"
    if shown.kind == "every day":
        return say("{hours} every day", hours=hours)
    if shown.kind == "range":
        days: Phrase = say("{first}-{last}", first=DAYS[shown.days[0]], last=DAYS[shown.days[-1]])
    else:
        days = listed(DAYS[day] for day in shown.days)
    return say("{hours} on {days}", hours=hours, days=days)


def _ask(session: Session, context: CommandContext, said: str, other: str) -> Phrase:
    """The hours as written are very long; most who write 10-6 mean the night."""
    choices: list[dict[str, Any]] = [{"label": _short(each), "hours": each} for each in (other, said)]
    ask(session, context, AskedQuestion("quiet", choices, ("DROP",), {}))
    context.actor.did("asked")
    return say(
        "{hours} is {number} hours of quiet. Reply 1 for {evening}, 2 for {hours}, or DROP to leave it.",
        hours=_short(said),
        evening=_short(other),
        number=round(quiet_hours.longest(said) / timedelta(hours=1)),
    )


def _short(hours: str) -> str:
    """The hours without their days."""
    return ", ".join(f"{each.span.begin:%H:%M}-{each.span.end:%H:%M}" for each in quiet_hours.shown(hours))


@question("quiet")
def _these(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> Phrase:
    return _set(session, context, asked.choices[int(word) - 1]["hours"])
