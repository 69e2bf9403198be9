"""What a browser keeps so that the pages open without a network: the frame, and the last Home that it saw."""

import json
from hashlib import sha256
from typing import Final

from flask import Response

from gateway.doors.web.install import ROUTER
from gateway.doors.web.shell import assets
from gateway.doors.web.shell.rendering import render
from gateway.doors.web.visits.visit import Visit

# What a page needs to look right; charts come from the network.
FRAME: Final = ("critter.css", "icons.svg", "mark.svg", "htmx.min.js", "page.js")
COLOUR: Final = "#f5f4ef"  # --paper


@ROUTER.page("/manifest.webmanifest", "visitor")
def manifest(visit: Visit) -> Response:
    icons = [
        {"src": assets.url(f"app-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in (192, 512)
        for purpose in ("any", "maskable")
    ]
    described = {
        "id": "/", "name": f"Critter, {visit.settings.company}", "short_name": "Critter",
        "start_url": "/", "scope": "/", "display": "standalone", "icons": icons,
        "background_color": COLOUR, "theme_color": COLOUR,
        "shortcuts": [{"name": "Write", "url": "/write"}, {"name": "Private", "url": "/private"}],
    }  # fmt: skip
    return Response(json.dumps(described), content_type="application/manifest+json")


@ROUTER.page("/service-worker.js", "visitor")
def service_worker(visit: Visit) -> Response:
    """The script with the addresses of this version's files: a new version is a new script, and browsers take it."""
    asset = assets.load("service-worker.js")
    assert asset is not None
    files = [assets.url(name) for name in FRAME]
    version = sha256("".join(files).encode()).hexdigest()[:10]
    named = {"FILES": files, "VERSION": version, "ICON": assets.url("app-192.png")}
    given = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in named.items())
    answer = Response(given.encode() + asset.content, content_type="text/javascript; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@ROUTER.page("/offline", "visitor")
def offline(visit: Visit) -> str:
    return render(visit, "install/offline.html")
