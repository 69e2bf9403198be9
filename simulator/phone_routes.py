"""/phones: what each simulated phone sent and received, and how to send from it."""

import mimetypes
import os
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.web_request import FileField
from multidict import MultiMapping

from simulator import phones
from simulator.creating import E164
from simulator.guard import Bad, limit, own
from simulator.resource import messages_path
from simulator.rest_faults import json_response
from simulator.world import WORLD, World

MOST_TEXTS = 1000
MOST_MEDIA = 100
Given = str | bytes | bytearray | FileField


def routes() -> list[web.RouteDef]:
    return [
        web.get("/phones.json", own(list_phones)),
        web.get("/phones/{number}.json", own(show)),
        web.post("/phones/{number}/texts", own(send)),
    ]


async def list_phones(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    numbers = sorted(set(world.messages.numbers()) - set(world.options.numbers))
    options = world.options
    about = {"company": options.company, "numbers": list(options.numbers), "people": dict(options.people)}
    return json_response({**about, "phones": numbers[: limit(request, MOST_TEXTS)]})


async def show(request: web.Request) -> web.StreamResponse:
    world, number = request.app[WORLD], _number(request)
    texts = [message.event() for message in islice(world.messages.newest(number), limit(request, MOST_TEXTS))]
    return json_response({"number": number, "blocked": world.blocks.of(number), "texts": texts[::-1]})


async def send(request: web.Request) -> web.StreamResponse:
    """Form fields: body, and if wanted to, media (URLs or files), wait=no."""
    world, phone = request.app[WORLD], _number(request)
    form = await request.post()
    ours = _field(form, "to").strip() or world.options.numbers[0]
    if ours not in world.options.numbers:
        raise Bad("to must be one of our numbers")
    media = [_medium(request, given) for given in form.getall("media", [])]
    message, hook = await phones.text(world, phone, ours, _field(form, "body"), media, _field(form, "wait") != "no")
    answer: dict[str, Any] = {"sid": message.sid, "status": hook and hook["status"], "hook": hook}
    return json_response(answer, 201)


def _number(request: web.Request) -> str:
    number = "+" + request.match_info["number"].lstrip("+ ")
    if not E164.fullmatch(number):
        raise Bad("not a phone number like +15551230001")
    return number


def _field(form: MultiMapping[Given], name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _medium(request: web.Request, given: Given) -> tuple[str, str]:
    """URL and content type. A file is kept here, under a URL like Twilio's."""
    if isinstance(given, FileField):
        return _keep(request, given)
    url = str(given)
    if urlsplit(url).scheme not in ("http", "https"):
        raise Bad("media must be a URL or a file")
    return url, mimetypes.guess_type(urlsplit(url).path)[0] or "application/octet-stream"


def _keep(request: web.Request, file: FileField) -> tuple[str, str]:
    world: World = request.app[WORLD]
    sid = "ME" + os.urandom(16).hex()
    world.media[sid] = (file.content_type, file.file.read())
    while len(world.media) > MOST_MEDIA:
        del world.media[next(iter(world.media))]
    return f"{request.scheme}://{request.host}{messages_path(world.options)}/{{sid}}/Media/{sid}", file.content_type
