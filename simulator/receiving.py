"""What the sink does with a complete mail: it keeps it by mailbox, tells the pages, writes the ledger lines."""

import re
import time
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quoted

from simulator.ledger import digest
from simulator.world import World

MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


def receive(world: World, sender: str, recipients: Sequence[str], content: bytes, status: int | str = 250) -> None:
    """Takes a mail: one line and one mailbox per recipient. The session flushes the ledger before it answers."""
    at = time.time()
    together = tuple(recipients)
    for recipient in together:
        mail = world.mailboxes.add(at, recipient, "received", sender, together, content)
        world.events.tell("mail", mail.event)
    _write(world, at, sender, together, content, status, accepted=True)


def refuse(world: World, sender: str, recipients: Sequence[str], content: bytes, status: int | str) -> None:
    """Records a mail, or a recipient before there was a mail, that a fault refused."""
    _write(world, time.time(), sender, recipients, content, status, accepted=False)


def _write(
    world: World, at: float, sender: str, recipients: Sequence[str], content: bytes, status: int | str, accepted: bool
) -> None:
    """The lines are formatted by hand: a bench sends more mails a second than a JSON encoder can keep up with."""
    end = content.find(b"\r\n\r\n")
    found = MESSAGE_ID.search(content, 0, end if end >= 0 else len(content))
    body = content[end + 4 :] if end >= 0 else b""
    fields = (
        f'"message_id":{quoted(found[1].decode("utf-8", "replace")) if found else "null"},'
        f'"envelope_from":{quoted(sender)},"body_sha256":"{digest(body)}","size":{len(content)},'
        f'"accepted":{"true" if accepted else "false"},"status":{status if isinstance(status, int) else quoted(status)}'
    )
    for recipient in recipients:
        world.ledger.add(at, "mail", f'"recipient":{quoted(recipient)},{fields}')
