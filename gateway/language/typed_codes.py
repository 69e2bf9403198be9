"""Finds a code or a PIN in a text that has little else, however people type it: "123 456", "Yes, 123456", "code:
123456". replies.py asks: such a text may answer the question for it, and is never an update.

Whoever reads a code of somebody else's can act in their name, so one that comes by the wrong channel, or too late, must
not be published either.
"""

import re
import unicodedata
from typing import Final

from gateway.language.words.normalize import fold_case

LONGEST: Final = 50  # characters of such a text
SENT: Final = (6, 8)  # digits of the codes that we send; "1000" alone is a plain update

_NAMED: Final = r"(?:pass)?code|pin|otp|nip|password|c[oó]digo|clave|contraseña"
_FILLED: Final = (
    r"ok|okay|yes|yep|yeah|sure|please|pls|sorry|oops|s[ií]|claro|perd[oó]n|por favor|reply|answer|reply with|with|con"
    r"|responde|respuesta|here|here's|here is|aqu[ií]|it|it's|its|is|was|es|my|the|your|mi|el|la|tu|to|for|confirm"
    r"|confirmation|confirmaci[oó]n|verification|de"
)
_DIGITS: Final = r"\d{4,8}|\d{3}[ -]\d{3}|\d{4}[ -]\d{4}|\d\d \d\d \d\d|\d(?: \d){3,7}"
_AFTER: Final = rf"please|pls|thanks|thank you|thx|por favor|gracias|to confirm|is (?:my|the) (?:{_NAMED})"
_MARKS: Final = r"[\s:;,.!=\"'“”‘’()\[\]#-]*"
_CODE: Final = re.compile(
    rf"(?P<before>(?:(?:{_NAMED}|{_FILLED})\b{_MARKS})*){_MARKS}(?P<digits>{_DIGITS}){_MARKS}(?P<after>(?:{_AFTER})?)[.!]*"
)
_A_DIGIT: Final = re.compile(r"\d")  # most texts have none
_NAME: Final = re.compile(rf"\b(?:{_NAMED})\b")


def find_code(text: str, *, asked: bool) -> str | None:
    """The digits of the code, or None. `asked`: a question waits for one. Else the text must name it as one, or be as
    many digits alone as our codes have, or spell them: "yes, 2026" may then mean anything."""
    if len(text) > LONGEST or text.startswith(".") or not _A_DIGIT.search(text):
        return None
    match = _CODE.fullmatch("".join(map(_digit, fold_case(text).replace("’", "'"))))
    if match is None:
        return None
    digits, around = re.sub(r"\D", "", match["digits"]), f"{match['before']} {match['after']}".strip()
    alone = not around and (len(digits) in SENT or match["digits"][1:2] == " ")
    sure = asked or _NAME.search(around) or alone
    return digits if sure else None


def _digit(letter: str) -> str:
    return str(unicodedata.decimal(letter)) if letter.isdecimal() else letter
