"""Sends a file of an update as it is stored; the pages and the links of texts and mails use it."""

from pathlib import Path
from typing import Final

from flask import Response, abort, send_file

from gateway.files import file_types, media_folder

# Nothing in a file may run, load or be framed, whatever type a browser takes it for.
SANDBOX: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; frame-ancestors 'none'"
INLINE: Final = (*file_types.PICTURES, *file_types.PLAYED)  # what a browser only shows or plays; all else is downloaded
AS_TEXT: Final = "text/plain; charset=utf-8"


def send_stored(var: Path, name: str, digest: str | None, kind: str | None) -> Response:
    """Sends a stored file, in parts when the request has a range. The file may be taken back at any time, so browsers
    must ask us again each time. `kind`: its type, None for a small copy."""
    place = media_folder.place(var, digest) if digest else None
    if place is None or not place.is_file():
        abort(404)
    kind = kind or _type_of(place)
    answer = send_file(
        place.absolute(),
        mimetype=AS_TEXT if kind == "text/plain" else kind,
        as_attachment=kind not in INLINE,
        download_name=name or "file",
        conditional=True,
        etag=digest or "",
        last_modified=None,
        max_age=None,
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


def _type_of(place: Path) -> str:
    """Returns the type of a small copy: we made it, so its first bytes are enough."""
    with place.open("rb") as file:
        return file_types.sniff(file.read(16))
