"""The channels by which people are reached: one entry for each, with the facts in which channels differ.

A channel's name stands in the column `channel` of addresses, deliveries and inputs; its drain has the same name.
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
PUSH: Final = "push"


@dataclass(frozen=True, slots=True)
class Channel:
    """What is true of one channel.

    `rank`: of a person's channels, the one of the highest rank is used. `gives_up_after`: a delivery that has not left
    by then has failed. `reached_by`: the states of a delivery whose reader counts as reached.
    `on_request`: a follow brings updates by it only to those who asked for that; naming somebody always does.
    `opt_out_is_final`: whoever opted out of it is not written to on another channel instead. `answers_opted_out`:
    somebody who opted out of it still gets the answers to what they ask by it. `folds_repeats`: the receiver recognises
    a second copy, so that what may have left is simply sent again. `priced`: each delivery costs money, which budgets
    limit. `only_if_chosen`: nothing comes by it but what its reader wants by it; nobody writes to us by it, and what it
    shows is seen by whoever sees the device.
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
    only_if_chosen: bool
    queue: str  # of the workers that send on it
    noun: str  # one item, in words for operators
    nouns: str
    address: str  # what an address of it is called


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
    only_if_chosen=False,
    queue=SMS,
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
    only_if_chosen=False,
    queue=EMAIL,
    noun="mail",
    nouns="mails",
    address="mailbox",
)
# To the devices of one person, which are one address together: gateway/network/push/push_subscriptions. They are so
# few and so quick that the workers of mails send them, too.
PUSHES: Final = Channel(
    PUSH,
    rank=10,
    gives_up_after=timedelta(hours=4),
    reached_by=frozenset({"sent", "delivered"}),
    on_request=True,
    opt_out_is_final=False,
    answers_opted_out=False,
    folds_repeats=True,
    priced=False,
    only_if_chosen=True,
    queue=EMAIL,
    noun="push",
    nouns="pushes",
    address="devices",
)


def _by_rank(*channels: Channel) -> dict[str, Channel]:
    return {each.name: each for each in sorted(channels, key=lambda each: each.rank, reverse=True)}


# By name, the highest rank first.
CHANNELS: Final = _by_rank(TEXTS, MAILS, PUSHES)
NAMES: Final = tuple(CHANNELS)
ONLY_IF_CHOSEN: Final = tuple(each.name for each in CHANNELS.values() if each.only_if_chosen)
NOUNS: Final = {each.name: each.noun for each in CHANNELS.values()}


def by_rank(names: Collection[str]) -> list[str]:
    """These names, the highest rank first."""
    return [name for name in NAMES if name in names]
