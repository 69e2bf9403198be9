"""Who somebody is, or what a group is: both share one kind of address, as they share their names."""

from typing import Any, Final

from flask import Response
from werkzeug.exceptions import Forbidden

from gateway.actions.lookups import accounts_and_posts
from gateway.doors.web.people import ROUTER, group_page, named
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.network.feeds import feeds
from gateway.network.feeds.feeds import NEWEST, Show
from gateway.network.follows import directory_pages, follows, mutes
from gateway.network.follows.directory_pages import Which
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.network.posts import tag_counts
from gateway.store.tables import Account

BESIDE = 5  # followers in the third column


@ROUTER.page("/@me")
def own(visit: Visit) -> str | Response:
    """One's own page. Nobody new is called so; somebody who was before keeps their page."""
    if accounts.by_handle(visit.session, "me"):
        return profile(visit, "me")
    return see_other(f"/@{visit.account.handle}")


@ROUTER.page("/@<handle>")
def profile(visit: Visit, handle: str) -> str:
    """`?before=`: older updates; `?show=`: replies, pictures."""
    account = named.account(visit, handle)
    return group_page.show(visit, account) if account.kind == "group" else _person(visit, account)


def _person(visit: Visit, account: Account) -> str:
    me = visit.account.id
    entry = directory_pages.find_entry(visit.session, me, account.id)
    known = accounts_and_posts.profile(visit.session, visit.actor, find_named(account))
    show = visit.arg("show", 10) if visit.arg("show", 10) in SHOWS else ""
    feed = feeds.by(visit.session, me, account, visit.number("before") or NEWEST, SHOWS[show])
    return render(
        visit, "people/person.html", account=account, one=entry, known=known, show=show, feed=feed,
        **_about(visit, account, apart=known.apart),
    )  # fmt: skip


def _about(visit: Visit, account: Account, *, apart: bool) -> dict[str, Any]:
    """What stands beside their updates; nothing of it where a block is between the two."""
    me, session = visit.account.id, visit.session
    beside = directory_pages.list_page(session, me, "followers", account.id, most=BESIDE) if not apart else None
    return {
        "ways": named.ways(visit),
        "ends": named.ENDS,
        "mutes": named.MUTES,
        "since": follows.since(session, me, account.id),
        "per_day": follows.per_day(session, account.id),
        "muted": mutes.find_mute(session, me, account.id),
        "beside": beside,
        "tags": tag_counts.most_used(session, account.id) if not apart else (),
    }


SHOWS: Final[dict[str, Show]] = {"": "updates", "replies": "replies", "pictures": "pictures"}


@ROUTER.page("/@<handle>/followers")
def followers(visit: Visit, handle: str) -> str:
    return _list(visit, handle, "followers")


@ROUTER.page("/@<handle>/following")
def following(visit: Visit, handle: str) -> str:
    return _list(visit, handle, "followed_by")


def _list(visit: Visit, handle: str, which: Which) -> str:
    """Of a person. Where a block is between the two, nobody is listed; a group's people have a page of their own."""
    person = named.person(visit, handle)
    if mutes.are_apart(visit.session, visit.account.id, person.id):
        raise Forbidden
    page = directory_pages.list_page(
        visit.session, visit.account.id, which, person.id, visit.arg("q", 60), visit.number("after") or 0
    )
    return render(
        visit, "people/listed.html", account=person, which=which, page=page, ways=named.ways(visit),
    )  # fmt: skip
