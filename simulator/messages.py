"""All texts, by SID and by number; the REST API, the phones and the journeys share them."""

import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from simulator.ledger import moment
from simulator.segments import segments


@dataclass(slots=True, eq=False)
class Message:
    """One text. Times are seconds since 1970; `phone` and `ours` are its two ends in either direction."""

    seq: int
    sid: str
    direction: str  # inbound, outbound-api, outbound-reply (the carrier's own answers)
    sender: str | None  # None until a messaging service has chosen one
    recipient: str
    body: str
    created: float
    status: str
    segments: int
    service: str | None = None
    media: tuple[str, ...] = ()
    callback: str | None = None
    sent: float | None = None
    updated: float = 0.0
    error: int | None = None

    @property
    def inbound(self) -> bool:
        return self.direction == "inbound"

    def event(self) -> dict[str, Any]:
        """How phones and pages see it."""
        return {
            "sid": self.sid,
            "direction": self.direction,
            "by": {"inbound": "phone", "outbound-api": "critter"}.get(self.direction, "carrier"),
            "from": self.sender,
            "to": self.recipient,
            "body": self.body,
            "media": list(self.media),
            "segments": self.segments,
            "status": self.status,
            "error_code": self.error,
            "at": moment(self.created),
        }


class Messages:
    """A ring buffer: the oldest text is forgotten when the newest no longer fits."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._seq = count(1)
        self._by_sid: OrderedDict[str, Message] = OrderedDict()  # finds its first at once; a dict searches
        self._by_number: dict[str, list[Message]] = {}
        # Unique across restarts too: Critter keeps SIDs for ever, and would take a repeated one for a repeat.
        self._start = f"{time.time_ns():016x}"[-16:] + os.urandom(4).hex()

    def add(self, direction: str, sender: str | None, recipient: str, body: str, status: str, **more: Any) -> Message:
        seq, now = next(self._seq), time.time()
        kind = "MM" if more.get("media") else "SM"
        sid = f"{kind}{self._start}{seq & 0xFFFFFFFF:08x}"
        parts = segments(body)
        message = Message(seq, sid, direction, sender, recipient, body, now, status, parts, updated=now, **more)
        self._by_sid[sid] = message
        for number in self._ends(message):
            self._by_number.setdefault(number, []).append(message)
        if len(self._by_sid) > self._keep:
            self.drop(next(iter(self._by_sid)))
        return message

    def get(self, sid: str) -> Message | None:
        return self._by_sid.get(sid)

    def newest(self, number: str | None) -> Iterator[Message]:
        """Newest first: all, or those with this number as recipient or as the phone that sent."""
        return reversed(self._by_sid.values()) if number is None else reversed(self._by_number.get(number, []))

    def numbers(self) -> list[str]:
        return list(self._by_number)

    def drop(self, sid: str) -> None:
        """Forgets one; the oldest, the usual case, is found first in its lists."""
        message = self._by_sid.pop(sid)
        for number in self._ends(message):
            texts = self._by_number[number]
            texts.remove(message)
            if not texts:
                del self._by_number[number]

    def clear(self) -> None:
        self._by_sid.clear()
        self._by_number.clear()

    @staticmethod
    def _ends(message: Message) -> set[str]:
        """Its keys in the index. Outbound texts are not in our own number's list, which would grow to hold
        everything."""
        if message.inbound and message.sender:
            return {message.recipient, message.sender}
        return {message.recipient}
