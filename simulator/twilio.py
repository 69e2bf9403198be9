"""The routes of Twilio's REST API for Messages, as far as Critter uses it; the work is in creating and listing."""

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from simulator import creating, listing
from simulator.creating import one
from simulator.messages import Message
from simulator.refusals import TwilioError
from simulator.resource import resource
from simulator.rest_faults import Call, json_response, play
from simulator.world import WORLD, World

ON_ITS_WAY = ("accepted", "queued", "sending")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes() -> list[web.RouteDef]:
    messages = "/2010-04-01/Accounts/{account}/Messages"
    return [
        web.post(messages + ".json", guarded(create)),
        web.get(messages + ".json", guarded(listed), allow_head=False),
        web.get(messages + "/{sid}.json", guarded(fetch), allow_head=False),
        web.post(messages + "/{sid}.json", guarded(update)),
        web.delete(messages + "/{sid}.json", guarded(delete)),
        web.get(messages + "/{sid}/Media.json", guarded(media_list), allow_head=False),
        web.get(messages + "/{sid}/Media/{media}", guarded(media), allow_head=False),
        web.get("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", guarded(numbers), allow_head=False),
        web.route("*", "/2010-04-01/{rest:.*}", guarded(unknown)),
    ]


def guarded(handler: Handler) -> Handler:
    """Checks Basic auth and our account's path before; answers with Twilio's error JSON after."""

    async def answer(request: web.Request) -> web.StreamResponse:
        world = request.app[WORLD]
        account = world.options.account_sid
        try:
            if request.headers.get("Authorization") not in world.logins:
                raise TwilioError(20003)
            if request.match_info.get("account", account) != account:
                raise _unknown(request)
            return await handler(request)
        except TwilioError as refusal:
            return json_response(refusal.body(), refusal.status)

    return answer


async def create(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    form = parse_qs(await request.text(), keep_blank_values=True)
    if fault := world.faults.strike_rest("create", one(form, "To"), one(form, "From")):
        do = partial(creating.create, world, form, fault=fault.name)
        return await play(Call(request, do, partial(creating.note, world, form, fault=fault.name)), fault)
    status, body = creating.create(world, form)
    return json_response(body, status)


async def listed(request: web.Request) -> web.StreamResponse:
    world, query = request.app[WORLD], request.query
    read = partial(listing.page, world, query)
    return await _reading(request, "list", (query.get("To", ""), query.get("From", "")), read)


async def fetch(request: web.Request) -> web.StreamResponse:
    message = _message(request)
    read = partial(resource, request.app[WORLD].options, message)
    return await _reading(request, "fetch", (message.recipient, message.sender or ""), read)


async def _reading(
    request: web.Request, call: str, who: tuple[str, ...], read: Callable[[], dict[str, Any]]
) -> web.StreamResponse:
    world = request.app[WORLD]

    def note(answered: int | str | None, fault: str = "") -> None:
        line = {"query": request.query_string, "status": answered or 200, "fault": fault}
        world.ledger.write(time.time(), call, line)

    def do(answered: int | str | None, fault: str = "") -> tuple[int, dict[str, Any]]:
        body = read()
        note(answered, fault)
        return 200, body

    if fault := world.faults.strike_rest(call, *who):
        return await play(Call(request, partial(do, fault=fault.name), partial(note, fault=fault.name)), fault)
    return json_response(do(None)[1])


async def update(request: web.Request) -> web.StreamResponse:
    """Redacts (an empty Body) or cancels a text that is not sent yet (Status=canceled)."""
    message = _message(request)
    form = parse_qs(await request.text(), keep_blank_values=True)
    if one(form, "Status") == "canceled":
        if message.status not in ("accepted", "queued"):
            raise TwilioError(30409, "The message can no longer be canceled.", 409)
        message.status = "canceled"
    elif "Body" in form and not one(form, "Body"):
        _refuse_unfinished(message)
        message.body = ""
    else:
        raise TwilioError(20001, "Only an empty Body or Status=canceled can be set.")
    message.updated = time.time()
    return json_response(resource(request.app[WORLD].options, message))


async def delete(request: web.Request) -> web.StreamResponse:
    """Deletes the words, the numbers and everything else; the ledger records it."""
    message = _message(request)
    _refuse_unfinished(message)
    world = request.app[WORLD]
    world.messages.drop(message.sid)
    world.ledger.write(time.time(), "delete", {"sid": message.sid, "status": 204})
    return web.Response(status=204)


async def media_list(request: web.Request) -> web.StreamResponse:
    """The files of one text that are kept here; what a phone gave as a URL of somewhere else is not in Twilio's
    store."""
    world, message = request.app[WORLD], _message(request)
    names = [url.rpartition("/Media/")[2] for url in message.media if "/Media/ME" in url]
    entries = [
        {
            "sid": name,
            "parent_sid": message.sid,
            "content_type": world.media[name][0],
            "uri": f"{request.path[:-5]}/{name}.json",
        }
        for name in names
        if name in world.media
    ]
    body = {"media_list": entries, "page": 0, "page_size": 50, "next_page_uri": None}
    return await _reading(request, "fetch", (message.recipient, message.sender or ""), lambda: body)


async def media(request: web.Request) -> web.StreamResponse:
    """The bytes of a picture that a phone sent; they are kept here, so Critter fetches them with its credentials."""
    kept = request.app[WORLD].media.get(request.match_info["media"])
    if kept is None:
        raise _unknown(request)
    return web.Response(body=kept[1], content_type=kept[0])


async def numbers(request: web.Request) -> web.StreamResponse:
    """The account's own numbers, on one page."""
    options = request.app[WORLD].options
    rows = [
        {"phone_number": number, "sms_url": options.webhook_url, "capabilities": {"sms": True, "mms": True}}
        for number in options.numbers
    ]
    return json_response({"incoming_phone_numbers": rows, "page": 0, "page_size": 1000, "next_page_uri": None})


async def unknown(request: web.Request) -> web.StreamResponse:
    raise _unknown(request)


def _refuse_unfinished(message: Message) -> None:
    """Twilio's error 20009: a message that is still on its way can be neither redacted nor deleted."""
    if message.status in ON_ITS_WAY:
        raise TwilioError(20009, "The message delivery has not completed.", 409)


def _message(request: web.Request) -> Message:
    world: World = request.app[WORLD]
    message = world.messages.get(request.match_info["sid"])
    if message is None:
        raise _unknown(request)
    return message


def _unknown(request: web.Request) -> TwilioError:
    return TwilioError(20404, f"The requested resource {request.path} was not found")
