"""Pictures and files for a post, uploaded on a page or by the API. What comes with a text or mail needs no action."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.files import file_types
from gateway.files.image_sanitizer import UnusableImage, measure
from gateway.i18n.refusals import refusal
from gateway.ledger.inbox import uploads

DAILY: Final = 100  # files of one account: what no post shows stays for hours, so nobody may fill the disk with it


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """`content_type`: as its first bytes say."""

    upload_id: int
    name: str
    content_type: str


def upload(
    session: Session, actor: Actor, name: str, content: bytes, description: str | None = None
) -> UploadedFile:  # fmt: skip
    """Keeps a file until a post shows it; unused ones are deleted after some hours. `description`: what it shows, for
    those who do not see it. Raises Refused for what is too large or is not passed on, and after DAILY files in a
    day."""
    most = actor.settings.media_largest
    if len(content) > most:
        raise refusal("file_too_large", number=round(most / (1 << 20), 1))
    kind = file_types.sniff(content)
    if file_types.explain_refusal(content, name):
        raise refusal("file_not_passed_on")
    size = _check_picture(content) if kind in file_types.PICTURES else None
    if uploads.count_today(session, actor.account.id) >= DAILY:
        raise refusal("uploads_a_day", number=DAILY)
    named = file_types.name_file(name, kind)
    upload_id = uploads.add(session, actor.account.id, named, kind, content, description, size)
    actor.queues.add("pictures")
    return UploadedFile(upload_id, named, kind)


def _check_picture(content: bytes) -> tuple[int, int]:
    """Its width and height."""
    try:
        size = measure(content)
    except UnusableImage:
        raise refusal("picture_too_large") from None
    if size is None:
        raise refusal("picture_broken")
    return size


def describe_upload(session: Session, actor: Actor, upload_id: int, description: str | None) -> int:
    """Says what a file shows, while no post shows it. Raises Refused when it is not theirs, or is posted."""
    if uploads.find_unused(session, actor.account.id, upload_id) is None:
        raise refusal("upload_gone")
    uploads.change_description(session, upload_id, description)
    return upload_id


def forget_upload(session: Session, actor: Actor, upload_id: int) -> None:
    """Deletes a file that no post shows. Raises Refused when it is not theirs, or is posted."""
    if uploads.find_unused(session, actor.account.id, upload_id) is None:
        raise refusal("upload_gone")
    uploads.forget(session, upload_id)


def attach(session: Session, actor: Actor) -> int | None:
    """Makes one upload of what the actor uploaded for this post, and returns its id; without any, that of the actor's
    inbound. Raises Refused when there are too many files, or when one is not the actor's, is gone, or is shown by a
    post already."""
    if not actor.uploads:
        return actor.upload_id
    if len(actor.uploads) > actor.settings.media_most:
        raise refusal("too_many_files", number=actor.settings.media_most)
    combined = uploads.combine(session, actor.account.id, actor.uploads)
    if combined is None:
        raise refusal("upload_gone")
    return combined
