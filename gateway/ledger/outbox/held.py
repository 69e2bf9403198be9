"""Held items: deliveries that wait for their reader, until quiet hours end or what was turned off is on again.

The delivery has ended as `held`, so it is in no lane and is not given up; its row in `held` says what it waits for and
until when. A wake-up decides about it again: it is sent by itself (`release`), folded into a digest (`fold`), waits on
(`postpone`) or must not be sent any more (`cancel`). digest_items.py says what then becomes of folded items, and
held_cancellations.py ends what was taken back meanwhile.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from gateway.ledger.outbox import email_fallback
from gateway.ledger.outbox.claims import FORGET, ClaimedDelivery, Key
from gateway.store.arrays import numbers
from gateway.store.channel_sql import gives_up_after

FOR_DIGEST: Final = ("digest", "over")  # reasons of what waits for a digest, wherever that goes to
FOR_WEB: Final = ("online", "unseen")  # reasons of what waits for its reader to see it on the web


class Hold(NamedTuple):
    """Why an item waits (`quiet`, `off_till`, `behind`, `digest`, `over`, `online`, `unseen`), until when, and what
    brings it (gateway/attention/causes). `slot`: the date of the digest that it waits for."""

    reason: str
    until: datetime
    cause: int
    slot: datetime | None = None


class HeldItem(NamedTuple):
    """One item that waits. `state` is that of its delivery, which a late report of the carrier may have changed, or
    `gone` when there is none. `digest_id`: the digest that it was in and that did not leave; it then goes by itself.
    `timezone`: of its reader's clock now, and `zone_until`: till when."""

    message_id: int
    account_id: int
    address_id: int
    author_id: int
    cause: int
    reason: str
    until: datetime
    channel: str
    state: str
    digest_id: int | None
    slot: datetime | None
    timezone: str
    zone_until: datetime | None = None

    @property
    def key(self) -> Key:
        return self.message_id, self.address_id


def hold(session: Session, claimed: Sequence[ClaimedDelivery], holds: Mapping[Key, Hold]) -> None:
    """Has rows wait that were claimed in this transaction, as if they had not been claimed."""
    rows = [(one, holds[one.key]) for one in claimed if one.key in holds]
    if not rows:
        return
    given = {
        "messages": numbers(one.message_id for one, _ in rows),
        "addresses": numbers(one.address_id for one, _ in rows),
        "numbers": numbers(one.number for one, _ in rows),
        "causes": numbers(why.cause for _, why in rows),
        "reasons": [why.reason for _, why in rows],
        "untils": [why.until for _, why in rows],
        "slots": [why.slot for _, why in rows],
    }
    session.execute(HOLD, given)
    session.execute(FORGET, {"attempts": [one.attempt_id for one, _ in rows]})


def due(session: Session, people: int) -> list[HeldItem]:
    """Locks and returns what is due of up to about so many people. Whoever another worker has in hand is left out."""
    return [HeldItem(*row) for row in session.execute(_due(people))]


def wake(session: Session, account_id: int, address_id: int) -> dict[str, int]:
    """Has what waits at an address decided about again now, for a setting has changed: how many waited, by reason. The
    same for what waits for a digest without a date: quiet hours of the place that it goes to may have kept it back.
    What waits to be seen on the web has its own time."""
    rows = session.scalars(WAKE, {"account": account_id, "address": address_id}).all()
    return dict(Counter(rows))


def wake_person(session: Session, account_id: int) -> int:
    """Has what waits for somebody decided about again now, by their new ways, but for what has a date in a digest or
    waits some minutes because they are on the web: how much that is."""
    return len(session.execute(WAKE_PERSON, {"account": account_id}).all())


def waiting(session: Session, account_id: int, address_id: int) -> int:
    """How many items wait at an address until it may ring; what waits for a digest or for the web is another matter."""
    return session.scalar(WAITING, {"account": account_id, "address": address_id}) or 0


