"""The page to write on: first who hears it, then the words; drafts, and names that complete. What it reaches and costs
is a piece of its own (reach.py)."""

from flask import Response, jsonify

from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.doors.web.writing import ROUTER, audiences, reach
from gateway.doors.web.writing.audiences import EVERYONE, PRIVATE
from gateway.network.audience import visibility
from gateway.network.feeds import completions, feed_items
from gateway.network.feeds.feed_items import FeedItem
from gateway.network.follows import follower_counts
from gateway.network.people import accounts
from gateway.network.web import web_drafts
from gateway.store.tables import Account


@ROUTER.page("/write")
def write(visit: Visit) -> str:
    """`?to=`: the handle of a group, or of a person to write to privately, or "private"; `?re=`: what it answers."""
    return _page(visit, "", visit.arg("text", 2_000))


@ROUTER.post("/write/preview", uploads=True)
def preview(visit: Visit) -> str:
    """The page once more, with what the words would do: for who has no script."""
    return _page(visit, reach.reach(visit), visit.form("text"))


def _page(visit: Visit, card: str, text: str) -> str:
    answered, chosen = _answered(visit), accounts.by_handle(visit.session, visit.arg("to", 30))
    name = visit.form("audience", 40) or _name(visit, answered, chosen)
    draft = text or web_drafts.find(visit.session, visit.account.id, name)
    groups = audiences.groups_to_post_in(visit.session, visit.account.id)
    hear = follower_counts.count_followers(visit.session, [visit.account.id, *(group.id for group in groups)])
    return render(
        visit, "writing/write.html", answered=answered, name=name, draft=draft, groups=groups, chosen=chosen,
        preview=card, hear=hear,
    )  # fmt: skip


def _answered(visit: Visit) -> FeedItem | None:
    post_id = visit.number("re")
    if not post_id or not visibility.may_read(visit.session, visit.account.id, post_id):
        return None
    return next(iter(feed_items.load(visit.session, visit.account.id, [post_id])), None)


def _name(visit: Visit, answered: FeedItem | None, chosen: Account | None) -> str:
    """A reply is to what it answers; nothing typed by somebody else makes a private message public."""
    if answered is not None:
        return f"re:{answered.shown.id}"
    if chosen is not None:
        group = chosen.kind == "group" and not visit.arg("privately")
        return f"in:{chosen.id}" if group else f"to:{chosen.id}"
    return PRIVATE if visit.arg("to") == PRIVATE else EVERYONE


@ROUTER.post("/drafts")
def keep_draft(visit: Visit) -> Response:
    """The page sends it while one writes. What is kept is never sent by itself."""
    name = visit.form("audience", 40)
    if name != PRIVATE:  # to whom is not typed yet
        audiences.read(visit.session, name)
    web_drafts.keep(visit.session, visit.account.id, name, visit.form("text"))
    return Response(status=204)


@ROUTER.page("/write/names")
def names(visit: Visit) -> Response:
    """What completes what one types: people and groups after @, groups and tags after #."""
    asked = visit.arg("q", 30)
    found = completions.find(visit.session, visit.account.id, asked)
    return jsonify([[each.mark, each.handle, each.name] for each in found])
