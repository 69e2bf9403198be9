"""Finds a block of contact details under a name: phones, addresses, titles, links. signature_trimming.py calls it.

The name, or an address in the block, must be the sender's: somebody else's details may be what a mail is about.
"""

import re
from collections.abc import Sequence
from typing import Final

from gateway.mail.footers.device_footers import is_device
from gateway.mail.footers.disclaimers import is_notice

_PHONE: Final = re.compile(
    r"(?:\+|\(?\b0|\btel|\bmob|\bfax|\bph|☎|📞|\b[tmpfc][.:]).{0,12}?\d(?:[\s().\-/–]{0,3}\d){5,}", re.I
)
_DIGITS: Final = re.compile(r"(?<!\d)\+?\d(?:[\s().\-/–]{0,3}\d){6,14}(?!\d)")
_MAILBOX: Final = re.compile(r"[\w.+=-]{1,64}@[\w-]{1,60}\.[\w.-]{1,60}")
_LINK: Final = re.compile(r"https?://\S|\bwww\.\S|(?<![\w@])(?:[a-z0-9-]{2,40}\.)+[a-z]{2,12}(?:/\S*)?$", re.IGNORECASE)
_PRONOUNS: Final = re.compile(
    r"\(?\b(?:she|he|they|sie|er|elle|il|ella|él)\s?/\s?\w{2,6}(?:\s?/\s?\w{2,6})?\)?", re.IGNORECASE
)
_TITLES: Final = frozenset({
    "dr", "prof", "mr", "mrs", "ms", "mx", "ing", "dipl", "mag", "sr", "jr", "phd", "msc", "bsc", "mba", "md", "pmp",
    "cpa", "esq", "ii", "iii", "herr", "frau", "mme",
})  # fmt: skip
_SENTENCE: Final = re.compile(r"(?:\S+\s+){6,}\S*[.!?…]\s*$|[^\W\d_]{2,}[^.]*\?\s*$")
_LONGEST_LINE: Final = 160
_MOST_WORDS: Final = 12  # of a line without a phone number, address or link
_MOST_LINES: Final = 40


def contact_block(lines: Sequence[str], name: str | None, address: str | None) -> int:
    """Where the sender's block begins, below words and a blank line; the number of lines when there is none."""
    written = [at for at, line in enumerate(lines) if line.strip()]
    start = len(lines)
    for at in reversed(written[1:][-_MOST_LINES:]):
        if not is_detail(lines[at]):
            break
        if not lines[at - 1].strip() and _is_theirs(lines[at:], name, address):
            start = at
    return start


def no_prose(lines: Sequence[str]) -> bool:
    """Whether all lines are contact details, names, device lines or notices, so that none has a message."""
    written = [line for line in lines if line.strip()]
    if not written or len(written) > _MOST_LINES:
        return False
    own = [line for line in written if not is_device(line)]
    marks = sum(map(_is_mark, own)) + (len(written) - len(own))
    return marks >= 1 and all(is_detail(line) or is_notice(line) for line in own)


def is_detail(line: str) -> bool:
    """Whether a line looks like contact details: it has a number, address or link, or a few words that are no
    sentence."""
    if len(line) > _LONGEST_LINE or line.lstrip().startswith(">") or _SENTENCE.search(line):
        return False
    return _is_mark(line) or (len(line.split()) <= _MOST_WORDS and not line.rstrip().endswith(("?", "!", ":")))


def _is_mark(line: str) -> bool:
    found = (_PHONE, _DIGITS, _MAILBOX, _LINK, _PRONOUNS)
    return any(each.search(line) for each in found)


def _is_theirs(block: Sequence[str], name: str | None, address: str | None) -> bool:
    """Whether a block with details begins with the sender's name, or with a name and has the sender's address."""
    if not any(map(_is_mark, block)):
        return False
    if name and is_name_line(block[0], name):
        return True
    return bool(address) and _is_a_name(block[0]) and any(str(address) in line.lower() for line in block)


def is_name_line(line: str, name: str) -> bool:
    """Whether a line is the name, perhaps with titles, pronouns, initials or a role, in either order."""
    wanted = _words(name)
    first = re.split(r"\s*[|•·]\s*|\s+[–—-]\s+", _PRONOUNS.sub(" ", line).strip())[0]
    found = _words(first)
    return bool(wanted) and (wanted <= found if len(wanted) > 1 else wanted == found) and len(found) <= len(wanted) + 5


def _words(text: str) -> set[str]:
    words = {word.casefold() for word in re.findall(r"[^\W\d_]+", text)}
    return {word for word in words if word not in _TITLES and len(word) > 1}


def _is_a_name(line: str) -> bool:
    words = re.findall(r"[^\W\d_][\w'’.-]*", line)
    if re.search(r"[\d:：@]", line):
        return False
    return 0 < len(words) <= 5 and all(word[0].isupper() or not word[0].isascii() for word in words)
