"""Tells which texts in doubt a carrier's list shows, surely lacks, or may hide. Pure; workers/reconcile calls it.

It is better to leave a text unknown than to send it twice. A message in the list that matches no text may be one of
those in doubt, in words that the carrier has changed; then none of them counts as absent.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.ledger.outbox.in_doubt import Unknown

SKEW: Final = timedelta(minutes=5)  # the carrier's clock is not ours
SERVICE: Final = "MG"  # how the id of a Messaging Service begins: there Twilio chooses the number that sends


@dataclass(frozen=True, slots=True)
class UnmatchedMessage:
    """One message of the list that belongs to no known attempt."""

    carrier_id: str
    body_hash: bytes
    sent_at: datetime | None
    sender: str | None  # "": the list does not say; None: it was not sent by the carrier's API


@dataclass(slots=True)
class MatchResult:
    """`found`: the carrier's id by attempt. `absent`: attempts that surely did not leave. `open`: it is still unknown
    whether they left."""

    found: dict[int, str] = field(default_factory=dict)
    absent: list[int] = field(default_factory=list)
    open: list[int] = field(default_factory=list)


def compare(doubtful: Sequence[Unknown], shown: Sequence[UnmatchedMessage], elsewhere: Sequence[bytes]) -> MatchResult:
    """Compares the texts of one phone. `doubtful`: the oldest first. `elsewhere`: hashes of its other texts that are on
    their way or in doubt. Each message of the list is one text; among texts with the same words it is the oldest."""
    verdict, left = MatchResult(), list(shown)
    claimants = Counter(elsewhere)
    unmatched: list[Unknown] = []
    for one in doubtful:
        match = next((each for each in left if _is(one, each)), None)
        if match is None:
            unmatched.append(one)
        else:
            verdict.found[one.attempt_id] = match.carrier_id
            left.remove(match)
    _leave_to_others(verdict, doubtful, claimants, left)
    for one in unmatched:
        hidden = any(_may_be(one, each) for each in left)
        (verdict.open if hidden else verdict.absent).append(one.attempt_id)
    return verdict


def _leave_to_others(
    verdict: MatchResult, doubtful: Sequence[Unknown], claimants: Counter[bytes], left: list[UnmatchedMessage]
) -> None:
    """A message with the words of a text that is not compared now may be that text. If there are too few messages for
    all texts with these words, those that were found stay open until the others are known."""
    spare: defaultdict[bytes, list[UnmatchedMessage]] = defaultdict(list)
    for each in left:
        spare[each.body_hash].append(each)
    for body_hash, count in claimants.items():
        for each in spare[body_hash][:count]:
            left.remove(each)
        if len(spare[body_hash]) < count:
            alike = [
                one.attempt_id for one in doubtful if one.body_hash == body_hash and one.attempt_id in verdict.found
            ]
            for attempt in alike:
                del verdict.found[attempt]
            verdict.open += alike


def _is(one: Unknown, each: UnmatchedMessage) -> bool:
    return one.body_hash is not None and each.body_hash == one.body_hash and _in_time(one, each)


def _in_time(one: Unknown, each: UnmatchedMessage) -> bool:
    return each.sent_at is None or each.sent_at >= one.started_at - SKEW


def _may_be(one: Unknown, each: UnmatchedMessage) -> bool:
    """Tells whether the message may be this text in changed words: it is from the number that the text was to leave
    from, and from a time when it may have left."""
    if each.sender is None or not _in_time(one, each):
        return False
    return not one.sender or not each.sender or one.sender.startswith(SERVICE) or each.sender == one.sender
