"""Names of weekdays and of groups of them, in English and Spanish, long and short. Accents are gone before they are
looked up, and capitals are folded."""

import re
from typing import Final

Days = tuple[int, ...]  # as datetime.weekday counts them: 0 is Monday

EVERY_DAY: Final[Days] = (0, 1, 2, 3, 4, 5, 6)
_WORKDAYS, _WEEKEND = EVERY_DAY[:5], EVERY_DAY[5:]
_NAMES = (
    ("monday", "lunes"), ("tuesday", "martes"), ("wednesday", "miercoles"), ("thursday", "jueves"),
    ("friday", "viernes"), ("saturday", "sabado"), ("sunday", "domingo"),
)  # fmt: skip
_SHORT = ("mo lu", "tu ma", "we wd weds mi", "th ju", "fr vi", "sa", "su do")
_LETTERS = {
    "m-f": _WORKDAYS,
    "l-v": _WORKDAYS,
    "l a v": _WORKDAYS,
    "l-d": EVERY_DAY,
    "l a d": EVERY_DAY,
    "s-d": _WEEKEND,
}
_GROUPS = {
    EVERY_DAY: "every day|each day|all days|any day|everyday|daily|every night|each night|all nights|nightly|nights"
    "|all week|todos los dias|cada dia|todas las noches|cada noche|toda la semana|a diario|diario|diariamente",
    _WORKDAYS: "week ?days?|week ?nights?|work ?days?|working days|business days|school days|dias de semana"
    "|dias de la semana|dias laborables|laborables|dias habiles|entre semana",
    _WEEKEND: "week ?ends?|los fines de semana|fines de semana|fin de semana|findes?",
}
_PHRASES = {re.compile(words): days for days, words in _GROUPS.items()}
ANY: Final = "|".join((*_GROUPS.values(), *_LETTERS))  # for a pattern; the names of single days are any other word


def days_named(word: str) -> Days | None:
    """The days that a word or phrase names: "mon", "viernes", "sundays", "weekdays", "l-v"; None for other words."""
    if word in _LETTERS:
        return _LETTERS[word]
    group = next((days for phrase, days in _PHRASES.items() if phrase.fullmatch(word)), None)
    if group is not None:
        return group
    day = weekday(word)
    return None if day is None else (day,)


def weekday(word: str) -> int | None:
    """One weekday by its name, its plural, or its first letters: "mo", "tues", "mié" without the accent."""
    word = word.rstrip(".")
    for day, names in enumerate(_NAMES):
        if word in _SHORT[day].split() or any(_is_short_for(word, name) for name in names):
            return day
    return None


def _is_short_for(word: str, name: str) -> bool:
    return word == f"{name}s" or (len(word) >= 3 and name.startswith(word))


def days_between(first: Days, last: Days) -> Days | None:
    """The days from one to another, over Sunday too; None unless both are one day, and not the same."""
    if len(first) != 1 or len(last) != 1 or first == last:
        return None
    count = (last[0] - first[0]) % 7 + 1
    return tuple((first[0] + each) % 7 for each in range(count))
