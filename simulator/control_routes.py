"""The rest of the simulator's own interface: fault switches, ledger, live events, reset, and its plain page."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator.events import KINDS
from simulator.faults import BadFault
from simulator.guard import Bad, cors, elsewhere, own
from simulator.world import WORLD

STATIC = Path(__file__).parent / "static"


def routes() -> list[web.RouteDef | web.StaticDef]:
    return [
        web.get("/", own(index)),
        web.static("/static", STATIC),
        web.get("/ledger.jsonl", own(ledger)),
        web.get("/events", own(events)),
        web.get("/faults", own(show_faults)),
        web.put("/faults", own(set_faults)),
        web.delete("/faults", own(clear_faults)),
        web.post("/reset", own(reset)),
        web.route("*", "/{path:.*}", own(elsewhere)),
    ]


async def index(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "index.html")


async def ledger(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/jsonl; charset=utf-8", **cors(request)})
    await response.prepare(request)
    for piece in request.app[WORLD].ledger.chunks():
        await response.write(piece)
    return response


async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events, from Last-Event-ID or ?since=ID on (?since=0: all that is kept); ?kinds=text,mail."""
    kinds = frozenset(request.query.get("kinds", ",".join(KINDS)).split(","))
    if unknown := kinds - set(KINDS):
        raise Bad(f"kinds are {', '.join(KINDS)}; not {', '.join(sorted(unknown))}")
    told = request.app[WORLD].events
    cursor = told.start(request.headers.get("Last-Event-ID") or request.query.get("since"))
    head = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", **cors(request)}
    response = web.StreamResponse(headers=head)
    await response.prepare(request)
    try:
        await response.write(b"retry: 1000\n\n")
        async for blocks in told.follow(cursor, kinds):
            if blocks:
                await response.write(blocks.encode())
    except ConnectionError:  # the reader has gone, as at the end of every such stream
        pass
    return response


async def show_faults(request: web.Request) -> web.StreamResponse:
    return _faults(request)


async def set_faults(request: web.Request) -> web.StreamResponse:
    try:
        request.app[WORLD].faults.set(await _json(request))
    except BadFault as bad:
        raise Bad(str(bad)) from None
    return _faults(request)


async def clear_faults(request: web.Request) -> web.StreamResponse:
    request.app[WORLD].faults.set([])
    return _faults(request)


async def reset(request: web.Request) -> web.StreamResponse:
    request.app[WORLD].reset()
    return web.Response(status=204)


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.text())
    except ValueError as error:
        raise Bad(f"not JSON: {error}") from None


def _faults(request: web.Request) -> web.Response:
    return web.json_response(request.app[WORLD].faults.list())
