"""Applies a fault of the REST API to one request; the handlers call it when a switch strikes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.faults import Fault
from simulator.ledger import encode
from simulator.refusals import TwilioError


@dataclass(frozen=True, slots=True)
class Call:
    """A request that can still be done, or only be recorded; each records what the caller gets to see."""

    request: web.Request
    do: Callable[[int | str | None], tuple[int, dict[str, Any]]]
    note: Callable[[int | str], None]


def json_response(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=encode(body).encode(), status=status, content_type="application/json", headers=headers)


async def play(call: Call, fault: Fault) -> web.StreamResponse:
    match fault.name:
        case "delay":
            return await _late(call, fault)
        case "accept-then-cut":
            call.do("cut")
            return _cut(call.request)
        case "cut-before":
            call.note("cut")
            return _cut(call.request)
        case "half-body":
            return await _half(call)
        case "garbage":
            _do_or_note(call, fault, 201)
            return web.Response(text=fault.params["text"], status=201, content_type="application/json")
        case "500" | "503":
            _do_or_note(call, fault, int(fault.name))
            return _refused(TwilioError(20500 if fault.name == "500" else 20503))
        case "429":
            call.note(429)
            return _refused(TwilioError(20429), {"Retry-After": str(fault.params["retry_after"])})
    refusal = TwilioError(fault.params["code"])
    call.note(refusal.status)
    return _refused(refusal)


def _refused(refusal: TwilioError, headers: dict[str, str] | None = None) -> web.Response:
    return json_response(refusal.body(), refusal.status, headers)


def _do_or_note(call: Call, fault: Fault, answered: int) -> None:
    if fault.params["accepted"]:
        call.do(answered)
    else:
        call.note(answered)


async def _late(call: Call, fault: Fault) -> web.Response:
    """`after`: the request is done at once and answered late, so that callbacks overtake the answer."""
    if not fault.params["after"]:
        await asyncio.sleep(fault.params["seconds"])
    status, body = call.do(None)
    if fault.params["after"]:
        await asyncio.sleep(fault.params["seconds"])
    return json_response(body, status)


async def _half(call: Call) -> web.StreamResponse:
    status, body = call.do("half")
    content = encode(body).encode()
    response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
    response.content_length = len(content)
    await response.prepare(call.request)
    await response.write(content[: len(content) // 2])
    return _cut(call.request, response)


def _cut(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Closes the connection under the answer; what aiohttp still wants to write is dropped."""
    if request.transport:
        request.transport.close()
    return response or web.Response()
