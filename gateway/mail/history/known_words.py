"""Words that a mail's thread already had: what we sent to its writer, or what an earlier mail of the thread said.

When such words come again without any known mark, they are history all the same. quote_trimming.py calls it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.language.privacy import fingerprints

_SHARE: Final = 0.8  # of a line's words that must be known, because a new sentence may repeat a few of them
_LEAST_LETTERS: Final = 12  # of a short text that counts as a whole line: anybody may write "ok, thanks"
_LEAST_WORDS: Final = 3
_HEADING: Final = re.compile(
    r".{0,160}[:：]\s*$|.{0,160}[\w.+-]@[\w-].{0,160}|.{0,160}\d{1,2}[:.h]\d\d.{0,80}|[^\W\d_].{0,24}[:：]\s.{0,200}"
    r"|[\s>]*(?:[-_=*~‐–—]\s?){3,}.{0,80}"
)
_MOST_NAME_WORDS: Final = 6
_ATTRIBUTED: Final = 6  # lines above that may name the writer of these words


@dataclass(frozen=True, slots=True)
class KnownWords:
    """Word runs, and whole texts that are too short to have a run."""

    runs: frozenset[str]
    wholes: frozenset[str]

    def place(self, lines: Sequence[str]) -> tuple[int, int] | None:
        """The first and the last line with known words, including lines above that name their writer. None when there
        are none, and when all lines are known: then somebody says the same again."""
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
    """The word runs of these texts; short lines count whole."""
    runs: set[str] = set()
    wholes: set[str] = set()
    for text in texts:
        runs.update(fingerprints.runs(text))
        wholes.update(short for line in text.split("\n") if (short := fingerprints.whole(line)) and _says_enough(short))
    return KnownWords(frozenset(runs), frozenset(wholes))


def _says_enough(short: str) -> bool:
    return len(short.split()) >= _LEAST_WORDS and sum(map(str.isalpha, short)) >= _LEAST_LETTERS


def _with_heading(lines: Sequence[str], first: int) -> int:
    """The first of the lines above that name the writer of the words below, across blank lines."""
    start = first
    for at in range(first - 1, max(-1, first - 1 - _ATTRIBUTED), -1):
        if not lines[at].strip():
            continue
        if not (_HEADING.fullmatch(lines[at]) or _names_somebody(lines, at, start)):
            break
        start = at
    return start


def _names_somebody(lines: Sequence[str], at: int, below: int) -> bool:
    """Whether a line is a few words right above, alone in its paragraph, below other words, and no sentence."""
    begins = at > 0 and not lines[at - 1].strip() and any(line.strip() for line in lines[:at])
    line = lines[at].strip()
    return begins and below == at + 1 and len(line.split()) <= _MOST_NAME_WORDS and line[-1] not in ".!?…"
