"""STOP and START: the words that the law names, and what is recorded of them."""

from sqlalchemy.orm import Session

from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, meaning
from gateway.language.opt_out.keywords import carrier_answers, carrier_word
from gateway.network.conversation import notices
from gateway.network.follows import follows, reachability
from gateway.network.people import addresses
from gateway.sms import number_types


@meaning("optout")
def optout(session: Session, turn: CommandContext) -> str | None:
    """Opts out at once, without an answer of ours, because Twilio answers STOP itself; where nobody does, as after a
    phrase in people's own words, we answer once. Posters whom they no longer get are told. By mail these words turn the
    mailbox off instead."""
    first = addresses.stop(session, turn.address, turn.said, turn.our_address, turn.carrier_id, "text")
    turn.did("optout", turn.address.id)
    if first and turn.address.is_primary:
        _tell_posters(session, turn)
    if first and not turn.carrier_answered and (_unanswered(turn) or not carrier_answers(turn.said)):
        return say("{company}: you get no more texts from us. To get them back: START", company=_company(turn))
    return None


def _source(turn: CommandContext) -> str:
    return addresses.SOURCE[turn.address.channel]


def _unanswered(turn: CommandContext) -> bool:
    """Whether only we answer STOP there: on a short code of our own, or with a carrier that is not Twilio."""
    senders = {one.number: one.carrier for one in turn.world.settings.sms_senders}
    return _texted(turn) == "short-code" or senders.get(turn.our_address or "", "twilio") != "twilio"


def _texted(turn: CommandContext) -> number_types.Kind:
    """Which kind of number of ours the text came to."""
    return number_types.kind(turn.our_address or "")


def _company(turn: CommandContext) -> str:
    return turn.world.settings.company


def _tell_posters(session: Session, turn: CommandContext) -> None:
    """Tells whoever posts to a broadcast group of this phone that it no longer gets the posts."""
    for group in reachability.broadcasts(session, turn.account.id):
        posters = {account.id for account in follows.posters(session, group.id)} - {turn.account.id}
        name, handle = turn.account.name, group.handle
        words = say(
            "{name} has stopped texts and no longer gets {handle}. Call if it matters.", name=name, handle=handle
        )
        turn.rings |= notices.tell(session, posters, words, turn.inbound_id)


@meaning("optin")
def optin(session: Session, turn: CommandContext) -> str | None:
    """On a toll-free number the network alone unblocks and answers, by START and UNSTOP: after a YES it would still
    refuse our texts, so there the opt-out stays."""
    toll_free = turn.address.channel == "sms" and _texted(turn) == "toll-free" and not _unanswered(turn)
    if toll_free and carrier_word(turn.said) == "yes":
        turn.dropped = "a toll-free number is unblocked by START or UNSTOP alone"
        return None
    again = turn.address.state == "stopped"
    addresses.start(session, turn.address, turn.said, turn.our_address, turn.carrier_id, _source(turn))
    addresses.set_receiving(session, turn.address.id, True)  # an `off` ends too: the answer says texts are on
    turn.did("optin", turn.address.id)
    if turn.address.channel == "email":
        return say("Mails are on. To stop them: OFF. To see what you can do: HELP")
    if turn.carrier_answered or toll_free:
        return None
    if again:
        return say("Texts are on again. Reply STOP to end them, ? for help.")
    return say("Texts are on. Reply STOP to end them, ? for help.")
