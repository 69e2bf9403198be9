"""What people type on simulated phones: the carrier's own words first, then the signed web hook with its retry."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from simulator import carrier_words
from simulator.hooks import Answer
from simulator.ledger import digest
from simulator.messages import Message
from simulator.world import World

# Numbers that tests and demos use; the carrier knows them all.
COUNTRIES = {"1": "US", "33": "FR", "34": "ES", "39": "IT", "41": "CH", "43": "AT", "44": "GB", "49": "DE"}


async def text(
    world: World, phone: str, ours: str, body: str, media: Sequence[tuple[str, str]] = (), wait: bool = True
) -> tuple[Message, dict[str, Any] | None]:
    """Sends one text from a phone. `media` are (URL, content type); {sid} in the URL stands for the text's own SID.

    Returns the text, and the outcome of the web hook if `wait` is set.
    """
    urls, service = tuple(url for url, _ in media), world.options.messaging_service_sid
    message = world.messages.add("inbound", phone, ours, body, "received", media=urls, service=service)
    message.media = tuple(url.replace("{sid}", message.sid) for url in message.media)
    message.sent = message.created
    world.events.tell("text", message.event())
    word = carrier_words.read(body, world.blocks.has(ours, phone), ours, service is not None)
    if word:
        _carrier_answers(world, word, ours, phone)
    delivery = asyncio.create_task(_deliver(world, message, _params(world, message, media, word)))
    _RUNNING.add(delivery)
    delivery.add_done_callback(_RUNNING.discard)
    return message, await asyncio.shield(delivery) if wait else None


_RUNNING: set[asyncio.Task[dict[str, Any]]] = set()  # keeps references: a task without one may vanish


def _carrier_answers(world: World, word: carrier_words.Word, ours: str, phone: str) -> None:
    reply = carrier_words.answer(word, world.blocks.has(ours, phone), world.options.company)
    world.blocks.apply(word, ours, phone)
    line = {"recipient": phone, "from": ours, "word": word, "answered": bool(reply)}
    world.ledger.write(time.time(), "carrier", line)
    if reply:
        answer = world.messages.add("outbound-reply", ours, phone, reply, "delivered")
        answer.sent = answer.created
        world.events.tell("text", answer.event())


async def _deliver(world: World, message: Message, params: dict[str, str]) -> dict[str, Any]:
    """Calls the web hook as often and as late as the fault switches say; returns the first call's outcome."""
    who = (message.sender or "", message.recipient)
    if not world.options.call_hooks:
        return _told(world, message, "list", 0, Answer(None, 0.0, "no web hook is set"))
    if world.faults.strike("webhook-drop", *who):
        return _told(world, message, "dropped", 0, Answer(None, 0.0))
    if late := world.faults.strike("webhook-delay", *who):
        await asyncio.sleep(late.params["seconds"])
    repeat = world.faults.strike("webhook-repeat", *who)
    more = repeat.params["n"] if repeat else 0
    if repeat and repeat.params["together"]:
        return (await asyncio.gather(*(_call(world, message, params) for _ in range(1 + more))))[0]
    outcome = await _call(world, message, params)
    for _ in range(more):
        await _call(world, message, params)
    return outcome


async def _call(world: World, message: Message, params: dict[str, str]) -> dict[str, Any]:
    """As Twilio does: a failed call is repeated once within 15 s, then goes to the fallback URL; after a 4xx at
    once."""
    options = world.options
    urls = [options.webhook_url, options.webhook_url] + ([options.fallback_url] if options.fallback_url else [])
    outcome: dict[str, Any] = {}
    refused = False
    for attempt, url in enumerate(urls, 1):
        if attempt == 2:
            if refused:
                continue
            await asyncio.sleep(options.hook_retry_after)
        answer = await world.hooks.post(url, params)
        outcome = _told(world, message, "fallback" if attempt > 2 else "webhook", attempt, answer)
        if answer.fine:
            break
        refused = answer.status is not None and answer.status < 500
    return outcome


def _told(world: World, message: Message, where: str, attempt: int, answer: Answer) -> dict[str, Any]:
    """Records and publishes how one call went."""
    text = {"sid": message.sid, "from": message.sender, "recipient": message.recipient}
    outcome = {"to": where, "status": answer.status, "attempt": attempt, "ms": answer.ms, "reason": answer.reason}
    world.ledger.write(time.time(), "webhook", {**text, "body_sha256": digest(message.body), **outcome})
    world.events.tell("hook", {**text, **outcome})
    return outcome


def _params(
    world: World, message: Message, media: Sequence[tuple[str, str]], word: carrier_words.Word | None
) -> dict[str, str]:
    phone, ours = message.sender or "", message.recipient
    params = {
        "ToCountry": country(ours),
        "FromCountry": country(phone),
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "MessageSid": message.sid,
        "SmsStatus": "received",
        "AccountSid": world.options.account_sid,
        "ApiVersion": "2010-04-01",
        "From": phone,
        "To": ours,
        "Body": message.body,
        "NumMedia": str(len(media)),
        "NumSegments": str(message.segments),
    }
    params |= {f"{region}{place}": "" for region in ("From", "To") for place in ("City", "State", "Zip")}
    for number, (url, (_, kind)) in enumerate(zip(message.media, media, strict=True)):
        params |= {f"MediaUrl{number}": url, f"MediaContentType{number}": kind}
    if message.service:
        params["MessagingServiceSid"] = message.service
    if word:
        params["OptOutType"] = word
    return params


def country(number: str) -> str:
    digits = number.lstrip("+")
    return COUNTRIES.get(digits[:1]) or COUNTRIES.get(digits[:2], "")
