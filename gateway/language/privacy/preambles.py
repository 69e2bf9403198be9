"""What may stand before a private command: "please d kim …", "Fwd: d kim …", "MSG:d kim …", "pt. 1/2 d kim …".

People put a courtesy there, phones and gateways put marks and header lines. grammar.py calls it after the readers that
expect the command in front. The text is kept, and its writer is asked."""

import re
from dataclasses import replace
from typing import Final

from gateway.i18n.phrases import say
from gateway.language.model.reading import Reading, Resolver
from gateway.language.privacy.plain_words import plainly_private
from gateway.language.privacy.private_messages import VERBS, addressed_to, hold, is_known
from gateway.language.words.normalize import CLOSING_QUOTES, first_token, verb_of

_LONGEST = 80  # characters in which the command has to begin
_COMMAND: Final = re.compile(
    r"(?<![\w@'’])(?:d|dm|pm|msg|message|text|private|privately|direct|whisper|tell|mensaje|privado|confidential)\b",
    re.IGNORECASE,
)
_SAID = """
please pls plz ok okay oops oop sorry hey hi hello send resend again fwd fw re r reply forward forwarded part pt page
sms text texts message msg of st no subject oh um uh so also try cmd command critter edited to por favor perdon perdón
teil parte deel de von di p frm from subj i meant mean should be was thanks thx test testing sent siri voice
dictated quise decir
"""
_WORDS: Final = frozenset(_SAID.split())
_WORD: Final = "|".join(sorted(_WORDS, key=len, reverse=True))
# Each piece is taken whole and never given back, so that no text can make this slow.
_PREAMBLE: Final = re.compile(
    r"(?:(?:frm|from|subj|subject)\s*:[^\n:]{0,60}(?:\n|\s(?=(?:subj|subject|msg)\s*:))"
    rf"|(?:{_WORD})(?![^\W\d_])|[(\[<{{«【][^)\]>}}»】\n]{{1,30}}[)\]>}}»】]|[@#]\w{{1,20}}|[\W\d_])*+",
    re.IGNORECASE,
)
_FIRST_WORD: Final = re.compile(r"[^\W\d_]+")


def private_behind(text: str, resolver: Resolver) -> Reading | None:
    """Asks about a cleaned text that is private but for the words or marks that it begins with."""
    first = _FIRST_WORD.match(text)
    if first and first.group().lower() not in _WORDS:
        return None
    for match in _COMMAND.finditer(text, 1, _LONGEST):
        if _PREAMBLE.fullmatch(text, 0, match.start()) and (found := _held(text, text[match.start() :], resolver)):
            return found
    return None


def _held(text: str, command: str, resolver: Resolver) -> Reading | None:
    word, rest = first_token(command.rstrip(CLOSING_QUOTES))
    name, body = first_token(rest)
    if body and verb_of(word) in VERBS and is_known(name, resolver):
        return hold(text, addressed_to(rest, resolver), say('"{word}" looks like d', word=verb_of(word)))
    found = plainly_private(command, resolver)
    return replace(found, text=text) if found else None
