"""Translates a web hook's answers and its words for what became of a text, for gateway/carriers/webhook/sms,
gateway/doors/sms/webhook and workers/callbacks.

What a word does to a phone is decided by Twilio's table, so that a phone is treated alike with every carrier.
docs/extending.md describes this interface to whoever writes its other side.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from gateway.carriers.common.delivery_report import DeliveryReport
from gateway.carriers.common.http_client import HttpResponse
from gateway.carriers.common.protocol import Outcome
from gateway.carriers.twilio.error_codes import callback_outcome

ID: Final = re.compile(r"[!-~]{1,100}")
REASON: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")

# Reasons that have a meaning for us. Any other word of this shape is recorded as it is.
CODES: Final[dict[str, str]] = {
    "opted_out": "21610",
    "invalid_number": "21211",
    "reassigned": "21211",  # somebody else has the number now: its owner proves a new one
    "not_mobile": "21614",
    "region": "21408",
    "unreachable": "30003",
    "unknown_number": "30005",
    "landline": "30006",
    "filtered": "30007",
}
STATES: Final[dict[str, DeliveryReport]] = {
    "queued": DeliveryReport("queued", 0),
    "sending": DeliveryReport("sending", 1),
    "sent": DeliveryReport("sent", 2),
    "delivered": DeliveryReport("delivered", 3),
}


def fields_of(body: str | bytes) -> dict[str, Any]:
    """Returns the JSON object in the body; an empty one when the body is anything else, however deep or broken."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def read_answer(answer: HttpResponse) -> Outcome:
    """Returns the outcome of an answer. By the interface, a 503 without Retry-After is a server that failed, and a 503
    with it is a server that asks us to wait."""
    fields, status, detail = fields_of(answer.text), answer.status, f"HTTP {answer.status}"
    if 200 <= status < 300:
        name = fields.get("id")
        if isinstance(name, str) and ID.fullmatch(name):
            return Outcome("sent", name)
        return Outcome("unknown", reason="malformed", detail=f"{detail} without an id")
    if status == 429 or (status == 503 and answer.wait is not None):
        return Outcome("retry", reason="busy", detail=detail, wait=answer.wait)
    if status in (401, 403, 404, 405):
        return Outcome("retry", reason=str(status), detail=detail, pause=True)
    if status >= 500 or status < 400 or status == 408:
        return Outcome("unknown", reason=str(status), detail=detail)
    return Outcome("failed", reason=code_of(fields.get("reason")) or str(status), detail=detail)


def code_of(reason: object) -> str:
    """Returns a reason as we store it; "" for anything that is not a word of the right shape."""
    if not isinstance(reason, str) or not REASON.fullmatch(reason):
        return ""
    return CODES.get(reason, reason)


def read_report(status: str, reason: str | None) -> DeliveryReport | None:
    """Translates a status and its reason (as `code_of` gave it); returns None for a status that the interface does not
    have."""
    if status != "failed":
        return STATES.get(status)
    known = callback_outcome("failed", reason)
    if known is None or reason in CODES.values():
        return known
    return DeliveryReport("failed", 3, reason=reason or "failed")
