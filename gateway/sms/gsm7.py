"""The GSM 7-bit alphabet (3GPP TS 23.038) and what a text costs in it. fit.py uses it."""

from functools import cache
from unicodedata import category, combining

from anyascii import anyascii

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # each takes two units
ALPHABET = BASIC | EXTENDED
GSM, UCS = "GSM-7", "UCS-2"
_SIZES = {GSM: (160, 153), UCS: (70, 67)}  # units of a single text, and of each part of a longer one

# Characters that read better so than in anyascii's transliteration, or punctuation that it would spell out.
_OWN = {
    "…": "...", "•": "*", "·": "*", "‣": "*", "◦": "*", "▪": "*", "‹": "<", "›": ">", "«": '"', "»": '"', "‐": "-",
    "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'",
    "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "×": "x", "÷": "/", "™": "(TM)",
    "©": "(c)", "®": "(R)", "→": "->", "←": "<-", "⇒": "=>", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "‰": "%o",
    "½": "1/2", "¼": "1/4", "¾": "3/4", "°": "o", "º": "o", "ª": "a", "¹": "1", "²": "2", "³": "3", "⁄": "/",
    "¦": "|", "\t": " ", "¢": "c", "✓": "ok", "✔": "ok", "№": "No.",
}  # fmt: skip
OWN = {character: plain for character, plain in _OWN.items() if character not in BASIC}


def segments(text: str) -> tuple[str, int]:
    """The encoding that a text needs, and its number of parts; the empty text has none."""
    units = _widths(text)
    encoding = UCS if units is None else GSM
    widths = units if units is not None else [2 if ord(character) > 0xFFFF else 1 for character in text]
    single, part = _SIZES[encoding]
    total = sum(widths)
    if total <= single:
        return encoding, 1 if text else 0
    if 2 not in widths:
        return encoding, -(-total // part)
    return encoding, _packed(widths, part)


def _widths(text: str) -> list[int] | None:
    """The units of each character in GSM-7; None when one of them is not in the alphabet."""
    letters = set(text)
    if not letters <= ALPHABET:
        return None
    return [1] * len(text) if letters <= BASIC else [2 if character in EXTENDED else 1 for character in text]


def _packed(widths: list[int], part: int) -> int:
    """The number of parts when no character of two units is split between two parts."""
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts


def to_gsm7(text: str) -> str:
    """Replaces punctuation and blanks outside GSM-7 one by one; letters and other scripts are kept."""
    return text if set(text) <= ALPHABET else "".join(map(_punctuation, text))


def strip_accents(text: str) -> str:
    """Like `to_gsm7`, and replaces Latin letters outside GSM-7 by the nearest in it (á becomes a, ü and é stay)."""
    return text if set(text) <= ALPHABET else "".join(map(_letter, text))


@cache
def _punctuation(character: str) -> str:
    if character in ALPHABET:
        return character
    if character in OWN:
        return OWN[character]
    kind = category(character)
    if kind == "Zs":
        return " "
    return (
        _readable(character) if kind in ("Pd", "Ps", "Pe", "Pi", "Pf", "Po") and ord(character) < 0x2E80 else character
    )


@cache
def _letter(character: str) -> str:
    known = _punctuation(character)
    if known != character or character in ALPHABET:
        return known
    if combining(character) and ord(character) < 0x370:
        return ""
    latin = character.isalpha() and (
        ord(character) < 0x250 or 0x1E00 <= ord(character) < 0x1F00 or 0xFB00 <= ord(character) < 0xFB07
    )
    return _readable(character) if latin else character


def _readable(character: str) -> str:
    """The transliteration, if a letter stays a letter and punctuation stays punctuation; else the character itself."""
    latin = anyascii(character)
    fits = bool(latin) and set(latin) <= ALPHABET and (character.isalpha() or not latin.isalnum())
    return latin if fits else character
