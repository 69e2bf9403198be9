"""Accepts a text over the REST API: Twilio's checks in Twilio's order, the ledger line, the start of its journey."""

import re
import time
from typing import Any

from simulator.ledger import digest
from simulator.local import path_of
from simulator.messages import Message
from simulator.refusals import TwilioError
from simulator.resource import resource
from simulator.world import World

Form = dict[str, list[str]]
E164 = re.compile(r"\+[1-9]\d{6,14}")
LONGEST_BODY = 1600
LONGEST_VALIDITY = 36_000


def create(world: World, form: Form, answered: int | str | None = None, fault: str = "") -> tuple[int, dict[str, Any]]:
    """Accepts the text or refuses it, and writes that down; returns HTTP status and JSON. A fault may change what is
    `answered`."""
    message = None
    try:
        message = _take(world, form)
        status, body = 201, resource(world.options, message)
    except TwilioError as refusal:
        status, body = refusal.status, refusal.body()
    _write(world, form, message, answered or status, body.get("code"), fault)
    return status, body


def note(world: World, form: Form, answered: int | str, fault: str) -> None:
    """Writes down a create that a fault ended before it was done."""
    _write(world, form, None, answered, None, fault)


def one(form: Form, name: str) -> str:
    """The first value of a form field, or the empty string."""
    return form[name][0] if name in form else ""


def _take(world: World, form: Form) -> Message:
    _check(world, form)
    sender, service = one(form, "From") or None, one(form, "MessagingServiceSid") or None
    message = world.messages.add(
        "outbound-api",
        sender,
        one(form, "To"),
        one(form, "Body"),
        "queued" if sender else "accepted",
        service=service,
        media=tuple(form.get("MediaUrl", ())),
        callback=one(form, "StatusCallback") or None,
    )
    world.events.tell("text", message.event())
    world.journeys.begin(message)
    return message


def _check(world: World, form: Form) -> None:
    to, sender, service = one(form, "To"), one(form, "From"), one(form, "MessagingServiceSid")
    if not to:
        raise TwilioError(21604)
    if not sender and not service:
        raise TwilioError(21603)
    if not one(form, "Body") and "MediaUrl" not in form:
        raise TwilioError(21602)
    if not E164.fullmatch(to):
        raise TwilioError(21211, f"Invalid 'To' Phone Number: {to}")
    if len(one(form, "Body")) > LONGEST_BODY:
        raise TwilioError(21617)
    _check_sender(world, sender, service)
    _check_extras(form)
    if world.blocks.has(sender or world.options.numbers[0], to):
        raise TwilioError(21610)


def _check_sender(world: World, sender: str, service: str) -> None:
    if sender and sender not in world.options.numbers:
        raise TwilioError(21606)
    if service and service != world.options.messaging_service_sid:
        raise TwilioError(21701)


def _check_extras(form: Form) -> None:
    callback, validity = one(form, "StatusCallback"), one(form, "ValidityPeriod")
    if callback and not (callback.startswith(("http://", "https://")) and path_of(callback)):
        raise TwilioError(21609)
    if validity and not (validity.isascii() and validity.isdigit() and 1 <= int(validity) <= LONGEST_VALIDITY):
        raise TwilioError(20001, f"ValidityPeriod must be between 1 and {LONGEST_VALIDITY} seconds.")


def _write(
    world: World, form: Form, message: Message | None, answered: int | str, code: int | None, fault: str
) -> None:
    callback = one(form, "StatusCallback")
    fields = {
        "sid": message.sid if message else None,
        "recipient": one(form, "To"),
        "from": one(form, "From") or one(form, "MessagingServiceSid"),
        "callback": path_of(callback) if callback else None,
        "body_sha256": digest(one(form, "Body")),
        "segments": message.segments if message else 0,
        "accepted": message is not None,
        "status": answered,
        "code": code,
    }
    world.ledger.write(time.time(), "create", {**fields, "fault": fault} if fault else fields)
