"""The sentence above the flow: whether everything flows, and if not, what is wrong, since when."""

from datetime import timedelta
from typing import Final, NamedTuple

from gateway.attention.zones import zone
from gateway.carriers.operator_advice import advice
from gateway.channels import CHANNELS, PUSH, SMS
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.ledger.operations.flow import Level, Retrying, Standing
from gateway.mail.bounces import failure_reasons

SYMBOLS: Final = {"good": "check", "waits": "wait", "bad": "warn"}


class Verdict(NamedTuple):
    """`more`: one line below; `story`: the id of the delivery that it is about; `link`: where it is settled."""

    level: Level
    symbol: str
    sentence: Phrase
    more: Phrase
    story: str | None = None
    link: str | None = None


def describe(standing: Standing, retrying: Retrying, timezone: str) -> Verdict:
    sentence, more, link = _say(standing)
    again = _again(retrying, timezone)
    whole = joined([more, again]) if again else more
    return Verdict(standing.level, SYMBOLS[standing.level], sentence, whole, retrying.id, link)


def _say(standing: Standing) -> tuple[Phrase, Phrase, str | None]:
    waiting = standing.figures.waiting
    match standing.what:
        case "unread":
            unread = waiting.get("inbound", 0) + waiting.get("proving", 0)
            return (
                say("Nothing is read since {age}", age=age(standing.since)),
                count("{count} input waits.", "{count} inputs wait.", unread),
                "/operate/check",
            )
        case "missing":
            names = ", ".join(standing.missing)
            return say("Not running: {names}", names=names), say("Start them: critter up does."), "/operate/check"
        case "closing":
            return say("The doors are closed"), say("critter drain keeps them closed; --off opens them."), None
        case "paused":
            return _paused(standing)
        case "breaker":
            return (
                say("Updates wait: far more than usual was sent"),
                say("Codes, answers and private texts go on."),
                "/operate/costs",
            )
        case "fanout":
            return (
                say("Updates wait to be fanned out"),
                say("The oldest waits for {age}.", age=age(standing.since)),
                "/operate/check",
            )
        case queue if queue in CHANNELS:
            few = waiting.get(standing.what, 0)
            return (
                _waiting(standing.what, few),
                say("The oldest waits for {age}.", age=age(standing.since)),
                "/operate/numbers",
            )
        case "failing":
            return (
                say("The clock cannot do all its tasks"),
                say("The doctor says which, and why."),
                "/operate/check",
            )
    return say("Everything flows"), _calm(standing), None


def _waiting(channel: str, number: int) -> Phrase:
    if channel == SMS:
        return count("{count} text waits", "{count} texts wait", number)
    if channel == PUSH:
        return count("{count} push waits", "{count} pushes wait", number)
    return count("{count} mail waits", "{count} mails wait", number)


def _calm(standing: Standing) -> Phrase:
    oldest = standing.figures.ages["inbound"]
    if oldest:
        return say("The oldest unread input is {age} old.", age=age(oldest))
    return say("Nothing waits to be read.")


def _paused(standing: Standing) -> tuple[Phrase, Phrase, str]:
    paused = [row for row in standing.figures.senders if row.paused]
    first = paused[0]
    sentence = count("{count} of our numbers is paused", "{count} of our numbers are paused", len(paused))
    if first.number == "mail":
        sentence = say("Mails are paused")
    step = advice(first.reason, first.carrier)
    why = say("{number}: {reason}.", number=first.number, reason=(first.reason or "").rstrip("."))
    return sentence, joined([why, step]), "/operate/numbers"


def _again(retrying: Retrying, timezone: str) -> Phrase | None:
    if not retrying.rows or retrying.next is None or retrying.channel is None:
        return None
    why = failure_reasons.describe_failure("failed", retrying.reason or "", retrying.channel)
    name, at = retrying.name or say("somebody"), f"{retrying.next.astimezone(zone(timezone)):%H:%M}"
    few = count("{count} is tried again.", "{count} are tried again.", retrying.rows)
    return joined([few, say("Next: {name} at {time}, {why}.", name=name, time=at, why=why)])


def age(seconds: float) -> Phrase:
    """0.2 s, 9 min, 3 h, 2 days."""
    if seconds < 10:
        return say("{seconds} s", seconds=f"{seconds:.1f}")
    span = timedelta(seconds=round(seconds))
    if span < timedelta(minutes=2):
        return say("{seconds} s", seconds=str(span.seconds))
    if span < timedelta(hours=2):
        return say("{minutes} min", minutes=span.seconds // 60)
    if span < timedelta(days=2):
        return say("{hours} h", hours=int(span.total_seconds() // 3600))
    return count("{count} day", "{count} days", span.days)
