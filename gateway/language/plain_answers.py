"""Reads answers to an open question in plain words: "privately", "just sam", "to everyone", "forget it". replies.py
calls it.

Only whole texts count, and only while a question is open. An unclear answer is asked about again; it never
publishes."""

import re
import unicodedata
from typing import Final

from gateway.language.model.reading import Choice, OpenQuestion, Resolver

LONGEST: Final = 50  # characters of such an answer
UNCLEAR: Final = "?"  # an answer, but it is not clear which one
EVERYONE: Final = "!"  # means "for everyone", but lacks POST, the only word that publishes
_PRIVATE_KINDS: Final = frozenset({"private", "thread"})  # questions where a digit sends the words to a few people

_IT = r"(?: (?:it|this|that|them|these|those))?"
_OPENING = r"(?:(?:no|yes|yeah|ok|okay|oh|sorry|please|pls|si|perdon|por favor|uh|um|well|then) )*"
_ENDING = r"(?: (?:please|pls|thanks|thank you|thx|then|ok|por favor|gracias))*"
_HOW = (
    r"(?:privately|private|in private|in confidence|confidentially|confidential|between us|secretly|quietly"
    r"|direct(?:ly| message)?|(?:as )?a (?:private|direct) (?:message|text|note)|(?:a )?(?:dm|pm)"
    r"|en privado|privado|a solas|solo entre nosotros)"
)
_TO = r"(?:to|for|with|a|para|con)"
_ONE = r"(?:him|her|el|ella)"
_THEM = r"(?:them|both|both of them|all of them|the two of them|those two|ellos|ellas|los dos|las dos|ambos)"
_DO = (
    rf"(?:(?:send|make|keep|tell|reply|answer|say|write|envia|manda|responde|dile|digaselo)(?:lo|la|selo)?{_IT} "
    r"|(?:it|that|this)(?: i|'?)s (?:only )?|(?:it|that|this) was (?:meant |only )?"
    r"|i (?:meant|mean)(?: it)? |es |era )?"
)
_ONLY = r"(?:only|just|solo|solamente|nur)"
_NAMED = r"(?P<{}>[\w'-]+(?: [\w'-]+){{0,3}}?)"

# The first pattern that fits decides.
_EVERYONE: Final = re.compile(
    r"(?:(?:yes|yeah|ok|okay|please|pls|si|por favor) )*"
    r"(?:(?:post|publish|send|tell|share|say|make|show|publica|publicar|envia|manda|di|dile|cuenta)(?:lo|selo)?"
    rf"{_IT} )?"
    rf"(?:(?:{_TO} )?(?:everyone|everybody|every one|(?:the )?whole company|(?:all )?(?:of )?my followers|the world"
    r"|todos|todas|todo el mundo|todos mis seguidores|mis seguidores)|publicly|public|in public|publicamente|en publico"
    rf"|publico){_ENDING}"
    rf"|(?:(?:yes|yeah|ok|okay|please|pls|si|por favor) )*(?:post|publish) (?:it|this|that|them){_ENDING}"
    rf"|(?:(?:si|por favor) )*publica(?:lo|la|los|las){_ENDING}"
)
_DELETE: Final = re.compile(
    rf"{_OPENING}(?:just )?(?:"
    r"(?:delete|drop|discard|scrap|trash|bin|erase|scratch)(?: (?:it|this|that|them|these|those|all|everything"
    r"|all of (?:it|them)|both))?(?: (?:all|both))?"
    r"|(?:remove|cancel) (?:it|this|that|them)|forget(?: (?:it|this|that|them|about (?:it|this|that)))?"
    r"|never ?mind(?: (?:it|that|then))?|(?:do not|don'?t) (?:send|bother)(?: (?:it|this|that|them))?"
    r"|throw (?:it|that|them) away"
    r"|(?:borra|elimina|olvida|descarta|cancela|deja|tira)(?:lo|la|los|las)|(?:borra|elimina|olvida|descarta) eso"
    r"|no importa|no l[oa]s? (?:envies|mandes)"
    rf"){_ENDING}"
)
_PRIVATELY: Final = re.compile(
    rf"{_OPENING}{_DO}(?:{_ONLY} )?(?:"
    rf"(?:{_HOW}(?: {_TO} {_ONE})?|{_TO} (?P<one>{_ONE})(?: {_ONLY}| alone)?(?: {_HOW})?"
    rf"|(?P<him>{_ONE})(?: (?:only|alone|solo|{_HOW}))?|(?:dm|pm) (?P<dm>{_ONE}))"
    rf"|(?:{_TO} )?(?P<them>{_THEM})(?: (?:only|alone|solo))?(?: {_HOW})?|{_HOW}(?: {_TO})? (?P<they>{_THEM})"
    rf"){_ENDING}"
)
_BY_NAME: Final = re.compile(
    rf"{_OPENING}{_DO}(?:"
    rf"(?P<marked>{_ONLY} (?:{_TO} )?|{_TO} ){_NAMED.format('first')}(?: (?:only|alone|solo|{_HOW}))?"
    rf"|{_NAMED.format('second')} (?P<behind>only|alone|solo|{_HOW})"
    rf"|(?P<before>{_HOW}(?: {_TO})? ){_NAMED.format('third')}"
    rf"|{_NAMED.format('bare')}"
    rf"){_ENDING}"
)
# Texts of these words alone leave the choice open: "don't post it", "no, not everyone", "that was private, not public".
_ABOUT_IT_WORDS = """
no yes not dont don't do never to for with a as it this that them these those is was be should make keep send post
publish share tell say answer reply everyone everybody anyone only just him her me us private privately public
publicly secret in please thanks ok okay sorry and or but i meant mean want delete drop forget about later now
si nunca a para en lo la el ella es era todos todo nadie solo privado publico envia manda publica publiques publicar
borra borres olvida eso
"""
_DECIDING_WORDS = """
post publish share everyone everybody anyone private privately public publicly delete drop forget
todos nadie privado publico publica publiques publicar borra borres olvida
"""
_ABOUT_IT: Final = frozenset(_ABOUT_IT_WORDS.split())
_DECIDING: Final = frozenset(_DECIDING_WORDS.split())
# These answer a question about names. In a private thread they may be ordinary words, which stay private anyway.
_VAGUE: Final = re.compile(
    rf"{_OPENING}(?:him|her|them|el|ella|{_THEM}|(?:send|envia|manda)(?:lo)?{_IT}|(?:to )?(?:all|either)"
    r"|(?:the )?(?:first|second|third|last)(?: one)?|whichever|whatever|which (?:one|question)|todo|nothing|neither"
    rf"|nobody|none(?: of (?:them|these|those))?|no one|nada|ningun[oa]|nadie|da igual){_ENDING}"
)
_STRANGE: Final = re.compile(r"[^\w' -]+")


