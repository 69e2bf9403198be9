"""Twilio's error codes and message states in our words, for gateway/carriers/twilio/responses (answers) and
workers/callbacks (callbacks).

Source: Twilio's error dictionary (https://www.twilio.com/docs/api/errors/CODE) and the Message resource
(https://www.twilio.com/docs/messaging/api/message-resource#message-status-values). A code that is not here is recorded,
and the text is not tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.carriers.common.delivery_report import Action, DeliveryReport, Step


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One line of the table. `strikes`: the phone also gets a strike. `slow`: a retry waits half an hour or more for
    the phone, while other retries wait the minutes of the usual backoff."""

    meaning: str
    action: Action
    retries: int = 0
    strikes: bool = False
    slow: bool = False


CODES: Final[dict[int, ErrorCode]] = {
    10001: ErrorCode("account is not active", "pause_carrier"),
    20003: ErrorCode("wrong credentials, or the account is suspended", "pause_carrier"),
    20005: ErrorCode("account is not active", "pause_carrier"),
    20429: ErrorCode("too many requests at once, not processed", "retry"),
    21211: ErrorCode("not a valid number", "dead_number"),
    21408: ErrorCode("region not permitted for this account", "alert"),
    21606: ErrorCode("our number cannot send texts to this destination", "pause_number"),
    21608: ErrorCode("trial account: the recipient is not verified", "pause_number"),
    21610: ErrorCode("the recipient opted out", "opt_out"),
    21614: ErrorCode("not a mobile number", "dead_number"),
    30001: ErrorCode("queue overflow", "retry", retries=3),
    30002: ErrorCode("account suspended", "pause_carrier", retries=9),  # our own fault: the row does not fail
    30003: ErrorCode("handset unreachable, may pass", "retry", retries=2, strikes=True, slow=True),
    30004: ErrorCode("blocked", "alert"),
    30005: ErrorCode("unknown or inactive number", "count", strikes=True),
    30006: ErrorCode("landline or unreachable carrier", "dead_number", strikes=True),
    30007: ErrorCode("filtered by a carrier", "alert"),
    30008: ErrorCode("unknown error", "retry", retries=1),
    30032: ErrorCode("toll-free number not verified", "pause_number"),
    30034: ErrorCode("number not registered for A2P 10DLC", "pause_number"),
}
UNLISTED: Final = ErrorCode("not listed", "none")


_ALIVE: Final[dict[str, DeliveryReport]] = {
    "accepted": DeliveryReport("queued", 0),
    "scheduled": DeliveryReport("queued", 0),
    "queued": DeliveryReport("queued", 0),
    "sending": DeliveryReport("sending", 1),
    "sent": DeliveryReport("sent", 2),
    "delivered": DeliveryReport("delivered", 3),
    "read": DeliveryReport("delivered", 3),
    "partially_delivered": DeliveryReport("delivered", 3, reason="partially_delivered"),
    "canceled": DeliveryReport("cancelled", 3, reason="canceled"),
}


def code_of(number: int) -> ErrorCode:
    return CODES.get(number, UNLISTED)


def callback_outcome(status: str, error_code: str | int | None) -> DeliveryReport | None:
    """Translates a callback's MessageStatus and ErrorCode; returns None for a status that no outbound text has."""
    if status not in ("undelivered", "failed"):
        return _ALIVE.get(status)
    number = _number(error_code)
    code = code_of(number)
    reason = str(number) if number else status
    step: Step = "retry" if code.retries else "failed"
    return DeliveryReport(step, 3, code.action, reason, code.retries, code.strikes, code.slow)


def _number(error_code: str | int | None) -> int:
    """Twilio's codes are five digits; whatever else a form may carry counts as no code."""
    digits = str(error_code or "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 5 else 0
