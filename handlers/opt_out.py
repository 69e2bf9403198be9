"""STOP and START: the words that the law names, and how they are answered."""

from sqlalchemy.orm import Session

from gateway.actions import opting_out
from gateway.carriers.descriptors.registry import CARRIERS
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, meaning
from gateway.language.opt_out.keywords import carrier_answers, carrier_word
from gateway.sms import number_types


@meaning("optout")
def optout(session: Session, context: CommandContext) -> str | None:
    """Opts out at once, without an answer of ours, because Twilio answers STOP itself; where nobody does, as after a
    phrase in people's own words, we answer once. By mail these words turn the mailbox off instead."""
    first = opting_out.opt_out(session, context.actor, context.address, context.our_address, context.carrier_id)
    if first and not context.carrier_answered and (_unanswered(context) or not carrier_answers(context.said)):
        company = context.registry.settings.company
        return say("{company}: you get no more texts from us. To get them back: START", company=company)
    return None


def _unanswered(context: CommandContext) -> bool:
    """Whether only we answer STOP there: on a short code of our own, or with a carrier that does not."""
    senders = {one.number: one.carrier for one in context.registry.settings.sms_senders}
    carrier = CARRIERS.get(senders.get(context.our_address or "", ""))
    return _texted(context) == "short-code" or (carrier is not None and not carrier.answers_opt_out)


def _texted(context: CommandContext) -> number_types.Kind:
    """Which kind of number of ours the text came to."""
    return number_types.kind(context.our_address or "")


@meaning("optin")
def optin(session: Session, context: CommandContext) -> str | None:
    """On a toll-free number the network alone unblocks and answers, by START and UNSTOP: after a YES it would still
    refuse our texts, so there the opt-out stays."""
    toll_free = context.address.channel == "sms" and _texted(context) == "toll-free" and not _unanswered(context)
    if toll_free and carrier_word(context.said) == "yes":
        context.dropped = "a toll-free number is unblocked by START or UNSTOP alone"
        return None
    again = opting_out.opt_in(session, context.actor, context.address, context.our_address, context.carrier_id)
    if context.address.channel == "email":
        return say("Mails are on. To stop them: OFF. To see what you can do: HELP")
    if context.carrier_answered or toll_free:
        return None
    if again:
        return say("Texts are on again. Reply STOP to end them, ? for help.")
    return say("Texts are on. Reply STOP to end them, ? for help.")
