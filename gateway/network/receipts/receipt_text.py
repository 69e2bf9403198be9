"""Receipts in words: the counts and who missed the post, for `who got` and for later reports to its author."""

from collections.abc import Sequence
from typing import Final

from gateway.channels import EMAIL, PUSH, SMS
from gateway.i18n.phrases import Phrase, count, joined, listed, say, template
from gateway.network.receipts.receipts import MissedReader, ReceiptTally

BY: Final = {
    SMS: template("{number} by text"),
    EMAIL: template("{number} by mail"),
    PUSH: template("{number} by push"),
}
WORDS: Final = 20  # characters of an update by which its author recognises it


def describe_counts(counts: ReceiptTally) -> Phrase:
    """12 got it (8 by text, 3 by mail, 1 by push), 4 on the web, 2 are still waiting, 5 later. On the web: they want it
    there alone, or saw it there. Later: when quiet hours end, for example."""
    got = count("{count} got it", "{count} got it", counts.got)
    used = [say(BY[channel], number=each.got) for channel, each in counts.by_channel.items() if each.got]
    ways = joined(["(", joined(used, ", "), ")"], "") if len(used) > 1 else ""
    waiting = count("{count} is still waiting", "{count} are still waiting", counts.waiting) if counts.waiting else ""
    on_web = count("{count} on the web", "{count} on the web", counts.on_web) if counts.on_web else ""
    later = count("{count} later", "{count} later", counts.later) if counts.later else ""
    more = say("more to come") if counts.spreading else ""
    return joined([joined([joined([got, ways]), on_web, waiting, later, more], ", "), "."], "")


def names(missed: Sequence[MissedReader], number: int, shown: int) -> Phrase | str:
    """Missed: Bob Reyes (opted out on May 3), Pat Quinn (the phone was off or out of reach) and 3 more."""
    return _listed([say("{name} ({why})", name=one.name, why=one.why) for one in missed[:shown]], number)


def first_names(missed: Sequence[MissedReader], number: int, shown: int) -> Phrase | str:
    """Missed: Bob, Pat and 3 more."""
    return _listed([one.name.split()[0] if one.name.split() else one.name for one in missed[:shown]], number)


def _listed(shown: Sequence[str], number: int) -> Phrase | str:
    if not shown:
        return ""
    more = [count("{count} more", "{count} more", number - len(shown))] if number > len(shown) else []
    return say("Missed: {names}.", names=listed([*shown, *more]))


def shorten(words: str) -> str:
    """The beginning of an update, enough to recognise it."""
    line = " ".join(words.split())
    return line if len(line) <= WORDS else f"{line[: WORDS - 3].rstrip()}..."
