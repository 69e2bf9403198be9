"""Uploading a file for an update. It is answered at once with its address; it is there as soon as it was cleaned."""

from typing import Annotated

from pydantic import Field
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import NotFound

from gateway.actions import uploading
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.errors import ApiError
from gateway.doors.api.frame.fields import Empty, Parameters
from gateway.doors.api.media import ROUTER
from gateway.doors.api.statuses.attachments import kind_of, meta
from gateway.doors.api.statuses.entities import Attachment
from gateway.files.file_types import PICTURES
from gateway.ledger.inbox import uploads

UPLOAD = "upload"  # the kind of the token: of an upload and whose it is
LONGEST_DESCRIPTION = 1_500  # characters
Description = Annotated[str, Field(max_length=LONGEST_DESCRIPTION)]


class NewMedia(Parameters):
    """`description`: what it shows, for those who do not see it."""

    file: FileStorage | None = None
    description: Description = ""


class MediaChange(Parameters):
    description: Description = ""


@ROUTER.post("/api/v2/media", "write:media", uploads=True)
def upload(call: ApiCall, given: NewMedia) -> Attachment:
    """Takes a picture or a file for an update."""
    if given.file is None:
        raise ApiError(422, "Validation failed: file: is missing")
    named, content, shows = given.file.filename or "", given.file.read(), given.description or None
    return _attachment(call, call.do(uploading.upload, named, content, shows).upload_id)


@ROUTER.post("/api/v1/media", "write:media", uploads=True)
def old_upload(call: ApiCall, given: NewMedia) -> Attachment:
    """The same under its older address."""
    return upload(call, given)


@ROUTER.get("/api/v1/media/<id:media_id>", "write:media")
def media(call: ApiCall, media_id: int) -> Attachment:
    """An own file that no update shows yet."""
    return _attachment(call, media_id)


@ROUTER.put("/api/v1/media/<id:media_id>", "write:media")
def change(call: ApiCall, media_id: int, given: MediaChange) -> Attachment:
    """Says what it shows."""
    _attachment(call, media_id)
    return _attachment(call, call.do(uploading.describe_upload, media_id, given.description or None))


@ROUTER.delete("/api/v1/media/<id:media_id>", "write:media")
def delete(call: ApiCall, media_id: int) -> Empty:
    """Deletes it."""
    _attachment(call, media_id)
    call.do(uploading.forget_upload, media_id)
    return Empty()


def _attachment(call: ApiCall, upload_id: int) -> Attachment:
    """Raises NotFound for what is not the person's, or is in an update already."""
    found = uploads.find_unused(call.session, call.account.id, upload_id)
    if found is None or found.state == "failed":
        raise NotFound
    url = call.url(f"/api/critter/v1/uploads/{call.api.signer.sign(UPLOAD, upload_id, call.account.id)}")
    return Attachment(
        id=upload_id, type=kind_of(found.content_type), url=url,
        preview_url=f"{url}/small" if found.content_type in PICTURES else url,
        meta=meta(found.width, found.height), description=found.description, blurhash=found.blurhash,
    )  # fmt: skip
