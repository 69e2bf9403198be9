"""Tells operators in the log when a carrier refuses texts or mails come back, with the step to take.

workers/effects/address_effects, workers/callbacks and workers/inbound call it. One text that a carrier filters, or one
mail that comes back, is ordinary; many within an hour are an alarm.
"""

from collections import Counter
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.carriers.twilio.error_codes import code_of

FILTERED: Final = ("30004", "30007")
EVERY: Final = 20  # an alarm for each further 20 filtered texts within an hour …
SHARE: Final = 0.01  # … if they are at least this share of all tries
STEPS: Final = {
    21408: "allow the region under Geo permissions in Twilio's console, or take its people's phones out",
    21606: "check in Twilio's console that the number may send texts",
    21608: "leave the trial account, or verify the recipient",
    30002: "settle with Twilio why the account is suspended",
    30032: "have the toll-free number verified",
    30034: "register the number with an A2P 10DLC campaign",
}

RETURNED_SHARE: Final = 0.05  # of the hour's mails, as for FILTERED

LOOK_UP: Final = "look the code up in the carrier's documents (Twilio's error dictionary)"

log = structlog.get_logger()


def raise_alarms(session: Session, reasons: Counter[str]) -> None:
    """Raises the alarms of one batch. `reasons`: how many texts were refused, by code. Callers have already written
    the attempts."""
    for reason, number in sorted(reasons.items()):
        if reason not in FILTERED:
            code = int(reason) if reason.isdecimal() else 0  # other carriers have words
            step, meaning = STEPS.get(code, LOOK_UP), code_of(code).meaning
            log.error("carrier refuses texts", reason=reason, meaning=meaning, texts=number, step=step)
    new = sum(reasons[one] for one in FILTERED)
    if new:
        _filtered(session, new)


def _filtered(session: Session, new: int) -> None:
    """Alarms when these texts complete another EVERY (20) within the hour; only then is the share queried."""
    filtered = session.scalar(FILTERED_NOW) or 0
    if filtered // EVERY == max(0, filtered - new) // EVERY:
        return
    tries = session.scalar(TRIES_NOW) or 0
    if filtered >= SHARE * tries:
        log.error(
            "carriers filter our texts",
            filtered=filtered,
            tries=tries,
            step="look at what is sent and at the number's registration; those who have a mailbox get it by mail",
        )


def alarm_returned(session: Session) -> None:
    """One more mail came back: alarms when it completes another EVERY (20) within the hour."""
    back = session.scalar(RETURNED_NOW) or 0
    if not back or back % EVERY:
        return
    mails = session.scalar(MAILS_NOW) or 0
    if back >= RETURNED_SHARE * mails:
        log.error(
            "mails come back",
            returned=back,
            mails=mails,
            step="critter people bounces says why; if servers refuse mail like ours, look at SPF, DKIM and block lists",
        )


RETURNED_NOW: Final = text("SELECT count(*) FROM bounces WHERE created_at > now() - interval '1 hour'")
# An hour's mails were nearly all put into the outbox within the last two days.
MAILS_NOW: Final = text("""
    SELECT count(*) FROM deliveries
    WHERE channel = 'email' AND message_id >= id_at(now() - interval '2 days') AND sent_at > now() - interval '1 hour'
""")
FILTERED_NOW: Final = text("""
    SELECT count(*) FROM attempts WHERE reason IN ('30004', '30007') AND id >= id_at(now() - interval '1 hour')
""")
TRIES_NOW: Final = text("SELECT count(*) FROM attempts WHERE id >= id_at(now() - interval '1 hour')")
