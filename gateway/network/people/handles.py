"""What a handle and a name may look like, before any database is asked. accounts, directory and the import call it."""

import re
import unicodedata
from collections.abc import Collection

from gateway.i18n.phrases import say
from gateway.i18n.refusals import refusal
from gateway.language.opt_out import keywords
from gateway.typed_input import JOINERS, clean_input, named, show_escaped, strip_invisible

HANDLE = re.compile(r"[a-z0-9_]{2,20}")
_OURS = "baja alto arret post r b u help postmaster abuse admin root all everyone noreply mailer_daemon critter me"
RESERVED = keywords.RESERVED.union(_OURS.split(" "))
LONGEST_NAME = 60


def canonical_handle(text: str) -> str:
    """The one form a handle is compared in: what can be seen, NFKC, case-folded, no @ or # before it; a fixed point of
    itself.

    Folding once is not enough: some characters fold into ones that normalise again, which is how accounts were
    taken over at Spotify in 2013."""
    while (folded := unicodedata.normalize("NFKC", clean_input(text)).casefold().strip().lstrip("@#")) != text:
        text = folded
    return text


def handle_problem(handle: str, reserved: Collection[str] = ()) -> str | None:
    """Why nobody may have this canonical handle; None when it may be one."""
    if not HANDLE.fullmatch(handle):
        return _no_handle(handle)
    if handle in RESERVED or handle in reserved:
        return say("“{handle}” is a word that Critter uses itself. Choose another handle.", handle=handle)
    return None


def _no_handle(handle: str) -> str:
    """The message for a bad handle, with the characters that cannot be in one: some look like those that can."""
    foreign = "".join(one for one in handle if not one.isascii() or not one.isprintable())
    if foreign:
        return say(
            "“{handle}” cannot be a handle. Use 2 to 20 of a-z, 0-9 and _, and none of these: {characters}.",
            handle=show_escaped(handle),
            characters=named(foreign),
        )
    return say("“{handle}” cannot be a handle. Use 2 to 20 of a-z, 0-9 and _.", handle=handle[:40])


def clean_name(text: str) -> str:
    """A name for people to read, on one line and without what turns or hides characters; raises Refused."""
    seen = "".join(_seen(one) for one in strip_invisible(unicodedata.normalize("NFC", text)))
    name = " ".join(strip_invisible(seen).split())
    if not name:
        raise refusal("empty_name")
    if len(name) > LONGEST_NAME:
        raise refusal("long_name", most=LONGEST_NAME)
    return name


def _seen(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category[0] == "C" and character not in JOINERS else character


def plain(name: str) -> str:
    """A name as it is searched: lower case, no accents. The database's half of this is schema.sql's plain_name."""
    apart = unicodedata.normalize("NFKD", name).lower()
    return " ".join("".join(one for one in apart if not "\u0300" <= one <= "\u036f").split())
