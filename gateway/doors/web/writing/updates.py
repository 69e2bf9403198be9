"""What is written: an update, a post to a group, a private message, a reply; and how it is taken back."""

from flask import Response, request

from gateway.actions import messaging, posting, reacting, repeating, replying, undoing, uploading
from gateway.actions.messaging import SentMessage
from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.actions.posting import Posted
from gateway.doors.web.visits.visit import Visit, see_other
from gateway.doors.web.writing import ROUTER, audiences
from gateway.doors.web.writing.audiences import Audience
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.network.people.directory import find_named
from gateway.network.web import web_drafts
from gateway.store.database import transaction

LONGEST_DESCRIPTION = 500  # characters


@ROUTER.post("/updates", uploads=True)
def write(visit: Visit) -> Response:
    audience = audiences.read(visit.session, visit.form("audience", 40), visit.form("person", 60), visit.account.id)
    text = visit.form("text")
    visit.uploads += upload_files(visit)
    sent = _send(visit, audience, text)
    drafted = visit.form("drafted", 40)  # for whom it was meant before the page asked
    for name in {audience.name, visit.form("audience", 40), drafted}:  # a typed name has its draft under "private"
        web_drafts.forget(visit.session, visit.account.id, name)
    web_drafts.forget_words(visit.session, visit.account.id, text)
    return _written(visit, audience, sent)


def upload_files(visit: Visit) -> list[int]:
    """Keeps the files of the form in a transaction of its own: when the page must ask first, they are there already."""
    files = [each for each in request.files.getlist("file") if each.filename]
    if not files:
        return []
    with transaction(visit.web.engine) as session:
        actor = Actor(session.merge(visit.account, load=False), "web", visit.settings, visit.web.signer)
        shows = visit.form("description", LONGEST_DESCRIPTION) or None
        return [uploading.upload(session, actor, each.filename or "", each.read(), shows).upload_id for each in files]


def _send(visit: Visit, audience: Audience, text: str) -> Posted | SentMessage | object:
    match audience.kind:
        case "everyone":
            return visit.do(posting.post_update, text)
        case "group":
            assert audience.account is not None
            return visit.do(posting.post_to_groups, [audience.account.id], text)
        case "private":
            assert audience.account is not None
            return visit.do(messaging.send, [find_named(audience.account)], text)
        case "reply":
            return visit.do(replying.reply, audience.post_id, text)


def _written(visit: Visit, audience: Audience, sent: object) -> Response:
    """Back to where it was written; the bar there counts until it leaves."""
    if isinstance(sent, SentMessage) and sent.unreached:
        names = joined((each.name for each in sent.unreached), ", ")
        visit.say(say("It waits: nothing reaches {names} now.", names=names))
    if isinstance(sent, Posted) and sent.unheard:
        visit.say(say("Posted, but nobody follows it yet."), undo=True)
    if audience.kind == "reply":
        return see_other(f"/updates/{audience.post_id}")
    if audience.kind == "private" and audience.account is not None:
        return see_other(f"/private/{audience.account.handle}")
    back = visit.form("back", 500)
    return see_other("/") if back.startswith("/write") else visit.back()


@ROUTER.post("/updates/<int:post_id>/take-back")
def take_back(visit: Visit, post_id: int) -> Response:
    visit.say(describe_undone(visit.do(undoing.take_back, post_id)))
    back = visit.form("back", 500)
    return see_other("/") if back.startswith(f"/updates/{post_id}") else visit.back()


@ROUTER.post("/undo")
def undo(visit: Visit) -> Response:
    """Of what the bar offered; without that, of what they did last by any door."""
    of = visit.form("of", 255)
    done = visit.do(undoing.undo_action, of) if of else visit.do(undoing.undo)
    visit.say(describe_undone(done))
    return visit.back()


def describe_undone(undone: Undone) -> Phrase:
    """Taken back, and honestly how many have it already."""
    stopped, gone = undone.facts.get("stopped", 0), undone.facts.get("gone", 0)
    if undone.outcome not in ("post_retracted", "message_retracted"):
        return say("Taken back.")
    if not gone:
        return say("Taken back. Nobody got it.")
    have = count("{count} has it already.", "{count} have it already.", gone)
    rest = count("{count} more does not get it.", "{count} more do not get it.", stopped) if stopped else ""
    return joined([say("Taken back here."), have, rest])


@ROUTER.post("/updates/<int:post_id>/like")
def like(visit: Visit, post_id: int) -> Response:
    visit.do(reacting.react, post_id, "like")
    return _to_item(visit, post_id)


@ROUTER.post("/updates/<int:post_id>/unlike")
def unlike(visit: Visit, post_id: int) -> Response:
    visit.do(reacting.unlike, post_id)
    return _to_item(visit, post_id)


@ROUTER.post("/updates/<int:post_id>/repeat")
def repeat(visit: Visit, post_id: int) -> Response:
    done = visit.do(repeating.repeat, post_id)
    if done.post_id is None:
        visit.say(say("You repeated it already."))
    elif not done.has_readers:
        visit.say(say("Repeated, but nobody follows you yet."), undo=True)
    return _to_item(visit, post_id)


def _to_item(visit: Visit, post_id: int) -> Response:
    """Back to the page, at the update that was pressed: nothing moves under the reader."""
    answer = visit.back()
    answer.location = f"{answer.location.partition('#')[0]}#u{post_id}"
    return answer
