"""Splits a mail's text into what its writer wrote and the rest: our marker, quoted history, signatures.

own_words.py calls it. Everything works line by line, so that the time is proportional to a mail's length."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.mail.decode.html_to_text import FENCE
from gateway.mail.footers.disclaimers import banner
from gateway.mail.footers.signature_trimming import SIGNED, without_signature
from gateway.mail.history.attributions import apart, attribution, groupwise, is_attribution
from gateway.mail.history.forwards import forward
from gateway.mail.history.header_blocks import header_block, original, title
from gateway.mail.history.known_words import KnownWords
from gateway.mail.history.labelled_blocks import heading_above, labelled_block, subject_block
from gateway.mail.history.quote_prefixes import PROMPT, normalize_prefixes
from gateway.mail.history.reply_marker import MARKER, is_marked

__all__ = ["MARKER", "TrimmedText", "trim_history"]

_MARKER = re.compile(  # such lines of other products, in mails that were forwarded to us
    r"^[>\s*]*(?:[-=_# ]{2,}.{0,30}(?:reply|write) above this line.{0,30}|.{0,3}type your reply above.{0,40}|"
    r"[\W_]*(?:in replies,? all text above this line.{0,60}|(?:please )?(?:reply|respond|type|write)(?: your \w+)? "
    r"above this line.{0,20}|(?:.{4,40} )?(?:au-dessus de cette ligne|(?:oberhalb|über) dieser (?:linie|zeile)|boven "
    r"deze (?:regel|lijn)|por encima de esta línea|(?:sopra|al di sopra di) questa (?:linea|riga)|acima desta linha)"
    r"(?: .{2,30})?)[\W_]*)\s*$",
    re.IGNORECASE,
)
_ABOVE = re.compile(r"above|dessus|oberhalb|über|boven|encima|sopra|acima", re.IGNORECASE)
_WRAPPED = 58  # characters; the end of a longer quoted line may be wrapped into the line below
_LONGEST_MOTTO = 3  # lines
_MARKS = (FENCE, SIGNED)
_ARMOUR = "-----BEGIN PGP SIGNED MESSAGE-----"
Writer = tuple[str | None, str | None]
Kind = Literal["none", "quote", "block", "forward"]


@dataclass(frozen=True, slots=True)
class TrimmedText:
    """The writer's own text, what was cut off below or above it, and whether that includes history."""

    own: str
    trimmed: str
    history: bool = False
    forwarded: bool = False


def trim_history(
    text: str,
    forwarded: bool = False,
    replied: bool = True,
    writer: Writer = (None, None),
    known: KnownWords | None = None,
    subject: str = "",
) -> TrimmedText:
    """Trims a text to what the writer wrote. `forwarded`, `replied`: what the subject says; a forwarded mail stays
    whole.

    `writer`: their name and address, to recognise their signature. `known`: words that the thread already had.
    `subject`: the subject of the mail, which a block of header lines may repeat."""
    lines = normalize_prefixes(_apart(_unarmoured(text.split("\n"))), replied)
    if replied and (block := subject_block(lines, subject)) is not None:
        lines.insert(block, FENCE)
    if replied and not forwarded and (heading := _title(lines)) is not None:
        lines.insert(heading, FENCE)
    warned = banner(lines)
    warning, lines = lines[:warned], lines[warned:]
    marker = next((at for at, line in enumerate(lines) if _marks(line)), None)
    if marker is not None:
        above = _cut(lines[:marker], forwarded, replied, writer, known)
        if above.own:
            trimmed = _joined([*warning, above.trimmed, *lines[marker:]])
            return TrimmedText(above.own, trimmed, history=True, forwarded=above.forwarded)
        lines = [line for line in lines if not _marks(line)]
    found = _cut(lines, forwarded, replied, writer, known)
    if not warning:
        return found
    return TrimmedText(found.own, _joined([*warning, found.trimmed]), found.history, found.forwarded)


