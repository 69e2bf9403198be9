"""STOP and START: what the law asks for is done at once, and recorded with its words."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.phrases import say
from gateway.network.conversation import notices
from gateway.network.follows import follows, reachability
from gateway.network.people import addresses
from gateway.store.tables import Address


def opt_out(
    session: Session, actor: Actor, address: Address, our_address: str | None = None, carrier_id: str | None = None
) -> bool:  # fmt: skip
    """Opts the phone or mailbox out; False when it was out before. Posters whom it no longer gets are told.
    `our_address`: where the words came to; `carrier_id`: the id that the carrier gave them."""
    actor.check_own(address)
    first = addresses.stop(session, address, actor.said, our_address, carrier_id, "text")
    actor.did("optout", address.id)
    if first and address.is_primary:
        _tell_posters(session, actor)
    return first


def opt_in(
    session: Session, actor: Actor, address: Address, our_address: str | None = None, carrier_id: str | None = None
) -> bool:  # fmt: skip
    """Opts it in again, and ends an `off`; False when it had not opted out."""
    actor.check_own(address)
    again = address.state == "stopped"
    source = addresses.SOURCE[address.channel]
    addresses.start(session, address, actor.said, our_address, carrier_id, source)
    addresses.set_receiving(session, address.id, True)
    actor.did("optin", address.id)
    return again


def _tell_posters(session: Session, actor: Actor) -> None:
    """Tells whoever posts to a broadcast group of this phone that it no longer gets the posts."""
    for group in reachability.broadcasts(session, actor.account.id):
        posters = {account.id for account in follows.posters(session, group.id)} - {actor.account.id}
        name, handle = actor.account.name, group.handle
        words = say(
            "{name} has stopped texts and no longer gets {handle}. Call if it matters.", name=name, handle=handle
        )
        actor.queues |= notices.tell(session, posters, words, actor.inbound_id)
