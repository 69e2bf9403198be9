"""Sends what is due, by text, by mail and by push. RQ calls `drain_sms`, `drain_email` and `drain_push`.

The claim, the decision who may get it and the rendering commit together; the sending is outside of any transaction.
"""

from datetime import timedelta
from functools import lru_cache
from typing import Final

from sqlalchemy.orm import Session

from gateway.carriers.common.protocol import OutboundEmail, OutboundPush, Outcome
from gateway.carriers.smtp.provider_profiles import provider_terms
from gateway.channels import EMAIL, PUSH, SMS
from gateway.ledger.outbox.claims import NOBODY, Senders
from gateway.ledger.senders import pauses
from workers.runtime.context import WorkerContext, current
from workers.sending.delivery_store import DeliveryStore
from workers.sending.number_pool import Pool
from workers.sending.pacing import Bucket, Pacer
from workers.sending.relay_quota import RelayQuota
from workers.sending.render_mail import Mailing
from workers.sending.render_push import PushRendering
from workers.sending.send_loop import PAUSE, DeliveryPort, SendLoop

# Seconds. Texts share their queue with receipts and reconciliation, pushes with mails.
TURN: Final = {SMS: 5.0, EMAIL: 30.0, PUSH: 5.0}
MAILS: Final = 500
MAILS_TOGETHER: Final = 125
MAILS_AT_ONCE: Final = 500
MAILS_FIRST: Final = 64  # mails at once, until it is known how quick the relay is
PUSHES_AT_ONCE: Final = 64
SHARE: Final = 0.97  # of the relay's rate: a mail may begin somewhat later than its slot


def drain_sms() -> None:
    """Sends texts, each at the rate of the number that it leaves from."""
    context = current()
    if context.texts:
        _drain(context, SMS, _texts(context))


def drain_email() -> None:
    """Sends mails as fast as the relay takes them."""
    context = current()
    if context.emails is not None:
        _drain(context, EMAIL, _letters(context))


def drain_push() -> None:
    """Sends pushes; the workers of mails do it."""
    context = current()
    if context.pushes is not None:
        _drain(context, PUSH, _pushes(context))


def _drain(
    context: WorkerContext, channel: str, sender: Pool | SendLoop[OutboundEmail] | SendLoop[OutboundPush]
) -> None:
    if context.loop.run(sender.drain(TURN[channel])):
        context.notifier.notify(channel)


@lru_cache(maxsize=1)
def _texts(context: WorkerContext) -> Pool:
    return Pool(context)


@lru_cache(maxsize=1)
def _letters(context: WorkerContext) -> SendLoop[OutboundEmail]:
    assert context.emails is not None
    terms = provider_terms(context.settings)
    day = RelayQuota(terms.daily) if terms.daily else None
    desk = DeliveryStore(context, EMAIL, Mailing(context.settings, context.signer, context.keys).load, Relay(), day)
    return SendLoop(
        context.emails,
        DeliveryPort(desk.claim, desk.settle, desk.decide, desk.release, desk.renew, desk.pause),
        context.stopping,
        pacer=_pacer(context, terms.rate),
        limit=MAILS,
        together=MAILS_TOGETHER,
        width=MAILS_AT_ONCE,
        narrow=MAILS_FIRST,
        lease=context.settings.lease_seconds,
    )


@lru_cache(maxsize=1)
def _pushes(context: WorkerContext) -> SendLoop[OutboundPush]:
    assert context.pushes is not None
    rendering = PushRendering(context.settings)
    desk = DeliveryStore(context, PUSH, rendering.load, PushServices(), look_up=rendering.look_up)
    return SendLoop(
        context.pushes,
        DeliveryPort(desk.claim, desk.settle, desk.decide, desk.release, desk.renew, desk.pause),
        context.stopping,
        pacer=Pacer(),
        limit=PUSHES_AT_ONCE,
        together=PUSHES_AT_ONCE,
        width=PUSHES_AT_ONCE,
        lease=context.settings.lease_seconds,
    )


def _pacer(context: WorkerContext, rate: float | None) -> Pacer:
    return Pacer([Bucket(context.buckets, "relay", rate * SHARE)], keeps=True) if rate else Pacer()


class Relay:
    """The sender source of the mail channel: all mails leave by the relay."""

    def senders(self, session: Session) -> Senders:
        return () if pauses.mail_is_paused(session) else NOBODY

    def pause(self, session: Session, outcome: Outcome) -> None:
        pauses.mail_refused(session, timedelta(seconds=max(PAUSE, outcome.wait or 0)), outcome.reason)


class PushServices:
    """The sender source of pushes: each device has a push service of its own, and none of them can pause all."""

    def senders(self, _session: Session) -> Senders:
        return NOBODY

    def pause(self, _session: Session, outcome: Outcome) -> None:
        raise AssertionError(f"a push service pauses nobody: {outcome.reason}")
