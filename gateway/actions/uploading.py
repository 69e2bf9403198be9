"""Pictures and files for a post, uploaded on a page or by the API. What comes with a text or mail needs no action."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.files import file_types
from gateway.files.image_sanitizer import UnusableImage, measure
from gateway.i18n.refusals import refusal
from gateway.ledger.inbox import uploads


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """`content_type`: as its first bytes say."""

    upload_id: int
    name: str
    content_type: str


def upload(session: Session, actor: Actor, name: str, content: bytes) -> UploadedFile:
    """Keeps a file until a post shows it; unused ones are deleted after some hours. Raises Refused for what is too
    large, or is not passed on."""
    most = actor.settings.media_largest
    if len(content) > most:
        raise refusal("file_too_large", number=round(most / (1 << 20), 1))
    kind = file_types.sniff(content)
    if file_types.explain_refusal(content, name):
        raise refusal("file_not_passed_on")
    if kind in file_types.PICTURES:
        _check_picture(content)
    named = file_types.name_file(name, kind)
    upload_id = uploads.add(session, actor.account.id, named, kind, content)
    actor.wakes.add("pictures")
    return UploadedFile(upload_id, named, kind)


def _check_picture(content: bytes) -> None:
    try:
        readable = measure(content)
    except UnusableImage:
        raise refusal("picture_too_large") from None
    if not readable:
        raise refusal("picture_broken")


def attach(session: Session, actor: Actor, upload_ids: Sequence[int]) -> None:
    """Has the actor's next post show these files, in their order. Raises Refused when there are too many, or when one
    is not the actor's, is gone, or is shown by a post already."""
    if len(upload_ids) > actor.settings.media_most:
        raise refusal("too_many_files", number=actor.settings.media_most)
    combined = uploads.combine(session, actor.account.id, upload_ids) if upload_ids else None
    if upload_ids and combined is None:
        raise refusal("upload_gone")
    actor.upload_id = combined
