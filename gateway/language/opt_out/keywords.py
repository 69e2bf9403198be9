"""The words that carriers and the law reserve: STOP, START and HELP, as whole texts only.

Twilio and the FCC name the English words; the phrases are how people say the same. grammar.py asks here first."""

import re
import unicodedata

from gateway.language.opt_out import stop_requests

STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
START = frozenset({"start", "unstop"})
YES = frozenset({"yes"})
HELP = frozenset({"help", "info"})
RESERVED = STOP | START | YES | HELP

# STOP in the languages of the numbers we may have. It counts only as the whole text, so an update is hardly lost.
_OTHERS = """
abbestellen abmelden afmelden alto annuler anulowac anuluj arret arrêt arrêter austragen avbryt avmeld avregistrera
avslutt baja cancelar cancelarenvio cancella cancellami desabonner désabonner desinscription désinscription
desuscribir detener iptal lopeta parar pare peruuta rezygnuje rezygnuję sair salir stopp stoppen
uitschrijven wypisz стоп отписаться отписка отмена 停止 停止する 退订 退訂 取消 解除 解约 수신거부 중지 توقف إلغاء
"""
_FOREIGN = frozenset(_OTHERS.split())
# Whole texts abroad that ask somebody to stop, perhaps us: they are asked about. Courtesies around them do not count.
_PERHAPS = """
basta | basta ya | ya basta | baja | dar de baja | quiero cancelar | cancelar suscripcion | numero equivocado |
no me molesten | no me molestes | dejame en paz | dejenme en paz | unsuscribir | eliminar mi numero |
borrar mi numero | detente | detengan esto | parem | chega | nao quero mais | pare ja | aufhoren | lasst mich in ruhe |
falsche nummer | nicht mehr schreiben | laissez moi tranquille | arrete ca | arretez de menvoyer des sms |
faux numero | hou op | smettila | basta messaggi | basta sms | non scrivetemi piu | numero sbagliato | przestan |
хватит | остановите | не пишите мне | 不要再发了 | 停 | 停止发送 | やめて | 配信停止 | 그만 | iptal et | durdur
"""
_PERHAPS_ABROAD = frozenset(" ".join(phrase.split()) for phrase in _PERHAPS.split("|"))
_COURTEOUS = re.compile(
    r"^(?:(?:please|por favor|porfavor|bitte|svp|prosze|per favore|пожалуйста) )+"
    r"|(?: (?:please|por favor|porfavor|bitte|svp|sil vous plait|per favore|prego|alsjeblieft|prosze|пожалуйста|gracias"
    r"|danke|merci|من فضلك))+$"
)
_SHOUTED = frozenset({"para"})  # a request only with "!"; without it, it is the everyday Spanish word for "for"

