"""The media of a post: a page behind the link that each reader got, and its files. critter/processes/app registers
it."""

from pathlib import Path
from typing import Final

from flask import Blueprint, Response, abort, make_response, render_template, send_file
from sqlalchemy import Engine

from gateway.attention.zones import zone
from gateway.doors.route_access import access
from gateway.doors.web.post_page import pieces
from gateway.files import file_types, media_folder
from gateway.network.posts import post_media
from gateway.network.posts.post_media import File, PostMedia
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction

# Nothing in a file may run, load or be framed, whatever type a browser takes it for.
SANDBOX: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; frame-ancestors 'none'"
INLINE: Final = (*file_types.PICTURES, *file_types.PLAYED)  # what a browser only shows or plays; all else is downloaded
AS_TEXT: Final = "text/plain; charset=utf-8"


def blueprint(settings: Settings, signer: Signer, engine: Engine) -> Blueprint:
    """/m/TOKEN names a post and the address that the link went to, whose owner must still be able to read the post."""
    media = Blueprint("media", __name__, template_folder="templates")

    def hanging(token: str) -> PostMedia:
        ids = signer.read("media", token)
        if ids is None or len(ids) != 2:
            abort(404)
        with transaction(engine) as session:
            return post_media.of_post(session, *ids) or abort(404)

    def one(token: str, number: int) -> File:
        return next((each for each in hanging(token).files if each.number == number), None) or abort(404)

    @media.get("/m/<token>")
    @access("token")
    def show(token: str) -> Response:
        found = hanging(token)
        at = found.at.astimezone(zone(found.timezone))
        page = render_template("media.html", page=found, at=at, pieces=list(pieces(found.text)), token=token)
        answer = make_response(page)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @media.get("/m/<token>/<int:number>")
    @access("token")
    def file(token: str, number: int) -> Response:
        found = one(token, number)
        return send_stored(settings.var, found.name, found.digest, found.type)

    @media.get("/m/<token>/<int:number>/small")
    @access("token")
    def small(token: str, number: int) -> Response:
        found = one(token, number)
        if not found.picture:
            abort(404)
        return send_stored(settings.var, found.name, found.small or found.digest, None if found.small else found.type)

    return media


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
