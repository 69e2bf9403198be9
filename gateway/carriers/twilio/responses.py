"""What Twilio's answer says about one text; used by twilio/sms and twilio/inbound_list.

The question behind every line: can Twilio have taken the text? Only if it surely has not may the text be tried again.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, TypeGuard

from twilio.http.response import Response

from gateway.carriers.common.http_client import explain_unanswered
from gateway.carriers.common.protocol import Outcome
from gateway.carriers.twilio.error_codes import code_of
from gateway.errors import CarrierError

_SID: Final = re.compile(r"(SM|MM)[0-9a-f]{32}")
STATUSES: Final = ("accepted", "scheduled", "queued", "sending", "sent", "delivered", "undelivered", "failed", "read")
_PAUSES: Final = ("pause_carrier", "pause_number")


def read_answer(status: int, body: str) -> Outcome:
    """Returns the outcome from the HTTP status and the body of the answer to "create message"."""
    fields = _fields(body)
    if not 200 <= status < 300:
        return _refused(status, fields.get("code"))
    sid = fields.get("sid")
    if is_sid(sid):
        odd = fields.get("status", "queued") not in STATUSES  # with a SID, Twilio has the text, whatever the status is
        return Outcome("sent", sid, detail="odd status" if odd else "")
    return Outcome("unknown", reason="malformed", detail=f"HTTP {status} without a message SID")


def is_sid(sid: object) -> TypeGuard[str]:
    """Tells whether this is a text's id as Twilio writes it; anything else must not reach the ledger."""
    return isinstance(sid, str) and _SID.fullmatch(sid) is not None


def _fields(body: str) -> dict[str, Any]:
    """Returns the JSON object in the body; an empty one when the body is anything else, however deep or broken."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _refused(status: int, code: object) -> Outcome:
    number = code if isinstance(code, int) and 9999 < code < 1_000_000 else status
    reason, detail = str(number), f"HTTP {status}"
    if status == 429 or number == 20429:
        return Outcome("retry", reason="20429", detail=detail)
    if status == 401:
        return Outcome("retry", reason=reason, detail=detail, pause=True)
    if status >= 500 or status < 400 or status == 408:
        return Outcome("unknown", reason=str(status), detail=detail)
    action = code_of(number).action
    if action in _PAUSES:
        return Outcome("retry", reason=reason, detail=detail, pause=True, one_number=action == "pause_number")
    return Outcome("failed", reason=reason, detail=detail)


def blames_account(outcome: Outcome) -> bool:
    """Tells whether no other text can succeed: our account is at fault, not one sending number."""
    return outcome.pause and not outcome.one_number


def page_lost_error(problem: Exception) -> CarrierError:
    """Returns the reason why the list is not complete. The library gives a page's answer only as an argument of its
    exception."""
    answer = problem.args[-1] if problem.args else None
    if isinstance(answer, Response):
        outcome = read_answer(answer.status_code, answer.text)
        return CarrierError(outcome.reason, "permanent" if outcome.pause or outcome.state == "failed" else "transient")
    return CarrierError(explain_unanswered(problem).reason, "transient")
