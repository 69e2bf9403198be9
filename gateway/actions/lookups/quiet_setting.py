"""The quiet hours of one phone or mailbox, and what waits there."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.preferences.quiet_hours import QuietSetting
from gateway.ledger.outbox import held
from gateway.store.tables import Address


def quiet_setting(session: Session, actor: Actor, address: Address) -> QuietSetting:
    actor.check_own(address)
    return QuietSetting(address.quiet, held.waiting(session, actor.account.id, address.id))
