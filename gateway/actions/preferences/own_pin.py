"""The PIN of whoever is signed in: setting, changing and removing it. A session may be open on a desk that its owner
has left, so each asks for the PIN that stands, or for a code that only their phone gets (R30, R39)."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.preferences.own_addresses import AddressChanged, send_digits
from gateway.channels import EMAIL, SMS
from gateway.i18n.refusals import refusal
from gateway.ledger.audit import audit_log
from gateway.network.people import addresses
from gateway.network.verification import codes, lockouts, pins
from gateway.store.tables import Address


def send_pin_code(session: Session, actor: Actor) -> AddressChanged:
    """Sends a code to their phone; to their mailbox only when they have no phone."""
    row = _place(session, actor.account.id)
    if row is None:
        raise refusal("no_place_for_code")
    send_digits(session, actor, row, codes.prove(session, actor.signer, row, actor.account.id))
    return AddressChanged(row.id, row.channel)


def _place(session: Session, account_id: int) -> Address | None:
    mine = (addresses.primary(session, account_id, channel) for channel in (SMS, EMAIL))
    return next((each for each in mine if each and each.state == "verified"), None)


@dataclass(frozen=True, slots=True)
class PinProof:
    """The PIN that stands, or the code that was sent."""

    pin: str
    code: str


def change_pin(session: Session, actor: Actor, proof: PinProof, new: str, always: bool) -> bool:
    """`always`: it is asked for with every text that does something. False for a wrong proof: wrong ones are counted,
    so they are told and not refused."""
    pins.check_shape(new)
    if not _is_proved(session, actor, proof):
        return False
    pins.set_pin(session, actor.account.id, new, always=always)
    audit_log.record(session, f"@{actor.account.handle}", "pin.set", actor.account.id, {"always": always})
    return True


def remove_pin(session: Session, actor: Actor, proof: PinProof) -> bool:
    if not _is_proved(session, actor, proof):
        return False
    if pins.clear(session, actor.account.id):
        audit_log.record(session, f"@{actor.account.handle}", "pin.removed", actor.account.id)
    return True


def _is_proved(session: Session, actor: Actor, proof: PinProof) -> bool:
    account = actor.account
    if proof.code:
        row = codes.is_proved(session, actor.signer, account.id, proof.code, lockouts.WEB)
        return row is not None and row.account_id == account.id and row.state == "verified"
    if lockouts.hold(session, account.id, lockouts.WEB):
        return False
    if pins.check(session, account.id, proof.pin) == "right":
        lockouts.record_right(session, account.id)
        return True
    actor.queues |= lockouts.count_wrong(session, account, lockouts.WEB, "pin").queues
    return False
