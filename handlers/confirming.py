"""Proof that a risky text is from whose number it seems to be: a sender number can be forged, a phone cannot be read.

Who has a PIN is asked for it. Everybody else gets a code in the question, which only the real phone sees (R39). What
was mailed by somebody who has a phone is proved there (R30): the question comes by mail, its code by text."""

import hmac
import re
import secrets
from dataclasses import replace
from typing import NoReturn

from sqlalchemy.orm import Session

from gateway.commands import Turn, Unconfirmed, guard, question
from gateway.errors import Refused
from gateway.language.phrases import Phrase, count, say
from gateway.ledger import audit
from gateway.network import accounts, conversations, notices, pins
from gateway.network.conversations import Asked
from handlers.kept import as_confirmed

GIVES = "secret"
CODE_TRIES = 3
# What a text may do without the PIN of somebody who wants it asked always: it shows, or it belongs to a question.
_SHOWING = "get whois who stats followers following groups why receipts help more choice error machine dropped link"
FREE = frozenset(_SHOWING.split(" "))
LAW = ("optout", "optin")
_DIGITS = re.compile(r"\s*\d{4,8}[\s.!)]*")
LOCKED = say("Your PIN is locked after five wrong tries. An operator sets a new one.")


def prove(session: Session, turn: Turn, what: Phrase, gives: str = GIVES) -> None:
    """Returns when the writer has proved themselves in this turn; else raises Unconfirmed, and nothing is done yet.
    `what` is what would happen, a sentence; `gives`: what else the right answer confirms, with blanks."""
    if GIVES in turn.confirmed:
        return
    if turn.account.pin == "none":
        _ask_code(session, turn, what, gives)
    if pins.locked(session, turn.account.id):
        raise Refused(LOCKED)
    asked = say("{what} Reply with your PIN.", what=what)
    raise Unconfirmed(asked, gives, words=("DROP",), secret=True, about={"code": None})


def _ask_code(session: Session, turn: Turn, what: Phrase, gives: str) -> NoReturn:
    code = f"{secrets.randbelow(10_000):04}"
    about = {"code": _seal(turn, code), "wrong": 0}
    if turn.address.channel == "email" and notices.elsewhere(session, turn.account.id, "email"):
        asked = say("{what} To do it, reply with the code that we texted to your phone.", what=what)
        sent = say("{code}: reply with it to our mail that asks. If you asked for nothing, ignore this.", code=code)
    else:
        asked, sent = say("{what} Reply {code} to do it.", what=what, code=code), None
    raise Unconfirmed(asked, gives, words=("DROP",), secret=True, about=about, elsewhere=sent)


def _seal(turn: Turn, code: str) -> str:
    """The code is not kept: only what it becomes under our key, for this phone."""
    return turn.world.signer.seal("confirm", turn.address.id, code)


@question("secret")
def _answered(session: Session, turn: Turn, asked: Asked, word: str) -> str | None:
    """A wrong answer is told and not refused, for a refusal would take the count of tries back."""
    turn.secret = True
    wrong = _wrong_pin(session, turn, word) if asked.about["code"] is None else _wrong_code(session, turn, asked, word)
    if wrong:
        return wrong
    conversations.close(session, turn.address.id)
    try:
        return as_confirmed(session, turn, asked) or say("Done.")
    except Refused as refused:
        return refused.text


def _wrong_code(session: Session, turn: Turn, asked: Asked, word: str) -> Phrase | None:
    if hmac.compare_digest(asked.about["code"], _seal(turn, word)):
        return None
    wrong = asked.about["wrong"] + 1
    left = CODE_TRIES - wrong
    if left:
        conversations.change(session, turn.address.id, replace(asked, about={**asked.about, "wrong": wrong}))
        return count("That is not the code. {count} more try.", "That is not the code. {count} more tries.", left)
    conversations.close(session, turn.address.id)
    return say("That was not the code either. Nothing was done.")


def _wrong_pin(session: Session, turn: Turn, word: str) -> Phrase | None:
    verdict = pins.check(session, turn.account.id, word)
    if verdict == "right":
        return None
    audit.record(session, f"@{turn.account.handle}", "pin.wrong", turn.account.id)
    if verdict == "wrong":
        return say("That is not your PIN. Try again, or DROP forgets.")
    conversations.close(session, turn.address.id)
    return _lock(session, turn)


def _lock(session: Session, turn: Turn) -> Phrase:
    """The one whose PIN it is hears of it elsewhere, and so do the operators."""
    audit.record(session, f"@{turn.account.handle}", "pin.locked", turn.account.id)
    told = say("The PIN of @{handle} was locked after five wrong tries from a phone.", handle=turn.account.handle)
    turn.rings |= notices.tell_elsewhere(session, turn.account.id, turn.address.channel, told)
    turn.rings |= notices.tell(session, accounts.operators(session) - {turn.account.id}, told)
    return LOCKED


def _refuse_digits(turn: Turn) -> None:
    """Digits alone, when nobody asked for them, may be a PIN: they are not kept, and no update. Not even the right ones
    are told from others, or a forger would text them all and see which is never posted."""
    if turn.reading.intent == "choice" or not _DIGITS.fullmatch(turn.said):
        return
    turn.secret = True
    if turn.reading.intent != "error":
        raise Refused(say("Digits alone may be your PIN: nothing was posted or kept. A dot before them posts them."))


@guard
def _always(session: Session, turn: Turn) -> None:
    """Before anything is done: some want their PIN asked for with every text that does something."""
    if turn.account.pin == "none":
        return
    _refuse_digits(turn)
    if turn.reading.intent in FREE:
        return
    if turn.account.pin == "always" and turn.via == "sms" and turn.reading.intent not in LAW:
        prove(session, turn, say("Your PIN is needed for this."))