def postpone(session: Session, items: Iterable[tuple[HeldItem, Hold]]) -> None:
    """Has items wait on, for this reason and until then."""
    rows = list(items)
    if rows:
        more = {
            "reasons": [why.reason for _, why in rows],
            "untils": [why.until for _, why in rows],
            "slots": [why.slot for _, why in rows],
        }
        session.execute(POSTPONE, {**_keys([item for item, _ in rows]), **more})


def put_off(session: Session, items: Iterable[HeldItem], until: datetime) -> None:
    """Has items wait on for the same reason."""
    postpone(session, [(item, Hold(item.reason, until, item.cause, item.slot)) for item in items])


def wait_for_digest(session: Session, account_id: int, until: datetime | None, slot: datetime | None) -> int:
    """Changes when the next digest of somebody is due; `until` None: now. Returns how many items wait for it."""
    given = {"account": account_id, "until": until, "slot": slot}
    return len(session.execute(WAIT_FOR_DIGEST, given).all())


def bring_digest(session: Session, account_id: int) -> int:
    """Has what waits for the next digest come now, but for what is due already: a wake-up may have that in hand."""
    return len(session.execute(BRING_DIGEST, {"account": account_id}).all())


def waiting_for_digest(session: Session, account_id: int) -> int:
    return session.scalar(WAITING_FOR_DIGEST, {"account": account_id}) or 0


def wake_over(session: Session, account_id: int) -> int:
    """Has what was over somebody's texts of a day come now, in a digest without a date. Returns how many items."""
    return len(session.execute(WAKE_OVER, {"account": account_id}).all())


def waited_for(session: Session, post_id: int, address_id: int) -> str | None:
    """Why an item that has come to an address waited before; None when it came at once."""
    found: str | None = session.scalar(WAITED_FOR, {"post": post_id, "address": address_id})
    return found


def release(session: Session, items: Sequence[HeldItem]) -> None:
    """Puts them into the queue again, with the full time until a delivery is given up."""
    if items:
        session.execute(RELEASE, _keys(items))
        session.execute(END, {**_keys(items), "state": "sent", "reasons": [None] * len(items)})


def cancel(session: Session, items: Sequence[HeldItem], reasons: Mapping[Key, str]) -> None:
    """Ends items that must not be sent any more. What was for a phone that was suspended goes by mail."""
    refused = [item for item in items if item.key in reasons]
    if refused:
        given = {**_keys(refused), "reasons": [reasons[item.key] for item in refused]}
        session.execute(CANCEL, given)
        session.execute(END, {**given, "state": "cancelled"})
        email_fallback.send_by_mail(session, [item.key for item in refused])


def close(session: Session, items: Sequence[HeldItem]) -> None:
    """Ends rows whose delivery went on without them, by a late report of the carrier."""
    if items:
        session.execute(CLOSE, _keys(items))


def fold(session: Session, folded: Sequence[tuple[HeldItem, int]]) -> None:
    """Puts items into digests: (item, the message of its digest)."""
    if folded:
        digests = numbers(digest for _, digest in folded)
        session.execute(FOLD, {**_keys([item for item, _ in folded]), "digests": digests})


def _keys(items: Sequence[HeldItem]) -> dict[str, str]:
    return {
        "messages": numbers(item.message_id for item in items),
        "accounts": numbers(item.account_id for item in items),
        "addresses": numbers(item.address_id for item in items),
    }


