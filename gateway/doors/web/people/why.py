"""Why one sees an update: what brought it to one's phone or mailbox, and what lets one read it at all."""

from collections.abc import Iterator

from werkzeug.exceptions import NotFound

from gateway.actions.lookups import delivery_cause, visibility_reasons
from gateway.actions.lookups.delivery_cause import Cause
from gateway.actions.lookups.visibility_reasons import ReadingReason
from gateway.doors.web.people import ROUTER, named
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, say
from gateway.network.audience import visibility
from gateway.network.posts import timelines


@ROUTER.page("/updates/<int:post_id>/why")
def why(visit: Visit, post_id: int) -> str:
    if not visibility.may_read(visit.session, visit.account.id, post_id):
        raise NotFound
    sent = [*_sent(visit, post_id)]
    reasons = [_reason(each) for each in visibility_reasons.list_reasons(visit.session, visit.actor, post_id)]
    return render(visit, "reading/why.html", post_id=post_id, reasons=[*sent, *reasons])


def _sent(visit: Visit, post_id: int) -> Iterator[Phrase]:
    """What was sent, and because of what."""
    item = timelines.find_received(visit.session, visit.account.id, post_id)
    if item is None:
        yield say("It was not sent to you: you see it only here.")
        return
    came = say("It came in your digest.") if item.digested else None
    if came:
        yield came
    yield _cause(visit, delivery_cause.cause_of(visit.session, visit.actor, item))


def _cause(visit: Visit, cause: Cause) -> Phrase:
    since = named.local_day(visit, cause.since) if cause.since else None
    if (told := _addressed(cause)) is not None:
        return told
    if since is None:
        return say("You followed {name} when it came, and do not any more.", name=_called(cause))
    match cause.kind:
        case "group":
            return say("You have been in {name} since {date}.", name=cause.name, date=since)
        case "call":
            return say("It is an urgent call to {name}, and such calls come at any hour.", name=cause.name)
        case "repeat":
            return say("{name} passed it on, and you have followed {name} since {date}.", name=cause.name, date=since)
        case "tracked":
            return say("It has “{words}” in it, which you track.", words=cause.name)
    return say("You have followed {name} since {date}.", name=_called(cause), date=since)


def _addressed(cause: Cause) -> Phrase | None:
    match cause.kind:
        case "private":
            return say("{name} sent it privately to you.", name=cause.name)
        case "private_group":
            return say("{name} sent it privately to {group}, and you are in it.", name=cause.name, group=cause.group)
        case "asked":
            return say("{name} asks you, because you wrote about {word}.", name=cause.name, word=cause.word)
        case "answers":
            return say("It answers you.")
        case "mentions":
            return say("It names you.")
    return None


def _called(cause: Cause) -> str:
    return f"#{cause.name}" if cause.kind == "tag" else cause.name


def _reason(reason: ReadingReason) -> Phrase:
    match reason.kind:
        case "own":
            return say("You wrote it.")
        case "follows":
            return say("You follow {name}.", name=reason.name)
        case "in_group":
            return say("You are in {name}.", name=reason.name)
        case "names":
            return say("It names you.")
        case "tag":
            return say("You follow {tag}.", tag=f"#{reason.name}")
        case "private":
            return say("It was written to you privately.")
        case "members":
            return say("The members of {name} may read it.", name=reason.name)
    return say("Anybody in the company may read it.")
