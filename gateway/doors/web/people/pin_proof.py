"""A PIN on a page, for what wakes people: its owner has left the browser open, or it is somebody else's hands.

Whoever has no PIN proved themselves by signing in; a text, whose sender can be forged, would be asked for a code (R39).
Wrong ones count with all others of this person, and lock after five (R57)."""

from flask import Response

from gateway.actions.model.confirmation import REACH
from gateway.doors.web.shell import notices
from gateway.doors.web.visits.visit import Visit
from gateway.errors import Refused
from gateway.i18n.phrases import count, joined, say
from gateway.i18n.refusals import refusal
from gateway.network.verification import lockouts, pins
from gateway.network.verification.lockouts import WEB


def refuse_unproved(visit: Visit, confirmed: list[str]) -> Response | None:
    """The page that says why not; None for who proved it, and for the first time, when only the question is asked. It
    is answered and not raised, or the count of wrong ones would be rolled back."""
    if visit.account.pin == "none" or REACH not in confirmed:
        return None
    if lock := lockouts.hold(visit.session, visit.account.id, WEB):
        return notices.refused(visit, lockouts.refuse(visit.session, visit.account.id, WEB, lock))
    if pins.check(visit.session, visit.account.id, visit.form("pin", 20)) == "right":
        lockouts.record_right(visit.session, visit.account.id)
        return None
    return notices.refused(visit, _wrong(visit))


def _wrong(visit: Visit) -> Refused:
    counted = lockouts.count_wrong(visit.session, visit.account, WEB, "pin")
    visit.queues |= counted.queues
    if counted.lock:
        return lockouts.refuse(visit.session, visit.account.id, WEB, counted.lock)
    if pins.locked(visit.session, visit.account.id):
        return refusal("pin_ended")
    left = count("{count} more try.", "{count} more tries.", counted.left)
    return Refused(joined([say("That is not your PIN."), left]))
