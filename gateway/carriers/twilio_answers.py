"""What Twilio's answer, or its absence, says about one text; used by twilio_sms alone.

The question behind every line: can Twilio have taken the text? Only "surely not" may be tried again.
"""

from __future__ import annotations

import re
from asyncio import TimeoutError as LoopTimeout
from typing import Final

from aiohttp import ClientConnectorError, ClientConnectorDNSError, ConnectionTimeoutError
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.http.response import Response
from twilio.rest.api.v2010.account.message import MessageInstance

from gateway.carriers import Outcome
from gateway.carriers.twilio_codes import code_of
from gateway.errors import CarrierError

_SID: Final = re.compile(r"(SM|MM)[0-9a-f]{32}")
_PAUSES: Final = ("pause_carrier", "pause_number")


def accepted(message: MessageInstance) -> Outcome:
    """A 2xx answer counts only when it names the message."""
    if isinstance(message.sid, str) and _SID.fullmatch(message.sid):
        return Outcome("sent", message.sid)
    return Outcome("unknown", reason="malformed", detail="2xx without a message SID")


def refused_or_lost(problem: Exception) -> Outcome:
    """Everything else that can come out of a request to create a message."""
    if isinstance(problem, TwilioRestException | TwilioServiceException):
        return _answered(problem.status, problem.code)
    if isinstance(problem, ClientConnectorDNSError):
        return Outcome("retry", reason="dns")
    if isinstance(problem, ClientConnectorError | ConnectionTimeoutError):
        return Outcome("retry", reason="refused", detail=type(problem).__name__)
    if isinstance(problem, LoopTimeout):
        return Outcome("unknown", reason="timeout")
    if isinstance(problem, ValueError | TypeError | AttributeError):
        return Outcome("unknown", reason="malformed", detail=type(problem).__name__)
    return Outcome("unknown", reason="cut", detail=type(problem).__name__)


def _answered(status: int, code: object) -> Outcome:
    """An HTTP status outside 2xx, with Twilio's own code where the body had one."""
    number = code if isinstance(code, int) and not isinstance(code, bool) else status
    reason, detail = str(number), f"HTTP {status}"
    if status == 429 or number == 20429:
        return Outcome("retry", reason="20429", detail=detail)
    if status == 401:
        return Outcome("retry", reason=reason, detail=detail, pause=True)
    if status >= 500 or status < 400 or status == 408:
        return Outcome("unknown", reason=str(status), detail=detail)
    if code_of(number).action in _PAUSES:
        return Outcome("retry", reason=reason, detail=detail, pause=True)
    return Outcome("failed", reason=reason, detail=detail)


def blames_account(outcome: Outcome) -> bool:
    """True when no other text can fare better: it is our account, not one sending number."""
    return outcome.pause and code_of(int(outcome.reason)).action != "pause_number"


def page_lost(problem: Exception) -> CarrierError:
    """Why the list is not complete. The library tells a page's HTTP status only beside its words."""
    answer = problem.args[-1] if problem.args else None
    if isinstance(answer, Response):
        problem = TwilioRestException(answer.status_code, "", code=answer.status_code)
    outcome = refused_or_lost(problem)
    permanent = outcome.pause or outcome.state == "failed"
    return CarrierError(outcome.reason, "permanent" if permanent else "transient")
