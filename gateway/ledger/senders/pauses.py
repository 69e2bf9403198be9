"""Pauses: which of our numbers may not send now, and whether the relay may. An operator pauses them, or they pause for
a while because the carrier refuses us (ledger/senders/senders). `critter carriers`, `critter check` and /metrics ask;
workers/deliver asks for mails."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

RELAY: Final = "smtp"  # the carrier of mails …
MAIL: Final = "mail"  # … and what stands for its number


class Paused(NamedTuple):
    """One of our numbers, or the relay with the id 0, and whether it is paused now. `until`: None while it is paused
    means until somebody resumes it. `reason`: the code of the last refusal or an operator's words; it stays after the
    pause."""

    id: int
    number: str
    carrier: str
    paused: bool
    until: datetime | None
    reason: str | None


def list_pauses(session: Session) -> Sequence[Paused]:
    """Lists every active number and the relay, paused or not."""
    return [Paused(*row) for row in session.execute(LISTED, {"mail": MAIL, "relay": RELAY})]


def pause(session: Session, which: str, wait: timedelta | None, reason: str | None) -> Sequence[Paused]:
    """Pauses a carrier by its name, or one number; without `wait` until it is resumed. Returns those paused; empty when
    there is no such carrier or number."""
    return _set(session, which, {"paused": True, "wait": wait, "reason": reason})


def resume(session: Session, which: str) -> Sequence[Paused]:
    """Ends the pause of a carrier or number. Returns those resumed."""
    return _set(session, which, {"paused": False, "wait": None, "reason": None})


def mail_is_paused(session: Session) -> bool:
    return bool(session.scalar(MAIL_IS_PAUSED))


def mail_refused(session: Session, wait: timedelta, code: str) -> None:
    """Pauses the relay for so long, because it refuses us. A longer pause stays, with its reason."""
    session.execute(MAIL_REFUSED, {"wait": wait, "code": code})


def mail_goes_on(session: Session, code: str) -> None:
    """Ends a pause of the relay that has this reason."""
    session.execute(MAIL_GOES_ON, {"code": code})


def _set(session: Session, which: str, values: dict[str, object]) -> Sequence[Paused]:
    session.execute(SET_SENDERS, {**values, "which": which})
    if which in (MAIL, RELAY):
        session.execute(SET_MAIL, values)
    return [each for each in list_pauses(session) if which in (each.carrier, each.number)]


LISTED: Final = text("""
    SELECT id, number, carrier, coalesce(paused_until > now(), false),
           CASE WHEN isfinite(paused_until) THEN paused_until END, reason
    FROM senders WHERE state = 'active'
    UNION ALL
    SELECT 0, :mail, :relay, coalesce(mail_paused_until > now(), false),
           CASE WHEN isfinite(mail_paused_until) THEN mail_paused_until END, mail_pause_reason
    FROM installation
    ORDER BY carrier DESC, id
""")

_UNTIL: Final = "CASE WHEN :paused THEN coalesce(now() + CAST(:wait AS interval), 'infinity') END"
SET_SENDERS: Final = text(f"""
    UPDATE senders SET paused_until = {_UNTIL}, reason = :reason WHERE state = 'active' AND :which IN (carrier, number)
""")  # noqa: S608
SET_MAIL: Final = text(f"UPDATE installation SET mail_paused_until = {_UNTIL}, mail_pause_reason = :reason")  # noqa: S608

MAIL_GOES_ON: Final = text("""
    UPDATE installation SET mail_paused_until = NULL, mail_pause_reason = NULL
    WHERE mail_pause_reason = :code AND mail_paused_until > now()
""")
MAIL_IS_PAUSED: Final = text("SELECT mail_paused_until > now() FROM installation")
MAIL_REFUSED: Final = text("""
    UPDATE installation SET mail_paused_until = now() + CAST(:wait AS interval), mail_pause_reason = :code
    WHERE coalesce(mail_paused_until < now() + CAST(:wait AS interval), true)
""")
