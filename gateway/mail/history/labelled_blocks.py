"""Recognises a block of header lines by its structure, in languages and forms that header_blocks.py does not list.

It has three or more lines of `label: value`, one of them with a mail address or a date, below a rule or a blank line.
People write such lines too ("When: …", "Where: …"), so a block without a rule above it must also name somebody as mail
programs do, `Name <address>`. quote_trimming.py calls it.
"""

import re
from collections.abc import Sequence
from typing import Final

from gateway.language.privacy import fingerprints
from gateway.mail.history.header_blocks import author_and_subject

_LONGEST_HEADING: Final = 60
_WITHIN: Final = 14  # lines
_LEAST: Final = 3  # labels
_LABEL: Final = re.compile(
    r"[\s>|*_]*(?P<label>[^\W\d_][^\n:：|<>@\d]{0,28}?)[\s*_]*(?:[:：]|\s\|\s|\t)[\s*_|]*(?P<value>[^\n]{0,400}?)[\s*_|]*$"
)
_RULE: Final = re.compile(r"[>\s]*(?:[-_=*~‐–—]\s?){4,}\s*")
_TITLE: Final = re.compile(r"[>\s*]*[-_=‐–—]{2,}\s*[^\W\d_][^\n]{1,50}?[-_=‐–—]{2,}[\s*]*")  # ---- Replied message ----
_ADDRESS: Final = re.compile(r"[\w.+=-]{1,64}@[\w-]{1,60}\.[\w.-]{1,60}")
_NAMED: Final = re.compile(r"<\s*(?:mailto:)?[\w.+=-]{1,64}@[\w.-]{1,80}\s*>|\[mailto:")
_TIME: Final = re.compile(r"\d{1,2}[:.h]\d\d")
_DATE: Final = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}\D{1,12}(?:19|20)\d\d|(?:19|20)\d\d\D{1,6}\d|[年月일日]"
)


def labelled_block(lines: Sequence[str], at: int) -> bool:
    """Whether such a block begins here, or a rule or a title right above one."""
    first = lines[at]
    if not first.strip() or len(first) > 500:
        return False
    if _RULE.fullmatch(first) or _TITLE.fullmatch(first):
        below = next((each for each in range(at + 1, min(at + 4, len(lines))) if lines[each].strip()), None)
        return below is not None and _is_block(_values(lines, below), ruled=True)
    if at and lines[at - 1].strip():
        return False
    return bool(_LABEL.match(first)) and _is_block(_values(lines, at), ruled=False)


def _values(lines: Sequence[str], at: int) -> list[str]:
    """The values of consecutive labels from here on. A label and its value may be in two lines."""
    found: list[str] = []
    for line in lines[at : at + _WITHIN]:
        match = _LABEL.match(line) if len(line) < 500 else None
        if match:
            found.append(match["value"])
        elif found and line.strip() and (not found[-1] or line[:1] in " \t" or found[-1].endswith((",", ";"))):
            found[-1] = f"{found[-1]} {line.strip()}"
        elif line.strip() or not found or found[-1]:
            break
    return found


def _is_block(values: list[str], ruled: bool) -> bool:
    """Whether the values show that it is a header block."""
    said = "\n".join(values)
    addressed, dated = bool(_ADDRESS.search(said)), bool(_DATE.search(said))
    if len(values) < _LEAST:
        return ruled and len(values) == _LEAST - 1 and addressed and dated
    if ruled:
        return addressed or (dated and bool(_TIME.search(said)))
    return bool(_NAMED.search(said)) and dated


def subject_block(lines: Sequence[str], subject: str) -> int | None:
    """The first line of a block of labels that contains this very subject, below a rule or a blank line: the words
    below it are of an earlier mail. None when there is none."""
    wanted = fingerprints.tokens(subject)
    for at, line in enumerate(lines) if wanted else ():
        if not _LABEL.match(line[:500]) or (at and lines[at - 1].strip() and not _RULE.fullmatch(lines[at - 1])):
            continue
        values = _values(lines, at)
        enough = len(values) >= _LEAST or (len(values) == _LEAST - 1 and author_and_subject(lines[at : at + 2]))
        if enough and any(fingerprints.tokens(value)[-len(wanted) :] == wanted for value in values):
            return at
    return None


def heading_above(lines: Sequence[str]) -> int:
    """The number of lines at the end that belong to the block below them: rules, titles, a line with a date."""
    start = len(lines)
    for at in range(len(lines) - 1, max(-1, len(lines) - 5), -1):
        line = lines[at].strip()
        attached = at == len(lines) - 1 and at > 0 and not lines[at - 1].strip() and len(line) < _LONGEST_HEADING
        if _RULE.fullmatch(line) or _TITLE.fullmatch(line) or (line and attached and _DATE.search(line)):
            start = at
        elif line:
            break
    return len(lines) - start
