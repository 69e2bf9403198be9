"""Writing an update, a reply or a private message, and deleting it: the same actions as a text's."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field
from werkzeug.exceptions import NotFound

from gateway.actions import messaging, posting, replying, undoing
from gateway.actions.group_questions import AnsweredQuestion
from gateway.actions.messaging import SentMessage
from gateway.actions.model.actor import Actor
from gateway.actions.posting import Posted
from gateway.actions.urgent_calls import Acknowledged
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Id, Parameters
from gateway.doors.api.statuses import ROUTER, audiences, describing
from gateway.doors.api.statuses.audiences import Said, StatusAudience
from gateway.doors.api.statuses.entities import Status
from gateway.i18n.language_tags import language
from gateway.i18n.refusals import refusal
from gateway.language import nanoformats
from gateway.ledger.inbox import uploads
from gateway.network.feeds import post_details
from gateway.network.feeds.post_details import PostDetails
from gateway.network.people.directory import find_named
from gateway.network.posts.posts import LONGEST
from gateway.store.tables import Post

MOST_FILES: Final = 20


def _known_language(given: Any) -> Any:
    """Clients always say one; one that is unknown here is left out, as if it had not been said."""
    return language(given) if isinstance(given, str) else given


class NewStatus(Parameters):
    """`visibility`: public or unlisted: for everyone here, or for the groups that the words name; private: for a closed
    group that the words name; direct: privately to those whom the words name. An answer is heard by those who hear what
    it answers, at most. A warning stands in front of the words, for phones show everything at once."""

    status: Annotated[str, Field(max_length=LONGEST)] = ""
    media_ids: Annotated[tuple[Id, ...], Field(max_length=MOST_FILES)] = ()
    in_reply_to_id: Id | None = None
    visibility: Said = "public"
    sensitive: bool = False
    spoiler_text: Annotated[str, Field(max_length=LONGEST)] = ""
    language: Annotated[str | None, BeforeValidator(_known_language)] = None
    scheduled_at: str = ""
    poll: dict[str, Any] | None = None


@ROUTER.post("/api/v1/statuses", "write:statuses")
def write(call: ApiCall, given: NewStatus) -> Status:
    """Posts an update, answers one, or writes privately. With the header Idempotency-Key it is done once, however often
    it is sent."""
    if given.poll:
        raise refusal("no_polls")
    if given.scheduled_at:
        raise refusal("no_scheduling")
    actor = call.actor(uploads=given.media_ids)
    answered = _answered(call, given.in_reply_to_id)
    audience = audiences.read(call.session, actor, _words(call, given), given.visibility, answered)
    done = _send(call, actor, audience, answered, _mark(given.language, audience, answered))
    return describing.one(call, done if done is not None else given.in_reply_to_id or 0)


def _answered(call: ApiCall, post_id: int | None) -> Post | None:
    """What it answers; of a repeat that is the original. Raises NotFound for what the person may not read."""
    return describing.item(call, post_id).shown if post_id is not None else None


def _words(call: ApiCall, given: NewStatus) -> str:
    """A picture alone is called as in a mail without words."""
    said = given.status.strip()
    if given.spoiler_text.strip():
        said = f"{given.spoiler_text.strip()}\n\n{said}".strip()
    if not said and given.media_ids:
        kind = uploads.describe(call.session, call.account.id, given.media_ids)
        return f"({kind})" if kind else ""
    return said


def _mark(tongue: str | None, audience: StatusAudience, answered: Post | None) -> str:
    """The language as a text says it: unless the words say it themselves, or answer a call, which is no post."""
    said = nanoformats.parse(audience.words).lang
    return f" lang:{tongue}" if tongue and not said and not (answered and answered.call) else ""


def _send(call: ApiCall, actor: Actor, audience: StatusAudience, answered: Post | None, mark: str) -> int | None:
    """The id of what was posted; None for a yes to a call, which is no post."""
    words = f"{audience.words}{mark}" if audience.words else ""
    if audience.people:
        people, thread = [find_named(each) for each in audience.people], answered.id if answered else None
        return _id(call.do_as(actor, messaging.send, people, words, thread))
    if audience.answers and answered is not None:
        return _id(call.do_as(actor, replying.reply, answered.id, words))
    if audience.groups:
        return _id(call.do_as(actor, posting.post_to_groups, [group.id for group in audience.groups], words))
    return _id(call.do_as(actor, posting.post_update, words))


def _id(done: Posted | SentMessage | Acknowledged | AnsweredQuestion) -> int | None:
    return done.post_id if isinstance(done, (Posted, SentMessage)) else None


@ROUTER.put("/api/v1/statuses/<id:status_id>", "write:statuses")
def change(call: ApiCall, status_id: int) -> Status:
    """Refused: what was sent is on phones, and cannot be changed there."""
    describing.item(call, status_id)
    raise refusal("never_changed")


@ROUTER.delete("/api/v1/statuses/<id:status_id>", "write:statuses")
def delete(call: ApiCall, status_id: int) -> Status:
    """Takes an own update back, and answers its words, so that it can be written again."""
    found = describing.item(call, status_id)
    if found.post.author_id != call.account.id:
        raise NotFound
    told = describing.statuses(call, [found])[0]
    details = post_details.find(call.session, call.account.id, [found.shown]).get(found.shown.id, PostDetails())
    call.do(undoing.take_back, status_id)
    return told.model_copy(update={"text": describing.words(found.shown, details)})
