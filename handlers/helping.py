"""Help, from the table of commands, one text a page; and `more` of anything that was too long."""

from sqlalchemy.orm import Session

from gateway.commands import Turn, command
from gateway.language import texts
from gateway.language.verbs import Verb
from gateway.network import conversations, renderings, timelines

START = (
    "Text what you do: followers get it. follow NAME, leave NAME, get NAME, d NAME text (private), "
    "@NAME text, #GROUP text. MORE: all."
)
MAILS = "Mails: off stops all, on brings them back, leave NAME ends one. Every mail has its own unsubscribe link too."
OPTING_OUT = "STOP ends texts."


@command("help [VERB]", aliases=("?",), about="how to say it")
def help_(session: Session, turn: Turn) -> str | None:
    """HELP and INFO come here too; where the carrier has answered them itself, we stay silent."""
    if turn.carrier_answered:
        return None
    if turn.reading.args == ("stop",):
        return MAILS
    if turn.reading.args:
        return _about(turn.world.verbs[turn.reading.args[0]])
    conversations.keep_more(session, turn.address.id, "\n".join(_lines(turn)))
    stop = f" {OPTING_OUT}" if turn.address.channel == "sms" else ""
    return START + stop


def _about(verb: Verb) -> str:
    others = f" Also: {', '.join(verb.aliases)}." if verb.aliases else ""
    forms = ", or ".join(verb.usages)
    state = "" if verb.ready else " Not here yet."
    return f"{forms}: {verb.about}.{others}{state}"


def _lines(turn: Turn) -> list[str]:
    """One line a command, in the order they were declared."""
    rows = dict.fromkeys(turn.world.verbs.values())
    return [f"{verb.form()}: {verb.about}" for verb in rows if verb.ready]


@command("more", about="the rest of what was cut")
def more(session: Session, turn: Turn) -> str:
    rest = _rest(session, turn)
    if not rest:
        return "There is no more."
    page = texts.fit(rest)
    conversations.keep_more(session, turn.address.id, page.rest)
    return page.text


def _rest(session: Session, turn: Turn) -> str | None:
    """Of the last item or the last long answer, whichever came later."""
    kept = conversations.more(session, turn.address.id)
    items = timelines.heard(session, turn.address.id, 1) if turn.address.channel == "sms" else []
    if items and (kept is None or items[0].age < kept[1]):
        return _left_out(turn, items[0]) or (kept[0] if kept else None)
    return kept[0] if kept else None


def _left_out(turn: Turn, last: timelines.Heard) -> str:
    """What a text that was shortened left out."""
    page = f"{turn.world.settings.public_url}/p/{turn.world.signer.sign('page', last.post.id, turn.address.id)}"
    return renderings.for_phone(last.author, last.group, last.post, last.tag, page).rest
