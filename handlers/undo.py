"""Takes back what one did last: a post, also a private one that still waits, or any other effect that says how."""

from datetime import timedelta

from sqlalchemy import func
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import count, joined, say
from gateway.inbound.commands import CommandContext, command, reopen_question, undoes
from gateway.network.conversation import conversations
from gateway.network.follows.last_effect import last_effect
from gateway.network.posts import posts
from gateway.store.tables import Effect, Post
from handlers import bare_texts
from handlers.pin_confirmation import GIVES, prove

REACH = timedelta(hours=24)


@command("undo", aliases=("oops",), about="undo what I did last", spanish="deshacer, deshaz")
def undo(session: Session, turn: CommandContext) -> str:
    proved = GIVES in turn.confirmed  # then the newest effect is the question that this answers
    last = last_effect(session, turn.account.id, REACH, ("asked",) if proved else ())
    if last is None:
        raise Refused(say("There is nothing to undo: you have done nothing in the last day."))
    if last.undone_at:
        raise Refused(say("What you did last is undone already."))
    undoing = turn.world.undoings.get(last.kind)
    if undoing is None:
        raise Refused(say("What you did last cannot be undone, and nothing before it was changed."))
    if last.kind in ("add", "remove", "owner"):
        prove(session, turn, say("Take back what you did last in your group?"))
    answer = undoing(session, turn, last)
    last.undone_at = func.now()
    turn.did("undo", last.subject_id)
    return answer


@undoes("post", "appended")
def _retract(session: Session, turn: CommandContext, effect: Effect) -> str:
    """Recalls what has not left; what has left is shown as retracted on the web and in what `get` lists."""
    post = session.get_one(Post, effect.subject_id)
    if post.deleted_at:
        raise Refused(say("What you did last is undone already."))
    stopped, gone = posts.retract(session, post)
    open_ = conversations.open_question(session, turn.address.id)
    if open_ and open_.kind == conversations.PASSING:  # it offered to publish what is taken back
        conversations.close(session, turn.address.id)
    private = post.visibility == "direct"
    if not gone:
        if private:
            return say("Your private message is taken back. Nobody got it.")
        return say("Your post is taken back. Nobody got it.")
    what = say("Your private message is taken back:") if private else say("Your post is taken back:")
    out = count("{count} had gone out", "{count} had gone out", gone)
    rest = count(", {count} stopped", ", {count} stopped", stopped) if stopped else ""
    return joined([joined([what, out]), rest, say(". It shows as retracted.")], "")


@undoes("asked")
def _forget(session: Session, turn: CommandContext, effect: Effect) -> str:
    """Closes a question that is not to be answered, and deletes its words."""
    open_ = conversations.open_question(session, turn.address.id)
    if open_ and open_.kind == bare_texts.KIND and effect.subject_id:
        left = bare_texts.take_back(session, turn, open_, effect.subject_id)
        if left:
            return left
    conversations.close(session, turn.address.id)
    if effect.subject_id:
        conversations.forget_draft(session, effect.subject_id)
    before = open_.about.get("before") if open_ else None
    return reopen_question(session, turn, before, say("Deleted.")) or ""
