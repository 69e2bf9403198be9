"""Requests to stop in people's own words: "do not ever contact me again", "STOP" with an emoji or a signature.

carrier_words.py asks `plainly`; grammar.py asks `perhaps` before a text is published. A phone that says no must be
heard whatever surrounds the word; a text that only may be a no is asked about."""

import re
import unicodedata
from typing import Final

from gateway.language.devices import is_device
from gateway.language.reactions import EMOJI

MOST = 60  # characters of a text that is asked about; what is longer was written to colleagues
_LONGEST = 160  # characters of a text that is read as a request
_EMOJI: Final = re.compile(rf"(?:{EMOJI})+")
_BLANK: Final = re.compile(r"[^\w']+")
_SIGN: Final = re.compile(r"^(?:--|—|–|__|-\s)")

# Every word of a plain request is one of these. It says no (_NO), to what (_WHAT), and nothing else (_SMALL).
_NO: Final = frozenset(
    "stop stopp stopping stopall unsubscribe unsub optout quit cease end cancel remove delete".split()
)
_NEVER: Final = frozenset("not never no dont donot don't wont nomore".split())
_ASKING: Final = frozenset(
    "text texting contact contacting message messaging sms spam spamming bother bothering".split()
)
_WHAT: Final = _ASKING | frozenset("texts messages alerts notifications updates list number phone subscription".split())
_OURS: Final = frozenset("unsubscribe unsub optout out".split())  # these are said to a list, and to nobody else
_SMALL: Final = frozenset(
    """please pls plz now immediately all any every ever more again anymore already the these this those that your you
    u my mine me from to of on at for with it them ok okay just do i i'd id i'm im want wanna would like need wish
    hey hi hello sir thanks thank kindly sending send sends receiving receive getting get wanting critter""".split()
)
_PHRASES: Final = re.compile(
    r"\b(?:opt(?:ing)? (?:me )?out|take me off|leave me alone|wrong number|lose my number|no more|do not|don'?t|never)\b"
)
# Beside one of these, a word of _NO is about something else: "stop the press", "cancel my meeting".
_MAY_MEAN_US: Final = re.compile(
    r"\b(?:stop|stopp|quit|cease|end|cancel|unsubscribe|unsub|remove|delete|opt out|optout|no more|do not|don'?t|never)\b"
)
_US: Final = re.compile(
    r"\b(?:text(?:s|ing|ed)?|messag(?:e|es|ing)|msgs?|sms|contact(?:s|ing)?|spam(?:ming)?|notifications?|alerts?"
    r"|subscri\w+|my number|this number|(?:your|this|the) list|these|(?:stop|quit|end) (?:this|it|that|now|already))\b"
)
_ALONE: Final = frozenset("stop stopp quit end cancel unsubscribe unsub revoke optout stopall baja alto arret".split())


def core(text: str) -> str:
    """A text without what phones and people put around it: emoji, device lines, a signature."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = lines[:1]
    for line in lines[1:]:
        if _SIGN.match(line) or is_device(line) or _is_name(line):
            break
        kept.append(line)
    return _EMOJI.sub(" ", " ".join(kept)).strip()


def has_emoji(text: str) -> bool:
    return not text.isascii() and _EMOJI.search(text) is not None


def plainly(text: str) -> bool:
    """Whether these words ask us to stop, and nothing else."""
    words = _words(text)
    if not words or len(text) > _LONGEST:
        return False
    rest = _PHRASES.sub(" ", " ".join(words)).split()
    refuses = len(rest) < len(words) or bool(_NO & set(words))
    about_us = bool((_WHAT | _OURS) & set(words)) or {"me", "alone"} <= set(words)
    known = _NO | _NEVER | _WHAT | _SMALL
    return refuses and about_us and all(word in known for word in rest)


def perhaps(text: str) -> bool:
    """Whether a short text says stop and may mean us: such a text is never published unasked."""
    if len(text) > MOST:
        return False
    bare = " ".join(_words(core(text)))
    return bare in _ALONE or (bool(_MAY_MEAN_US.search(bare)) and bool(_US.search(bare)))


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _BLANK.sub(" ", folded).split()


def _is_name(line: str) -> bool:
    """A signature of one to three capitalised words under the text."""
    words = line.strip(" .,-–—~*_").split()
    return 0 < len(words) <= 3 and all(word[:1].isupper() and word[1:].islower() for word in words)
