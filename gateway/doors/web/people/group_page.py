"""A group: what it is, what was written there, its people, posters and requests, and what its posters ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response
from werkzeug.exceptions import Forbidden

from gateway.actions.groups import group_renaming
from gateway.actions.lookups import accounts_and_posts
from gateway.doors.web.people import ROUTER, named
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import say
from gateway.network.audience import visibility
from gateway.network.audience.visibility import OPEN_TO_ALL
from gateway.network.calls import calls, running_calls
from gateway.network.calls.calls import CallTally
from gateway.network.calls.running_calls import CallAnswer, RunningCall
from gateway.network.feeds import feeds
from gateway.network.feeds.feeds import NEWEST, Feed
from gateway.network.follows import directory_pages, follows, group_owners
from gateway.network.follows.directory_pages import Which
from gateway.network.people.directory import find_named
from gateway.network.web import read_marks, web_drafts
from gateway.store.tables import Account

BESIDE = 8  # people in the third column
POSTERS = ("owner", "poster")


@dataclass(frozen=True, slots=True)
class ShownCall:
    """`tally`: for its asker and the owners; `answers`: for its asker alone."""

    call: RunningCall
    mine: bool
    tally: CallTally | None
    answers: Sequence[CallAnswer]

    @property
    def answered(self) -> int:
        return sum(1 for each in self.answers if each.answered_at)


def show(visit: Visit, group: Account) -> str:
    """Whoever is not in a closed group sees that it is there, as `whois` tells it, and nothing that is in it."""
    frame = _frame(visit, group)
    feed, draft = Feed(()), ""
    if frame["inside"]:
        feed = feeds.by(visit.session, visit.account.id, group, visit.number("before") or NEWEST)
        draft = web_drafts.find(visit.session, visit.account.id, f"in:{group.id}")
        _mark_read(visit, group, feed)
    return render(visit, "people/group.html", **frame, feed=feed, draft=draft, calls=_calls(visit, frame))


def _frame(visit: Visit, group: Account) -> dict[str, Any]:
    """What all pages of a group have."""
    session, me = visit.session, visit.account.id
    role = follows.role_in(session, me, group.id)
    inside = group.access in OPEN_TO_ALL or role is not None
    posters = directory_pages.list_page(session, me, "posters", group.id, most=50) if inside else None
    waiting = [person for person, place in group_owners.requests(session, me) if place.id == group.id]
    return {
        "group": group,
        "one": directory_pages.find_entry(session, me, group.id),
        "known": accounts_and_posts.profile(session, visit.actor, find_named(group)),
        "role": role,
        "inside": inside,
        "posters": posters.entries if posters else (),
        "waiting": waiting,
        "may_post": inside and visibility.may_post(session, me, group),
        "may_urge": group.may_urge and role in POSTERS,
        "ways": named.ways(visit),
        "ends": named.ENDS,
        "beside": directory_pages.list_page(session, me, "in_group", group.id, most=BESIDE) if inside else None,
    }


def _mark_read(visit: Visit, group: Account, feed: Feed) -> None:
    """What was shown of a group is no news in the navigation any more."""
    if feed.items and visit.number("before") is None:
        newest = max(item.id for item in feed.items)
        read_marks.advance(visit.session, visit.account.id, read_marks.group(group.id), newest)


def _calls(visit: Visit, frame: dict[str, Any]) -> list[ShownCall]:
    """Those that run. Only their asker sees answers; owners see how many there are, as `who got` tells it."""
    if not frame["inside"]:
        return []
    found = []
    for call in running_calls.list_running(visit.session, visit.account.id, frame["group"].id):
        mine = call.asker_id == visit.account.id
        may_count = mine or frame["role"] == "owner"
        tally = calls.tally(visit.session, call.post_id) if may_count else None
        answers = running_calls.list_answers(visit.session, call) if mine else ()
        found.append(ShownCall(call, mine, tally, answers))
    return found


@ROUTER.page("/@<handle>/people")
def group_people(visit: Visit, handle: str) -> str:
    return _list(visit, handle, "in_group")


@ROUTER.page("/@<handle>/posters")
def group_posters(visit: Visit, handle: str) -> str:
    return _list(visit, handle, "posters")


def _list(visit: Visit, handle: str, which: Which) -> str:
    """Who is in a closed group is for its members: 403, for that it exists is no secret."""
    frame = _frame(visit, named.group(visit, handle))
    if not frame["inside"]:
        raise Forbidden
    after, wanted = visit.number("after") or 0, visit.arg("q", 60)
    page = directory_pages.list_page(visit.session, visit.account.id, which, frame["group"].id, wanted, after)
    return render(visit, "people/members.html", **frame, page=page, which=which, wanted=wanted)


@ROUTER.page("/@<handle>/requests")
def group_requests(visit: Visit, handle: str) -> str:
    """For its owners."""
    frame = _frame(visit, named.group(visit, handle))
    if frame["role"] != "owner":
        raise Forbidden
    return render(visit, "people/requests.html", **frame)


@ROUTER.post("/@<handle>/rename")
def rename(visit: Visit, handle: str) -> Response:
    """By an owner: another name, another handle, or both."""
    group, reserved = find_named(named.group(visit, handle)), visit.web.reserved
    done = visit.do(
        group_renaming.rename_group, group, visit.form("handle", 40).lstrip("#"), visit.form("name", 60), reserved
    )  # fmt: skip
    if done.already:
        visit.say(say("It is called so already."))
    else:
        visit.say(say("The group is called {name} now, #{handle}.", name=done.name, handle=done.handle), undo=True)
    return see_other(f"/@{done.handle}/about")


@ROUTER.page("/@<handle>/about")
def group_about(visit: Visit, handle: str) -> str:
    return render(visit, "people/group_about.html", **_frame(visit, named.group(visit, handle)))
