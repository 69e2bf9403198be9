"""`undo`: what is said of what was taken back. gateway/actions/undoing.py takes it back."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from gateway.actions import undoing
from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import PROOF
from gateway.actions.model.undo_result import Undone
from gateway.actions.undoing import UNDOINGS
from gateway.attention.zones import ZoneNow
from gateway.i18n.phrases import Phrase, count, joined, say, template
from gateway.inbound.commands import CommandContext, command, reopen_question
from gateway.network.conversation import conversations
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.conversation.offers import KIND as OFFER
from gateway.network.people.digest_settings import DigestSetting
from gateway.network.people.statuses import SetStatus
from gateway.store.tables import Effect, Post
from handlers import bare_texts
from handlers.daily_mail import describe_daily
from handlers.digests import describe_time
from handlers.offers import describe_connecting
from handlers.pausing import OFF, ON
from handlers.profile import describe_acknowledged, own_name
from handlers.quiet_hours import describe_hours
from handlers.status import describe_status
from handlers.text_limit import describe_limit
from handlers.unseen import describe_unseen
from handlers.ways import describe_cause_way, describe_way
from handlers.zone import describe_clock


@command("undo", aliases=("oops",), about="undo what I did last", spanish="deshacer, deshaz")
def undo(session: Session, context: CommandContext) -> str:
    proved = PROOF in context.actor.confirmed  # then the newest effect is the question that this answers
    undoings = {**UNDOINGS, "asked": _forget}
    undone = undoing.undo(session, context.actor, undoings, ("asked",) if proved else ())
    if undone.outcome == "question_forgotten":
        return reopen_question(session, context, undone.facts["before"], say("Deleted.")) or ""
    if undone.outcome == "call_stopped":
        return _call_stopped(undone)
    if undone.outcome in ("post_retracted", "message_retracted"):
        _close_offer(session, context)
        return _retracted(undone)
    return _sentence(undone.outcome, undone.facts)


def _call_stopped(undone: Undone) -> Phrase:
    had, answered = undone.facts["had"], undone.facts["answered"]
    stopped = say("Your call to #{group} is stopped:", group=undone.facts["group"])
    if not had:
        return joined([stopped, say("nobody got it.")])
    who = count("{count} had it,", "{count} had it,", had)
    return joined(
        [stopped, who, count("{count} had answered.", "{count} had answered.", answered), say("They are told.")]
    )


def _close_offer(session: Session, context: CommandContext) -> None:
    """Closes a question that offered to publish what is taken back, or to ask people about it."""
    open_ = conversations.open_question(session, context.address.id)
    if open_ and (open_.kind == conversations.SENT_ALREADY or (open_.kind == OFFER and _is_gone(session, open_))):
        conversations.close(session, context.address.id)


def _is_gone(session: Session, open_: AskedQuestion) -> bool:
    post = session.get(Post, open_.about["post"])
    return post is None or post.deleted_at is not None


def _retracted(undone: Undone) -> Phrase:
    """What has left is shown as retracted on the web and in what `get` lists."""
    private, stopped, gone = undone.outcome == "message_retracted", undone.facts["stopped"], undone.facts["gone"]
    if not gone and private:
        return say("Your private message is taken back. Nobody got it.")
    if not gone:
        return say("Your post is taken back. Nobody got it.")
    what = say("Your private message is taken back:") if private else say("Your post is taken back:")
    out = count("{count} had gone out", "{count} had gone out", gone)
    rest = count(", {count} stopped", ", {count} stopped", stopped) if stopped else ""
    return joined([joined([what, out]), rest, say(". It shows as retracted.")], "")


def _forget(session: Session, actor: Actor, effect: Effect) -> Undone:
    """Closes a question that is not to be answered, and deletes its words. Only a phone or a mailbox has questions."""
    assert actor.address is not None
    open_ = conversations.open_question(session, actor.address.id)
    if open_ and open_.kind == bare_texts.KIND and effect.subject_id:
        left = bare_texts.take_back(session, actor.address.id, open_, effect.subject_id)
        if left:
            return Undone("text_forgotten", {"question": left})
    conversations.close(session, actor.address.id)
    if effect.subject_id:
        conversations.forget_draft(session, effect.subject_id)
    return Undone("question_forgotten", {"before": open_.about.get("before") if open_ else None})


def _sentence(outcome: str, facts: dict[str, Any]) -> Phrase:
    match outcome:
        case "text_forgotten":
            return joined([facts["question"]])
        case "language":
            return say("Your language is {language} again.", language=own_name(facts["language"]))
        case "acknowledged" | "not_acknowledged":
            return describe_acknowledged(outcome == "acknowledged")
        case "daily_mail_on" | "daily_mail_off":
            return describe_daily(outcome == "daily_mail_on")
        case "connecting" | "not_connecting":
            return describe_connecting(outcome == "connecting")
    return _waits(outcome, facts) or say(SENTENCES[outcome], **facts)


def _waits(outcome: str, facts: dict[str, Any]) -> Phrase | None:
    """Of settings that say what waits for its reader, and until when."""
    match outcome:
        case "digest_time":
            return _digest_again(DigestSetting.unpack(facts))
        case "text_limit":
            return describe_limit(facts["most"])
        case "unseen":
            return describe_unseen(facts["minutes"])
        case "cause_way" | "source_way":
            return describe_cause_way(**facts) if outcome == "cause_way" else describe_way(**facts)
        case "quiet_hours":
            return describe_hours(**facts) if facts["hours"] else say("Quiet hours are off.")
        case "status":
            return describe_status(SetStatus.unpack(facts["before"]), facts["timezone"])
        case "zone":
            until = datetime.fromisoformat(facts["until"]) if facts["until"] else None
            return describe_clock(ZoneNow(facts["name"], until, facts["home"]))
    return None


def _digest_again(setting: DigestSetting) -> Phrase:
    if setting.every is None:
        return say("You have no digest any more.")
    return say("Your digest comes {when} again.", when=describe_time(setting))


SENTENCES: Final = {
    "answer_taken_back": template("Your answer is taken back."),
    "follow_restored": template("You follow {name} as before."),
    "follow_ended": template("You do not follow {name} any more."),
    "request_withdrawn": template("You no longer ask to join {name}."),
    "request_restored": template("You have asked to join {name} again."),
    "tag_left": template("You no longer follow {tag}."),
    "tag_followed": template("You follow {tag} again."),
    "tracked": template('You track "{phrase}" again.'),
    "track_ended": template('You no longer track "{phrase}".'),
    "digest_source_out": template("{name} comes one by one again."),
    "digest_source_kept": template("{name} stays in your digest."),
    "prefers_mails": template("You get mails instead of texts again."),
    "prefers_pushes": template("You get pushes instead of texts again."),
    "prefers_web": template("What came by text is on the web alone again."),
    "prefers_texts": template("You get texts again where you asked for them."),
    "source_off": template("{name} is off."),
    "source_on": template("{name} is on."),
    "sms_on": ON["sms"],
    "sms_off": OFF["sms"],
    "email_on": ON["email"],
    "email_off": OFF["email"],
    "push_on": ON["push"],
    "push_off": OFF["push"],
    "unblocked": template("{name} is no longer blocked. You follow each other as before."),
    "heard": template("You hear {name} as before."),
    "blocked": template("{name} is blocked again."),
    "muted": template("{name} is muted again."),
    "member_removed": template("{name} is no longer in {group} and has been told."),
    "member_asks": template("{name} still asks to join {group} and has been told."),
    "member_restored": template("{name} is in {group} as before and has been told."),
    "group_removed": template("{name} is removed again."),
    "reaction_back": template("Your reaction is back."),
    "reaction_removed": template("Your reaction is taken back."),
    "report_withdrawn": template("Your report is withdrawn."),
    "name": template("You are called {name} again."),
    "group_name": template("#{handle} is called {name} again."),
}
