"""What the tour is given: its people, where the simulator listens, and the functions behind its buttons."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Plain = dict[str, Any]


class Trouble(Exception):
    """An error that the person at the page can be told in a sentence; any of the functions may raise it."""


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up person with the phone or mailbox that the tour shows."""

    handle: str
    name: str
    title: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`trace` reports on one input by its carrier's id, None while it does not exist; `explain` reads a text of one of
    the people, by handle, and keeps nothing; `start_over` resets the demo; `begin_drill` starts the kill, `drill` tells
    its progress."""

    company: str
    simulator: str  # its URL, without a slash at the end
    number: str  # where texts go
    mailbox: str  # where mails go
    phones: tuple[Person, ...]
    mailboxes: tuple[Person, ...]
    policy: str  # the Content-Security-Policy of all other pages
    public: Callable[[Any], Any]  # marks a view as open to anybody
    open_as: str  # the beginning of the address at which the pages open as somebody; their handle follows
    trace: Callable[[str], Plain | None]
    explain: Callable[[str, str], Plain]
    start_over: Callable[[], None]
    begin_drill: Callable[[], None]
    drill: Callable[[], Plain]
