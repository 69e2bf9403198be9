"""Applies what push services say about devices: which of them took something, and which are no more."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from gateway.carriers.common.protocol import Outcome
from gateway.carriers.webpush.codes import PushOutcome
from gateway.network.push import push_subscriptions


def of_answers(session: Session, outcomes: Iterable[Outcome]) -> None:
    answers = [one for one in outcomes if isinstance(one, PushOutcome)]
    used = {device for one in answers for device in one.used}
    gone = {device for one in answers for device in one.gone}
    if used or gone:
        push_subscriptions.note_answers(session, used, gone)
