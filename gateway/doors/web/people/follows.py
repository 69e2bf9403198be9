"""Buttons about a person or a group: follow with its way and end, leave, mute, block, ask for an update."""

from flask import Response

from gateway.actions import following, nudging, silencing, subscribing
from gateway.actions.following import Followed, Unfollowed
from gateway.actions.silencing import Lifted, Silenced
from gateway.doors.web.people import ROUTER, named
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import Phrase, say
from gateway.network.follows import directory_pages


@ROUTER.post("/@<handle>/follow")
def follow(visit: Visit, handle: str) -> Response:
    """A person or a group, in the way of the button; for one that is followed already it is changed."""
    source, way = named.named(visit, handle), named.chosen_way(visit)
    entry = directory_pages.find_entry(visit.session, visit.account.id, source.id)
    now = entry.own.until if entry and entry.own else None
    done = visit.do(subscribing.follow, source, way, named.chosen_end(visit, now))
    visit.say(describe_followed(done, way), undo=True)
    return visit.back(f"/@{source.handle}")


def describe_followed(done: Followed, way: str) -> Phrase:
    if done.state == "requested":
        return say("You have asked to join {name}. You hear when an owner lets you in.", name=done.name)
    match way:
        case "text":
            return say("You follow {name} by text.", name=done.name)
        case "mail":
            return say("You follow {name} by mail.", name=done.name)
        case "digest":
            return say("You follow {name}, in your digest.", name=done.name)
    return say("You follow {name} only here: nothing is sent.", name=done.name)


@ROUTER.post("/@<handle>/unfollow")
def unfollow(visit: Visit, handle: str) -> Response:
    source = named.named(visit, handle)
    done = visit.do(following.unfollow, source)
    visit.say(describe_left(done), undo=done.state != "none")
    return visit.back(f"/@{source.handle}")


def describe_left(done: Unfollowed) -> Phrase:
    if done.state == "none":
        return say("You do not follow {name}. Nothing was changed.", name=done.name)
    if done.state == "withdrawn":
        return say("You no longer ask to join {name}.", name=done.name)
    return say("You no longer follow {name}.", name=done.name)


@ROUTER.post("/@<handle>/mute")
def mute(visit: Visit, handle: str) -> Response:
    """`until`: as named.MUTES has it; without one it has no end."""
    other = named.named(visit, handle)
    done = visit.do(silencing.mute, other, named.chosen_end(visit))
    visit.say(_muted(visit, done), undo=not done.already)
    return visit.back(f"/@{other.handle}")


def _muted(visit: Visit, done: Silenced) -> Phrase:
    if done.already:
        return say("{name} is muted already.", name=done.name)
    if done.until:
        time = named.local(visit, done.until)
        return say("{name} is muted till {time}. Nothing of theirs comes, private or not.", name=done.name, time=time)
    return say("{name} is muted. Nothing of theirs comes, private or not.", name=done.name)


@ROUTER.post("/@<handle>/unmute")
def unmute(visit: Visit, handle: str) -> Response:
    """Ends a mute or a block, whichever there is."""
    other = named.named(visit, handle)
    lifted = visit.do(silencing.unmute, other)
    if lifted is None:
        visit.say(say("{name} is neither muted nor blocked.", name=other.name))
    else:
        visit.say(_lifted(lifted), undo=True)
    return visit.back(f"/@{other.handle}")


def _lifted(lifted: Lifted) -> Phrase:
    if lifted.kind == "mute":
        return say("{name} is no longer muted.", name=lifted.name)
    return say("{name} is no longer blocked. Follow them to hear them again.", name=lifted.name)


@ROUTER.post("/@<handle>/block")
def block(visit: Visit, handle: str) -> Response:
    other = named.named(visit, handle)
    done = visit.do(silencing.block, other)
    if done.already:
        visit.say(say("You blocked {name} already.", name=done.name))
    else:
        visit.say(say("You and {name} no longer hear or follow each other.", name=done.name), undo=True)
    return visit.back(f"/@{other.handle}")


@ROUTER.post("/@<handle>/nudge")
def nudge(visit: Visit, handle: str) -> Response:
    person = named.named(visit, handle)
    asked = visit.do(nudging.nudge, person)
    told = say("{name} is asked what they are doing.", name=person.name)
    visit.say(told if asked else say("You asked {name} today already.", name=person.name))
    return visit.back(f"/@{person.handle}")
