"""Names of several words as an argument: "follow Rosa Silva". arguments.py asks which words may form one name."""

import re
from collections.abc import Sequence
from typing import Final

from gateway.language.words.normalize import fold_case

MOST_WORDS: Final = 6
_WORD: Final = re.compile(r"@?[^\W\d_](?:[^\W_]|['’ʼ.\-‐‑])*")
_ENDS: Final = ".,!?"
# A small word after a verb makes a sentence and no name: "follow up with ACME". Written with a capital it may be part
# of a name after all: "follow An Nguyen".
_SENTENCE_WORDS: Final = """
a about after again ahead all always am an and are around as at away back be because been before but by can cannot
could did do does done down each every everybody everyone for from get getting go goes going good got had has have he
her here hers him his how i if in instead into is it its just keep let like make many may maybe me might more most
much must my never new next no none not now of off on once one only or other our out over own per please rather really
right see she should since so some somebody someone something soon still such suit than thank thanks that the their
them then there these they this those through till to today together tomorrow tonight too under until up us very was
way we well were what when where which while who whom whose why will with without work working would yes yesterday yet
you your con en eres es esta este esto hoy lo mañana me mi muy no nos para pero por que se si sin su te tu un una
"""
_SENTENCE: Final = frozenset(_SENTENCE_WORDS.split())


def may_be_name(words: Sequence[str]) -> bool:
    """Whether these words could be one full name: letters only, no mark between them, no small words."""
    if not 2 <= len(words) <= MOST_WORDS:
        return False
    *first, last = words
    if not all(_WORD.fullmatch(word) for word in first) or not _WORD.fullmatch(last.rstrip(_ENDS)):
        return False
    capitals = all(word.lstrip("@")[:1].isupper() for word in words)
    return capitals or not any(fold_case(word).strip(_ENDS) in _SENTENCE for word in words)
