"""Words that a mail's thread had before: what we sent to its writer, or what an earlier mail of the thread said.

Where such words stand again without a mark that anybody knows, they are history all the same. quote_trimming.py asks.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.language.privacy import fingerprints

_SHARE: Final = 0.8  # of a line's words that must be known: a sentence may take up a few words of ours
_LEAST_LETTERS: Final = 12  # of a short item that counts as a whole line: "ok, thanks" is everybody's
_LEAST_WORDS: Final = 3
_HEADING: Final = re.compile(
    r".{0,160}[:：]\s*$|.{0,160}[\w.+-]@[\w-].{0,160}|.{0,160}\d{1,2}[:.h]\d\d.{0,80}|[^\W\d_].{0,24}[:：]\s.{0,200}"
    r"|[\s>]*(?:[-_=*~‐–—]\s?){3,}.{0,80}"
)
_MOST_NAME_WORDS: Final = 6
_ATTRIBUTED: Final = 6  # lines above that may say whose words these are


@dataclass(frozen=True, slots=True)
class KnownWords:
    """Runs of words, and texts that are too short to have one."""

    runs: frozenset[str]
    wholes: frozenset[str]

    def place(self, lines: Sequence[str]) -> tuple[int, int] | None:
        """The first and the last line of what is known, with the lines above it that say whose it is; None when
        nothing is, and when there is nothing else: then somebody says the same again."""
        found = [at for at, known in enumerate(self._lines(lines)) if known]
        if not found or len(found) == sum(bool(line.strip()) for line in lines):
            return None
        return _with_heading(lines, found[0]), found[-1]

    def _lines(self, lines: Sequence[str]) -> list[bool]:
        words = [fingerprints.tokens(line) for line in lines]
        covered = iter(fingerprints.is_covered([word for line in words for word in line], self.runs))
        shares = [[next(covered) for _ in line] for line in words]
        return [
            bool(line) and (sum(share) >= _SHARE * len(line) or self._is_whole(line))
            for line, share in zip(words, shares, strict=True)
        ]

    def _is_whole(self, words: list[str]) -> bool:
        return " ".join(words) in self.wholes


def known_words(texts: Iterable[str]) -> KnownWords:
    """What these texts are known by; a short one counts by its lines."""
    runs: set[str] = set()
    wholes: set[str] = set()
    for text in texts:
        runs.update(fingerprints.runs(text))
        wholes.update(short for line in text.split("\n") if (short := fingerprints.whole(line)) and _says_enough(short))
    return KnownWords(frozenset(runs), frozenset(wholes))


def _says_enough(short: str) -> bool:
    return len(short.split()) >= _LEAST_WORDS and sum(map(str.isalpha, short)) >= _LEAST_LETTERS


def _with_heading(lines: Sequence[str], first: int) -> int:
    """Up over lines that say whose words follow, and the blank ones between."""
    start = first
    for at in range(first - 1, max(-1, first - 1 - _ATTRIBUTED), -1):
        if not lines[at].strip():
            continue
        if not (_HEADING.fullmatch(lines[at]) or _names_somebody(lines, at, start)):
            break
        start = at
    return start


def _names_somebody(lines: Sequence[str], at: int, below: int) -> bool:
    """A few words right above, which begin a paragraph of their own below other words, and are no sentence."""
    begins = at > 0 and not lines[at - 1].strip() and any(line.strip() for line in lines[:at])
    line = lines[at].strip()
    return begins and below == at + 1 and len(line.split()) <= _MOST_NAME_WORDS and line[-1] not in ".!?…"
