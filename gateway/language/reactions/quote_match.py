"""Checks whether a phone quotes a text that went to it. gateway/network/conversation/quoted_items.py calls it."""

import re

from gateway.language.words.normalize import fold_case
from gateway.sms.gsm7 import strip_accents

_TAG = re.compile(r"(?: ?\([a-z]\d{1,2}\))?$")  # what follows the words of an item
_LONGEST = 1000  # characters compared: a text that went to a phone is shorter
_SHORTEST_START = 40  # of a text that a phone cut, or that we cut before a link (links differ by reader)


def quotes(received: str, quote: str) -> bool:
    """Whether `quote` has the words of `received`, or their beginning where it was cut off. Case, white space, accents
    that a text message loses, typographic marks and the item's tag do not count."""
    text, said = _compared(received), _compared(quote)
    start = said.removesuffix("...").rstrip()
    if not start:
        return text == said
    if len(said) >= _SHORTEST_START and text.startswith(said):
        return True
    if _TAG.sub("", said) == _TAG.sub("", text) or (start != said and text.startswith(start)):
        return True
    start = said.partition("...")[0].rstrip()
    return len(start) >= _SHORTEST_START and start != said and text.startswith(start)


def _compared(text: str) -> str:
    """The text in GSM-7 characters, on one line and case-folded."""
    return " ".join(fold_case(strip_accents(text[:_LONGEST])).replace("…", "...").split())
