"""How somebody wants what comes to them: as a text, a push or a mail at once, in the next digest, on the web alone, or
not at all. An item may have several causes, each with its way; the loudest way counts.

Fan-outs choose the address by the same rule, in SQL: the function chosen_way in schema.sql."""

import json
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from gateway.attention.causes import DeliveryCause
from gateway.channels import EMAIL, PUSH, SMS

Way = Literal["text", "push", "mail", "digest", "web", "nothing"]

WAYS: Final[tuple[Way, ...]] = ("text", "push", "mail", "digest", "web", "nothing")  # the loudest first
CHANNEL_OF: Final = {"text": SMS, "push": PUSH, "mail": EMAIL}  # of the ways that come at once
# Those for which somebody can choose a way, by the columns of `attention`; each stands at the place of its number.
CHOOSABLE: Final[tuple[DeliveryCause, ...]] = tuple(cause for cause in DeliveryCause if cause != DeliveryCause.OURS)
COLUMNS: Final = tuple(cause.name.lower() for cause in CHOOSABLE)


class ItemCause(NamedTuple):
    """What brings an item to its reader. `way`: that of the follow, tag or tracked phrase itself, if it has one;
    `by_text`: it was asked for from a phone, or it is written to its reader."""

    cause: int
    way: str | None
    by_text: bool


class WayChoice(NamedTuple):
    """What is known of an item whose reader chose ways. `ways`: what they prefer to texts, and then the way of each
    cause, by its number; `mailbox`: for a text, the address to which mails to its reader go, if one takes them;
    `mailbox_on`: it is not switched off for now; `devices`: the address to which their pushes go, while they have a
    device."""

    causes: tuple[ItemCause, ...]
    ways: tuple[str | None, ...]
    mailbox: int | None
    mailbox_on: bool
    devices: int | None = None

    @property
    def way(self) -> str | None:
        """The loudest way of its causes; None when it has none. Whoever prefers pushes or the web gets no texts. Who
        has no device at the moment gets texts again, and a mail of what was to come by push from the start."""
        loudest = min(map(self._way_of, self.causes), key=WAYS.index, default=None)
        if loudest == "push":
            return "push" if self.devices else "mail"
        instead = self.ways[0] if self.ways[0] == "web" or (self.ways[0] == "push" and self.devices) else None
        return instead if loudest == "text" and instead else loudest

    def _way_of(self, cause: ItemCause) -> str:
        """Its own way, else that of the cause, else as it was asked for."""
        return cause.way or self.ways[cause.cause] or ("text" if cause.by_text else "mail")

    @property
    def mailed(self) -> bool:
        """Whether it is to go to the mailbox, and not to a phone. What is written to its reader goes to the phone while
        the mailbox is off."""
        wanted = self.way == "mail" or (self.way == "text" and self.ways[0] == "mail")
        return wanted and self.mailbox is not None and (self.mailbox_on or not self.addressed)

    @property
    def addressed(self) -> bool:
        """Whether somebody wrote to its reader."""
        return any(DeliveryCause(each.cause).addressed for each in self.causes)


@lru_cache(maxsize=4096)
def read_choice(written: str) -> WayChoice:
    """From a JSON array, as the facts have it."""
    causes, chosen, place, devices = json.loads(written)
    mailbox, on = place or (None, False)
    return WayChoice(tuple(ItemCause(*each) for each in causes), tuple(chosen), mailbox, on, devices)
