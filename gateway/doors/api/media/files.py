"""Files as apps show them. A picture is asked for without a token, so its address has one of its own: it names the
update and its reader, who must still be able to read it; or an upload and whose it is."""

from flask import Response
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.media import ROUTER
from gateway.doors.api.media.uploads import UPLOAD
from gateway.doors.api.statuses.attachments import FILE
from gateway.doors.web.shell.stored_files import send_stored
from gateway.ledger.inbox import uploads
from gateway.network.audience import visibility
from gateway.network.feeds import feed_items
from gateway.network.feeds.feed_items import ShownFile
from gateway.network.people import accounts


@ROUTER.get("/api/critter/v1/files/<token>/<id:number>", who="anyone")
def file(call: ApiCall, token: str, number: int) -> Response:
    """A file of an update."""
    found = _find(call, token, number)
    return _send(call, found.name, found.digest, found.content_type)


@ROUTER.get("/api/critter/v1/files/<token>/<id:number>/small", who="anyone")
def small(call: ApiCall, token: str, number: int) -> Response:
    """The small copy of a picture."""
    found = _find(call, token, number)
    return _send(call, found.name, found.small or found.digest, None if found.small else found.content_type)


@ROUTER.get("/api/critter/v1/uploads/<token>", who="anyone")
def upload(call: ApiCall, token: str) -> Response:
    """A file that no update shows yet, for who uploaded it."""
    found = _own(call, token)
    return _send(call, found.name, found.digest, found.content_type)


@ROUTER.get("/api/critter/v1/uploads/<token>/small", who="anyone")
def small_upload(call: ApiCall, token: str) -> Response:
    """Its small copy."""
    found = _own(call, token)
    return _send(call, found.name, found.small or found.digest, None if found.small else found.content_type)


def _ids(call: ApiCall, kind: str, token: str) -> tuple[int, int]:
    """What the token is of, and whose: they must be active. Raises NotFound for a token that is not ours."""
    ids = call.api.signer.read(kind, token)
    if ids is None or len(ids) != 2 or not _active(call.session, ids[1]):
        raise NotFound
    return ids[0], ids[1]


def _active(session: Session, account_id: int) -> bool:
    account = accounts.by_id(session, account_id)
    return account is not None and account.state == "active"


def _find(call: ApiCall, token: str, number: int) -> ShownFile:
    post_id, reader_id = _ids(call, FILE, token)
    if not visibility.may_read(call.session, reader_id, post_id):
        raise NotFound
    items = feed_items.load(call.session, reader_id, [post_id], receipts=False)
    found = next((each for item in items for each in item.files if each.number == number), None)
    if found is None:
        raise NotFound
    return found


def _own(call: ApiCall, token: str) -> uploads.UnusedUpload:
    upload_id, owner_id = _ids(call, UPLOAD, token)
    found = uploads.find_unused(call.session, owner_id, upload_id)
    if found is None:
        raise NotFound
    return found


def _send(call: ApiCall, name: str | None, digest: str | None, kind: str | None) -> Response:
    """An app in a browser under another address may show it, too: it has the address only when somebody may."""
    answer = send_stored(call.settings.var, name or "", digest, kind)
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
