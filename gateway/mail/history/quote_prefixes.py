"""Normalises the marks before quoted lines: programs use `>`, some use `|` or the writer's initials. quote_trimming.py
calls it.

`>>>` is the third level of a quote, but also the prompt of a Python session, which is told from a quote here.
"""

import re
from collections.abc import Sequence
from typing import Final

from gateway.mail.history.attributions import attribution

PROMPT: Final = "\ufdd3"  # put before a line that is no quote although it begins with ">"; no text has this character
_WIDE: Final = re.compile(r"^\s{0,3}(?:＞|&gt;)+")  # from a Chinese or Japanese keyboard, or from undecoded HTML
_SESSION: Final = re.compile(
    r">>> (?:import \w|from [\w.]+ import |def |class |del |with .+:|for .+ in .+:|if .+:|\d[\d\s+*/().-]*$|"
    r"[\w.]+\s?(?:\(|\[|[-+*/%|&]?=)|[\[({'\"])"
)
_OTHERS: Final = re.compile(r"\s{0,3}>(?!>> ?\S)")
_BAR: Final = re.compile(r"\s{0,3}[|│┃](?:\s(?P<words>[^|]*))?")
_INITIALS: Final = re.compile(r"\s{0,3}(?:[^\W\d_]{1,4}>|[:#]) ?(?P<words>.*)")
_CAPITALS: Final = re.compile(r"\s{0,3}(?P<name>[A-Z]{2,4})> ?\S")
_LEAST: Final = 2  # lines with a bar at an end of a reply that make a quote


def normalize_prefixes(lines: Sequence[str], replied: bool) -> list[str]:
    """The lines with ">" in place of other quote marks, and with PROMPT before the prompts of a Python session."""
    found = [_WIDE.sub(lambda mark: ">" * len(mark[0].strip().replace("&gt;", "＞")), line) for line in lines]
    if any(map(_SESSION.match, found)) and not any(map(_OTHERS.match, found)):
        return [PROMPT + line if line.startswith(">>>") else line for line in found]
    if not any(map(_BAR.fullmatch, found)) and not any(map(_INITIALS.fullmatch, found)):
        return found
    for start, end in _runs(found, _BAR):
        if _is_edge(found, start, end, replied) or _attributed(found, start):
            _mark(found, start, end, _BAR)
    for start, end in _runs(found, _INITIALS):
        marks = {match and match["name"] for match in map(_CAPITALS.match, found[start:end])}
        named = len(marks) == 1 and None not in marks and _is_edge(found, start, end, replied)
        if named or _attributed(found, start):
            _mark(found, start, end, _INITIALS)
    return found


def _is_edge(lines: Sequence[str], start: int, end: int, replied: bool) -> bool:
    """Whether several such lines are the end of a reply, or its beginning with other words below a blank line."""
    if not replied or end - start < _LEAST:
        return False
    above, below = any(map(str.strip, lines[:start])), any(map(str.strip, lines[end:]))
    return not below or (not above and not lines[end].strip())


def _runs(lines: Sequence[str], mark: re.Pattern[str]) -> list[tuple[int, int]]:
    """The start and end of each run of lines with that mark."""
    runs: list[tuple[int, int]] = []
    for at, line in enumerate(lines):
        if not mark.fullmatch(line):
            continue
        if runs and runs[-1][1] == at:
            runs[-1] = (runs[-1][0], at + 1)
        else:
            runs.append((at, at + 1))
    return runs


def _attributed(lines: list[str], start: int) -> bool:
    """Whether the line above is an attribution of these lines."""
    above = next((at for at in range(start - 1, max(-1, start - 3), -1) if lines[at].strip()), None)
    return above is not None and attribution([*lines[max(0, above - 4) : above + 1], ">"], min(above, 4)) is not None


def _mark(lines: list[str], start: int, end: int, mark: re.Pattern[str]) -> None:
    for at in range(start, end):
        match = mark.fullmatch(lines[at])
        lines[at] = f"> {(match['words'] if match else '') or ''}".rstrip()
