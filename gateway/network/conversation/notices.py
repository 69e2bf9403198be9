"""Notices that Critter sends unasked: each in its reader's language, and few. Handlers call it."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.i18n.phrases import translated
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.follows import mutes, reachability
from gateway.network.people import addresses
from gateway.store.tables import Account, Address

PRIORITY = 2  # as answers


def tell_elsewhere(session: Session, account_id: int, channel: str, words: str) -> frozenset[str]:
    """Tells one person on another channel than this one, where there is one. Returns the queues to wake."""
    there = elsewhere(session, account_id, channel)
    if there is None:
        return tell(session, [account_id], words)
    said = translated(words, session.get_one(Account, account_id).language)
    notice = Outgoing("notice", said, said, said, priority=PRIORITY)
    outbox.put(session, notice, [Target(there.id, there.channel)])
    return frozenset({there.channel})


def elsewhere(session: Session, account_id: int, channel: str) -> Address | None:
    """Where somebody is reached on another channel than this one."""
    others = [each for each in addresses.of_account(session, account_id) if each.channel != channel]
    return next((each for each in others if each.is_primary and each.state == "verified"), None)


def tell(
    session: Session,
    people: Collection[int],
    words: str,
    inbound_id: int | None = None,
    author_id: int | None = None,
    quotes: tuple[int, ...] | None = None,
    priority: int = PRIORITY,
) -> frozenset[str]:
    """Sends the words to each of them by text, else by mail. Those whom nothing reaches, or nothing of `author_id`, are
    left out. `quotes`: the posts whose words are in the notice. Returns the queues to wake."""
    people = set(people) - mutes.deaf_to(session, author_id, people) if author_id else people
    spoken = select(Account.id, Account.language).where(Account.id.in_(people))
    languages = dict(session.execute(spoken).all())
    to: dict[str, list[Target]] = {}
    for address in reachability.reached(session, people):
        if address.account_id is not None:
            said = translated(words, languages[address.account_id])
            to.setdefault(said, []).append(Target(address.id, address.channel))
    for said, targets in to.items():
        notice = Outgoing(
            "notice", said, said, said,
            author_id=author_id, inbound_id=inbound_id, priority=priority, quotes=quotes,
        )  # fmt: skip
        outbox.put(session, notice, targets)
    return frozenset(target.channel for targets in to.values() for target in targets)
