"""The files of the pages: style sheets, scripts, icons. Their addresses have a hash of the content, so that browsers
keep them for a year and never show an old one. They are packed once, at the start."""

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, abort, request

from gateway.doors.route_access import access
from gateway.doors.web.shell import script_bundle

FOLDER: Final = Path(__file__).parents[1] / "static"
PACKED: Final = (".css", ".js", ".svg", ".webmanifest")
YEAR: Final = "public, max-age=31536000, immutable"
ANEW: Final = "no-cache"  # asked for without the right hash: a service worker, or an old page
DIGITS: Final = 10
BUNDLED: Final = "page.js"  # with all that it imports


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    packed: bytes | None
    content_type: str
    version: str


def load(name: str) -> Asset | None:
    """The file; None when there is none of that name. Only names of files in the folder lead to one, and only those are
    remembered, whatever is asked for."""
    return _read(name) if name in names() else None


@cache
def _read(name: str) -> Asset:
    path = FOLDER / name
    content = script_bundle.bundle(name, _text).encode() if name == BUNDLED else path.read_bytes()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    kind = "application/manifest+json" if path.suffix == ".webmanifest" else kind
    text = path.suffix in PACKED
    packed = gzip.compress(content, 9, mtime=0) if text else None
    return Asset(content, packed, f"{kind}; charset=utf-8" if text else kind, sha256(content).hexdigest()[:DIGITS])


def _text(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


@cache
def names() -> frozenset[str]:
    return frozenset(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file())


def url(name: str) -> str:
    """The address of a file, with the hash of its content."""
    asset = load(name)
    assert asset is not None, name
    return f"/static/{name}?{asset.version}"


def blueprint() -> Blueprint:
    files = Blueprint("assets", __name__)

    @files.get("/static/<path:name>")
    @access("public")
    def file(name: str) -> Response:
        asset = load(name) or abort(404)
        packed = asset.packed is not None and "gzip" in request.headers.get("Accept-Encoding", "")
        answer = Response(asset.packed if packed else asset.content, content_type=asset.content_type)
        answer.headers["Cache-Control"] = YEAR if request.query_string.decode() == asset.version else ANEW
        answer.headers["Vary"] = "Accept-Encoding"
        answer.set_etag(asset.version)
        if packed:
            answer.headers["Content-Encoding"] = "gzip"
        answer.make_conditional(request)
        return answer

    return files