_PHRASES = """
stop all | stop it all | stop please | please stop | stop now | stop stop | stop stop stop | just stop | opt out |
opt me out | i opt out | i want to opt out | i would like to opt out | id like to opt out | i wish to opt out |
opt out please | stop texting | stop texting me | please stop texting | quit texting me | quit texting |
stop sending texts | stop sending me texts | stop sending me text messages | stop sending me messages |
stop sending messages | stop sending me these | stop sending me this | stop sending these | stop messaging me |
stop contacting me | stop these texts | stop the texts | stop these messages | stop the messages | stop all messages |
stop all texts | stop all text messages | stop sms | stop all sms | stop sending sms | stop sending me sms |
stop bothering me | stop spamming me | stop spamming | end texts | end messages | end all texts | end all messages |
cancel texts | cancel messages | cancel all texts | cancel my subscription | cancel subscription | no more texts |
no more text messages | no more messages | no more sms | no texts | no text messages | dont text me | do not text me |
dont text me again | do not text me again | dont text me anymore | do not text me anymore | dont text me any more |
dont text | do not text | never text me again | dont message me | do not message me | dont contact me |
do not contact me | dont contact me again | do not contact me again | never contact me again | do not contact |
dont send me texts | do not send me texts | dont send me messages | do not send me messages |
dont send me any more texts | do not send me any more texts | i dont want texts | i do not want texts |
i dont want these texts | i do not want these texts | i dont want these messages | i do not want these messages |
i dont want to receive texts | i do not want to receive texts | i dont want any more texts |
i do not want any more texts | i no longer want texts | i no longer want to receive texts |
i no longer want these texts | i no longer wish to receive texts | i no longer wish to receive these messages |
unsubscribe me | unsubscribe all | unsubscribe from all | unsubscribe me from this | i want to unsubscribe |
how do i unsubscribe | remove me | remove me now | remove my number | remove number | remove this number |
remove my phone number | remove me from this list | remove me from your list | remove me from the list |
remove my number from your list | delete my number | delete me from your list | delete me | take me off |
take me off this | take me off the list | take me off this list | take me off your list | take my number off |
take my number off your list | leave me alone | revoke consent | i revoke consent | i revoke my consent |
i withdraw my consent | withdraw consent | wrong number | wrong number stop | lose my number | get me off this list |
get me off your list | you have the wrong number | you have wrong number | deja de enviarme mensajes |
dejen de enviarme mensajes | no me envies mas mensajes | no me envien mas mensajes | no mas mensajes | darme de baja |
quiero darme de baja | no más mensajes | no me envíes más mensajes | no me envíen más mensajes | no más sms |
no me escribas más | no me escriban más | deja de escribirme | dejen de escribirme | denme de baja |
quítame de la lista | quítenme de la lista | bitte keine sms mehr | keine sms mehr | keine nachrichten mehr |
bitte keine nachrichten mehr |
hör auf | bitte abmelden | ne menvoyez plus de sms | plus de sms | arretez les sms | arrêtez les sms | arrete |
para ya | para por favor | por favor para |
arrêtez | me désabonner | stop aux sms | pare de me enviar mensagens | nao quero mais mensagens |
não quero mais mensagens | basta sms | non mandatemi più sms | geen sms meer | niet meer sms en
"""
# Requests that stop mails only, and no texts to a phone.
_MAIL_PHRASES = """
deja de enviarme correos | deje de enviarme correos | dejen de enviarme correos | no mas correos | no más correos |
no me envies mas correos | no me envíes más correos | no me envien mas correos | no me envíen más correos |
no quiero mas correos | no quiero más correos | no quiero recibir correos | no quiero recibir más correos |
keine mails mehr | keine emails mehr | keine e mails mehr | bitte keine mails mehr | bitte keine emails mehr |
bitte keine e mails mehr | bitte nehmen sie mich vom verteiler | nehmen sie mich vom verteiler |
nimm mich vom verteiler | bitte nimm mich vom verteiler | ich möchte keine mails mehr |
ich möchte keine e mails mehr | plus de mails | plus de courriels | plus demails | plus de mails svp |
désabonnez moi | désinscrivez moi | désinscrivez moi de cette liste | je ne veux plus recevoir de mails |
je ne veux plus recevoir vos mails | geen mails meer | geen e mails meer | geen emails meer |
schrijf me uit | basta email | basta mail | non voglio più email | non inviatemi più email | cancellatemi dalla lista |
não quero mais emails | não quero mais e mails | não me enviem mais emails | inga fler mejl | ingen flere mails |
proszę mnie wypisać | nie chcę więcej maili | не присылайте мне больше писем | не пишите мне больше |
отпишите меня | i no longer want to receive these emails | i no longer want to receive emails |
i no longer want these emails | i no longer wish to receive these emails | i no longer want your emails
"""
_MAIL_REFUSALS = frozenset(" ".join(phrase.split()) for phrase in _MAIL_PHRASES.split("|"))
REFUSALS = frozenset(" ".join(phrase.split()) for phrase in _PHRASES.split("|"))
_STOPS = STOP | _FOREIGN | REFUSALS
_PLAIN_STOPS = REFUSALS | {
    "stop",
    "stopall",
    "unsubscribe",
    "optout",
}  # "cancel please" answers a colleague, "stop please" us

_LONGEST = 80
_WRAPPING = "\"'“”‘’«»()[]*_~ \t\n"
_PUNCTUATION = re.compile(r"[!-/:-@\[-^`{-~¡¿…。！？、«»“”„‘’]")
_POLITE = re.compile(r"^(?:(?:please|pls|plz) )+|(?: (?:please|pls|plz|thanks|thank you|now|immediately))+$")
_REFUSING = re.compile(
    r"\b(?:stop|quit|don'?t|do not|no more|never|remove|unsubscribe|opt out|take me off)\b.{0,40}"
    r"\b(?:text(?:s|ing)?|messag(?:e|es|ing)|sms|contact(?:ing)?|me|my number|list)\b"
)
_REFUSING_ABROAD = re.compile(
    r"\bno\b.{0,12}\b(?:env[ií]\w*|mand\w*|escrib\w*|quiero)\b.{0,30}\b(?:mensajes?|sms|textos?)\b"
    r"|\b(?:deja|deje|dejen|dejad|basta)\b.{0,30}\b(?:mensajes?|sms|textos?|escribir(?:me)?|molestar(?:me)?)\b"
    r"|\b(?:qu[ií]t|b[oó]rr|elim[ií]n)[ae]n?me\b|\b(?:d[aeé]|den|dar)me de baja\b"
)


