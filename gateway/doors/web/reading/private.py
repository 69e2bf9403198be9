"""Private talks: the list, and one of them. Nobody but its people ever sees one here, operators neither."""

from werkzeug.exceptions import NotFound

from gateway.doors.web.reading import ROUTER
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.network.feeds import private_talks
from gateway.network.feeds.feeds import NEWEST, Feed
from gateway.network.people import accounts
from gateway.network.web import read_marks, web_drafts


@ROUTER.page("/private")
def talks(visit: Visit) -> str:
    listed = private_talks.list_talks(visit.session, visit.account.id)
    return render(visit, "reading/private.html", talks=listed, other=None, feed=Feed(()), draft="", earlier=False)


@ROUTER.page("/private/<handle>")
def talk(visit: Visit, handle: str) -> str:
    """With somebody to whom nothing was said yet, it is an empty talk: the handle alone tells nothing."""
    other = accounts.by_handle(visit.session, handle)
    if other is None or other.id == visit.account.id:
        raise NotFound
    feed = private_talks.messages(visit.session, visit.account.id, other.id, visit.number("before") or NEWEST)
    if feed.items:
        read_marks.advance(visit.session, visit.account.id, read_marks.talk(other.id), feed.items[-1].id)
    draft = web_drafts.find(visit.session, visit.account.id, f"to:{other.id}")
    listed = private_talks.list_talks(visit.session, visit.account.id)
    earlier = visit.number("before") is not None
    return render(
        visit, "reading/private.html", talks=listed, other=other, feed=feed, draft=draft, earlier=earlier
    )  # fmt: skip
