"""`urgent #GROUP text`, and what answers an urgent call: OK, or words for its asker alone."""

from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions import urgent_calls
from gateway.actions.model.confirmation import ConfirmationRequired
from gateway.actions.urgent_calls import Acknowledged, SentCall, UrgentReach
from gateway.attention.zones import zone
from gateway.i18n.phrases import Phrase, count, joined, listed, say
from gateway.inbound.commands import (
    CommandContext,
    QuestionRequired,
    command,
    confirms,
    fits_one_text,
    meaning,
    reopen_question,
)
from gateway.network.calls.calls import REPORT_AFTER
from gateway.network.conversation import conversations
from handlers.pin_confirmation import question_for

NAMED: Final = 3  # people whom nothing reaches, in the answer
WHY: Final = {
    "opted_out": say("opted out"),
    "off": say("off"),
    "unreached": say("no address"),
}


@command("urgent #GROUP text", english=True, about="tell a group at any hour, and ask each for OK", spanish="urgente")
def urgent(session: Session, context: CommandContext) -> str:
    return _sent(context, urgent_calls.send_urgent(session, context.actor, context.names[0], context.reading.args[-1]))


@confirms("urgent_call")
def _ask_urgent(session: Session, context: CommandContext, needed: ConfirmationRequired) -> QuestionRequired:
    return question_for(session, context, _describe(needed.facts["group"], needed.facts["reach"]), needed.gives)


def _describe(group: str, reach: UrgentReach) -> Phrase:
    whom = count("Urgent to {count} in #{group}", "Urgent to {count} in #{group}", reach.people, group=group)
    night = count(", at night for {count}", ", at night for {count}", reach.asleep) if reach.asleep else ""
    cost = say(
        ": {parts}, {price}. Each is asked for OK.",
        parts=count("about {count} part", "about {count} parts", reach.parts),
        price=reach.cost,
    )
    return joined([whom, night, cost], "")


def _sent(context: CommandContext, sent: SentCall) -> Phrase:
    """With as many of those whom nothing reaches as leave it one text."""
    whom = say("Sent to {number} in #{group}.", number=sent.told, group=sent.group)
    minutes = int(REPORT_AFTER.total_seconds() / 60)
    ends = say("Report in {minutes} min, end at {time}.", minutes=minutes, time=_clock(context, sent.ends_at))
    stop = say("To stop: UNDO")
    found = (
        joined([whom, _unreached(sent, shown), ends, stop]) for shown in range(min(NAMED, len(sent.unreached)), 0, -1)
    )
    return next((each for each in found if fits_one_text(each)), joined([whom, _number(sent), ends, stop]))


def _unreached(sent: SentCall, shown: int) -> Phrase:
    names: list[str] = [say("{name} ({why})", name=name, why=WHY[why]) for name, why in sent.unreached[:shown]]
    more = len(sent.unreached) - shown
    names += [count("{count} more", "{count} more", more)] if more else []
    return say("Not reached: {names}.", names=listed(names))


def _number(sent: SentCall) -> Phrase | str:
    number = len(sent.unreached)
    return count("{count} could not be reached.", "{count} could not be reached.", number) if number else ""


@meaning("acknowledge")
def acknowledge(session: Session, context: CommandContext) -> str | None:
    """When a question of ours is open on that phone, it still waits, and the answer says so."""
    done = urgent_calls.acknowledge(session, context.actor, context.reading.post or 0, context.text)
    return told(session, context, done)


def told(session: Session, context: CommandContext, done: Acknowledged) -> str | None:
    open_ = conversations.open_question(session, context.address.id)
    return reopen_question(session, context, asdict(open_) if open_ else None, _noted(context, done))


def _noted(context: CommandContext, done: Acknowledged) -> Phrase:
    if done.state == "undone":
        return say("{name} took that call back. There is nothing to do or answer.", name=done.asker)
    if done.state == "late" and done.ended_at:
        ended = _clock(context, done.ended_at)
        return say("Noted, but late: the call ended at {time}. {name} sees it.", time=ended, name=done.asker)
    if done.words:
        return say("Noted, and {name} alone was told what you wrote.", name=done.asker)
    at = _clock(context, done.at)
    if done.state == "already":
        return say("Your OK was noted at {time} already. {name} sees it.", time=at, name=done.asker)
    return say("Noted for #{group}: OK at {time}. {name} sees it.", group=done.group, time=at, name=done.asker)


def _clock(context: CommandContext, moment: datetime) -> str:
    return f"{moment.astimezone(zone(context.account.zone_now)):%H:%M}"
