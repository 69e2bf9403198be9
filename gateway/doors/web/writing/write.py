"""The page to write on: first who hears it, then the words, how many that is and what it costs; and the drafts."""

from flask import Response, jsonify

from gateway.actions import reach_estimate
from gateway.actions.reach_estimate import ReachEstimate
from gateway.doors.web.shell import questions
from gateway.doors.web.shell.rendering import render, render_piece
from gateway.doors.web.visits.visit import Visit
from gateway.doors.web.writing import ROUTER, audiences
from gateway.doors.web.writing.audiences import EVERYONE, PRIVATE, Audience
from gateway.errors import Refused
from gateway.i18n.phrases import Phrase
from gateway.language.words.normalize import clean
from gateway.network.audience import visibility
from gateway.network.feeds import completions, feed_items
from gateway.network.feeds.feed_items import FeedItem
from gateway.network.people import accounts
from gateway.network.posts.posts import NewPost
from gateway.network.web import web_drafts
from gateway.sms import fit
from gateway.sms.gsm7 import GSM, segments
from gateway.store.tables import Account


@ROUTER.page("/write")
def write(visit: Visit) -> str:
    """`?to=`: the handle of a group, or of a person to write to privately, or "private"; `?re=`: what it answers."""
    return _page(visit, "", visit.arg("text", 2_000))


@ROUTER.post("/write/preview", uploads=True)
def preview(visit: Visit) -> str:
    """The page once more, with what the words would do: for who has no script."""
    return _page(visit, reach(visit), visit.form("text"))


def _page(visit: Visit, card: str, text: str) -> str:
    answered, chosen = _answered(visit), accounts.by_handle(visit.session, visit.arg("to", 30))
    name = visit.form("audience", 40) or _name(visit, answered, chosen)
    draft = text or web_drafts.find(visit.session, visit.account.id, name)
    groups = audiences.groups_to_post_in(visit.session, visit.account.id)
    return render(
        visit, "writing/write.html", answered=answered, name=name, draft=draft, groups=groups, chosen=chosen,
        preview=card,
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


@ROUTER.post("/write/reach")
def reach(visit: Visit) -> str:
    """A piece of a page: whom these words would reach, in how many parts, and what that costs."""
    text = clean(visit.form("text"))
    lines, found = _estimate(visit, _audience(visit), text)
    fitted = fit.fit(f"{visit.account.name}: {text}", " (k7)", visit.settings.public_url)
    return render_piece(
        visit, "writing/reach.html", lines=lines, reach=found, fitted=fitted, unusual=_unusual(fitted.text)
    )


@ROUTER.page("/write/names")
def names(visit: Visit) -> Response:
    """What completes what one types: people and groups after @, groups and tags after #."""
    asked = visit.arg("q", 30)
    found = completions.find(visit.session, visit.account.id, asked)
    return jsonify([[each.mark, each.handle, each.name] for each in found])


def _audience(visit: Visit) -> Audience | None:
    """None while it is not known: no name was typed yet."""
    try:
        return audiences.read(visit.session, visit.form("audience", 40), visit.form("person", 60), visit.account.id)
    except Refused:
        return None


def _unusual(text: str) -> str:
    """The first character for which a text needs two octets a letter, mostly an emoji."""
    return next((each for each in text if segments(each)[0] != GSM), "")


def _estimate(visit: Visit, audience: Audience | None, text: str) -> tuple[tuple[Phrase, ...], ReachEstimate | None]:
    words = _planned(visit, audience, text) if audience and text else None
    if words is None:
        return (), None
    found = reach_estimate.estimate(visit.session, visit.actor, words)
    return questions.describe_reach(found), found


def _planned(visit: Visit, audience: Audience, text: str) -> NewPost | None:
    """A private message and a reply to one person need no estimate."""
    match audience.kind:
        case "everyone":
            return NewPost(visit.account, text, "company", "web")
        case "group":
            return NewPost(visit.account, text, "group", "web", audience.account)
    return None
