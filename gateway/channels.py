"""The channels by which people are reached: one entry for each, with the facts in which channels differ.

A channel's name stands in the column `channel` of addresses, deliveries and inputs; its worker queue has the same name.
Whoever must know which of two channels comes first, how long a delivery is tried or what an opt-out means asks here, so
that a new channel is one more entry. Names are never compared by alphabet. gateway/store/channel_sql makes the same
facts into SQL. Sentences about a channel stay where sentences are written.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

SMS: Final = "sms"
EMAIL: Final = "email"


@dataclass(frozen=True, slots=True)
class Channel:
    """What is true of one channel.

    `rank`: of a person's channels, the one of the highest rank is used. `gives_up_after`: a delivery that has not left
    by then has failed. `reached_by`: the states of a delivery whose reader counts as reached.
    `on_request`: a follow brings updates by it only to those who asked for that; naming somebody always does.
    `opt_out_is_final`: whoever opted out of it is not written to on another channel instead. `answers_opted_out`:
    somebody who opted out of it still gets the answers to what they ask by it. `folds_repeats`: the receiver recognises
    a second copy, so that what may have left is simply sent again. `priced`: each delivery costs money, which budgets
    limit.
    """

    name: str
    rank: int
    gives_up_after: timedelta
    reached_by: frozenset[str]
    on_request: bool
    opt_out_is_final: bool
    answers_opted_out: bool
    folds_repeats: bool
    priced: bool
    noun: str  # one item, in words for operators
    nouns: str
    address: str  # what an address of it is called

    @property
    def queue(self) -> str:
        """The queue of the workers that send on it, which is also the name of their drain."""
        return self.name


TEXTS: Final = Channel(
    SMS,
    rank=40,
    gives_up_after=timedelta(hours=4),
    reached_by=frozenset({"sent", "delivered"}),
    on_request=True,
    opt_out_is_final=True,
    answers_opted_out=False,
    folds_repeats=False,
    priced=True,
    noun="text",
    nouns="texts",
    address="phone",
)
MAILS: Final = Channel(
    EMAIL,
    rank=20,
    gives_up_after=timedelta(days=2),
    reached_by=frozenset({"sent", "delivered"}),
    on_request=False,
    opt_out_is_final=False,
    answers_opted_out=True,
    folds_repeats=True,
    priced=False,
    noun="mail",
    nouns="mails",
    address="mailbox",
)


def _by_rank(*channels: Channel) -> dict[str, Channel]:
    return {each.name: each for each in sorted(channels, key=lambda each: each.rank, reverse=True)}


# By name, the highest rank first.
CHANNELS: Final = _by_rank(TEXTS, MAILS)
NAMES: Final = tuple(CHANNELS)
NOUNS: Final = {each.name: each.noun for each in CHANNELS.values()}


def by_rank(names: Collection[str]) -> list[str]:
    """These names, the highest rank first."""
    return [name for name in NAMES if name in names]
