"""Applies what push services say about devices: which of them took something, and which are no more."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from gateway.carriers.common.protocol import Outcome
from gateway.carriers.webpush.codes import GONE, PushOutcome
from gateway.ledger.outbox.claims import ClaimedDelivery
from gateway.network.push import push_subscriptions


def of_answers(session: Session, ended: Sequence[tuple[ClaimedDelivery, Outcome]]) -> None:
    """Sessions end by themselves, and their devices with them: that shows when nothing is left to send to."""
    answers = [(one.address_id, outcome) for one, outcome in ended if isinstance(outcome, PushOutcome)]
    used = {device for _, outcome in answers for device in outcome.used}
    gone = {device for _, outcome in answers for device in outcome.gone}
    push_subscriptions.note_answers(session, used, gone)
    push_subscriptions.close(session, {address for address, outcome in answers if outcome.reason == GONE})
