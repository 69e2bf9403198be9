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
def help_(session: Session, context: CommandContext) -> str | None:
    """HELP and INFO come here too; where the carrier has answered them itself, we stay silent."""
    if context.carrier_answered:
        return None
    if number_types.kind(context.our_address or "") == "short-code" and carrier_word(context.said) == "help":
        return say(ON_A_SHORT_CODE, company=context.registry.settings.company)
    if context.reading.args == ("stop",):
        return MAILS
    if context.reading.args:
        return help_lines.about(context.registry.verbs[context.reading.args[0]], context.account.language)
    if context.address.channel == "email":
        return mail_help.whole_help(context.registry.verbs, context.registry.settings.mail_domain)
    pages = joined([help_lines.line(verb) for verb in help_lines.each_once(context.registry.verbs)], "\n")
    remainders.keep(session, context.address.id, translated(pages, context.account.language), ())
    return joined([START, OPTING_OUT])


@command("more", about="the rest of a text that was cut", spanish="más, mas")
def more(session: Session, context: CommandContext) -> str:
    """What is kept may not be readable any more: it was retracted, or its reader was removed from the group."""
    rest = _rest(session, context)
    if rest is None:
        return say("There is no more.")
    if not visibility.may_read_all(session, context.account.id, rest.posts):
        remainders.forget(session, context.address.id)
        return say("There is no more: it was taken back, or is no longer for you.")
    context.quotes |= set(rest.posts)
    page, left = fit.page(rest.text)
    remainders.keep(session, context.address.id, left, rest.posts)
    pages = fit.pages(left)
    return joined([page, count("MORE: {count} page.", "MORE: {count} pages.", pages) if pages else ""], "\n")


def _rest(session: Session, context: CommandContext) -> KeptRemainder | None:
    """The rest of the last item or of the last long answer, whichever came later."""
    remainder = remainders.read_remainder(session, context.address.id)
    items = timelines.list_received(session, context.address.id, 1) if context.address.channel == "sms" else []
    if items and items[0].digested:  # the digest was cut, not one of its items
        return remainder
    if items and (remainder is None or items[0].age < remainder.age) and (left := _left_out(context, items[0])):
        return KeptRemainder(left, (items[0].post.id,), items[0].age)
    return remainder


def _left_out(context: CommandContext, last: timelines.ReceivedItem) -> str:
    """What a text that was shortened left out."""
    signature = context.registry.signer.sign("page", last.post.id, context.address.id)
    page = f"{context.registry.settings.public_url}/p/{signature}"
    pictures = context.actor.media_url(last.post.id, context.address.id)
    return rendering.for_phone(last.author, last.group, last.post, last.tag, page, pictures).rest