# The end of the one delay that somebody has to see an item on the web.
_DELAYED: Final = f"CASE WHEN {{0}}.reason IN {FOR_WEB} THEN {{0}}.until END"
HOLD: Final = text(f"""
    WITH given AS (
        SELECT * FROM unnest(CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]), CAST(:numbers AS smallint[]),
                             CAST(:causes AS smallint[]), CAST(:reasons AS text[]), CAST(:untils AS timestamptz[]),
                             CAST(:slots AS timestamp[]))
                 AS row (message_id, address_id, number, cause, reason, until, slot)
    ), ended AS (
        UPDATE deliveries d
        SET state = 'held', reason = NULL, attempt = d.attempt - 1, ended_at = now(), lease_until = NULL,
            lease_owner = NULL, tag = CASE WHEN d.attempt > 1 THEN d.tag END,
            introduces = d.introduces AND d.attempt > 1
        FROM given WHERE d.message_id = given.message_id AND d.address_id = given.address_id
          AND given.number = CASE WHEN d.state = 'sending' THEN d.attempt END
        RETURNING d.message_id, d.address_id, d.author_id, d.source_id, given.cause, given.reason, given.until,
                  given.slot
    )
    INSERT INTO held (message_id, account_id, address_id, author_id, source_id, cause, reason, until, slot,
                      delayed_until)
    SELECT ended.message_id, a.account_id, ended.address_id, ended.author_id, ended.source_id, ended.cause,
           ended.reason, ended.until, ended.slot, {_DELAYED.format("ended")}
    FROM ended JOIN addresses a ON a.id = ended.address_id
    ON CONFLICT (message_id, account_id) DO UPDATE
    SET address_id = excluded.address_id, reason = excluded.reason, until = excluded.until, slot = excluded.slot,
        state = 'waiting', why = NULL, digest_id = NULL, ended_at = NULL,
        delayed_until = coalesce(held.delayed_until, excluded.delayed_until)
""")  # noqa: S608

# Everything that is due of a person is taken together: it becomes one digest. More people are looked at than are taken,
# for other workers have some of them in hand. OFFSET 0 has each zone looked up by its key, whatever is expected.
DUE: Final = """
    WITH people AS MATERIALIZED (
        SELECT DISTINCT account_id FROM (
            SELECT account_id FROM held WHERE state = 'waiting' AND until <= now() ORDER BY until LIMIT {looked_at}
        ) AS first
    ), locked AS MATERIALIZED (
        SELECT a.id FROM people JOIN accounts a ON a.id = people.account_id
        ORDER BY a.id LIMIT {people} FOR NO KEY UPDATE OF a SKIP LOCKED
    )
    SELECT h.message_id, h.account_id, h.address_id, h.author_id, h.cause, h.reason, h.until, coalesce(d.channel, ''),
           coalesce(d.state, 'gone'), h.digest_id, h.slot, clock.zone, clock.until
    FROM locked
    CROSS JOIN LATERAL (SELECT z.zone, z.until FROM zones_now z WHERE z.account_id = locked.id OFFSET 0) AS clock
    JOIN held h ON h.account_id = locked.id
    LEFT JOIN deliveries d ON d.message_id = h.message_id AND d.address_id = h.address_id
    WHERE h.state = 'waiting' AND h.until <= now()
    ORDER BY h.account_id, h.message_id FOR UPDATE OF h
"""
LOOKED_AT: Final = 4  # times as many items as people are taken


@lru_cache(maxsize=8)
def _due(people: int) -> TextClause:
    """The limits are part of the statement, not parameters: the planner must know how few rows are wanted. A plan for
    any number of people reads all accounts, which takes seconds."""
    return text(DUE.format(people=int(people), looked_at=int(people) * LOOKED_AT))


FAR_FUTURE: Final = "3000-01-01 00:00+00"  # the end of what waits for an operator after a restore

