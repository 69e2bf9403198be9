"""The mails that Critter sent, and those sent to it, by mailbox. The sink fills it, pages and tests read it."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from typing import Any, cast

from simulator.ledger import moment


@dataclass(slots=True, eq=False)
class Mail:
    """One mail in one mailbox, raw; `direction` is from the mailbox's view: received or sent."""

    seq: int
    at: float
    mailbox: str
    direction: str
    envelope_from: str
    recipients: tuple[str, ...]
    content: bytes

    def event(self) -> dict[str, Any]:
        """Parsed for people and tests. This costs half a millisecond, so it is done only when somebody looks."""
        mail = message_from_bytes(self.content, policy=policy.default)
        head = {name: _head(mail, name) for name in ("from", "to", "subject", "reply_to", "message_id", "in_reply_to")}
        return {
            "seq": self.seq,
            "mailbox": self.mailbox,
            "direction": self.direction,
            "envelope_from": self.envelope_from,
            "recipients": list(self.recipients),
            **head,
            "text": _part(mail, "plain"),
            "html": _part(mail, "html"),
            "headers": [[name, str(value)] for name, value in mail.items()],
            "size": len(self.content),
            "at": moment(self.at),
        }


def _head(mail: EmailMessage, name: str) -> str | None:
    value = mail[name.replace("_", "-")]
    return None if value is None else str(value)


def _part(mail: EmailMessage, kind: str) -> str | None:
    part = mail.get_body(preferencelist=(kind,))
    if part is None:
        return None
    try:
        return str(part.get_content()).replace("\r\n", "\n")
    except LookupError:  # unknown charset: show what can be shown
        return cast(bytes, part.get_payload(decode=True)).decode("ascii", "replace")


class Mailboxes:
    """Counts every mail, keeps the newest ones whole."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._seq = count(1)
        self._kept: deque[Mail] = deque()
        self._mails: dict[str, list[Mail]] = {}
        self.received: dict[str, int] = {}

    def add(
        self, at: float, mailbox: str, direction: str, envelope_from: str, recipients: tuple[str, ...], content: bytes
    ) -> Mail:
        mail = Mail(next(self._seq), at, mailbox.lower(), direction, envelope_from, recipients, content)
        self._kept.append(mail)
        self._mails.setdefault(mail.mailbox, []).append(mail)
        if direction == "received":
            self.received[mail.mailbox] = self.received.get(mail.mailbox, 0) + 1
        if len(self._kept) > self._keep:
            self._forget(self._kept.popleft())
        return mail

    def of(self, mailbox: str) -> Iterable[Mail]:
        """Oldest first."""
        return self._mails.get(mailbox.lower(), ())

    def names(self) -> list[str]:
        return list(self._mails)

    def clear(self) -> None:
        self._kept.clear()
        self._mails.clear()
        self.received.clear()

    def _forget(self, mail: Mail) -> None:
        mails = self._mails[mail.mailbox]
        mails.remove(mail)
        if not mails:
            del self._mails[mail.mailbox]
