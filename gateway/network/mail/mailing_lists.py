"""Critter's own lists: mails that no single follow brings, and that end with one click all the same."""

from typing import Final, Literal

OwnList = Literal["daily", "digest", "mails"]

# In an unsubscribe token it stands for the source; no account, topic or tracked phrase has such an id.
NUMBERS: Final[dict[OwnList, int]] = {"daily": 0, "digest": 1, "mails": 2}
NAMES: Final[dict[OwnList, str]] = {
    "daily": "the daily mail",
    "digest": "your digest",
    "mails": "mails to this mailbox",
}
_BY_NUMBER: Final = {number: each for each, number in NUMBERS.items()}


def by_number(number: int) -> OwnList | None:
    return _BY_NUMBER.get(number)


def of_message(kind: str, digest: str | None) -> OwnList | None:
    """The list that a message belongs to. `digest`: which kind of digest it is. One that its reader did not order,
    because it only waited for quiet hours or for an `off` to end, or was over the texts of a day, is like any mail."""
    if kind == "daily":
        return "daily"
    if kind == "digest":
        return "mails" if digest in ("wake", "back", "over") else "digest"
    return None
