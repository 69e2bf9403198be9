"""How somebody wants what comes to them: as a text or a mail at once, in the next digest, or not at all. An item may
have several causes, each with its way; the loudest way counts.

Fan-outs choose the address by the same rule, in SQL (gateway/attention/way_sql.py)."""

import json
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from gateway.attention.causes import DeliveryCause
from gateway.channels import EMAIL, SMS

Way = Literal["text", "mail", "digest", "nothing"]

WAYS: Final[tuple[Way, ...]] = ("text", "mail", "digest", "nothing")  # the loudest first
CHANNEL_OF: Final = {"text": SMS, "mail": EMAIL}  # of the ways that come at once
# Those for which somebody can choose a way, by the columns of `attention`; each stands at the place of its number.
CHOOSABLE: Final[tuple[DeliveryCause, ...]] = tuple(cause for cause in DeliveryCause if cause != DeliveryCause.OURS)
COLUMNS: Final = tuple(cause.name.lower() for cause in CHOOSABLE)
NOTHING_CHOSEN: Final = json.dumps([None] * (len(COLUMNS) + 1))  # as read_ways takes it


class ItemCause(NamedTuple):
    """What brings an item to its reader. `way`: that of the follow, tag or tracked phrase itself, if it has one;
    `by_text`: it was asked for from a phone, or it is written to its reader."""

    cause: int
    way: str | None
    by_text: bool


@lru_cache(maxsize=4096)
def read_causes(written: str) -> tuple[ItemCause, ...]:
    """From a JSON array, as the facts have them."""
    return tuple(ItemCause(*each) for each in json.loads(written))


@lru_cache(maxsize=4096)
def read_ways(written: str) -> tuple[str | None, ...]:
    """The preferred channel and then the way of each cause, by its number."""
    return tuple(json.loads(written))


def way_of(cause: ItemCause, chosen: tuple[str | None, ...]) -> str:
    """Its own way, else that of the cause, else as it was asked for."""
    default = "text" if cause.by_text else "mail"
    return cause.way or chosen[cause.cause] or default


def loudest(causes: tuple[ItemCause, ...], chosen: tuple[str | None, ...]) -> str | None:
    """The way in which an item comes that has these causes; None when it has none."""
    return min((way_of(each, chosen) for each in causes), key=WAYS.index, default=None)
