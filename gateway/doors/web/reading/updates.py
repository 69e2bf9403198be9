"""One update: its words, who got it, what answers it; why one sees it; its files."""

from flask import Response, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from gateway.actions import seeing
from gateway.actions.model.actor import Actor
from gateway.doors.web.reading import ROUTER
from gateway.doors.web.shell.rendering import render, render_piece
from gateway.doors.web.shell.stored_files import send_stored
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.network.audience import visibility
from gateway.network.feeds import feed_items, private_talks, threads
from gateway.network.feeds.feed_items import ShownFile
from gateway.network.feeds.threads import Thread
from gateway.network.follows import group_owners
from gateway.network.people import accounts
from gateway.network.presence import presence
from gateway.network.receipts import receipts
from gateway.network.web import web_drafts
from gateway.store.tables import Post

FIRST_READERS = 8  # on the page of the update
MOST_READERS = 2_000
MOST_SEEN = 100  # updates in one report of a page


@ROUTER.page("/updates/<int:post_id>")
def update(visit: Visit, post_id: int) -> str | Response:
    """404 for what one may not read: that it exists is not told either."""
    thread = threads.find(visit.session, visit.account.id, post_id)
    if thread is None:
        raise NotFound
    talk = private_talks.find_others(visit.session, visit.account.id, [post_id]).get(post_id)
    if talk is not None:
        return see_other(f"/private/{talk.handle}?before={post_id + 1}#u{post_id}")
    if thread.item.repeated_by is not None:
        return see_other(f"/updates/{thread.item.shown.id}")
    seeing.mark_seen(visit.session, visit.account.id, [thread.item.shown.id])  # it was opened by itself
    return render(visit, "reading/update.html", **_shown(visit, thread))


def _shown(visit: Visit, thread: Thread) -> dict[str, object]:
    draft = web_drafts.find(visit.session, visit.account.id, f"re:{thread.item.shown.id}")
    people = {one.author.id: one.author for one in [thread.item, *(each.item for each in thread.answers)]}
    may_see = may_see_receipts(visit.session, visit.actor, thread.item.shown)
    got = _who_got(visit, thread.item.shown.id, FIRST_READERS) if may_see else {"receipts": None}
    return {"thread": thread, "draft": draft, "people": list(people.values()), **got}


def _who_got(visit: Visit, post_id: int, most: int) -> dict[str, object]:
    """Those who missed it stand first, each with the reason."""
    session, timezone = visit.session, visit.account.zone_now
    missed = receipts.list_missed(session, post_id, timezone, most)
    readers = receipts.list_readers(session, post_id, timezone, most + 1)
    shown = [each for each in readers if not each.missed]
    return {
        "receipts": receipts.tally(session, post_id),
        "missed": missed,
        "readers": shown[:most],
        "more": len(readers) > most,
    }


@ROUTER.page("/updates/<int:post_id>/got")
def got(visit: Visit, post_id: int) -> str:
    """Who got it, and who did not and why: for its writer and the owners of its group, for others it is not there."""
    item = next(iter(feed_items.load(visit.session, visit.account.id, [post_id])), None)
    if item is None or not may_see_receipts(visit.session, visit.actor, item.post):
        raise NotFound
    return render(visit, "reading/got.html", item=item, **_who_got(visit, post_id, MOST_READERS))


def may_see_receipts(session: Session, actor: Actor, post: Post) -> bool:
    """Its author, and the owners of its group: the same as are told by `who got`."""
    if post.author_id == actor.account.id:
        return True
    group = accounts.by_id(session, post.group_id) if post.group_id else None
    return group is not None and actor.account in group_owners.owners(session, group.id)


@ROUTER.page("/updates/now")
def now(visit: Visit) -> str:
    """Pieces of a page, for updates that the stream said have changed: `?id=`, several times. What may not be read any
    more is left out, and the page says that it was taken back."""
    ids = [int(each) for each in request.args.getlist("id")[:MOST_SEEN] if each.isdecimal() and len(each) < 20]
    items = feed_items.load(visit.session, visit.account.id, ids)
    return render_piece(visit, "reading/now.html", items=items)


@ROUTER.post("/seen")
def seen(visit: Visit) -> Response:
    """The page says which updates stood on the screen for two seconds. Others' ids do nothing."""
    ids = [int(each) for each in request.form.getlist("id")[:MOST_SEEN] if each.isdecimal() and len(each) < 20]
    presence.note_activity(visit.session, visit.account.id)
    seeing.mark_seen(visit.session, visit.account.id, ids)
    return Response(status=204)


@ROUTER.page("/updates/<int:post_id>/files/<int:number>")
def file(visit: Visit, post_id: int, number: int) -> Response:
    found = _file(visit, post_id, number)
    return send_stored(visit.settings.var, found.name or "", found.digest, found.content_type)


@ROUTER.page("/updates/<int:post_id>/files/<int:number>/small")
def small(visit: Visit, post_id: int, number: int) -> Response:
    found = _file(visit, post_id, number)
    if not found.picture:
        raise NotFound
    kind = None if found.small else found.content_type
    return send_stored(visit.settings.var, found.name or "", found.small or found.digest, kind)


def _file(visit: Visit, post_id: int, number: int) -> ShownFile:
    """A file of an update that one may read now."""
    if not visibility.may_read(visit.session, visit.account.id, post_id):
        raise NotFound
    items = feed_items.load(visit.session, visit.account.id, [post_id])
    found = next((each for item in items for each in item.files if each.number == number), None)
    if found is None:
        raise NotFound
    return found