def plain_answer(text: str, question: OpenQuestion, resolver: Resolver) -> str | None:
    """What a folded text answers: a digit, POST, DROP, UNCLEAR or EVERYONE; None when it is no answer. "Post it?" is a
    question of the writer's, and decides nothing."""
    found = _answer(text, question, resolver)
    return UNCLEAR if found and "?" in text else found


def _answer(text: str, question: OpenQuestion, resolver: Resolver) -> str | None:
    said = " ".join(_STRANGE.sub(" ", _unaccented(text)).replace("-", " ").split())
    if _EVERYONE.fullmatch(said):
        clear = "post" in said.split() and "POST" in question.words and question.kind != "told"
        return "POST" if clear else EVERYONE
    if question.kind == "told":
        return None
    if _DELETE.fullmatch(said):
        return "DROP" if "DROP" in question.words else None
    vague = _VAGUE.fullmatch(said)
    if vague and question.kind == "thread":
        return None
    if match := _PRIVATELY.fullmatch(said):
        one = match["one"] or match["him"] or match["dm"]
        several = match["them"] or match["they"]
        return _privately(question, one=bool(one), several=bool(several) and several != "them")
    words = set(said.split())
    if vague or (words <= _ABOUT_IT and words & _DECIDING):
        return UNCLEAR
    return _by_name(said, question, resolver)


def _privately(question: OpenQuestion, *, one: bool, several: bool) -> str:
    """1, when it is the only choice. "Only him" does not fit several people, and "both" does not fit one."""
    clear = question.kind in _PRIVATE_KINDS and len(question.choices) == 1
    if not clear or (one and question.with_others) or (several and not question.with_others):
        return UNCLEAR
    return "1"


def _by_name(said: str, question: OpenQuestion, resolver: Resolver) -> str | None:
    """The digit of the one choice that a text names; UNCLEAR for a name that is known but not offered."""
    match = _BY_NAME.fullmatch(said)
    if match is None or "DROP" not in question.words:
        return None
    if match["bare"] and question.kind == "thread":
        return None
    name = match["first"] or match["second"] or match["third"] or match["bare"]
    known = () if match["bare"] else resolver(name).exact  # a bare word is compared with the offered names only
    found = {name, *(each.name.casefold() for each in known)}
    digits = [at for at, choice in enumerate(question.choices, 1) if found & _called(choice)]
    if len(digits) != 1 or question.kind not in _PRIVATE_KINDS or question.with_others:
        return UNCLEAR if digits or known else None
    return str(digits[0])


def _called(choice: Choice) -> set[str]:
    """The full name and the first name on one line of the question."""
    name = _unaccented(choice.label.casefold())
    return {choice.label.casefold(), name, *name.split()[:1]}


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    spread = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in spread if not unicodedata.combining(letter))
