"""/mailboxes: what each simulated mailbox received and sent, and how to send from it."""

import re
from email import message_from_bytes, policy
from email.errors import MessageError
from email.utils import getaddresses

from aiohttp import web

from simulator import sending
from simulator.guard import Bad, limit, own
from simulator.rest_faults import json_response
from simulator.world import WORLD

MOST_MAILS = 200
ADDRESS = re.compile(r"[^@\s<>,]+@[^@\s<>,]+")
FIELDS = ("to", "subject", "body", "in_reply_to", "name")


def routes() -> list[web.RouteDef]:
    return [
        web.get("/mailboxes.json", own(list_mailboxes)),
        web.get("/mailboxes/{address}.json", own(show)),
        web.post("/mailboxes/{address}/mails", own(send)),
    ]


async def list_mailboxes(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    names = world.mailboxes.names()[: limit(request, 1000)]
    boxes = [{"address": name, "received": world.mailboxes.received.get(name, 0)} for name in names]
    return json_response({"mail_domain": world.options.mail_domain, "mailboxes": boxes})


async def show(request: web.Request) -> web.StreamResponse:
    """Oldest first; `received` counts also the mails that are no longer kept."""
    world, address = request.app[WORLD], _address(request)
    newest = list(world.mailboxes.of(address))[-max(1, limit(request, MOST_MAILS)) :]
    received = world.mailboxes.received.get(address.lower(), 0)
    return json_response({"address": address, "received": received, "mails": [mail.event() for mail in newest]})


async def send(request: web.Request) -> web.StreamResponse:
    """Form fields (to, subject, body, in_reply_to, name), or a whole message as message/rfc822."""
    mailbox = _address(request)
    raw = request.content_type == "message/rfc822"
    recipients, content = await (_raw(request) if raw else _written(request, mailbox))
    if not recipients or not all(map(ADDRESS.fullmatch, recipients)):
        raise Bad("to must be one or more addresses")
    answer, seq = await sending.mail(request.app[WORLD], mailbox, recipients, content)
    message_id = message_from_bytes(content, policy=policy.compat32)["Message-ID"]
    told = {
        "code": answer.code,
        "text": answer.text,
        "recipients": answer.recipients,
        "seq": seq,
        "message_id": message_id and str(message_id),
    }
    return json_response(told, 200 if answer.code else 502)


async def _written(request: web.Request, mailbox: str) -> tuple[list[str], bytes]:
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str) and name in FIELDS}
    try:
        message = sending.write(request.app[WORLD], mailbox, form)
    except (ValueError, MessageError) as error:
        raise Bad(f"no mail can be made of this: {error}") from None
    return [address for _, address in getaddresses([str(message["To"])]) if address], message.as_bytes()


async def _raw(request: web.Request) -> tuple[list[str], bytes]:
    """The mail as it is, only with CRLF (with exact=1 not even that). Envelope recipients: ?to=, else the To and Cc
    fields."""
    content = await request.read()
    if request.query.get("exact") != "1":
        content = re.sub(rb"\r?\n", b"\r\n", content)
    head = message_from_bytes(content, policy=policy.compat32)
    told = request.query.getall("to", []) or [str(value) for value in head.get_all("To", []) + head.get_all("Cc", [])]
    return [address for _, address in getaddresses(told) if address], content


def _address(request: web.Request) -> str:
    address = request.match_info["address"]
    if not ADDRESS.fullmatch(address):
        raise Bad("not a mail address")
    return address
