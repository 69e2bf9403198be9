"""Help, from the table of commands, one text a page; and `more` of anything that was too long."""

from sqlalchemy.orm import Session

from gateway.i18n.phrases import count, joined, say, template, translated
from gateway.inbound.commands import CommandContext, command
from gateway.language.opt_out.keywords import carrier_word
from gateway.language.usage import help_lines, mail_help
from gateway.network.audience import visibility
from gateway.network.conversation import remainders
from gateway.network.conversation.remainders import KeptRemainder
from gateway.network.posts import rendering, timelines
from gateway.sms import fit, number_types

START = say(
    "Text what you are doing: your followers get it. follow NAME, leave NAME, get NAME, d "
    "NAME text (private), @NAME text, #GROUP text. MORE: all."
)
MAILS = say(
    "To stop all mails: OFF. To get them back: ON. To stop one: LEAVE NAME. Every mail has "
    "its own unsubscribe link, too."
)
OPTING_OUT = say("STOP to end texts.")
# Who we are and how to stop it, as carriers require of a short code (CTIA Short Code Monitoring Handbook).
ON_A_SHORT_CODE = template(
    "{company}: short updates from the colleagues you follow. Reply STOP to end texts, ? for more help."
)


@command("help [VERB]", aliases=("?",), about="how to use Critter", spanish="ayuda")
def help_(session: Session, turn: CommandContext) -> str | None:
    """HELP and INFO come here too; where the carrier has answered them itself, we stay silent."""
    if turn.carrier_answered:
        return None
    if number_types.kind(turn.our_address or "") == "short-code" and carrier_word(turn.said) == "help":
        return say(ON_A_SHORT_CODE, company=turn.world.settings.company)
    if turn.reading.args == ("stop",):
        return MAILS
    if turn.reading.args:
        return help_lines.about(turn.world.verbs[turn.reading.args[0]], turn.account.language)
    if turn.address.channel == "email":
        return mail_help.whole_help(turn.world.verbs, turn.world.settings.mail_domain)
    pages = joined([help_lines.line(verb) for verb in help_lines.ready(turn.world.verbs)], "\n")
    remainders.keep(session, turn.address.id, translated(pages, turn.account.language), ())
    return joined([START, OPTING_OUT])


@command("more", about="the rest of a text that was cut", spanish="más, mas")
def more(session: Session, turn: CommandContext) -> str:
    """What is kept may not be readable any more: it was retracted, or its reader was removed from the group."""
    rest = _rest(session, turn)
    if rest is None:
        return say("There is no more.")
    if not visibility.may_read_all(session, turn.account.id, rest.posts):
        remainders.forget(session, turn.address.id)
        return say("There is no more: it was taken back, or is no longer for you.")
    turn.quotes |= set(rest.posts)
    page, left = fit.page(rest.text)
    remainders.keep(session, turn.address.id, left, rest.posts)
    pages = fit.pages(left)
    return joined([page, count("MORE: {count} page.", "MORE: {count} pages.", pages) if pages else ""], "\n")


def _rest(session: Session, turn: CommandContext) -> KeptRemainder | None:
    """The rest of the last item or of the last long answer, whichever came later."""
    kept = remainders.read_remainder(session, turn.address.id)
    items = timelines.list_received(session, turn.address.id, 1) if turn.address.channel == "sms" else []
    if items and (kept is None or items[0].age < kept.age) and (left := _left_out(turn, items[0])):
        return KeptRemainder(left, (items[0].post.id,), items[0].age)
    return kept


def _left_out(turn: CommandContext, last: timelines.ReceivedItem) -> str:
    """What a text that was shortened left out."""
    page = f"{turn.world.settings.public_url}/p/{turn.world.signer.sign('page', last.post.id, turn.address.id)}"
    pictures = turn.actor.media_url(last.post.id, turn.address.id)
    return rendering.for_phone(last.author, last.group, last.post, last.tag, page, pictures).rest
