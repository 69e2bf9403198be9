"""After a restore (R54): what was open in the backup may have been done since, so it is held until an operator's word.

`critter restore` asks. Deliveries end as cancelled, with a reason by which they are found again, so that they hold up
no lane and are not given up meanwhile; fan-outs wait for a day that does not come; inputs are held as any held one.
Inputs that the carrier's list brings once more, older than the restore, are held by a trigger that sleeps otherwise:
the doors pay nothing for it.
"""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.outbox.outbox import MAIL_GIVES_UP, SMS_GIVES_UP

REASON: Final = "restored"
WHY: Final = "restored from a backup: it may have been read before"


class RestoreHold(NamedTuple):
    """How much is held, since when."""

    inputs: int
    fanouts: int
    deliveries: int
    since: datetime | None

    @property
    def anything(self) -> bool:
        return bool(self.inputs or self.fanouts or self.deliveries)


def hold(session: Session) -> None:
    """Everything that is open, in one transaction before any process may see it. Open codes and questions end: their
    answers may have counted already."""
    session.execute(PATIENCE)
    for statement in HOLD:
        session.execute(text(statement), {"why": WHY, "reason": REASON})


def read_held(session: Session) -> RestoreHold:
    """What still waits for a word. It reads all deliveries."""
    session.execute(PATIENCE)
    return RestoreHold(*session.execute(HELD, {"why": WHY, "reason": REASON}).one())


def release(session: Session) -> frozenset[str]:
    """Lets go of all of it, each delivery marked as a possible duplicate; the bells to ring."""
    _let_go(session, RELEASE)
    return frozenset(("inbound", "fanout", "sms", "email"))


def drop(session: Session) -> frozenset[str]:
    """Ends all of it for good. What the carrier's list still brings from before is held as before. No bells."""
    _let_go(session, DROP)
    return frozenset()


def _let_go(session: Session, statements: tuple[str, ...]) -> None:
    session.execute(PATIENCE)
    given = {"why": WHY, "reason": REASON, "sms": SMS_GIVES_UP, "mail": MAIL_GIVES_UP}
    for statement in statements:
        session.execute(text(statement), given)


PATIENCE: Final = text("SET LOCAL statement_timeout = '10min'")
NEVER: Final = "timestamptz '3000-01-01 00:00+00'"  # infinity would be no number of seconds from now

HOLD: Final = (
    "UPDATE installation SET restored_at = now()",
    "SELECT wake_hold_restored(true)",
    """UPDATE inbound SET state = 'held', reason = :why, lease_until = NULL, lease_owner = NULL
       WHERE state IN ('unproved', 'new', 'working')""",
    f"UPDATE fanouts SET not_before = {NEVER} WHERE state = 'waiting'",  # noqa: S608
    """UPDATE attempts t SET state = 'unknown', ended_at = now() FROM deliveries d
       WHERE d.ended_at IS NULL AND d.state = 'sending' AND t.message_id = d.message_id
         AND t.address_id = d.address_id AND t.state = 'sending'""",
    """UPDATE deliveries SET state = 'cancelled', reason = :reason, ended_at = now(), lease_until = NULL,
           lease_owner = NULL
       WHERE ended_at IS NULL""",
    "UPDATE callbacks SET applied_at = now() WHERE applied_at IS NULL",  # one may make a mail of a text
    "UPDATE tellings SET told_at = now() WHERE told_at IS NULL",
    "UPDATE codes SET ended_at = now() WHERE ended_at IS NULL",
    "UPDATE conversations SET question = NULL, half = NULL, half_at = NULL",
)

HELD: Final = text(f"""
    SELECT (SELECT count(*) FROM inbound WHERE state = 'held' AND reason = :why),
           (SELECT count(*) FROM fanouts WHERE state = 'waiting' AND not_before = {NEVER}),
           (SELECT count(*) FROM deliveries WHERE state = 'cancelled' AND reason = :reason),
           (SELECT restored_at FROM installation)
""")  # noqa: S608

RELEASE: Final = (
    "UPDATE installation SET restored_at = NULL",
    "SELECT wake_hold_restored(false)",
    "UPDATE inbound SET state = 'new', reason = NULL, attempt = 0 WHERE state = 'held' AND reason = :why",
    f"UPDATE fanouts SET not_before = now() WHERE state = 'waiting' AND not_before = {NEVER}",  # noqa: S608
    """UPDATE deliveries
       SET state = CASE WHEN attempt = 0 THEN 'queued' ELSE 'retry' END, reason = NULL, ended_at = NULL,
           not_before = now(), possible_duplicate = true,
           give_up_at = now() + CASE channel WHEN 'sms' THEN CAST(:sms AS interval) ELSE :mail END
       WHERE state = 'cancelled' AND reason = :reason""",
)

DROP: Final = (
    "UPDATE inbound SET state = 'dropped', done_at = now() WHERE state = 'held' AND reason = :why",
    f"""UPDATE fanouts SET state = 'cancelled', done_at = now()
        WHERE state = 'waiting' AND not_before = {NEVER}""",  # noqa: S608
    "UPDATE deliveries SET reason = 'restored, dropped' WHERE state = 'cancelled' AND reason = :reason",
)
