"""The hash by which a text is recognised in its carrier's list, however the carrier spells it. Pure.

workers/sending/render_sms hashes what is sent, workers/reconcile what the list shows. A carrier may write
quotes, dashes and spaces in its own way (Twilio's Smart Encoding does) or trim the ends: only letters, digits and
pictures count.
"""

from hashlib import sha256
from string import punctuation, whitespace
from typing import Final
from unicodedata import category, normalize

_IGNORED: Final = str.maketrans("", "", punctuation + whitespace)
_SPELLING: Final = frozenset({"Sk", "Sm"})  # ^, ` and ~, +, < and =: each has look-alikes that a carrier may use


def digest(body: str) -> bytes:
    """SHA-256 of a text's canonical form; the database mixes in the installation's key before it stores the hash."""
    return sha256(canonical_body(body).encode(errors="replace")).digest()


def canonical_body(body: str) -> str:
    if body.isascii():
        return body.translate(_IGNORED)
    return "".join(each for each in normalize("NFKD", body) if _counts(category(each))).translate(_IGNORED)


def _counts(kind: str) -> bool:
    """Letters, digits, currency signs and pictures count; accents, punctuation, blanks and invisible signs do not."""
    return kind[0] in "LNS" and kind not in _SPELLING
