"""Why something did not arrive, in plain words, for mails that replace a text and for receipts.

gateway/ledger/outbox/email_fallback and gateway/network/receipts/receipts use them. A reason is the value of
deliveries.reason: a word of ours, a carrier's code (https://www.twilio.com/docs/api/errors/CODE), a bounce's code
(RFC 3463), or the relay's three digits.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from gateway.i18n.phrases import Phrase, say
from gateway.mail.bounces import status_codes

_NO_TEXTS: Final = say("This came by mail because your phone's number cannot get texts.")
_BLOCKED: Final = say("This came by mail because the text was blocked on its way to your phone.")

# Only these reasons send a text by mail instead. 21610, the opt-out, is not among them and must never be.
INSTEAD: Final[Mapping[str, Phrase]] = {
    "21211": _NO_TEXTS,
    "21614": _NO_TEXTS,
    "smpp b": _NO_TEXTS,  # Kannel: no such number
    "30003": say("This came by mail because your phone could not be reached."),
    "30004": _BLOCKED,
    "30007": _BLOCKED,
    "30005": say("This came by mail because your phone's number is not in service."),
    "30006": say("This came by mail because your phone is a landline, or its carrier cannot be reached."),
    "no_route": say("This came by mail because none of our numbers can text your phone."),
    "gave_up": say("This came by mail because no text got through to your phone for 4 hours."),
    "gone": say("This came by mail because no device of yours gets pushes any more."),
    "not_pushed": say("This came by mail because it could not be pushed to any device of yours."),
    "suspended": say("This came by mail because texts to your phone are off until you confirm its number again."),
}

OPTED_OUT: Final = ("opted_out", "stopped", "21610")

_UNUSABLE: Final = say("the number cannot get texts")
_FILTERED: Final = say("a carrier blocked the text")
_OURS: Final = say("our own number or account was refused")
_IN_DOUBT: Final = say("it may not have arrived")
_NO_MORE: Final = say("no longer gets this")
_UNREADY: Final = say("has not confirmed the phone or mailbox")

MISSED: Final[Mapping[str, Phrase]] = {
    "21211": _UNUSABLE,
    "21614": _UNUSABLE,
    "smpp b": _UNUSABLE,
    "30006": _UNUSABLE,
    "21408": say("texts to that country are off"),
    "30001": say("the carrier was too busy"),
    "30003": say("the phone was off or out of reach"),
    "30005": say("the number is not in service"),
    "30004": _FILTERED,
    "30007": _FILTERED,
    "30008": say("the carrier does not say why"),
    **dict.fromkeys(("20003", "20005", "10001", "30002", "30032", "30034", "21606", "21608"), _OURS),
    "no_route": say("none of our numbers can text there"),
    "gave_up": say("it could not be sent in time"),
    "quarantined": say("sending it failed; an operator has been told"),
    "rendering": say("sending it failed; an operator has been told"),
    "content": say("it contains characters that cannot be sent"),
    "dropped": say("an operator removed it"),
    "opted_out": say("opted out"),
    "stopped": say("opted out"),
    "21610": say("opted out"),
    "suspended": say("the phone or the account is switched off"),
    "deactivated": say("is not here any more"),
    "invited": _UNREADY,
    "nowhere": say("has no phone or mailbox that can get it"),
    "retracted": say("you took it back"),
    "silenced": _NO_MORE,
    "left": _NO_MORE,
    "private": _NO_MORE,
    "off": say("paused for now"),
    **dict.fromkeys(("quiet", "off_till"), say("the reader must not be disturbed now; it is made anew later")),
    "empty": say("nothing was left in it"),
    "redirected": say("it went by mail, as its reader prefers"),
    "gone": say("no device of theirs gets pushes any more"),
    "not_pushed": say("no device of theirs took it"),
    "forbidden": say("the push service of their device may not be used here"),
    "pushed": say("got it by push"),
    "bouncing": say("mails to their mailbox come back"),
    "on_web": say("reads it on the web alone"),
    "seen": say("saw it on the web"),
}
_REFUSED_MAIL: Final = say("the mailbox refuses it")
_FAILED: Final = say("the carrier could not deliver it")
_WAITING: Final = say("not sent yet")
_AGAIN: Final = say("tried again later")
_HELD: Final = say("it comes later")


def describe_failure(state: str, reason: str | None, channel: str, opted_out_on: date | None = None) -> Phrase:
    """Why somebody did not get it, as words after a name: "opted out on May 3", "the phone was off".

    A mute or a block gives the same words as having left, because it is private to whoever set it."""
    if reason in OPTED_OUT and opted_out_on:
        return say("opted out on {day}", day=opted_out_on)
    if state == "unknown":
        return _IN_DOUBT
    if state in ("queued", "sending"):
        return _WAITING
    if state == "retry":
        return _AGAIN
    if state == "held":
        return _HELD
    if reason is not None and reason in MISSED:
        return MISSED[reason]
    if reason is not None and (came_back := status_codes.describe_status(reason)):
        return came_back
    return _REFUSED_MAIL if channel == "email" else _FAILED
