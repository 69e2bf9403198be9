"""Words that people use for a setting and that its command does not take: "off for the weekend", "limit me to twenty a
day". A text of these words alone is about the setting; with any other word ("off for the weekend, see you") it is a
sentence. mistyped_settings.py and mistyped_zones.py ask; all words are without accents."""

import re
from typing import Final, NamedTuple

from gateway.language.words.durations import duration
from gateway.language.words.time_tokens import plain, tokens_of

MOST_WORDS: Final = 7


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NUMBERS: Final = _set("""
one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ninety half
quarter couple few a an
un una uno dos tres cuatro cinco seis siete ocho nueve diez once doce quince veinte treinta cuarenta cincuenta sesenta
noventa media medio
""")
_SHORT_UNITS: Final = _set("m min mins minute minutes h hr hrs hour hours minuto minutos hora horas")
_TIMES: Final = (
    _NUMBERS
    | _SHORT_UNITS
    | _set("""
day days week weeks month months year weekend weekends night nights morning mornings evening evenings afternoon
afternoons noon midnight while bit moment now tonight tomorrow never forever always later further notice next
vacation vacations holiday holidays break back return asleep sleep sleeping awake wake up
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
october november december jan feb mar apr jun jul aug sep sept oct nov dec easter christmas
the of to till til until after before at in on during over when whenever through this that these all whole every each
per once twice i i'm im i’m am my we or not no only just more most about and
dia dias semana semanas mes meses ano fin fines finde noche noches manana mananas tarde tardes rato momento vez veces
ahora nunca siempre luego nuevo aviso proxima proximo vacaciones festivos navidad
lunes martes miercoles jueves viernes sabado sabados domingo domingos
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
el la los las de del al en por para desde hasta despues antes durante mientras cuando este esta estos estas todo toda
todos todas cada mi mis me yo que sea solo mas y o vuelva regrese duermo duerma dormir despierte
""")
)
_CHANNELS: Final = _set("""
mail mails email emails e-mail text texts sms phone web page app both nothing correo correos mensaje mensajes texto
textos telefono movil pagina nada ambos
""")
_ENDS: Final = _set("till til until hasta")


class SettingWords(NamedTuple):
    """`opening`: words with which what follows the verb may begin; `others`: those that may follow. Numbers may stand
    at both places."""

    opening: frozenset[str]
    others: frozenset[str]


_OF: Final = {
    "off": SettingWords(
        _set("""
        for during over while when all this next half tonight now por para durante mientras cuando todo toda esta este
        el la los las
        """),
        _TIMES | _CHANNELS | _set("today hoy updates messages notifications novedades avisos"),
    ),
    "quiet": SettingWords(
        _set("""
        for from after during over while when all every each hours mode at this por desde durante mientras cuando todas
        esta de en
        """),
        _TIMES | _set("on off"),
    ),
    "digest": SettingWords(
        _set("every each in at by on once twice per when whenever cada por en a al cuando una dos"), _TIMES | _CHANNELS
    ),
    "limit": SettingWords(
        _set("me my texts messages sms to per mis mensajes textos a al por de"),
        _NUMBERS
        | _set("""
        texts text messages sms to per each every day daily hour hourly week at most max me my al dia mensajes textos
        de por cada hora semana
        """),
    ),
    "unseen": SettingWords(
        _set("for in after to half despues en tras por"),
        _NUMBERS | _SHORT_UNITS | _set("for in after of later to text my phone despues de en tras por mas tarde"),
    ),
    "prefer": SettingWords(
        _CHANNELS | _set("not no only el los la"),
        _TIMES | _CHANNELS | _set("rather than instead be texted mailed emailed get receive recibir everything"),
    ),
    "on": SettingWords(_set("again el"), _TIMES),
}


def is_about_setting(name: str, rest: str) -> bool:
    """Whether what follows the verb of this setting is of its words alone."""
    known, said = _OF.get(name), _said(rest)
    if known is None or not said:
        return False
    if name in ("off", "quiet") and said[0] in _ENDS:
        return name == "off" or _are_times(said)
    opens = said[0] in known.opening or said[0] in _NUMBERS or _is_number(said[0])
    return opens and all(word in known.others or word in known.opening or _is_number(word) for word in said)


def is_time(written: str) -> bool:
    """Whether it is of words for times alone: "this week", "hasta que vuelva"."""
    said = _said(written)
    return bool(said) and _are_times(said)


def _said(written: str) -> list[str]:
    words = re.sub(r"[,;!?.]+(?=\s|$)", "", plain(written)).split()
    return words if len(words) <= MOST_WORDS else []


def _are_times(words: list[str]) -> bool:
    return all(word in _TIMES or word in _ENDS or _is_number(word) for word in words)


def _is_number(word: str) -> bool:
    return any(letter.isdigit() for letter in word) and bool(tokens_of(word) or duration(word))
