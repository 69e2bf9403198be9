"""Files of updates as apps know them. An app shows a picture without its token, so the address names the reader: it is
signed, and asked each time whether they may still read the update (media/files.py)."""

from typing import Final

from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.statuses.entities import Attachment, MediaKind, MediaMeta, Size
from gateway.files.image_sanitizer import SMALL
from gateway.network.feeds.feed_items import ShownFile

FILE: Final = "file"  # the kind of the token: of a post and its reader
KINDS: Final[dict[str, MediaKind]] = {"image": "image", "video": "video", "audio": "audio"}


def attachment(call: ApiCall, post_id: int, upload_id: int, file: ShownFile) -> Attachment:
    token = call.api.signer.sign(FILE, post_id, call.account.id)
    url = call.url(f"/api/critter/v1/files/{token}/{file.number}")
    return Attachment(
        id=upload_id + file.number, type=kind_of(file.content_type), url=url,
        preview_url=f"{url}/small" if file.picture else url, meta=meta(file.width, file.height),
        description=file.description, blurhash=file.blurhash,
    )  # fmt: skip


def kind_of(content_type: str) -> MediaKind:
    return KINDS.get(content_type.partition("/")[0], "unknown")


def meta(width: int | None, height: int | None) -> MediaMeta:
    """The small copy has the same sides when the picture is small itself."""
    if not width or not height:
        return MediaMeta()
    scale = min(1, SMALL / max(width, height))
    return MediaMeta(original=_size(width, height), small=_size(round(width * scale), round(height * scale)))


def _size(width: int, height: int) -> Size:
    width, height = max(width, 1), max(height, 1)
    return Size(width=width, height=height, size=f"{width}x{height}", aspect=round(width / height, 4))
