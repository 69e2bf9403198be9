"""Translates Kannel's answers and delivery reports into our words, for gateway/carriers/kannel/sms,
gateway/doors/sms/kannel and workers/callbacks.

Source: Kannel 1.4.5 User's Guide, chapter 6 ("Using the HTTP interface to send SMS messages", "Delivery reports");
the texts are those that its smsbox answers. SMPP's error codes: SMPP 3.4, section 5.1.3.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.carriers.common.delivery_report import Action, DeliveryReport
from gateway.carriers.common.protocol import Outcome

BUSY: Final = "busy"
ACCEPTED: Final = ("0: ", "3: ", "Sent.")  # passed to its SMS center, put into its own queue, and an older wording
TEMPORAL: Final = "Temporal failure"
UNAUTHORIZED: Final = "Authorization failed"

# The bits of dlr-mask, and which of them we ask for. 32, an intermediate notification, would tell nothing new.
DELIVERED, UNDELIVERED, BUFFERED, TAKEN, REJECTED = 1, 2, 4, 8, 16
EVERY_REPORT: Final = DELIVERED | UNDELIVERED | BUFFERED | TAKEN | REJECTED

_NACK: Final = re.compile(r"NACK/(?:0x0*)?([0-9A-Fa-f]{1,8})(?![0-9A-Za-z])")
_RECEIPT: Final = re.compile(r"stat:([A-Z]{4,8})(?:.{0,20}?err:([0-9A-Za-z]{1,5})(?![0-9A-Za-z]))?", re.DOTALL)
_ACTIONS: Final[dict[str, Action]] = {"smpp b": "dead_number"}  # ESME_RINVDSTADR: not a number


def read_answer(status: int, text: str) -> Outcome:
    """Returns the outcome from the HTTP status and the body of the answer to sendsms.

    503 is `retry` only with Kannel's own words: the 503 of a proxy leaves open what happened behind it.
    """
    words, detail = text.strip(), f"HTTP {status}"
    if status in (200, 202):
        if words.startswith(ACCEPTED):
            return Outcome("sent")  # no id: Kannel gives none
        return Outcome("unknown", reason="malformed", detail=detail)
    if status == 503 and words.startswith(TEMPORAL):
        return Outcome("retry", reason=BUSY, detail=detail)
    if status in (401, 404) or (status == 403 and words.startswith(UNAUTHORIZED)):
        return Outcome("retry", reason=str(status), detail=detail, pause=True)
    if status >= 500 or status < 400 or status == 408:
        return Outcome("unknown", reason=str(status), detail=detail)
    if status == 429:
        return Outcome("retry", reason=BUSY, detail=detail)
    return Outcome("failed", reason=str(status), detail=detail)


def reason_of(answer: str) -> str:
    """Returns a short code from what the SMS center replied (%A) or reported (%a), "" when there is none.

    Nothing else of it is kept: a report may quote the first words of the text.
    """
    nack = _NACK.search(answer)
    if nack:
        return f"smpp {nack[1].lower()}"
    receipt = _RECEIPT.search(answer)
    if receipt and receipt[1] != "DELIVRD":
        return f"{receipt[1]} {receipt[2]}" if receipt[2] else receipt[1]
    return ""


def read_report(status: str, reason: str | None) -> DeliveryReport | None:
    """Translates a delivery report's type (%d) and reason; returns None for a type that Kannel does not have.

    Undelivered is terminal: it comes after all the tries of the SMS center, in the time that we allowed for them.
    """
    kind = int(status) if status.isascii() and status.isdigit() and len(status) <= 3 else 0
    if kind == DELIVERED:
        return DeliveryReport("delivered", 3)
    if kind in (UNDELIVERED, REJECTED):
        code = reason or ("rejected" if kind == REJECTED else "undelivered")
        return DeliveryReport("failed", 3, _ACTIONS.get(code, "none"), code)
    if kind in (BUFFERED, TAKEN):
        return DeliveryReport("sent", 2)
    return None
