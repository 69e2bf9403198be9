"""Whether a delivery leaves now, waits, or must not leave any more: decided for each at the moment when it is about to
be sent, and for what waited when its moment has come. The rules are in gateway/attention."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy.orm import Session

from gateway.attention import fact_lookup
from gateway.attention.decide import decide
from gateway.attention.decision import Drop, Redirect, Send
from gateway.attention.fact_lookup import UnusualDelivery
from gateway.attention.facts import NEVER, Facts
from gateway.attention.text_limit import TextLimit, text_limit
from gateway.ledger.outbox import claims, escalations, held, redirects
from gateway.ledger.outbox.claims import ClaimedDelivery, Key
from gateway.ledger.outbox.held import FOR_DIGEST, HeldItem, Hold
from gateway.network.audience.visibility import may_read_all

Refused = Drop | Hold | Redirect


class AllowedDeliveries(NamedTuple):
    """Rows that may leave now. `limits`: of those whose readers want only so many texts a day; whoever charges the
    texts to their budgets finds out whether the day is full."""

    rows: list[ClaimedDelivery]
    limits: Mapping[Key, TextLimit]


class DecidedDeliveries(NamedTuple):
    """`refused`: (message, address) → why it does not leave now. `later`: those that leave, and go to the phone as well
    if they are not seen. `limits`: as in AllowedDeliveries."""

    refused: dict[Key, Refused]
    later: dict[Key, Hold]
    limits: dict[Key, TextLimit]


def keep_allowed(session: Session, claimed: Sequence[ClaimedDelivery]) -> AllowedDeliveries:
    """Of rows that were claimed, those that may leave now. The others end here, go elsewhere, or wait."""
    refused, later, limits = find(session, [one.key for one in claimed])
    claims.cancel(session, claimed, ended(refused))
    redirects.put(session, redirected(refused))
    held.hold(session, claimed, {key: one for key, one in refused.items() if isinstance(one, Hold)})
    escalations.put(session, later)
    return AllowedDeliveries([one for one in claimed if one.key not in refused], limits)


def ended(refused: Mapping[Key, Refused]) -> dict[Key, str]:
    """Those of them that end here, with the reason."""
    gone = {key: one.reason for key, one in refused.items() if isinstance(one, Drop)}
    return gone | dict.fromkeys(redirected(refused), redirects.REDIRECTED)


def redirected(refused: Mapping[Key, Refused]) -> dict[Key, int]:
    """Those of them that go to another address, with that address."""
    return {key: one.address_id for key, one in refused.items() if isinstance(one, Redirect)}


def _limits(found: Iterable[tuple[Facts, Sequence[UnusualDelivery]]]) -> dict[Key, TextLimit]:
    limited = ((one, known) for known, deliveries in found if known.limited for one in deliveries)
    limits = ((one.key, text_limit(known, one.reader_id)) for one, known in limited)
    return {key: limit for key, limit in limits if limit}


def find(session: Session, keys: Collection[Key]) -> DecidedDeliveries:
    """What is decided about those of `keys` that do not simply leave now."""
    found = fact_lookup.find(session, keys)
    return DecidedDeliveries(*_decided(session, found), _limits(found))


def find_waiting(session: Session, items: Collection[HeldItem], nowhere: Collection[int] = ()) -> dict[Key, Refused]:
    """The same for items that waited: they are not given up for that, are behind nobody but themselves, and wait no
    longer because their reader is on the web, or what waited for the morning would come one by one. What waited
    for a digest goes into it, wherever that is sent to. `nowhere`: people who have no address now to which their digest
    could be sent; for them the address of each item decides."""
    waited = {item.key: item for item in items if item.reason in FOR_DIGEST}
    for_digest = {key for key, item in waited.items() if item.account_id not in nowhere}
    found = []
    for one, rows in fact_lookup.find_waiting(session, {item.key: item.timezone for item in items}):
        known = replace(one, give_up_at=NEVER, online=False)
        found.append((known, [row for row in rows if row.key not in waited]))
        known = replace(known, digest_failed=True)
        found.append((known, [row for row in rows if row.key in waited.keys() - for_digest]))
        known = replace(known, quiet=None, address_off=False)
        found.append((known, [row for row in rows if row.key in for_digest]))
    return _decided(session, found)[0]


def _decided(
    session: Session, found: Iterable[tuple[Facts, Sequence[UnusualDelivery]]]
) -> tuple[dict[Key, Refused], dict[Key, Hold]]:
    """What does not leave, and what goes to the phone later as well."""
    refused: dict[Key, Refused] = {}
    later: dict[Key, Hold] = {}
    for known, deliveries in found:
        decision = decide(known)
        if isinstance(decision, Send):
            unread = Drop("retracted")
            refused |= {one.key: unread for one in deliveries if one.quotes and not _may_read(session, one)}
            if decision.later:
                later |= dict.fromkeys((one.key for one in deliveries), decision.later)
        else:
            refused |= {one.key: decision for one in deliveries}
    return refused, {key: hold for key, hold in later.items() if key not in refused}


def _may_read(session: Session, delivery: UnusualDelivery) -> bool:
    """Whether the reader of an answer or a notice may still read the posts whose words are in it. Few have any."""
    return delivery.reader_id is not None and may_read_all(session, delivery.reader_id, delivery.quotes or ())
