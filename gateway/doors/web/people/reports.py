"""Reporting an update or somebody to the people who run Critter. Whoever is reported is not told."""

from flask import Response
from werkzeug.exceptions import NotFound

from gateway.actions import reporting
from gateway.doors.web.people import ROUTER, named
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.i18n.phrases import say
from gateway.network.audience import visibility
from gateway.network.feeds import feed_items
from gateway.network.feeds.feed_items import FeedItem
from gateway.network.posts import timelines


@ROUTER.page("/updates/<int:post_id>/report")
def post_form(visit: Visit, post_id: int) -> str:
    item = _item(visit, post_id)
    return render(visit, "people/report.html", item=item, account=item.author, back=f"/updates/{post_id}")


@ROUTER.post("/updates/<int:post_id>/report")
def report_post(visit: Visit, post_id: int) -> Response:
    if not _knows(visit, post_id):
        raise NotFound
    _say(visit, new=visit.do(reporting.report_post, post_id, visit.form("reason", 2_000)))
    return see_other(f"/updates/{post_id}" if _may_read(visit, post_id) else "/")


@ROUTER.page("/@<handle>/report")
def account_form(visit: Visit, handle: str) -> str:
    account = named.account(visit, handle)
    return render(visit, "people/report.html", item=None, account=account, back=f"/@{account.handle}")


@ROUTER.post("/@<handle>/report")
def report_account(visit: Visit, handle: str) -> Response:
    who = named.named(visit, handle)
    _say(visit, new=visit.do(reporting.report_account, who, visit.form("reason", 2_000)))
    return see_other(f"/@{who.handle}")


def _say(visit: Visit, *, new: bool) -> None:
    if new:
        visit.say(say("Reported. The people who run Critter will look at it; nobody else is told."), undo=True)
    else:
        visit.say(say("You already reported that. The people who run Critter will look at it."))


def _may_read(visit: Visit, post_id: int) -> bool:
    return visibility.may_read(visit.session, visit.account.id, post_id)


def _knows(visit: Visit, post_id: int) -> bool:
    """Also what reached one and may not be read any more may be reported."""
    return _may_read(visit, post_id) or timelines.has_received(visit.session, visit.account.id, post_id)


def _item(visit: Visit, post_id: int) -> FeedItem:
    items = feed_items.load(visit.session, visit.account.id, [post_id])
    if not items:
        raise NotFound
    return items[0]
