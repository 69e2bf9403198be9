"""What would happen now: to a word from somebody or something that one follows, in one sentence with its reason."""

from datetime import datetime
from typing import Final

from gateway.attention.decision import Drop, Send
from gateway.attention.zones import zone
from gateway.channels import EMAIL, PUSH
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, say
from gateway.ledger.outbox.held import Hold
from gateway.network.audience import post_preview
from gateway.network.audience.post_preview import NextDecision
from gateway.network.follows import subscriptions
from gateway.network.web import reach_state

NEVER: Final = {
    "opted_out": say("Nothing is sent: your phone said STOP. It stands here."),
    "bouncing": say("Nothing is sent: mails to your mailbox come back. It stands here."),
    "silenced": say("Nothing is sent: one of you has muted or blocked the other."),
    "off": say("Nothing is sent: you turned it off. It stands here."),
    "nowhere": say("Nothing is sent: no phone or mailbox of yours takes it. It stands here."),
}
OTHERWISE: Final = say("Nothing is sent. It stands here.")


def look(visit: Visit, source_id: int | None) -> Phrase | None:
    """None when nothing was asked. What somebody does not follow is answered as what is not there."""
    if source_id is None:
        return None
    found = subscriptions.find(visit.session, visit.account.id, source_id)
    if found is None:
        return say("You do not follow or track that.")
    decided = post_preview.decide_next(visit.session, visit.account.id, source_id, found.by_text)
    if decided is None:
        return say("Nobody else can write there now.")
    return _describe(visit, decided)


def _describe(visit: Visit, found: NextDecision) -> Phrase:
    match found.decision:
        case Send():
            return _at_once(visit, found.channel)
        case Hold(reason=reason, until=until):
            return _later(reason, until.astimezone(zone(visit.account.zone_now)))
        case Drop(reason=reason):
            return NEVER.get(reason, OTHERWISE)
    return OTHERWISE


def _at_once(visit: Visit, channel: str | None) -> Phrase:
    reach = reach_state.find(visit.session, visit.account.id)
    place = reach.mailbox if channel == EMAIL else reach.phone
    shown = place.shown if place else ""
    if channel == PUSH:
        return say("A push to your devices, at once.")
    if channel == EMAIL:
        return say("A mail to {place}, at once.", place=shown)
    return say("A text to {place}, at once.", place=shown)


def _later(reason: str, until: datetime) -> Phrase:
    match reason:
        case "quiet":
            return say("It waits till {time}, for you are quiet now.", time=until)
        case "off_till":
            return say("It waits till {time}, when what you paused is on again.", time=until)
        case "digest":
            return say("It comes in your digest, {time}.", time=until)
        case "over":
            return say("It comes in your digest, {time}: you have had your texts of today.", time=until)
    return say("It comes in a moment, behind what waited for you.")