def carrier_word(text: str) -> str | None:
    """ "stop", "start", "yes" or "help" when that is the whole of a cleaned text, in any case and punctuation, whatever
    a phone or a person puts around it: an emoji, a device line, a signature."""
    if text[:1] in ".?/#@":
        return None
    inner = text if text.isascii() and "\n" not in text else stop_requests.strip_courtesies(text)
    if len(inner) > _LONGEST:
        return None
    word = _bare(inner)
    polite = _POLITE.sub("", word)
    if polite in _PLAIN_STOPS or (word in _STOPS and not stop_requests.has_emoji(text)):
        return "stop"
    if word in _SHOUTED and "!" in text:
        return "stop"
    for kind, words in (("start", START), ("yes", YES), ("help", HELP)):
        if word in words:
            return kind
    return None


def stops_mails(text: str) -> bool:
    """Whether a whole mail asks in plain words for no more mails, or for no more messages at all."""
    if text[:1] in ".?/#@":
        return False
    inner = stop_requests.strip_courtesies(text)
    if len(inner) <= _LONGEST and _POLITE.sub("", _bare(inner)) in _MAIL_REFUSALS:
        return True
    return stop_requests.is_mentioned(inner) and stop_requests.is_plain_stop(inner, by_mail=True)


def plainly_stops(text: str) -> bool:
    """Whether it is one of the words and phrases for "stop" that nobody would say to a colleague."""
    inner = stop_requests.strip_courtesies(text)
    return stop_requests.is_plain_stop(inner) or (
        len(inner) <= _LONGEST and _POLITE.sub("", _bare(inner)) in _PLAIN_STOPS
    )


def carrier_answers(text: str) -> bool:
    """Whether a carrier that knows these words (Twilio's default list) has answered the text itself."""
    return text.strip().casefold() in STOP


def may_stop(text: str) -> bool:
    """Whether a short text may ask us to stop: its writer is asked, and it is never published without an answer."""
    if len(text) > stop_requests.MOST:
        return False
    return stop_requests.may_be_stop(text) or _REFUSING_ABROAD.search(_folded(text)) is not None or _stops_abroad(text)


def _stops_abroad(text: str) -> bool:
    """Whether a whole text is such a request in another language, perhaps with a courtesy."""
    first = _WORD.search(text)
    word = first.group().casefold() if first else ""
    if word not in _STARTING and (word.isascii() or _unaccented(word) not in _STARTING):
        return False
    bare = _bare(stop_requests.strip_courtesies(text))
    polite = _COURTEOUS.sub("", bare)
    if polite != bare and (polite in _FOREIGN or polite in REFUSALS or _unaccented(polite) in _FOREIGN):
        return True
    plain = _unaccented(polite)
    return plain in _PERHAPS_ABROAD or _COURTEOUS.sub("", plain) in _PERHAPS_ABROAD


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    spread = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(each for each in spread if not "\u0300" <= each <= "\u036f"))


def sounds_like_refusal(text: str) -> bool:
    """Whether a text that is no carrier word may still ask us to stop, so that an operator is shown it."""
    folded = _folded(text)
    return len(text) <= 160 and (
        _REFUSING.search(folded) is not None
        or _REFUSING_ABROAD.search(folded) is not None
        or stop_requests.may_be_stop(text)
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


def _bare(text: str) -> str:
    """The text case-folded, without quotes and punctuation, its words separated by single blanks."""
    folded = _folded(text).strip(_WRAPPING)
    if folded.isalnum():
        return folded
    spaced = folded.replace("-", " ").replace(",", " ").replace("'", "")
    return " ".join(_PUNCTUATION.sub("", spaced).split())


# The first words of all that `_stops_abroad` knows: most texts begin with none of them, and are looked at no further.
_WORD = re.compile(r"[^\W\d_]+")
_COURTESIES = ["please", "por", "porfavor", "bitte", "svp", "prosze", "per", "пожалуйста"]
_STARTING = frozenset(
    _unaccented(match.group())
    for phrase in (*_PERHAPS_ABROAD, *_FOREIGN, *REFUSALS, *_COURTESIES)
    if (match := _WORD.search(phrase))
)
