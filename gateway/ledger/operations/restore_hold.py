"""After a restore (R54): what was open in the backup may have been done since, so it is held until an operator decides.

`critter restore` uses it. Deliveries end as cancelled, with a reason by which they are found again, so that they hold
up no lane and are not given up meanwhile. Fan-outs, the clocks of calls, and what waits for its reader, wait for a day
in the far future; of that only its digest would send what is in a digest, and digests are deliveries. Inputs are held
like any held input. Inputs older than the restore that the carrier's list brings once more are held by a trigger. It is
disabled at all other times, so that it costs the doors nothing.
"""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import NAMES
from gateway.ledger.outbox.held import FAR_FUTURE
from gateway.store.channel_sql import gives_up_after

REASON: Final = "restored"
WHY: Final = "restored from a backup: it may have been read before"


class RestoreHold(NamedTuple):
    """How much is held, and since when."""

    inputs: int
    fanouts: int
    deliveries: int
    items: int
    calls: int
    since: datetime | None

    @property
    def anything(self) -> bool:
        return bool(self.inputs or self.fanouts or self.deliveries or self.items or self.calls)


def hold(session: Session) -> None:
    """Holds everything that is open, in one transaction, before any process may see the database. Open codes and
    questions end, for their answers may have counted already."""
    session.execute(PATIENCE)
    for statement in HOLD:
        session.execute(text(statement), {"why": WHY, "reason": REASON})


def read_held(session: Session) -> RestoreHold:
    """Counts what still waits for a decision. It reads all deliveries."""
    session.execute(PATIENCE)
    return RestoreHold(*session.execute(HELD, {"why": WHY, "reason": REASON}).one())


def release(session: Session) -> frozenset[str]:
    """Releases everything, each delivery marked as a possible duplicate. Returns the drains to wake."""
    _let_go(session, RELEASE)
    return frozenset(("inbound", "fanout", "wake_ups", "calls", *NAMES))


def drop(session: Session) -> frozenset[str]:
    """Ends everything for good. Older inputs that the carrier's list still brings are held as before. There is no drain
    to wake, so the set is empty."""
    _let_go(session, DROP)
    return frozenset()


def _let_go(session: Session, statements: tuple[str, ...]) -> None:
    session.execute(PATIENCE)
    for statement in statements:
        session.execute(text(statement), {"why": WHY, "reason": REASON})


PATIENCE: Final = text("SET LOCAL statement_timeout = '10min'")
NEVER: Final = f"timestamptz '{FAR_FUTURE}'"  # not infinity: that minus now() is no number of seconds

HOLD: Final = (
    "UPDATE installation SET restored_at = now()",
    "SELECT wake_hold_restored(true)",
    """UPDATE inbound SET state = 'held', reason = :why, lease_until = NULL, lease_owner = NULL
       WHERE state IN ('unproved', 'new', 'working')""",
    f"UPDATE fanouts SET not_before = {NEVER} WHERE state = 'waiting'",  # noqa: S608
    f"""UPDATE held h SET state = 'waiting', until = {NEVER}
       WHERE state = 'waiting' OR state = 'folded' AND NOT EXISTS (
           SELECT FROM deliveries digest WHERE digest.message_id = h.digest_id AND digest.ended_at IS NOT NULL
             AND digest.state NOT IN ('failed', 'cancelled'))""",  # noqa: S608
    f"UPDATE calls SET next_at = {NEVER} WHERE ended_at IS NULL",  # noqa: S608
    f"UPDATE call_people SET next_at = {NEVER} WHERE answered_at IS NULL AND next_at IS NOT NULL",  # noqa: S608
    """UPDATE attempts t SET state = 'unknown', ended_at = now() FROM deliveries d
       WHERE d.ended_at IS NULL AND d.state = 'sending' AND t.message_id = d.message_id
         AND t.address_id = d.address_id AND t.state = 'sending'""",
    """UPDATE deliveries SET state = 'cancelled', reason = :reason, ended_at = now(), lease_until = NULL,
           lease_owner = NULL
       WHERE ended_at IS NULL""",
    "UPDATE callbacks SET applied_at = now() WHERE applied_at IS NULL",  # applying one might send a mail for a text
    "UPDATE tellings SET told_at = now() WHERE told_at IS NULL",
    "DELETE FROM offers WHERE offered_at IS NULL",
    "UPDATE codes SET ended_at = now() WHERE ended_at IS NULL",
    "UPDATE web_sessions SET ended_at = now() WHERE ended_at IS NULL",
    "UPDATE app_tokens SET ended_at = now() WHERE ended_at IS NULL",
    "UPDATE app_codes SET used_at = now() WHERE used_at IS NULL",
    "DELETE FROM push_subscriptions",  # of sessions that have ended; a device subscribes again when its owner is back
    "UPDATE addresses SET state = 'suspended' WHERE channel = 'push'",
    "UPDATE conversations SET question = NULL, half = NULL, half_at = NULL",
)

