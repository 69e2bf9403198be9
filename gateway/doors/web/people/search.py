"""Search: who knows about it, people, groups and updates; and the pages of a topic and of a #tag."""

from collections.abc import Sequence

from flask import Response
from werkzeug.exceptions import NotFound

from gateway.actions import following, subscribing
from gateway.actions.lookups import who_about
from gateway.actions.preferences import tracking
from gateway.doors.web.people import ROUTER, follows, named
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit
from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.language import search_query
from gateway.language.nanoformats import is_tag
from gateway.language.search_query import SearchQuery
from gateway.language.track_phrases import track_phrase
from gateway.network.feeds import feeds, search
from gateway.network.feeds.feeds import NEWEST
from gateway.network.follows import tag_follows, trackers
from gateway.network.people import accounts
from gateway.network.posts.author_search import FoundAuthor

KNOW = 3  # people above what was found
ALL_WHO_KNOW = 20


@ROUTER.page("/search")
def results(visit: Visit) -> str:
    """`?q=`: as search_query.py reads it; `?before=`: older updates."""
    query, before = search_query.read(visit.arg("q")), visit.number("before") or NEWEST
    found = search.search(visit.session, visit.account, query, before) if not query.empty else None
    know = _who_know(visit, query.said) if found and before == NEWEST and not query.narrowed else ()
    return render(
        visit, "people/search.html", typed=visit.arg("q"), query=query, found=found, know=know,
        found_words=_marks(query), ways=named.ways(visit), tracks=_tracks(visit, query.said),
    )  # fmt: skip


def _marks(query: SearchQuery) -> tuple[str, ...]:
    """The words that are marked in what was found."""
    return tuple(word for each in (*query.words, *query.phrases) for word in each.split())


def _who_know(visit: Visit, topic: str, most: int = KNOW) -> Sequence[FoundAuthor]:
    """Nobody for a topic that cannot be looked for: it is only one of several things that a search finds."""
    try:
        return who_about.who_about(visit.session, visit.actor, topic, most).first
    except Refused:
        return ()


def _tracks(visit: Visit, words: str) -> bool:
    return bool(words) and trackers.standing(visit.session, visit.account.id, track_phrase(words).folded) is not None


@ROUTER.page("/about/<topic>")
def topic(visit: Visit, topic: str) -> str:
    """Who wrote about it where everyone may read it."""
    words = topic[:200].strip()
    found = who_about.who_about(visit.session, visit.actor, words, ALL_WHO_KNOW)
    return render(
        visit, "people/about.html", topic=found.topic, know=found.first, ways=named.ways(visit),
        tracks=_tracks(visit, words),
    )  # fmt: skip


@ROUTER.page("/tags/<tag>")
def tagged(visit: Visit, tag: str) -> str:
    """What the reader may read with this tag; a group of that name is offered."""
    name = _tag(tag)
    feed = feeds.tagged(visit.session, visit.account.id, name, visit.number("before") or NEWEST)
    return render(
        visit, "people/tag.html", tag=name, feed=feed, group=accounts.group_called(visit.session, name),
        own=tag_follows.standing(visit.session, visit.account.id, name), ways=named.ways(visit), ends=named.ENDS,
        per_day=tag_follows.per_day(visit.session, name),
    )  # fmt: skip


@ROUTER.post("/tags/<tag>/follow")
def follow_tag(visit: Visit, tag: str) -> Response:
    name = _tag(tag)
    now = tag_follows.standing(visit.session, visit.account.id, name)
    end = named.chosen_end(visit, now.expires_at if now else None)
    done = visit.do(subscribing.follow_tag, f"#{name}", named.chosen_way(visit), end)
    visit.say(follows.describe_followed(done, named.chosen_way(visit)), undo=True)
    return visit.back(f"/tags/{name}")


@ROUTER.post("/tags/<tag>/unfollow")
def unfollow_tag(visit: Visit, tag: str) -> Response:
    name = _tag(tag)
    done = visit.do(following.unfollow_tag, f"#{name}")
    visit.say(follows.describe_left(done), undo=done.state != "none")
    return visit.back(f"/tags/{name}")


def _tag(tag: str) -> str:
    """As tags are kept; 404 for what can be none."""
    name = tag_follows.canonical(tag)
    if not is_tag(f"#{name}"):
        raise NotFound
    return name


@ROUTER.post("/track")
def track(visit: Visit) -> Response:
    """A word or a phrase: whatever everyone may read and has it in it comes."""
    done = visit.do(subscribing.track, visit.form("words", 200), named.chosen_way(visit))
    if done.state == "already":
        visit.say(say("You track “{words}” already.", words=done.phrase))
    else:
        visit.say(say("You track “{words}”: what everyone may read and has it comes.", words=done.phrase), undo=True)
    return visit.back("/search")


@ROUTER.post("/untrack")
def untrack(visit: Visit) -> Response:
    done = visit.do(tracking.untrack, visit.form("words", 200))
    if done.state == "none":
        visit.say(say("You do not track “{words}”.", words=done.phrase))
    else:
        visit.say(say("You no longer track “{words}”.", words=done.phrase), undo=True)
    return visit.back("/search")
