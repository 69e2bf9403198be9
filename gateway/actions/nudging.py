"""Asking somebody for an update: a notice from us, in their language, once a day for each pair."""

from sqlalchemy.orm import Session

from gateway.actions import messaging
from gateway.actions.model.actor import Actor
from gateway.attention import zones
from gateway.i18n.phrases import say
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.network.conversation import notices
from gateway.network.follows import mutes, nudges
from gateway.network.follows.reachability import Unreached


def nudge(session: Session, actor: Actor, person: NamedAccount) -> bool:
    """False when they were nudged today already. When the other has muted the asker nothing is sent, and the refusal
    is that of somebody whom nothing reaches."""
    if person.kind == "group":
        raise refusal("nudge_of_group", name=person.name, handle=person.handle)
    if person.id == actor.account.id:
        raise refusal("nudge_of_self")
    messaging.check_reaches(session, actor.account, person)
    if mutes.deaf_to(session, actor.account.id, [person.id]):
        raise refusal("unreached", people=[Unreached(person.name, None)], timezone=zones.known(actor.account.zone_now))
    if not nudges.record(session, actor.account.id, person.id):
        return False
    words = say("{name} would like to hear what you are doing. Just text it.", name=actor.account.name)
    actor.queues |= notices.tell(session, [person.id], words, actor.inbound_id, actor.account.id)
    actor.did("nudge", person.id)
    return True
