"""/push: a push service (RFC 8030) and the browsers behind it. It takes what is encrypted for a browser of its own, and
signed for itself (VAPID, RFC 8292)."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from simulator.guard import Bad, own
from simulator.push_devices import PushDevice, decode
from simulator.rest_faults import json_response
from simulator.world import WORLD, World

LARGEST = 4096  # octets of a body, which every push service takes
LONGEST = 24 * 3600 + 60  # seconds that a token may hold
URGENCIES = ("very-low", "low", "normal", "high")


def routes() -> list[web.RouteDef]:
    return [
        web.post("/push/devices", own(make)),
        web.get("/push/devices/{name}.json", own(show)),
        web.post("/push/{name}", take),
    ]


async def make(request: web.Request) -> web.StreamResponse:
    """A new browser: what it would give to a page that subscribes."""
    device = request.app[WORLD].push_devices.make()
    return json_response({"endpoint": f"{_origin(request)}/push/{device.name}", "keys": device.keys}, 201)


async def show(request: web.Request) -> web.StreamResponse:
    return json_response({"shown": _known(request).shown})


def _known(request: web.Request) -> PushDevice:
    device = request.app[WORLD].push_devices.find(request.match_info["name"])
    if device is None:
        raise Bad("no such device")
    return device


async def take(request: web.Request) -> web.StreamResponse:
    world, name = request.app[WORLD], request.match_info["name"]
    if slow := world.faults.strike("push-delay", name):
        await asyncio.sleep(slow.params["seconds"])
    if fault := world.faults.strike("push-status", name):
        wait = {"Retry-After": str(fault.params["retry_after"])} if fault.params["retry_after"] else None
        return _answer(world, name, fault.params["code"], headers=wait)
    device = world.push_devices.find(name)
    if device is None:
        return _answer(world, name, 404)
    body = await request.read()
    if len(body) > LARGEST:
        return _answer(world, name, 413)
    if not _is_signed(request) or not _is_whole(request):
        return _answer(world, name, 403 if not _is_signed(request) else 400)
    try:
        payload = device.read(request.headers.get("Content-Encoding", ""), dict(request.headers), body)
    except (KeyError, ValueError):
        return _answer(world, name, 400)
    return _keep(world, device, request, payload)


def _keep(world: World, device: PushDevice, request: web.Request, payload: Any) -> web.StreamResponse:
    """Of one topic the newest alone waits for the device."""
    told = {each: request.headers[each] for each in ("TTL", "Urgency", "Topic") if each in request.headers}
    device.shown[:] = [each for each in device.shown if each.get("Topic") != told.get("Topic", "")]
    device.shown.append({**told, "coding": request.headers["Content-Encoding"], "payload": payload})
    return _answer(world, device.name, 201)


def _answer(world: World, name: str, status: int, headers: dict[str, str] | None = None) -> web.StreamResponse:
    world.ledger.write(time.time(), "push", {"device": name, "accepted": status == 201, "status": status})
    return web.Response(status=status, headers=headers)


def _is_whole(request: web.Request) -> bool:
    urgent = request.headers.get("Urgency", "normal") in URGENCIES
    return urgent and request.headers.get("TTL", "").isdigit() and len(request.headers.get("Topic", "")) <= 32


def _is_signed(request: web.Request) -> bool:
    """Whether the token is signed by the key beside it, for this service, and holds now."""
    kind, _, fields = request.headers.get("Authorization", "").partition(" ")
    given = dict(part.strip().split("=", 1) for part in fields.split(",") if "=" in part)
    if kind != "vapid" or given.keys() != {"t", "k"}:
        return False
    told, _, signature = given["t"].rpartition(".")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(given["k"]))
        r, s = (int.from_bytes(half) for half in (decode(signature)[:32], decode(signature)[32:]))
        key.verify(utils.encode_dss_signature(r, s), told.encode(), ec.ECDSA(hashes.SHA256()))
        claims = json.loads(decode(told.partition(".")[2]))
    except (InvalidSignature, ValueError):
        return False
    in_time = 0 < claims["exp"] - time.time() < LONGEST
    return in_time and claims["aud"] == _origin(request) and urlsplit(claims["sub"]).scheme in ("mailto", "https")


def _origin(request: web.Request) -> str:
    return f"http://{request.host}"
