"""What the sink does with a mail once its dot has come: keep it by mailbox, tell the pages, write the ledger lines."""

import re
import time
from collections.abc import Sequence

from simulator.ledger import digest
from simulator.world import World

MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


def receive(world: World, sender: str, recipients: Sequence[str], content: bytes, status: int | str = 250) -> None:
    """Take a mail, one line and one mailbox per recipient; the session flushes the ledger before it answers."""
    at = time.time()
    together = tuple(recipients)
    for recipient in together:
        mail = world.mailboxes.add(at, recipient, "received", sender, together, content)
        world.events.tell("mail", mail.event)
    _write(world, at, sender, together, content, status, accepted=True)


def refuse(world: World, sender: str, recipients: Sequence[str], content: bytes, status: int | str) -> None:
    """Write down a mail, or a recipient before there was one, that a fault turned away."""
    _write(world, time.time(), sender, recipients, content, status, accepted=False)


def _write(
    world: World, at: float, sender: str, recipients: Sequence[str], content: bytes, status: int | str, accepted: bool
) -> None:
    head, _, body = content.partition(b"\r\n\r\n")
    found = MESSAGE_ID.search(head)
    fields = {
        "message_id": found[1].decode("utf-8", "replace") if found else None,
        "envelope_from": sender,
        "body_sha256": digest(body),
        "size": len(content),
        "accepted": accepted,
        "status": status,
    }
    for recipient in recipients:
        world.ledger.add(at, "mail", {"recipient": recipient, **fields})
