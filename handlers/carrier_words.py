"""STOP and START: the law's words, and what is written down about them."""

from sqlalchemy.orm import Session

from gateway.commands import Turn, meaning
from gateway.ledger import outbox
from gateway.ledger.outbox import Outgoing, Target
from gateway.network import addresses, follows, reach


@meaning("optout")
def optout(session: Session, turn: Turn) -> str | None:
    """At once, and without a word of ours: the carrier answers STOP itself. Posters who now miss them are told."""
    if turn.address.channel == "email":
        return "Mails: off stops all of them, leave NAME one. Each mail also has its own unsubscribe link."
    first = addresses.stop(session, turn.address, turn.said, turn.our_address, turn.carrier_id, "text")
    turn.did("optout", turn.address.id)
    if first and turn.address.is_primary:
        _tell_posters(session, turn)
    return None


def _tell_posters(session: Session, turn: Turn) -> None:
    """Whoever broadcasts to this phone must know that it no longer hears."""
    for group in reach.broadcasts(session, turn.account.id):
        posters = {account.id for account in follows.posters(session, group.id)} - {turn.account.id}
        to = [Target(found.id, found.channel) for found in reach.reached(session, posters)]
        text = f"{turn.account.name} has stopped texts and no longer gets {group.handle}. Call if it matters."
        if to:
            outbox.put(session, Outgoing("notice", text, text, text, inbound_id=turn.inbound_id, priority=2), to)


@meaning("optin")
def optin(session: Session, turn: Turn) -> str | None:
    if turn.address.channel == "email":
        return "Mails: on brings them back. help says what else there is."
    again = turn.address.state == "stopped"
    addresses.start(session, turn.address, turn.said, turn.our_address, turn.carrier_id, "text")
    addresses.set_receiving(session, turn.address.id, True)  # an `off` ends too: texts are on, as the answer says
    turn.did("optin", turn.address.id)
    if turn.carrier_answered:
        return None
    return "Texts are on again. STOP ends them, ? helps." if again else "Texts are on. STOP ends them, ? helps."