def _title(lines: Sequence[str]) -> int | None:
    """The line with the form of a title above an earlier mail, below other words and a blank line. When there are
    several, they are the writer's own headings."""
    found = [at for at in range(1, len(lines)) if title(lines[at]) and not forward(lines[at])]
    alone = len(found) == 1 and not lines[found[0] - 1].strip() and any(map(str.strip, lines[found[0] + 1 :]))
    return found[0] if alone else None


def _marks(line: str) -> bool:
    return is_marked(line) or (len(line) < 200 and bool(_ABOVE.search(line)) and bool(_MARKER.match(line)))


def _apart(lines: Sequence[str]) -> list[str]:
    """Moves attributions that share a line with the writer's words to their own lines."""
    parts = ((line, apart(line)) for line in lines)
    return [each for line, pair in parts for each in (pair or (line,))]


def _unarmoured(lines: list[str]) -> list[str]:
    """The words of a mail signed in its text by PGP (RFC 4880, section 7), unescaped; other mails are unchanged."""
    start = next((at for at, line in enumerate(lines) if line.rstrip() == _ARMOUR), None)
    if start is None:
        return lines
    head = next((at for at in range(start, len(lines)) if not lines[at].strip()), start)
    end = next((at for at, line in enumerate(lines) if line.rstrip() == "-----BEGIN PGP SIGNATURE-----"), len(lines))
    return lines[:start] + [line.removeprefix("- ") for line in lines[head + 1 : max(end, head + 1)]]


def _cut(lines: list[str], forwarded: bool, replied: bool, writer: Writer, known: KnownWords | None) -> TrimmedText:
    start, kind = _history(lines)
    if known and not forwarded and kind != "forward" and (place := known.place(lines[:start])):
        return _without_known(lines, place, writer)
    if kind == "block":
        start -= heading_above(lines[:start])
    above, below = lines[:start], lines[start:]
    if kind == "block" and not replied and not _joined(above):
        forwarded = True
    if forwarded or kind == "forward":
        text, signature = without_signature(above, *writer)
        return TrimmedText(_joined([*text, "", *below]), _joined(signature), forwarded=True)
    own, rest = (above, below) if kind == "block" else _own(above, below, writer)
    text, signature = without_signature(own, *writer)
    if below and rest and not _joined(text):
        return TrimmedText("", _joined(lines), history=True)
    return TrimmedText(_joined(text), _joined([*signature, *rest]), history=bool(below))


def _without_known(lines: list[str], place: tuple[int, int], writer: Writer) -> TrimmedText:
    """Removes what the thread already had and all below it; or, when it is at the top, keeps the answer below it."""
    first, last = place
    answers_above = bool(_joined(lines[:first]))
    own, rest = (lines[:first], lines[first:]) if answers_above else (lines[last + 1 :], lines[: last + 1])
    if not answers_above:
        start, _ = _history(own)
        own, rest = own[:start], [*rest, *own[start:]]
    text, signature = without_signature(own, *writer)
    return TrimmedText(_joined(text), _joined([*signature, *rest]), history=True)


def _own(above: list[str], below: list[str], writer: Writer) -> tuple[list[str], list[str]]:
    """The writer's lines and the rest, for quotes with marks: answers may be below or between the quoted lines."""
    end = next((at for at in range(len(below)) if _blocks(below, at)), len(below))
    quoted, last = below[:end], below[end:]
    marks = [at for at, line in enumerate(quoted) if _is_quote(line)]
    if not marks:
        return above, below
    if _is_torn(quoted, marks[-1]):
        marks.append(marks[-1] + 1)
    after = _words(quoted[marks[-1] + 1 :], writer)
    between = _between(quoted, marks)
    if not after and not between:
        return above, below
    if not _words(above, writer) and not between:
        return quoted[marks[-1] + 1 :], [*quoted[: marks[-1] + 1], *last]
    return [*above, *quoted], last


