"""Settings that people say without the verb of the command: "turn it off", "no texts tonight", "do not disturb", "track
the word acme". mistyped_settings.py asks whether the command is meant."""

import re
from typing import Final

from gateway.language.words.setting_words import is_time

# It is asked about only when nothing but words for times stands behind. Each with the command that it means.
_ITEMS: Final = r"(?:(?:it|them|this|texts?|sms|messages|updates|everything|all)\b ?)"
_OURS: Final = r"(?:todo|(?:los )?(?:sms|mensajes|textos))"
_PHRASES: Final = tuple(
    (re.compile(rf"(?:{pattern})(?:\b|$)(?P<rest>.*)", re.IGNORECASE), written)
    for pattern, written in (
        (rf"(?:turn|switch|shut) {_ITEMS}?off\b ?{_ITEMS}?|(?:texts?|sms|messages|updates) off", "off"),
        (rf"(?:turn|switch) {_ITEMS}?(?:back )?on\b ?{_ITEMS}?|(?:texts?|sms|messages|updates) (?:back )?on", "on"),
        (r"no (?:more )?(?:texts?|sms|messages|updates)|sin (?:sms|mensajes)", "off"),
        (rf"(?:apaga|apague|pausa|pause)r? {_OURS}", "off"),
        (rf"(?:enciende|encienda|reanuda|reanude)r? {_OURS}", "on"),
        (r"(?:please )?(?:do not|don['’]?t) disturb(?: me)?|dnd(?: on)?|no molestar|no me molestes?", "off"),
        (r"no limit|sin l[ií]mite", "limit off"),
    )
)
_STARTING: Final = """
turn switch shut text texts sms message messages update updates no sin apaga apague apagar pausa pause pausar enciende
encienda encender reanuda reanude reanudar please do don't don’t dont dnd
"""
_STARTS: Final = frozenset(_STARTING.split())
_TRACKS: Final = {"track": "track", "untrack": "untrack", "follow": "track", "unfollow": "untrack"}
_NOUN: Final = r"(?:words?|phrase|term|mentions? of|palabra|frase|menciones de)"
_TRACKED: Final = re.compile(rf"(?:the |la |el )?{_NOUN} (?P<phrase>(?!(?:of|del?)\b)\S+(?: \S+)?)", re.IGNORECASE)


def in_other_words(text: str) -> str | None:
    """The command that such a phrase means."""
    if text.partition(" ")[0].casefold() not in _STARTS:
        return None
    for pattern, written in _PHRASES:
        found = pattern.fullmatch(text.rstrip(".!? "))
        if found and (not (rest := found["rest"].strip()) or is_time(rest)):
            return written
    return None


def track_in_other_words(verb: str, rest: str) -> str | None:
    """The command that "the word acme" means behind this verb."""
    found = _TRACKED.fullmatch(rest)
    if found is None or verb not in _TRACKS:
        return None
    phrase = found["phrase"]
    return f'{_TRACKS[verb]} "{phrase}"' if " " in phrase else f"{_TRACKS[verb]} {phrase}"
