"""Home: whom one follows, one's groups, what names one; and what everyone may read."""

from flask import Response

from gateway.doors.web.reading import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.network.feeds import feeds
from gateway.network.feeds.feeds import NEWEST, Feed
from gateway.network.web import read_marks, web_drafts


@ROUTER.page("/", "visitor")
def front(visit: Visit) -> str | Response:
    """Home; for a visitor what Critter is, and how to write to it."""
    if visit.viewer:
        return home(visit)
    if visit.web.visitors_to:
        return see_other(visit.web.visitors_to)
    return render(visit, "reading/welcome.html")


def home(visit: Visit) -> str:
    """`?before=`: older ones. What was there at the last visit stands below a line."""
    feed = feeds.home(visit.session, visit.account.id, visit.number("before") or NEWEST)
    read = read_marks.read(visit.session, visit.account.id, [read_marks.HOME]).get(read_marks.HOME, 0)
    if feed.items and visit.number("before") is None:
        read_marks.advance(visit.session, visit.account.id, read_marks.HOME, max(item.id for item in feed.items))
    draft = web_drafts.find(visit.session, visit.account.id, "everyone")
    return render(visit, "reading/home.html", feed=feed, read=_line(feed, read), draft=draft)


@ROUTER.page("/everyone")
def everyone(visit: Visit) -> str:
    feed = feeds.everyone(visit.session, visit.account.id, visit.number("before") or NEWEST)
    return render(visit, "reading/everyone.html", feed=feed)


def _line(feed: Feed, read: int) -> int | None:
    """The first item that was read before; None when that is the first of all, or none of these."""
    return next((item.id for item in feed.items[1:] if item.id <= read), None) if _unread(feed, read) else None


def _unread(feed: Feed, read: int) -> bool:
    return bool(feed.items) and feed.items[0].id > read
