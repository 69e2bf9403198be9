"""The devices on which somebody is told by push: adding the one in front of them, removing one, and a test."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.channels import PUSH
from gateway.i18n.phrases import say, translated
from gateway.i18n.refusals import refusal
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.push import push_endpoints, push_subscriptions
from gateway.network.push.push_subscriptions import PushKeys


def add(
    session: Session,
    actor: Actor,
    keys: PushKeys,
    device: str = "",
    session_id: int | None = None,
    before: str | None = None,
) -> int:
    """Returns the id of its subscription. A device that subscribes again keeps its own. What comes so is another
    matter: nothing does, until its owner chooses pushes for something. `before`: the endpoint that it had, and has no
    more."""
    if PUSH not in actor.settings.channels:
        raise refusal("push_off")
    push_endpoints.check(actor.settings, keys)
    if before and before != keys.endpoint:
        push_subscriptions.forget(session, actor.account.id, before)
    return push_subscriptions.add(session, actor.account.id, keys, device, session_id).id


def remove(session: Session, actor: Actor, subscription_id: int) -> None:
    if not push_subscriptions.remove(session, actor.account.id, subscription_id):
        raise refusal("device_gone")


def send_test(session: Session, actor: Actor) -> None:
    """Sends a push to all devices of somebody, as any other goes: it shows at once, also in quiet hours."""
    devices = push_subscriptions.address_of(session, actor.account.id)
    if devices is None:
        raise refusal("no_device")
    words = translated(say("This is how an update shows here."), actor.account.language)
    outbox.put(session, Outgoing("answer", words, words, words), [Target(devices.id, PUSH)])
    actor.queues.add(PUSH)
