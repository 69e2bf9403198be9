"""Wraps every handler of the simulator's own interface: only pages and tools of this machine may call; errors are
JSON."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from simulator.local import is_local_url
from simulator.rest_faults import json_response

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Bad(Exception):
    """The request makes no sense; answered as 400 with this text."""


def own(handler: Handler) -> Handler:
    """Refuses what a foreign web page sends through somebody's browser (also by a name that it points here)."""

    async def answer(request: web.Request) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if not is_local_url(f"http://{request.host}") or (origin and not is_local_url(origin)):
            return json_response({"error": "only for this machine"}, 403)
        try:
            response = await handler(request)
        except Bad as bad:
            response = json_response({"error": str(bad)}, 400)
        if not response.prepared:
            response.headers.update(cors(request))
        return response

    return answer


def cors(request: web.Request) -> dict[str, str]:
    """Lets pages on this machine's other ports read the answer."""
    return {"Access-Control-Allow-Origin": "*"} if request.headers.get("Origin") else {}


async def elsewhere(request: web.Request) -> web.StreamResponse:
    """Answers every other path: a browser's preflight request before PUT and DELETE, or not found."""
    if request.method != "OPTIONS":
        return json_response({"error": "not found"}, 404)
    allowed = {"Access-Control-Allow-Methods": "GET, POST, PUT, DELETE", "Access-Control-Allow-Headers": "*"}
    return web.Response(status=204, headers=allowed)


def limit(request: web.Request, default: int) -> int:
    """The `limit` of a list, as a whole number."""
    given = request.query.get("limit", str(default))
    if not (given.isascii() and given.isdigit()):
        raise Bad("limit must be a whole number")
    return int(given)
