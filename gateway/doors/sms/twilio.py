"""The SMS door: Twilio's web hooks for incoming texts and for the status of outgoing ones.

It answers after one commit. A wrong request is 403, our own failure is 503: Twilio then tries the fallback URL, and
what both miss stays in its list of messages.
"""

import logging
import re
from concurrent.futures import Future
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import HTTPException

from gateway.carriers.twilio.patterns import CONTENT_TYPE, MESSAGE_SID, MOST_PICTURES, NUMBER
from gateway.doors.route_access import access
from gateway.doors.sms.twilio_request import HookRequest, TwilioRequest, TwilioRequestReader
from gateway.ledger.commit.admission import Closed
from gateway.ledger.commit.group_commit import CommitQueue
from gateway.ledger.inbox.inbox import Incoming, Picture
from gateway.ledger.outbox.callbacks import CallbackCall
from gateway.security.signed_tokens import Signer
from gateway.security.twilio_signature import Verifier
from gateway.settings import Settings

INBOUND, STATUS_OF = "/sms/inbound", "/sms/status/"
NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
PATIENCE = 10.0  # seconds for the commit; Twilio itself gives up after 15
STATUS = re.compile(r"[a-z_-]{2,30}")
ERROR_CODE = re.compile(r"[0-9]{1,6}|")
OPT_OUT_TYPE = re.compile(r"STOP|START|HELP")

log = logging.getLogger(__name__)


class TwilioDoor:
    """Reads the two web hooks and hands in what is proved; both views and gateway/doors/sms/hook_fast_path use it."""

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        intake: CommitQueue[Incoming],
        callbacks: CommitQueue[CallbackCall],
    ) -> None:
        self._settings, self._signer, self._intake, self._callbacks = settings, signer, intake, callbacks
        self._hooks = TwilioRequestReader(settings, Verifier(settings.twilio_auth_tokens))

    def hand_in(self, path: str, request: HookRequest) -> "Future[None] | None":
        """Hands in what a request brings to this path; None for a path that is neither. Aborts with 403 unless Twilio
        signed it and it has the right shape."""
        if path == INBOUND:
            return self._intake.submit(_incoming(self._settings, self._hooks.read(request)))
        if path.startswith(STATUS_OF) and "/" not in (token := path[len(STATUS_OF) :]):
            hook = self._hooks.read(request)
            return self._callbacks.submit(_called(hook, self._signer.read("status", token)))
        return None


def blueprint(
    settings: Settings,
    signer: Signer,
    intake: CommitQueue[Incoming],
    callbacks: CommitQueue[CallbackCall],
) -> Blueprint:
    """POST /sms/inbound and POST /sms/status/TOKEN; the two commit queues wake workers themselves after they commit."""
    door = Blueprint("sms", __name__)
    twilio = TwilioDoor(settings, signer, intake, callbacks)

    def take() -> None:
        handed = twilio.hand_in(request.path, request)
        assert handed is not None
        handed.result(PATIENCE)

    @door.post(INBOUND)
    @access("signed")
    def inbound() -> Response:
        take()
        return Response(NO_ANSWER, content_type="text/xml")

    @door.post(f"{STATUS_OF}<token>")
    @access("signed")
    def status(token: str) -> Response:
        take()
        return Response(status=204)

    door.register_error_handler(HTTPException, _refused)
    door.register_error_handler(Closed, _closed)
    door.register_error_handler(Exception, _unwell)
    return door


def _incoming(settings: Settings, hook: TwilioRequest) -> Incoming:
    sid = hook.match("MessageSid", MESSAGE_SID)
    recipient, service = hook.match("To", NUMBER), settings.twilio_messaging_service_sid
    by_service = service and hook.get("MessagingServiceSid") == service
    if recipient not in settings.numbers_with("twilio") and not by_service:
        abort(403)
    opt_out = hook.get("OptOutType")
    return Incoming(
        channel="sms",
        identity=sid.encode(),
        sender=hook.match("From", NUMBER),
        recipients=(recipient,),
        raw=hook.raw,
        trusted=True,
        message_id=sid,
        text=hook.get("Body").replace("\0", ""),  # PostgreSQL's text type cannot hold a NUL; raw still has it
        opt_out_type=opt_out if OPT_OUT_TYPE.fullmatch(opt_out) else None,
        pictures=tuple(_pictures(settings, sid, hook)),
    )


def _pictures(settings: Settings, sid: str, hook: TwilioRequest) -> list[Picture]:
    """Returns the pictures that Twilio keeps for us; we fetch nothing from anywhere else (R45)."""
    count = hook.get("NumMedia")
    numbers = range(min(int(count), MOST_PICTURES)) if re.fullmatch(r"[0-9]{1,3}", count) else ()
    pictures = [_picture(hook, number) for number in numbers]
    theirs = [picture for picture in pictures if _is_twilios(settings, picture.url)]
    if len(theirs) < len(pictures):
        log.warning("%s: media that is not at Twilio was left out (%d)", sid, len(pictures) - len(theirs))
    return theirs


def _picture(hook: TwilioRequest, number: int) -> Picture:
    content_type = hook.get(f"MediaContentType{number}")
    return Picture(hook.get(f"MediaUrl{number}"), content_type if CONTENT_TYPE.fullmatch(content_type) else None)


def _is_twilios(settings: Settings, url: str) -> bool:
    """Tells by scheme, host and port together whether a URL is Twilio's: https://api.twilio.com or TWILIO_API_BASE."""
    if not url.isascii() or not url.isprintable() or "\\" in url:
        return False
    try:
        parts, base = urlsplit(url), urlsplit(settings.twilio_api_base)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc) in {("https", "api.twilio.com"), (base.scheme, base.netloc)}


def _called(hook: TwilioRequest, attempt: tuple[int, ...] | None) -> CallbackCall:
    if attempt is None or len(attempt) != 1:
        abort(403)
    return CallbackCall(
        attempt_id=attempt[0],
        carrier_id=hook.match("MessageSid", MESSAGE_SID),
        status=hook.match("MessageStatus", STATUS),
        reason=hook.match("ErrorCode", ERROR_CODE) or None,
    )


def _refused(error: HTTPException) -> Response:
    log.info("web hook refused with %s: %s", error.code, request.url_rule)
    return Response(status=error.code)


def _closed(_: Closed) -> Response:
    """Answers 503 while the doors are closed: Twilio then tries the fallback URL, and what both refuse stays in its
    list."""
    return Response(status=503)


def _unwell(error: Exception) -> Response:
    log.error("web hook not taken: %s", request.url_rule, exc_info=error)
    return Response(status=503)
