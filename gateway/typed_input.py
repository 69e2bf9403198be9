"""What people type or paste into a field: a handle, a name, a number, a mail address, a setting.

Phones put direction marks around numbers, spreadsheets begin with a byte order mark, web pages bring soft hyphens and
non-breaking spaces. Nobody sees these characters, so they never count. Everything that takes such a field calls this
module: texts, mails, the import, the command line, the settings.
"""

import re
import unicodedata
from typing import Final

# Unicode's Default_Ignorable_Code_Point except the sets below, and the object character that dictation leaves.
INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffc\U000e0000\U000e0001\U000e0100-\U000e01ef"
)
SELECTORS: Final = "\ufe00-\ufe0f\u180b-\u180d\u180f"  # how an emoji or a letter looks
JOINERS: Final = "\u200c\u200d"  # some scripts write words with them
_MORE: Final = "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0002-\U000e00ff\U000e01f0-\U000e0fff"
_UNSEEN: Final = re.compile(f"[{INVISIBLE}{SELECTORS}{_MORE}]")
_JOINED: Final = "[^\x00-\u02ff\\s]"  # what a joiner can stand between: letters that are neither Latin nor signs
_LOOSE: Final = re.compile(f"(?<!{_JOINED})[{JOINERS}]+|[{JOINERS}]+(?!{_JOINED}|[{JOINERS}])")
_BLANKS: Final = re.compile(r"[^\S\n]|\u2800")  # of every width, but no end of a line; a Braille cell without dots
_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
_DOTS: Final = re.compile("[\u3002\uff0e\uff61]")  # full stops that stand for the dot of a domain (UTS 46)
_WRONG_PLACES: Final = 3  # characters that one message names


def strip_invisible(text: str) -> str:
    """Removes what cannot be seen and makes every blank a plain space, with none at the ends. Lines stay as they are;
    joiners stay where letters need them."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return drop_invisible(_BLANKS.sub(" ", _ENDS.sub("\n", text))).strip()


def drop_invisible(text: str) -> str:
    """Removes what cannot be seen, and keeps blanks and line ends as they were: for a whole file."""
    return text if text.isascii() else _LOOSE.sub("", _UNSEEN.sub("", text))


def clean_input(text: str) -> str:
    """Does what strip_invisible does, and removes all joiners, too: for what is compared and stored character by
    character."""
    text = strip_invisible(text)
    return text if text.isascii() else re.sub(f"[{JOINERS}]", "", text).strip()


def ascii_domain(written: str) -> str:
    """The domain as DNS has it, in lower case, by IDNA 2008: `Straße.example` is xn--strae-oqa.example, not
    strasse.example. Raises ValueError when it cannot be a domain.

    Capitals and wide letters are mapped as UTS 46 says; sharp s, final sigma and joiners stay what they are. A joiner
    counts only where the rules allow it (RFC 5892, appendix A)."""
    domain = strip_invisible(written)
    if domain.isascii():
        return domain.lower()
    import idna  # its tables take a while, and most domains need none

    labels = _DOTS.sub(".", domain).split(".")
    try:
        return idna.encode(".".join(map(_joined, labels)), uts46=True).decode("ascii")
    except UnicodeError as wrong:  # idna's own errors are of this kind
        raise ValueError(str(wrong)) from None


def _joined(label: str) -> str:
    """The label without the joiners that IDNA 2008 would refuse."""
    import idna

    def is_valid_joiner(place: int) -> bool:
        try:
            return idna.valid_contextj(label, place)
        except ValueError:  # idna does not know the neighbouring character
            return False

    return "".join(one for place, one in enumerate(label) if one not in JOINERS or is_valid_joiner(place))


def show_escaped(text: str, longest: int = 40) -> str:
    """The text for a message: a character that cannot be seen or told apart is written as its number, `k<U+0000>im`."""
    return "".join(one if _is_plain(one) else f"<U+{ord(one):04X}>" for one in text[:longest])


def _is_plain(character: str) -> bool:
    """Whether a reader sees what it is: a letter, a mark on one, a digit, a sign, a plain blank."""
    return character == " " or (unicodedata.category(character)[0] in "LMNPS" and not _UNSEEN.match(character))


def named(characters: str) -> str:
    """The first few of some characters as Unicode calls them: `“о” (U+043E CYRILLIC SMALL LETTER O)`."""
    return ", ".join(map(_named, list(dict.fromkeys(characters))[:_WRONG_PLACES]))


def _named(character: str) -> str:
    number, name = f"U+{ord(character):04X}", unicodedata.name(character, "")
    called = f"{number} {name}".strip()
    return f"“{character}” ({called})" if _is_plain(character) and character != " " else called
