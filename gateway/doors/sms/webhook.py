"""The web hook's door: texts and statuses that the operator's own carrier posts to us, signed in the same way as ours
to it.

It answers after one commit. An unsigned, stale or foreign request is 403, a signed one that is unreadable is 400, and
our own failure is 503: then the other side calls again with the same id, and a repeat has no second effect.
"""

import logging
import re
from typing import Any

from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import HTTPException

from gateway.carriers.webhook import codes
from gateway.doors.route_access import access
from gateway.ledger.commit.admission import Closed
from gateway.ledger.commit.group_commit import CommitQueue
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox.callbacks import CallbackCall
from gateway.security import standard_webhooks
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings

PATIENCE = 10.0  # seconds for the commit
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")  # E.164, or a short code
STATUS = re.compile(r"[a-z_-]{2,30}")
LONGEST = 10_000  # characters of a text

log = logging.getLogger(__name__)


def blueprint(
    settings: Settings, signer: Signer, intake: CommitQueue[Incoming], callbacks: CommitQueue[CallbackCall]
) -> Blueprint:
    """POST /sms/hook/inbound and POST /sms/hook/status/TOKEN."""
    door = Blueprint("hook", __name__)
    keys = tuple(standard_webhooks.key_of(secret) for secret in settings.hook_secrets)

    @door.post("/sms/hook/inbound")
    @access("signed")
    def inbound() -> Response:
        fields = _signed(keys)
        intake.submit(_incoming(settings, fields, request.get_data())).result(PATIENCE)
        return Response(status=204)

    @door.post("/sms/hook/status/<token>")
    @access("signed")
    def status(token: str) -> Response:
        fields = _signed(keys)
        callbacks.submit(_called(fields, signer.read("status", token))).result(PATIENCE)
        return Response(status=204)

    door.register_error_handler(HTTPException, _refused)
    door.register_error_handler(Exception, _unwell)
    return door


def _signed(keys: tuple[bytes, ...]) -> dict[str, Any]:
    """Returns the JSON object, which must have been signed within the last minutes. A captured request that comes again
    within this time is a repeat like any other."""
    body = request.get_data()
    if request.query_string or standard_webhooks.verify(keys, request.headers, body) is None:
        abort(403)
    return codes.fields_of(body) or abort(400)


def _incoming(settings: Settings, fields: dict[str, Any], raw: bytes) -> Incoming:
    name, text = _match(fields, "id", codes.ID), fields.get("text")
    if not isinstance(text, str) or len(text) > LONGEST:
        abort(400)
    recipient = _match(fields, "to", NUMBER)
    if recipient not in settings.numbers_with("hook"):
        abort(403)
    return Incoming(
        channel="sms",
        identity=b"hook\0" + name.encode(),
        sender=_match(fields, "from", NUMBER),
        recipients=(recipient,),
        raw=raw,
        trusted=True,
        message_id=name,
        text=text.encode("utf-8", "replace").decode().replace("\0", ""),  # the database takes no lone surrogate, no NUL
    )


def _called(fields: dict[str, Any], attempt: tuple[int, ...] | None) -> CallbackCall:
    if attempt is None or len(attempt) != 1:
        abort(403)
    return CallbackCall(
        attempt_id=attempt[0],
        carrier_id=_match(fields, "id", codes.ID),
        status=_match(fields, "status", STATUS),
        reason=codes.code_of(fields.get("reason")) or None,
        carrier="hook",
    )


def _match(fields: dict[str, Any], name: str, shape: re.Pattern[str]) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) and shape.fullmatch(value) else abort(400)


def _refused(error: HTTPException) -> Response:
    log.info("web hook refused with %s: %s", error.code, request.url_rule)
    return Response(status=error.code)


def _unwell(error: Exception) -> Response:
    if isinstance(error, Closed):  # an operator's drain has closed the doors
        return Response(status=503)
    log.error("web hook not taken: %s", request.url_rule, exc_info=error)
    return Response(status=503)