_WAITS: Final = f"state = 'waiting' AND account_id = :account AND until < timestamptz '{FAR_FUTURE}'"
_MINE: Final = f"{_WAITS} AND address_id = :address"
_FOR_DIGEST: Final = f"{_WAITS} AND reason IN {FOR_DIGEST}"
WAIT_FOR_DIGEST: Final = text(f"""
    UPDATE held SET until = coalesce(CAST(:until AS timestamptz), now()), slot = :slot WHERE {_FOR_DIGEST}
    RETURNING message_id
""")  # noqa: S608
BRING_DIGEST: Final = text(f"""
    UPDATE held SET until = now(), slot = NULL WHERE {_FOR_DIGEST} AND until > now() RETURNING message_id
""")  # noqa: S608
WAITING_FOR_DIGEST: Final = text(f"SELECT count(*) FROM held WHERE {_FOR_DIGEST}")  # noqa: S608
WAKE: Final = text(f"""
    UPDATE held SET until = now() WHERE {_WAITS}
      AND (address_id = :address AND reason NOT IN {FOR_DIGEST + FOR_WEB} OR reason IN {FOR_DIGEST} AND slot IS NULL)
    RETURNING reason
""")  # noqa: S608
WAKE_OVER: Final = text(f"""
    UPDATE held SET until = now(), slot = NULL WHERE {_WAITS} AND reason = 'over' RETURNING message_id
""")  # noqa: S608
WAKE_PERSON: Final = text(f"""
    UPDATE held SET until = now()
    WHERE {_WAITS} AND reason <> 'online' AND (reason NOT IN {FOR_DIGEST} OR slot IS NULL) RETURNING message_id
""")  # noqa: S608
WAITING: Final = text(f"SELECT count(*) FROM held WHERE {_MINE} AND reason NOT IN {FOR_DIGEST + FOR_WEB}")  # noqa: S608

WAITED_FOR: Final = text("""
    SELECT h.reason FROM held h JOIN messages m ON m.id = h.message_id
    WHERE m.post_id = :post AND h.address_id = :address AND h.state = 'sent'
    ORDER BY h.message_id DESC LIMIT 1
""")

_GIVEN: Final = "unnest(CAST(:messages AS bigint[]), CAST(:accounts AS bigint[]), CAST(:addresses AS bigint[])"
_ROW: Final = "message_id, account_id, address_id"
_HELD: Final = "h.message_id = given.message_id AND h.account_id = given.account_id"
_DELIVERY: Final = "d.message_id = given.message_id AND d.address_id = given.address_id AND d.state = 'held'"

POSTPONE: Final = text(f"""
    UPDATE held h SET reason = given.reason, until = given.until, slot = given.slot,
        delayed_until = coalesce(h.delayed_until, {_DELAYED.format("given")})
    FROM {_GIVEN}, CAST(:reasons AS text[]), CAST(:untils AS timestamptz[]), CAST(:slots AS timestamp[]))
         AS given ({_ROW}, reason, until, slot)
    WHERE {_HELD}
""")  # noqa: S608

RELEASE: Final = text(f"""
    UPDATE deliveries d
    SET state = CASE WHEN d.attempt = 0 THEN 'queued' ELSE 'retry' END, ended_at = NULL, not_before = now(),
        give_up_at = now() + {gives_up_after("d.channel")}
    FROM {_GIVEN}) AS given ({_ROW}) WHERE {_DELIVERY}
""")  # noqa: S608

CANCEL: Final = text(f"""
    UPDATE deliveries d SET state = 'cancelled', reason = given.reason, ended_at = now()
    FROM {_GIVEN}, CAST(:reasons AS text[])) AS given ({_ROW}, reason) WHERE {_DELIVERY}
""")  # noqa: S608

END: Final = text(f"""
    UPDATE held h SET state = :state, why = given.reason, ended_at = now()
    FROM {_GIVEN}, CAST(:reasons AS text[])) AS given ({_ROW}, reason) WHERE {_HELD}
""")  # noqa: S608

CLOSE: Final = text(f"""
    UPDATE held h SET state = 'sent', digest_id = NULL, ended_at = now() FROM {_GIVEN}) AS given ({_ROW}) WHERE {_HELD}
""")  # noqa: S608

FOLD: Final = text(f"""
    UPDATE held h SET state = 'folded', digest_id = given.digest_id
    FROM {_GIVEN}, CAST(:digests AS bigint[])) AS given ({_ROW}, digest_id) WHERE {_HELD}
""")  # noqa: S608
