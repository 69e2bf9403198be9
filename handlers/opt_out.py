"""STOP and START: the words that the law names, and how they are answered."""

from sqlalchemy.orm import Session

from gateway.actions import opting_out
from gateway.carriers.descriptors.registry import CARRIERS
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, meaning
from gateway.language.opt_out.keywords import carrier_answers, carrier_word
from gateway.sms import number_types


@meaning("optout")
def optout(session: Session, turn: CommandContext) -> str | None:
    """Opts out at once, without an answer of ours, because Twilio answers STOP itself; where nobody does, as after a
    phrase in people's own words, we answer once. By mail these words turn the mailbox off instead."""
    first = opting_out.opt_out(session, turn.actor, turn.address, turn.our_address, turn.carrier_id)
    if first and not turn.carrier_answered and (_unanswered(turn) or not carrier_answers(turn.said)):
        company = turn.world.settings.company
        return say("{company}: you get no more texts from us. To get them back: START", company=company)
    return None


def _unanswered(turn: CommandContext) -> bool:
    """Whether only we answer STOP there: on a short code of our own, or with a carrier that does not."""
    senders = {one.number: one.carrier for one in turn.world.settings.sms_senders}
    carrier = CARRIERS.get(senders.get(turn.our_address or "", ""))
    return _texted(turn) == "short-code" or (carrier is not None and not carrier.answers_opt_out)


def _texted(turn: CommandContext) -> number_types.Kind:
    """Which kind of number of ours the text came to."""
    return number_types.kind(turn.our_address or "")


@meaning("optin")
def optin(session: Session, turn: CommandContext) -> str | None:
    """On a toll-free number the network alone unblocks and answers, by START and UNSTOP: after a YES it would still
    refuse our texts, so there the opt-out stays."""
    toll_free = turn.address.channel == "sms" and _texted(turn) == "toll-free" and not _unanswered(turn)
    if toll_free and carrier_word(turn.said) == "yes":
        turn.dropped = "a toll-free number is unblocked by START or UNSTOP alone"
        return None
    again = opting_out.opt_in(session, turn.actor, turn.address, turn.our_address, turn.carrier_id)
    if turn.address.channel == "email":
        return say("Mails are on. To stop them: OFF. To see what you can do: HELP")
    if turn.carrier_answered or toll_free:
        return None
    if again:
        return say("Texts are on again. Reply STOP to end them, ? for help.")
    return say("Texts are on. Reply STOP to end them, ? for help.")
