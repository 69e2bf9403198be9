"""Whom words would reach, in how many parts and for how much, and how they arrive: a piece of the page to write on,
which a script asks for while one writes."""

from dataclasses import dataclass

from gateway.actions import reach_estimate
from gateway.actions.reach_estimate import ReachEstimate
from gateway.doors.web.shell import questions
from gateway.doors.web.shell.rendering import render_piece
from gateway.doors.web.visits.visit import Visit
from gateway.doors.web.writing import ROUTER, audiences
from gateway.doors.web.writing.audiences import Audience
from gateway.errors import Refused
from gateway.language.words.normalize import clean
from gateway.network.audience import visibility
from gateway.network.follows import follower_counts
from gateway.network.people import accounts
from gateway.network.posts import rendering
from gateway.network.posts.posts import NewPost
from gateway.sms import fit
from gateway.sms.gsm7 import GSM, segments
from gateway.store.tables import Account, Post

SAMPLE_TAG = " (k7)"


@dataclass(frozen=True, slots=True)
class HeardBy:
    """Who hears it: `words` for whoever follows its writer or group; `alone`: a person or group that it is private
    to, with how many that are."""

    signature: str
    words: NewPost | None = None
    alone: Account | None = None
    people: int = 0


@ROUTER.post("/write/reach")
def reach(visit: Visit) -> str:
    text, heard = clean(visit.form("text")), _heard(visit, clean(visit.form("text")))
    found = _estimate(visit, heard)
    fitted = fit.fit(
        f"{heard.signature if heard else visit.account.name}: {text}", SAMPLE_TAG, visit.settings.public_url
    )
    return render_piece(
        visit, "writing/reach.html", heard=heard, reach=found, lines=questions.describe_reach(found) if found else (),
        fitted=fitted, unusual=_unusual(fitted.text), text=text,
        subject=rendering.subject(f"{heard.signature}: {text}") if heard else "",
    )  # fmt: skip


def _heard(visit: Visit, text: str) -> HeardBy | None:
    """None while it is not known: no name was typed yet."""
    try:
        audience = audiences.read(
            visit.session, visit.form("audience", 40), visit.form("person", 60), visit.account.id
        )  # fmt: skip
    except Refused:
        return None
    me = visit.account
    match audience.kind:
        case "everyone":
            return HeardBy(me.name, NewPost(me, text, "company", "web"))
        case "group":
            return _in_group(me, audience.account, text)
        case "reply":
            return _reply(visit, audience, text)
    return _privately(visit, audience.account)


def _in_group(me: Account, group: Account | None, text: str, answers: int | None = None) -> HeardBy | None:
    if group is None:
        return None
    return HeardBy(f"{me.name} #{group.handle}", NewPost(me, text, "group", "web", group, in_reply_to=answers))


def _privately(visit: Visit, account: Account | None) -> HeardBy | None:
    if account is None:
        return None
    group = account.kind == "group"
    people = follower_counts.count_followers(visit.session, [account.id]).get(account.id, 0) if group else 1
    return HeardBy(f"{visit.account.name} (private)", alone=account, people=people)


def _reply(visit: Visit, audience: Audience, text: str) -> HeardBy | None:
    """It is heard by those who hear what it answers."""
    post = visit.session.get(Post, audience.post_id)
    if post is None or not visibility.may_read(visit.session, visit.account.id, post.id):
        return None
    if post.visibility == "direct":
        return _privately(visit, accounts.by_id(visit.session, post.author_id))
    if post.group_id:
        return _in_group(visit.account, accounts.by_id(visit.session, post.group_id), text, post.id)
    return HeardBy(visit.account.name, NewPost(visit.account, text, "company", "web", in_reply_to=post.id))


def _estimate(visit: Visit, heard: HeardBy | None) -> ReachEstimate | None:
    return reach_estimate.estimate(visit.session, visit.actor, heard.words) if heard and heard.words else None


def _unusual(text: str) -> str:
    """The first character for which a text needs two octets a letter, mostly an emoji."""
    return next((each for each in text if segments(each)[0] != GSM), "")
