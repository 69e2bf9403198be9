"""The items of a digest once it is made; held.py folds them into it. Their deliveries follow it: they were sent when it
was, and wait again when it surely did not leave. When the carrier says later that it did not arrive, they did not
either: callbacks, the search for texts in doubt, an operator's retry and the next claim of the digest ask."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def follow(session: Session, digest_ids: Collection[int]) -> None:
    """Ends the items of those of these digests that have left, or may have, in the transaction that settles them: what
    their reader answers next is about these items."""
    session.execute(FOLLOW_THESE, {"digests": list(digest_ids)})


def follow_digests(session: Session) -> None:
    """The same for all digests, for their worker may have been lost; the items of digests that surely did not leave
    wait again, and then go one by one."""
    session.execute(UNFOLD)
    session.execute(FOLLOW)


def show_again(session: Session, post_id: int, address_id: int) -> None:
    """Makes an item of a digest the last one that was sent there: what answers it now is about it alone. It may first
    have been for another address of the same person."""
    session.execute(SHOW_AGAIN, {"post": post_id, "address": address_id})


def reopen(session: Session, message_ids: Collection[int]) -> None:
    """Puts the items back into those of these messages that are digests: they are sent once more, or surely did not
    arrive. When a digest fails for good, its items then wait again, and go one by one."""
    if message_ids:
        session.execute(REOPEN, {"digests": list(message_ids)})


def fail(session: Session, message_ids: Collection[int]) -> None:
    """Fails the items of those of these messages that are digests, for the reason of their digest: a mail that came
    back comes back one by one, too."""
    if message_ids:
        session.execute(FAIL, {"digests": list(message_ids)})


# A digest that failed or was cancelled did not leave; one that came into the next quiet hours is made anew. One that
# was not settled may have left: its items count as sent until more is known (`reopen`, `fail`).
UNFOLD: Final = text("""
    UPDATE held h SET state = 'waiting', until = now(),
        digest_id = CASE WHEN digest.reason IN ('quiet', 'off_till', 'behind') THEN NULL ELSE h.digest_id END
    FROM deliveries digest
    WHERE digest.message_id = h.digest_id AND h.state = 'folded' AND digest.ended_at IS NOT NULL
      AND digest.state IN ('failed', 'cancelled')
""")

# The digests are locked, so that no report of the carrier changes them meanwhile; those that somebody else has in hand
# come next time. An item that a late report has settled was sent twice, perhaps.
_FOLLOW: Final = """
    WITH ended AS MATERIALIZED (
        SELECT digest.message_id, digest.sent_at FROM deliveries digest
        WHERE digest.message_id {which}
          AND (digest.ended_at IS NOT NULL OR digest.state = 'unknown')
          AND digest.state NOT IN ('failed', 'cancelled')
        FOR SHARE OF digest SKIP LOCKED
    ), gone AS (
        UPDATE held h SET state = 'sent', ended_at = now() FROM ended
        WHERE h.digest_id = ended.message_id AND h.state = 'folded'
        RETURNING h.message_id, h.address_id, coalesce(ended.sent_at, now()) AS sent_at
    )
    UPDATE deliveries d
    SET state = CASE WHEN d.state IN ('held', 'queued', 'retry') THEN 'sent' ELSE d.state END,
        reason = CASE WHEN d.state IN ('held', 'queued', 'retry') THEN 'digest' ELSE d.reason END,
        possible_duplicate = d.possible_duplicate OR d.state <> 'held',
        sent_at = CASE WHEN d.state IN ('held', 'queued', 'retry') THEN gone.sent_at ELSE d.sent_at END,
        ended_at = now()
    FROM gone
    WHERE d.message_id = gone.message_id AND d.address_id = gone.address_id AND d.state NOT IN ('sending', 'cancelled')
    RETURNING d.message_id
"""
FOLLOW: Final = text(_FOLLOW.format(which="IN (SELECT digest_id FROM held WHERE state = 'folded')"))
FOLLOW_THESE: Final = text(_FOLLOW.format(which="= ANY (CAST(:digests AS bigint[]))"))

_OF_DIGESTS: Final = """
    h.digest_id = ANY (CAST(:digests AS bigint[])) AND d.message_id = h.message_id AND d.address_id = h.address_id
    AND d.state IN ('sent', 'delivered') AND d.reason = 'digest'"""

REOPEN: Final = text(f"""
    WITH back AS (
        UPDATE held h SET state = 'folded', ended_at = NULL FROM deliveries d
        WHERE h.state = 'sent' AND {_OF_DIGESTS}
        RETURNING h.message_id, h.address_id
    )
    UPDATE deliveries d SET state = 'held', reason = NULL, sent_at = NULL
    FROM back WHERE d.message_id = back.message_id AND d.address_id = back.address_id
""")  # noqa: S608

FAIL: Final = text(f"""
    UPDATE deliveries d SET state = 'failed', reason = digest.reason
    FROM held h JOIN deliveries digest ON digest.message_id = h.digest_id
    WHERE h.state = 'sent' AND {_OF_DIGESTS}
""")  # noqa: S608

SHOW_AGAIN: Final = text("""
    UPDATE deliveries d SET sent_at = now()
    FROM messages m, held h, digests x
    WHERE m.post_id = :post AND d.message_id = m.id AND d.reason = 'digest'
      AND h.message_id = d.message_id AND h.address_id = d.address_id
      AND x.message_id = h.digest_id AND x.address_id = :address
""")
