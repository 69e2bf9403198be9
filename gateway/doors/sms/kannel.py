"""Kannel's door: texts that its sms-service passes on, and its delivery reports, both by GET as Kannel makes them.

Kannel signs nothing. So a text is believed because of the token in its URL and the address it comes from, and a report
because of the signed attempt in its path. Only 200 ends Kannel's tries (http-request-retry): 403 and 400 are for
requests that can never be right, 503 is for our own failures. Source: Kannel 1.4.5 User's Guide, chapter 6, "Parameters
(escape codes)".
"""

import hashlib
import hmac
import logging
import re
import time
from urllib.parse import unquote_to_bytes

from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import HTTPException

from gateway.carriers.kannel import codes
from gateway.doors.client_address import caller, within
from gateway.doors.route_access import access
from gateway.errors import Refused
from gateway.ledger.commit.admission import Closed
from gateway.ledger.commit.group_commit import CommitQueue
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox.callbacks import CallbackCall
from gateway.network.people.addresses import normal_phone
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings

PATIENCE = 10.0  # seconds for the commit; Kannel itself waits longer
ID = re.compile(r"[0-9A-Za-z-]{8,64}")
SHORT_CODE = re.compile(r"[0-9]{3,8}")
TYPE = re.compile(r"[0-9]{1,3}")
FOREIGN = re.compile(r"[!-~]{1,64}")
MOST_FIELDS = 30
CHARSETS = ("UTF-8", "UTF-16BE", "UTF-16", "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252", "US-ASCII")
BINARY = "1"  # its "coding": bytes, not a text

AGAIN = 60.0  # seconds between two log lines about a proxy

log = logging.getLogger(__name__)
_told_at = float("-inf")


def blueprint(
    settings: Settings, signer: Signer, intake: CommitQueue[Incoming], callbacks: CommitQueue[CallbackCall]
) -> Blueprint:
    """GET /sms/kannel/inbound and GET /sms/kannel/status/TOKEN."""
    door = Blueprint("kannel", __name__)

    @door.get("/sms/kannel/inbound")
    @access("token")
    def inbound() -> Response:
        query = _query(settings)
        if not hmac.compare_digest(query.get("token", b""), settings.kannel_token.encode()):
            abort(403)
        intake.submit(_incoming(settings, query, request.query_string)).result(PATIENCE)
        return Response(status=200)

    @door.get("/sms/kannel/status/<token>")
    @access("token")
    def status(token: str) -> Response:
        query = _query(settings)
        callbacks.submit(_called(query, signer.read("status", token))).result(PATIENCE)
        return Response(status=200)

    door.register_error_handler(HTTPException, _refused)
    door.register_error_handler(Exception, _unwell)
    return door


def _query(settings: Settings) -> dict[str, bytes]:
    """Returns the parameters as bytes, because a text comes in any charset. A request from elsewhere than KANNEL_FROM
    is refused."""
    address = caller(settings, request)
    if address is None:
        _tell_of_proxy()
        abort(503)  # Kannel tries again, and the setting may be there by then
    if not within(address, settings.kannel_from):
        abort(403)
    pairs = request.query_string.split(b"&")
    if len(pairs) > MOST_FIELDS:
        abort(400)
    fields = {}
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        fields[name.decode("ascii", "replace")] = unquote_to_bytes(value.replace(b"+", b" "))
    return fields


def _tell_of_proxy() -> None:
    """Logs once a minute that a proxy is unknown: only an operator can correct that."""
    global _told_at
    if time.monotonic() - _told_at >= AGAIN:
        _told_at = time.monotonic()
        log.error("a request to /sms/kannel/ came by a proxy that is not in CRITTER_PROXY_FROM, so nobody knows whose")


def _incoming(settings: Settings, query: dict[str, bytes], raw: bytes) -> Incoming:
    sender, recipient = _phone(settings, query, "from"), _ours(settings, query)
    name = _field(query, "id")
    return Incoming(
        channel="sms",
        identity=_identity(query, sender, recipient, name),
        sender=sender,
        recipients=(recipient,),
        raw=_without_token(raw),
        trusted=True,
        message_id=name if ID.fullmatch(name) else None,
        text=_text(query),
    )


def _identity(query: dict[str, bytes], sender: str, recipient: str, name: str) -> bytes:
    """Returns the key by which a repeat is known: Kannel's own id of the text (%I), which stays the same over its
    tries. Without one it is a hash of sender, recipient, second (%t) and text: the same text twice within a second then
    counts once."""
    if ID.fullmatch(name):
        return b"kannel\0" + name.encode()
    if not query.get("time"):
        abort(400)  # without both, a second try could not be told from a second text
    parts = (sender.encode(), recipient.encode(), query["time"], query.get("udh", b""), query.get("text", b""))
    return b"kannel\0" + hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _phone(settings: Settings, query: dict[str, bytes], name: str) -> str:
    """Returns a number in E.164, or a short code: SMS centers also write 0049… and national numbers. A name is
    refused."""
    written = _field(query, name).strip()
    if SHORT_CODE.fullmatch(written):
        return written
    try:
        return normal_phone(re.sub(r"^00", "+", written), settings.sms_region)
    except Refused:
        abort(400)


def _ours(settings: Settings, query: dict[str, bytes]) -> str:
    recipient = _phone(settings, query, "to")
    return recipient if recipient in settings.numbers_with("kannel") else abort(403)


def _text(query: dict[str, bytes]) -> str:
    """Decodes the text in the charset that Kannel names (%C). A text that does not decode is read as far as possible,
    because Kannel would drop what we refuse; `raw` has all of it."""
    content = query.get("text", b"")
    if _field(query, "coding") == BINARY:
        return ""
    charset = _field(query, "charset").upper()
    return content.decode(charset if charset in CHARSETS else "UTF-8", "replace").replace("\0", "")


def _without_token(raw: bytes) -> bytes:
    return b"&".join(pair for pair in raw.split(b"&") if not pair.startswith(b"token="))


def _called(query: dict[str, bytes], attempt: tuple[int, ...] | None) -> CallbackCall:
    if attempt is None or len(attempt) != 1:
        abort(403)
    kind, foreign = _field(query, "type"), _field(query, "id")
    if not TYPE.fullmatch(kind):
        abort(400)
    said = " ".join((_field(query, "answer"), _field(query, "report")))
    return CallbackCall(
        attempt_id=attempt[0],
        carrier_id=foreign if FOREIGN.fullmatch(foreign) else "",
        status=kind,
        reason=codes.reason_of(said) or None,
        carrier="kannel",
    )


def _field(query: dict[str, bytes], name: str) -> str:
    return query.get(name, b"").decode("utf-8", "replace")


def _refused(error: HTTPException) -> Response:
    log.info("kannel refused with %s: %s", error.code, request.url_rule)
    return Response(status=error.code)


def _unwell(error: Exception) -> Response:
    if isinstance(error, Closed):  # an operator's drain has closed the doors
        return Response(status=503)
    log.error("kannel's request not taken: %s", request.url_rule, exc_info=error)
    return Response(status=503)
