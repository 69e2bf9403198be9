"""What a handle and a name may look like, before any database is asked. accounts, directory, the import come here."""

import re
import unicodedata
from collections.abc import Collection

from gateway.errors import Refused
from gateway.language import carrier_words
from gateway.language.phrases import say

HANDLE = re.compile(r"[a-z0-9_]{2,20}")
_OURS = "baja alto arret post r b u help postmaster abuse admin root all everyone noreply mailer_daemon critter"
RESERVED = carrier_words.RESERVED.union(_OURS.split(" "))
LONGEST_NAME = 60
_JOINERS = "\u200c\u200d"  # the only invisible characters that some scripts cannot do without


def canonical_handle(text: str) -> str:
    """The one form a handle is compared in: NFKC, case-folded, no @ or # before it; a fixed point of itself.

    Folding once is not enough: some characters fold into ones that normalise again, which is how accounts were
    taken over at Spotify in 2013."""
    while (folded := unicodedata.normalize("NFKC", text).casefold().strip().lstrip("@#")) != text:
        text = folded
    return text


def handle_problem(handle: str, reserved: Collection[str] = ()) -> str | None:
    """Why a canonical handle may not be one, whoever has it; None when it may."""
    if not HANDLE.fullmatch(handle):
        return say("“{handle}” cannot be a handle. Use 2 to 20 of a-z, 0-9 and _.", handle=handle[:40])
    if handle in RESERVED or handle in reserved:
        return say("“{handle}” is a word that Critter uses itself. Choose another handle.", handle=handle)
    return None


def clean_name(text: str) -> str:
    """A name for people to read, on one line and without what turns or hides characters; raises Refused."""
    shown = "".join(_shown(one) for one in unicodedata.normalize("NFC", text))
    name = " ".join(shown.split())
    if not name.strip(_JOINERS):
        raise Refused(say("A name needs at least one letter."))
    if len(name) > LONGEST_NAME:
        raise Refused(say("A name can have at most {most} characters.", most=LONGEST_NAME))
    return name


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category[0] == "C" and character not in _JOINERS else character


def plain(name: str) -> str:
    """A name as it is searched: lower case, no accents. The database's half of this is schema.sql's plain_name."""
    apart = unicodedata.normalize("NFKD", name).lower()
    return " ".join("".join(one for one in apart if not "\u0300" <= one <= "\u036f").split())
