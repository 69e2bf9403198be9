"""Proves that a risky text is from the phone it seems to be from: a sender number can be forged, but what a phone gets
can be read only on it.

A person with a PIN is asked for it. Everybody else gets a code in the question, which only the real phone shows (R39).
Somebody with a phone who writes by mail is proved by the phone (R30): the question comes by mail, its code by text.
Five wrong answers of a person, to whatever questions, lock confirming over that channel for a while (R57)."""

import hmac
import re
import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy.orm import Session

from gateway.actions.model.confirmation import PROOF, ConfirmationRequired
from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, QuestionRequired, confirms, guard, question
from gateway.network.conversation import conversations, notices
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.verification import lockouts, pins
from handlers.confirmation_questions import describe_reach, describe_recipients
from handlers.saved_question import as_confirmed

DIGITS = 6
# What a text may do without the PIN of somebody who wants it asked always: it only shows something, or belongs to a
# question.
_SHOWING = "get whois who stats followers following groups why receipts help more choice error machine dropped link"
_SHOWING += " acknowledge"  # an OK says only that they have read it; words with it are another thing
FREE = frozenset(_SHOWING.split(" "))
LAW = ("optout", "optin")
_DIGITS = re.compile(r"\s*\d{4,8}[\s.!)]*")


@confirms("add_member", "remove_member", "make_owner", "undo_member", "wide_message")
def _ask_proof(session: Session, context: CommandContext, needed: ConfirmationRequired) -> QuestionRequired:
    return question_for(session, context, _what(needed.kind, needed.facts), needed.gives)


def _what(kind: str, facts: Mapping[str, Any]) -> Phrase:
    """What would happen, as a question."""
    match kind:
        case "add_member":
            return say("Add {name} to {group}?", name=facts["person"], group=facts["group"])
        case "remove_member":
            return say("Remove {name} from {group}?", name=facts["person"], group=facts["group"])
        case "make_owner":
            return say("Make {name} an owner of {group}?", name=facts["person"], group=facts["group"])
        case "undo_member":
            return say("Take back what you did last in your group?")
    called = describe_recipients(facts["names"], facts["people"])
    cost = describe_reach(facts["reach"]) if facts["reach"] else ""
    return joined([say("Send this privately to {names}?", names=called), cost])


def question_for(
    session: Session, context: CommandContext, what: Phrase, gives: Collection[str] = (PROOF,)
) -> QuestionRequired:  # fmt: skip
    """The question that proves the writer. `what` is what would happen, a sentence; `gives`: what the right answer
    confirms. Raises Refused while wrong answers lock them out."""
    if lock := lockouts.locked_until(session, context.account.id, context.address.channel):
        raise _locked(session, context, lock)
    if context.account.pin == "none":
        return _code_question(session, context, what, gives)
    if pins.locked(session, context.account.id):
        raise refusal("pin_ended")
    asked = say("{what} Reply with your PIN.", what=what)
    return QuestionRequired(asked, gives, words=("DROP",), secret=True, about={"code": None})


def _code_question(
    session: Session, context: CommandContext, what: Phrase, gives: Collection[str]
) -> QuestionRequired:  # fmt: skip
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    about = {"code": _seal(context, code), "wrong": 0}  # `wrong`: the version before needs it
    if context.address.channel == "email" and notices.elsewhere(session, context.account.id, "email"):
        asked = say("{what} To confirm, reply with the code that we texted to your phone.", what=what)
        sent = say(
            "{code} is your code. Send it in a reply to our mail that asks for it. If you asked for "
            "nothing, ignore this.",
            code=code,
        )
    else:
        asked, sent = say("{what} Reply {code} to confirm.", what=what, code=code), None
    return QuestionRequired(asked, gives, words=("DROP",), secret=True, about=about, elsewhere=sent)


def _seal(context: CommandContext, code: str) -> str:
    """The keyed hash of the code, for this phone; the code itself is not kept."""
    return context.registry.signer.seal("confirm", context.address.id, code)


@question("secret")
def _answered(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> str | None:
    """A wrong answer is told and not refused, because a refusal would roll the count of tries back."""
    context.secret = True
    if lock := lockouts.hold(session, context.account.id, context.address.channel):
        conversations.expire(session, context.address.id)
        return _locked(session, context, lock).text
    kind: Kind = "pin" if asked.about["code"] is None else "code"
    if not _right(session, context, asked, word):
        return _wrong(session, context, kind)
    lockouts.record_right(session, context.account.id)
    conversations.close(session, context.address.id)
    try:
        return as_confirmed(session, context, asked) or say("Done.")
    except Refused as refused:
        return refused.text


def _locked(session: Session, context: CommandContext, lock: timedelta) -> Refused:
    return lockouts.refuse(session, context.account.id, context.address.channel, lock)


Kind = Literal["pin", "code"]


def _right(session: Session, context: CommandContext, asked: AskedQuestion, word: str) -> bool:
    if asked.about["code"] is None:
        return pins.check(session, context.account.id, word) == "right"
    return hmac.compare_digest(asked.about["code"], _seal(context, word))


def _wrong(session: Session, context: CommandContext, kind: Kind) -> str:
    """Says how many more may be wrong; the last one closes the question, and its writer is told on another channel."""
    counted = lockouts.count_wrong(session, context.account, context.address.channel, kind)
    context.actor.queues |= counted.queues
    ended = kind == "pin" and pins.locked(session, context.account.id)
    if counted.lock is None and not ended:
        return joined([NOT_RIGHT[kind], _left(counted.left)])
    conversations.expire(session, context.address.id)
    return refusal("pin_ended").text if ended else _locked(session, context, counted.lock or timedelta(0)).text


NOT_RIGHT = {"pin": say("That is not your PIN."), "code": say("That is not the code.")}


def _left(tries: int) -> Phrase:
    return count("{count} more try. Reply DROP to cancel.", "{count} more tries. Reply DROP to cancel.", tries)


def _refuse_digits(context: CommandContext) -> None:
    """Digits alone, when nobody asked for them, may be a PIN: they are not kept, and are no update. The right ones are
    treated like any others, or a forger could text all of them and see which is never posted."""
    if context.reading.intent == "choice" or not _DIGITS.fullmatch(context.said):
        return
    context.secret = True
    if context.reading.intent != "error":
        raise refusal("digits_alone")


@guard
def _always(session: Session, context: CommandContext) -> None:
    """Runs before anything is done: some people want their PIN asked for with every text that does something."""
    if context.account.pin == "none":
        return
    _refuse_digits(context)
    told = context.reading.intent == "acknowledge" and bool(context.reading.text)
    if context.reading.intent in FREE and not told and not _decides(session, context):
        return
    always = context.account.pin == "always" and context.actor.door == "sms" and context.reading.intent not in LAW
    if always and PROOF not in context.actor.confirmed:
        raise question_for(session, context, say("This needs your PIN."))


def _decides(session: Session, context: CommandContext) -> bool:
    """Whether it answers a question with more than a PIN, a code or a no, so that what was kept takes effect."""
    if context.reading.intent != "choice" or context.reading.args[0] == "DROP":
        return False
    asked = conversations.open_question(session, context.address.id)
    return asked is not None and not asked.secret