def _words(lines: list[str], writer: Writer) -> str:
    """The text of lines without their signature. They are treated as if words were above them."""
    text, _ = without_signature(["-", "", *lines], *writer)
    return _joined(text[2:])


def _between(quoted: list[str], marks: list[int]) -> bool:
    """Whether the writer's own lines are between quoted ones. The wrapped end of a quoted line does not count."""
    for before, after in itertools.pairwise(marks):
        lines = [line for line in quoted[before + 1 : after] if line.strip()]
        if not lines or _attributes(lines) or all(map(_is_link, lines)):
            continue
        torn = len(lines) == 1 and after - before == 2 and (len(quoted[before]) >= _WRAPPED or "http" in quoted[before])
        if not torn:
            return True
    return False


def _is_torn(quoted: list[str], at: int) -> bool:
    """Whether the single line below a long quoted line is its wrapped end, since it goes on in the same sentence."""
    line, below = quoted[at].rstrip(), quoted[at + 1 : at + 3]
    if len(line) < _WRAPPED or line[-1] in ".!?:;" or not below or not below[0].strip():
        return False
    return (below[0][0].islower() or below[0][0].isdigit()) and not any(map(str.strip, below[1:]))


def _attributes(lines: list[str]) -> bool:
    """Whether the lines are an attribution, in one line or wrapped."""
    return is_attribution(" ".join(line.strip() for line in lines))


def _is_link(line: str) -> bool:
    return bool(re.fullmatch(r"\s*\(?<?https?://\S+>?\)?\s*>?|\s*>", line))


def _history(lines: list[str]) -> tuple[int, Kind]:
    """The line where quoted history begins (the number of lines when there is none), and its kind."""
    own_until = 0
    for at, line in enumerate(lines):
        if not line.strip():
            continue
        if forward(line):
            return at, "forward"
        if _blocks(lines, at):
            below = next((each for each in lines[at + 1 : at + 4] if each.strip()), "")
            return at, "forward" if forward(below) else "block"
        start = attribution(lines, at)
        if start is not None:
            return start, "quote" if _quotes_below(lines, at) or _is_quote(lines[start]) else "block"
        if _is_quote(line) and at >= own_until:
            own_until = _own_quotes(lines, at)
            if at >= own_until:
                return at, "quote"
    return len(lines), "none"


def _own_quotes(lines: list[str], at: int) -> int:
    """The line where history begins, when the quoted lines before it belong to the writer: a motto, or something that
    they answer, above the line that begins their program's quote. 0 when the lines themselves are history."""
    last = at
    for below in range(at, len(lines)):
        if _is_quote(lines[below]):
            last = below
        elif lines[below].strip() and (_blocks(lines, below) or attribution(lines, below) is not None):
            start = attribution(lines, below)
            start = below if start is None else start
            quoted = sum(map(_is_quote, lines[at:start]))
            answered = bool(_joined(lines[last + 1 : start]))
            motto = bool(_joined(lines[:at])) and quoted <= _LONGEST_MOTTO and below < len(lines) - 1
            return start if answered or motto else 0
    return 0


def _quotes_below(lines: Sequence[str], at: int) -> bool:
    return _is_quote(next((line for line in lines[at + 1 :] if line.strip()), ""))


def _blocks(lines: Sequence[str], at: int) -> bool:
    """Whether somebody else's mail begins here without quote marks."""
    line = lines[at]
    if groupwise(line) and not _quotes_below(lines, at):
        return True
    return line == FENCE or (
        not _is_quote(line) and (original(line) or header_block(lines, at) or labelled_block(lines, at))
    )


def _is_quote(line: str) -> bool:
    bare = line.lstrip()
    return bare.startswith(">") and len(line) - len(bare) < 4


def _joined(lines: Sequence[str]) -> str:
    shown = (line.rstrip().removeprefix(PROMPT) for line in lines if line not in _MARKS)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(shown)).strip("\n")