HELD: Final = text(f"""
    SELECT (SELECT count(*) FROM inbound WHERE state = 'held' AND reason = :why),
           (SELECT count(*) FROM fanouts WHERE state = 'waiting' AND not_before = {NEVER}),
           (SELECT count(*) FROM deliveries WHERE state = 'cancelled' AND reason = :reason),
           (SELECT count(*) FROM held WHERE state = 'waiting' AND until = {NEVER}),
           (SELECT count(*) FROM calls WHERE ended_at IS NULL AND next_at = {NEVER}),
           (SELECT restored_at FROM installation)
""")  # noqa: S608

RELEASE: Final = (
    "UPDATE installation SET restored_at = NULL",
    "SELECT wake_hold_restored(false)",
    "UPDATE inbound SET state = 'new', reason = NULL, attempt = 0 WHERE state = 'held' AND reason = :why",
    f"UPDATE fanouts SET not_before = now() WHERE state = 'waiting' AND not_before = {NEVER}",  # noqa: S608
    f"""UPDATE deliveries
       SET state = CASE WHEN attempt = 0 THEN 'queued' ELSE 'retry' END, reason = NULL, ended_at = NULL,
           not_before = now(), possible_duplicate = true,
           give_up_at = now() + {gives_up_after("channel")}
       WHERE state = 'cancelled' AND reason = :reason""",  # noqa: S608
    f"""UPDATE deliveries d SET possible_duplicate = true FROM held h
        WHERE h.state = 'waiting' AND h.until = {NEVER}
          AND d.message_id = h.message_id AND d.address_id = h.address_id""",  # noqa: S608
    f"""UPDATE held h SET state = 'folded', until = now() FROM deliveries digest
        WHERE h.state = 'waiting' AND h.until = {NEVER} AND digest.message_id = h.digest_id
          AND digest.ended_at IS NULL""",  # noqa: S608
    f"UPDATE held SET until = now() WHERE state = 'waiting' AND until = {NEVER}",  # noqa: S608
    f"UPDATE calls SET next_at = now() WHERE ended_at IS NULL AND next_at = {NEVER}",  # noqa: S608
    f"UPDATE call_people SET next_at = now() WHERE answered_at IS NULL AND next_at = {NEVER}",  # noqa: S608
)

DROP: Final = (
    "UPDATE inbound SET state = 'dropped', done_at = now() WHERE state = 'held' AND reason = :why",
    f"""UPDATE fanouts SET state = 'cancelled', done_at = now()
        WHERE state = 'waiting' AND not_before = {NEVER}""",  # noqa: S608
    "UPDATE deliveries SET reason = 'restored, dropped' WHERE state = 'cancelled' AND reason = :reason",
    f"""WITH gone AS (
            UPDATE held SET state = 'cancelled', why = 'restored, dropped', ended_at = now()
            WHERE state = 'waiting' AND until = {NEVER} RETURNING message_id, address_id)
        UPDATE deliveries d SET state = 'cancelled', reason = 'restored, dropped', ended_at = now()
        FROM gone WHERE d.message_id = gone.message_id AND d.address_id = gone.address_id
          AND d.state = 'held'""",  # noqa: S608
    f"""WITH gone AS (
            UPDATE calls SET ended_at = now(), ending = 'undone', next_at = NULL
            WHERE ended_at IS NULL AND next_at = {NEVER} RETURNING post_id)
        UPDATE call_people p SET next_at = NULL, step = CASE WHEN p.gone IS NULL THEN 3 ELSE p.step END
        FROM gone WHERE p.post_id = gone.post_id AND p.answered_at IS NULL""",  # noqa: S608
)
