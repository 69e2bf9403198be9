"""Why the last item was sent, and the one command that stops such items."""

from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.lookups import delivery_cause
from gateway.actions.lookups.delivery_cause import Cause
from gateway.actions.lookups.way_table import prefers_mails
from gateway.attention.zones import zone
from gateway.channels import EMAIL, SMS
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.inbound.commands import CommandContext, command
from gateway.language.track_phrases import quoted
from gateway.network.digests.sent_digests import SentDigest
from gateway.network.posts import timelines

_TO_END: Final = say("To end them: QUIET OFF")
_PREFERRED: Final = say("You get mails instead of texts; PREFER TEXT brings texts back.")
_OFF: Final = {
    SMS: say("It waited while your texts were off."),
    EMAIL: say("It waited while your mails were off."),
}


@command("why", about="why I got the last update", spanish="por qué, porqué, por que")
def why(session: Session, context: CommandContext) -> str:
    items = timelines.list_received(session, context.address.id, 1)
    item = items[0] if items else None
    if digest := delivery_cause.digest_of(session, context.address, item):
        return _digest(session, context, digest)
    cause = delivery_cause.cause_of(session, context.actor, item)
    waited = delivery_cause.waited_for(session, context.address, item)
    preferred = _PREFERRED if context.address.channel == EMAIL and prefers_mails(session, context.actor) else ""
    return joined([_why_waited(session, context, waited), _brought(context, cause), preferred])


def _why_waited(session: Session, context: CommandContext, waited: str | None) -> Phrase | str:
    if waited == "over":
        return _over(session, context)
    if waited == "unseen":
        return _unseen(session, context)
    return _waited(context, waited) if waited else ""


def _unseen(session: Session, context: CommandContext) -> Phrase:
    """The time may have been changed since, so it is named only as it is now."""
    minutes = delivery_cause.unseen_after(session, context.actor)
    if minutes is None:
        return say("You had not seen it on the web.")
    return count(
        "You had not seen it on the web for {count} minute; UNSEEN OFF ends that.",
        "You had not seen it on the web for {count} minutes; UNSEEN OFF ends that.",
        minutes,
    )


def _over(session: Session, context: CommandContext) -> Phrase:
    """Of one item. The limit may have been changed since, so it is named only as it is now."""
    limit = delivery_cause.text_limit(session, context.actor)
    if limit is None:
        return say("It came over the texts a day that you had set, so it waited for the digest.")
    return count(
        "It came over your {count} text a day, so it waited for the digest. LIMIT OFF stops that.",
        "It came over your {count} texts a day, so it waited for the digest. LIMIT OFF stops that.",
        limit,
    )


def _digest(session: Session, context: CommandContext, digest: SentDigest) -> Phrase:
    number = len(digest.posts)
    if digest.kind == "over":
        return _all_over(session, context, number)
    if digest.kind == "back":
        return _back(context, number)
    if digest.kind != "wake":
        wanted = count("{count} update of your digest.", "{count} updates of your digest.", number)
        return joined([wanted, _some_over(digest.over), say("To end it: DIGEST OFF")])
    came = count(
        "{count} update that came in your quiet hours.", "{count} updates that came in your quiet hours.", number
    )
    return joined([came, _TO_END])


def _all_over(session: Session, context: CommandContext, number: int) -> Phrase:
    over = count("{count} update over your texts of a day.", "{count} updates over your texts of a day.", number)
    limit = delivery_cause.text_limit(session, context.actor)
    return joined([over, say("To end the limit: LIMIT OFF") if limit else ""])


def _some_over(number: int) -> Phrase | str:
    if not number:
        return ""
    return count(
        "{count} was over your texts of a day: LIMIT OFF ends that.",
        "{count} were over your texts of a day: LIMIT OFF ends that.",
        number,
    )


def _back(context: CommandContext, number: int) -> Phrase:
    if context.address.channel == SMS:
        return count(
            "{count} update that came while your texts were off.",
            "{count} updates that came while your texts were off.",
            number,
        )
    return count(
        "{count} update that came while your mails were off.",
        "{count} updates that came while your mails were off.",
        number,
    )


def _waited(context: CommandContext, reason: str) -> Phrase:
    match reason:
        case "off_till":
            return _OFF[context.address.channel]
        case "quiet":
            return say("It waited for your quiet hours to end; QUIET OFF ends them.")
        case "digest":
            return say("It waited for your digest.")
        case "online":
            return say("You were on the web, so it waited 3 minutes for you to see it there.")
    return say("It came behind others that had waited for you.")


def _brought(context: CommandContext, cause: Cause) -> str:
    if cause.kind in ("private", "private_group", "asked", "answers", "mentions"):
        return _addressed(cause)
    if cause.since is None:
        return _ended(cause)
    return _followed(cause, _day(context, cause.since))


def _addressed(cause: Cause) -> str:
    match cause.kind:
        case "private_group":
            return say(
                "{name} sent it privately to {group}, and you are in it. To stop: LEAVE {handle!u}",
                name=cause.name,
                group=cause.group,
                handle=cause.handle,
            )
        case "asked":
            return say(
                "{name} asks you, because you wrote about {word}. To end such questions: CONNECT OFF",
                name=cause.name,
                word=cause.word,
            )
        case "private":
            return say(
                "{name} sent it privately to you. To stop: MUTE {handle!u}", name=cause.name, handle=cause.handle
            )
        case "answers":
            return say("It answers you. To stop: MUTE {handle!u}", handle=cause.handle)
    return say("It mentions you. To stop: MUTE {handle!u}", handle=cause.handle)


def _ended(cause: Cause) -> str:
    if cause.kind == "tag":
        return say("You followed a tag in it when it came. You no longer do.")
    if cause.kind == "tracked":
        return say("You tracked a word in it when it came. You no longer do.")
    return say("You followed {name} when it came. You no longer do.", name=cause.name)


def _followed(cause: Cause, day: date) -> str:
    values = {"name": cause.name, "handle": cause.handle, "date": day}
    match cause.kind:
        case "group":
            return say("You have been in {name} since {date}. To stop: LEAVE {handle!u}", **values)
        case "call":
            return say(
                "It is an urgent call to {name}, and such calls come at any hour. To stop: LEAVE {handle!u}", **values
            )
        case "repeat":
            return say(
                "{name} passed it on, and you have followed {name} since {date}. To stop: LEAVE {handle!u}", **values
            )
        case "tag":
            tag = f"#{cause.name}"
            return say("You have followed {tag} since {date}. To stop: LEAVE {tag!u}", tag=tag, date=day)
        case "tracked":
            return say(
                'It has "{phrase}" in it, which you track. To stop: UNTRACK {stop!u}',
                phrase=cause.name,
                stop=quoted(cause.name),
            )
    return say("You have followed {name} since {date}. To stop: LEAVE {handle!u}", **values)


def _day(context: CommandContext, moment: datetime) -> date:
    return moment.astimezone(zone(context.account.zone_now)).date()
