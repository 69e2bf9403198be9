"""The directory: everybody by name, whom one follows, who follows one, the groups; and inviting a colleague."""

from flask import Response

from gateway.actions import inviting
from gateway.doors.web.people import ROUTER, named
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import say
from gateway.network.follows import directory_pages
from gateway.network.follows.directory_pages import Which

TABS: dict[str, Which] = {"": "people", "following": "following", "followers": "followers"}


@ROUTER.page("/people")
def people(visit: Visit) -> str:
    """`?show=`: following, followers; `?q=`: a part of a name, a handle or a title; `?after=`: goes on."""
    show = visit.arg("show", 20) if visit.arg("show", 20) in TABS else ""
    return _page(visit, TABS[show], show)


@ROUTER.page("/groups")
def groups(visit: Visit) -> str:
    return _page(visit, "groups", "groups")


def _page(visit: Visit, which: Which, show: str) -> str:
    wanted, after, me = visit.arg("q", 60), visit.number("after") or 0, visit.account.id
    page = directory_pages.list_page(visit.session, me, which, me, wanted, after)
    beside = directory_pages.list_page(visit.session, me, "groups", most=12) if show != "groups" else None
    return render(
        visit, "people/directory.html", page=page, show=show, wanted=wanted, after=after,
        counts=directory_pages.count(visit.session, me), ways=named.ways(visit), beside=beside,
    )  # fmt: skip


@ROUTER.page("/invite")
def invitation(visit: Visit) -> str:
    return render(visit, "people/invite.html", address="")


@ROUTER.post("/invite")
def invite(visit: Visit) -> Response:
    visit.do(inviting.invite, visit.form("address", 100))
    visit.say(say("Your colleague is invited. They answer with their name, and are here."))
    return see_other("/people")
