"""Recognises mails of an auto-responder that do not say that they are automatic. Such a mail is kept for an operator to
look at; it is never read as words and never answered.

`process` asks of every mail that is neither a bounce nor marked as a machine's. Only the headers of a responder could
tell for sure, so these are two weak signs:

- It answers one of our mails, and its subject begins as out-of-office notes begin ("Automatic reply: …"). A new mail
  with such a subject is a person's words: people do write "Out of office on Friday".
- The same words came from that mailbox three times before, in a row: within five minutes, as the reply limits count
  texts, or within an hour when they are too long to be typed again and again.
"""

import re
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.inbound import inbound_mail
from gateway.inbound.commands import CommandRegistry
from gateway.inbound.inbound_mail import InboundMail
from gateway.inbound.mail_routing import OpenedMail
from gateway.mail.decode import mime
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.store.tables import Inbound

AWAY: Final = "an answer to a mail of ours whose subject is that of an out-of-office note"
SAME: Final = "the same words as the three mails before it"
SAME_BEFORE: Final = 3
LONG: Final = 30  # characters that nobody types again and again
SHORTLY, HOUR = timedelta(minutes=5), timedelta(hours=1)

# How responders begin the subject, in the languages of the mail programs that we know (Exchange, Gmail, vacation(1) …).
_AWAY: Final = re.compile(
    r"\W*(?:"
    r"auto(?:matic|mated|matisch\w*)?[ -]?(?:reply|response|responder|antwo\w+|svar)|auto(?:reply|svar)?:"
    r"|out of (?:the )?office|ooo:|away (?:from|message)|(?:on )?vacation\b|i am (?:currently )?(?:away|out)"
    r"|abwesen\w+|automatische antwort|au(?:ß|ss)er haus|nicht im b(?:ü|ue)ro|urlaubs?(?:notiz|benachrichtigung)"
    r"|r(?:é|e)ponse automatique|absen(?:t|ce)\b|absence du bureau|hors du bureau"
    r"|respuesta autom(?:á|a)tica|fuera de (?:la )?oficina|ausente|ausencia"
    r"|risposta automatica|fuori (?:sede|ufficio)|assenza|assente"
    r"|resposta autom(?:á|a)tica|fora do escrit(?:ó|o)rio|aus(?:ê|e)ncia"
    r"|automatisch antwoord|afwezig\w*|niet aanwezig"
    r"|fr(?:å|a)nvaro\w*|automatiskt svar|fravær\w*|ikke på kontoret|automatisk svar"
    r"|autom\w+ odpowied\w+|poza biurem|nieobecno\w+"
    r"|автоматическ\w+ ответ|автоответ\w*|нет на месте|не в офисе|отсутстви\w+"
    r"|自动(?:回复|答复)|外出|不在(?:办公室)?|自動(?:応答|返信|回覆)|休暇"
    r")",
    re.IGNORECASE,
)
_REPLY: Final = re.compile(r"\s*(?:re|aw|sv|rv|res|odp|antw)\s*:\s*", re.IGNORECASE)


def suspect(session: Session, registry: CommandRegistry, came: InboundMail, mail: OpenedMail) -> str | None:
    """Why the mail may be a responder's; None for nearly every mail, and for one that an operator let in."""
    if came.inbound.not_before:
        return None
    if is_away(mail.subject) and _answers_us(registry, came):
        return AWAY
    if came.came_to("join", "leave"):
        return None  # its words are ignored, and no responder writes there
    return SAME if _same_again(session, came, mail.text) else None


def is_away(subject: str) -> bool:
    """Whether the subject begins as an out-of-office note's does, with or without "Re:"."""
    return _AWAY.match(_REPLY.sub("", subject, count=1)) is not None


def _answers_us(registry: CommandRegistry, came: InboundMail) -> bool:
    """Whether the mail went to a reply address, or names one of our Message-IDs."""
    if came.came_to("reply"):
        return True
    message = came.mail.message
    named = " ".join([*mime.fields(message, "In-Reply-To"), *mime.fields(message, "References")]).lower()
    return f"@{registry.settings.mail_domain}>" in named and "<critter." in named


def _same_again(session: Session, came: InboundMail, words: str) -> bool:
    """Whether the mails before it had the same words. Only senders of several mails within the hour are looked at,
    because their mails have to be opened again for it."""
    inbound, span = came.inbound, HOUR if len(words) >= LONG else SHORTLY
    before = select(Inbound).where(
        Inbound.channel == "email",
        Inbound.sender == inbound.sender,
        Inbound.id < inbound.id,
        Inbound.id >= func.id_at(func.now() - span),
        Inbound.state.not_in(["new", "working"]),
    )
    last = session.scalars(before.order_by(Inbound.id.desc()).limit(SAME_BEFORE)).all()
    if len(last) < SAME_BEFORE:
        return False
    words = _own_words(came.mail)  # read as those of the others are: with quotes that have no mark
    return all(_own_words(inbound_mail.decode(one)) == words for one in last)


def _own_words(mail: ReceivedMail) -> str:
    return "" if mail.refused else mail.words.text
