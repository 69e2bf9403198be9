"""STOP and START: the law's words, and what is written down about them."""

from sqlalchemy.orm import Session

from gateway.commands import Turn, meaning
from gateway.language.phrases import say
from gateway.network import addresses, follows, notices, reach


@meaning("optout")
def optout(session: Session, turn: Turn) -> str | None:
    """At once, and without a word of ours: the carrier answers STOP itself. Posters who now miss them are told."""
    first = addresses.stop(session, turn.address, turn.said, turn.our_address, turn.carrier_id, "text")
    turn.did("optout", turn.address.id)
    if first and turn.address.is_primary:
        _tell_posters(session, turn)
    return None


def _tell_posters(session: Session, turn: Turn) -> None:
    """Whoever broadcasts to this phone must know that it no longer hears."""
    for group in reach.broadcasts(session, turn.account.id):
        posters = {account.id for account in follows.posters(session, group.id)} - {turn.account.id}
        name, handle = turn.account.name, group.handle
        words = say(
            "{name} has stopped texts and no longer gets {handle}. Call if it matters.", name=name, handle=handle
        )
        turn.rings |= notices.tell(session, posters, words, turn.inbound_id)


@meaning("optin")
def optin(session: Session, turn: Turn) -> str | None:
    again = turn.address.state == "stopped"
    addresses.start(session, turn.address, turn.said, turn.our_address, turn.carrier_id, "text")
    addresses.set_receiving(session, turn.address.id, True)  # an `off` ends too: texts are on, as the answer says
    turn.did("optin", turn.address.id)
    if turn.carrier_answered:
        return None
    if again:
        return say("Texts are on again. STOP ends them, ? helps.")
    return say("Texts are on. STOP ends them, ? helps.")
