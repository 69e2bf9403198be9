"""The carrier's own STOP, START and HELP: the carrier answers by itself, blocks and unblocks. Used for every text from
a phone."""

from typing import Literal

Word = Literal["STOP", "START", "HELP"]

STOP = frozenset(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"))
START = frozenset(("START", "UNSTOP"))
HELP = frozenset(("HELP", "INFO"))
TOLL_FREE = frozenset(f"+1{prefix}" for prefix in (800, 833, 844, 855, 866, 877, 888))


def read(body: str, blocked: bool, ours: str = "", service: bool = False) -> Word | None:
    """The keyword that a text is, if it is nothing else: in any case, with blanks around it, without punctuation.

    YES is a keyword only for a phone that is blocked, so that it stays an ordinary answer for everybody else; never on
    a toll-free number. A short code of its own, outside a messaging service, is left to its owner."""
    if ours.isdecimal() and not service:
        return None
    word = body.strip().upper()
    if word in STOP:
        return "STOP"
    if word in START or (word == "YES" and blocked and ours[:5] not in TOLL_FREE):
        return "START"
    return "HELP" if word in HELP else None


def answer(word: Word, blocked: bool, company: str) -> str | None:
    """What the carrier texts back. A blocked phone gets nothing more until it sends START."""
    if word == "START":
        return f"{company}: you are subscribed again and will get messages. Reply HELP for help or STOP to unsubscribe."
    if blocked:
        return None
    if word == "STOP":
        return f"You are unsubscribed and will get no more messages from {company}. Reply START to subscribe again."
    return f"{company}: reply STOP to unsubscribe. Message and data rates may apply."


class Blocks:
    """Which phones our numbers may not text. Within a messaging service all numbers are blocked together."""

    def __init__(self, numbers: tuple[str, ...], together: bool) -> None:
        self._numbers, self._together = numbers, together
        self._blocked: set[tuple[str, str]] = set()

    def has(self, ours: str, phone: str) -> bool:
        return (ours, phone) in self._blocked

    def of(self, phone: str) -> list[str]:
        return [ours for ours in self._numbers if (ours, phone) in self._blocked]

    def apply(self, word: Word, ours: str, phone: str) -> None:
        pairs = {(number, phone) for number in (self._numbers if self._together else (ours,))}
        if word == "STOP":
            self._blocked |= pairs
        elif word == "START":
            self._blocked -= pairs

    def clear(self) -> None:
        self._blocked.clear()
