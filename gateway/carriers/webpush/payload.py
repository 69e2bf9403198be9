"""What a device is sent, before it is encrypted. The service worker of our pages reads it (service-worker.js)."""

import json
from typing import Final

from gateway.carriers.common.protocol import PushNote
from gateway.carriers.webpush.encryption import LARGEST

CUT: Final = "…"


def for_page(note: PushNote) -> bytes:
    """As JSON, cut to what push services take."""
    body = note.body
    while len(encoded := _encode(note, body)) > LARGEST:
        body = body[: len(body) * 3 // 4].rstrip() + CUT
    return encoded


def _encode(note: PushNote, body: str) -> bytes:
    fields: dict[str, str | int] = {
        "title": note.title,
        "body": body,
        "path": note.path,
        "tag": note.tag,
        "lang": note.lang,
    }
    if note.unread is not None:
        fields["unread"] = note.unread
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
