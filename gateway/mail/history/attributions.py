"""Recognises attributions such as `On …, Kim wrote:`, one line or wrapped, that mail programs put above a quote.
quote_trimming.py calls it.

No list of languages can be complete, so three things count together: a word for writing, a date or an address, and the
colon at the end. The forms come from the sources and mails of the programs.
"""

import re
from collections.abc import Sequence

_LONGEST = 400  # characters; names and addresses of lists can be long
_MOST_LINES = 5
VERBS = (
    r"wrote|writes|schrieb(?:en)?|geschrieben|a\s+écrit|écrit|ecrit|nous\s+a\s+dit|escribió|escribio|ha\s+scritto|"
    r"schreef|geschreven|escreveu|skrev|napisała?|napisana|pisze|napsal|napísal|kirjoitti|написала?|пишет|пише|"
    r"писал|пользователь|yazdı|írta|a\s+scris|έγραψε|đã\s+viết|menulis|写道|寫道|写到|のメール|のメッセージ|"
    r"さんが|作成|작성|님이|쓴\s글|提到|כתב|كتب|تمت\s+كتابة|نوشت|rašė|rakstīja|kirjutas|написа(?:о|л)?|napisa[lo]a?|"
    r"va\s+escriure|ha\s+escrit|escribiu|skrifaði|skreiv|shkroi|idatzi|scríobh|ysgrifennodd|je\s+napisao|піша|"
    r"жазды|yozdi|yazıb|գրել|წერდა|เขียน|ने\s+लिखा|লিখেছেন|எழுதியது|nagsulat|sinulat|ameandika"
)
_VERB = re.compile(rf"(?:{VERBS})", re.IGNORECASE)
_SAID = re.compile(r"\b(?:said|says|sent|hat gesagt|dijo|a dit|nadesłała?)\b", re.IGNORECASE)
_END = re.compile(rf"(?:[:：]|(?:{VERBS})|>)[\s*_–‐-]*$", re.IGNORECASE)
_COLON = re.compile(r"[:：][\s*_–‐-]*$")
_VERB_END = re.compile(rf"(?:{VERBS})(?:\(а\)|\(a\))?\s*[:：]?[\s*_–‐-]*$", re.IGNORECASE)
_OPENER = re.compile(
    r"(?:On|At|Am|Le|El|En|Il|Em|No dia|Op|Den|Dnia|Dňa|Dne|W dniu|På|Pe|Vào|Pada|Στις|In data|In message|In article|"
    r"Quoting|Zitat von|Citando|Citat|Wiadomość napisana|La data|Data|Em|Kl)\b|[在于於]|في"
)
_STARTS_DATED = re.compile(r"(?:[^\W\d_]{2,14}[.,]{0,2}\s{1,2})?\d")
_STARTS_NAMED = re.compile(r"[^<>@]{0,80}<[^<>\s]+@[^<>\s]+>")
_ADDRESS = re.compile(r"[\w.+=-]{1,80}@[\w-]{1,60}\.?[\w.-]{0,60}|mailto:", re.IGNORECASE)
_NUMBERED = re.compile(
    r"\b\d{1,2}[:.h]\d\d\b|\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|[年월월月]|(?:19|20)\d\d.*\d|\d.*(?:19|20)\d\d"
)
_DATE_AND_ADDRESS = re.compile(r"\d.{0,160}<[^<>@]{1,80}@[^<>@]{1,80}>\s*[:：]?$")
_OTHERS = re.compile(  # Horde; Mutt's usual form with a star
    r"(?:Quoting|Zitat von|Citando|Citat|Citazione) .{3,120}[:：]$|"
    r"[^<>@]{2,60}<[^<>@]+@[^<>@]+>,? \[[\d/:. ,-]{6,40}[^\]]{0,6}\]:$"
)
_LONGEST_VERBLESS = 160
_MOST_WORDS = 9  # of a name, a day, a month and "at"
_MOST_WORDS_WITH_COLON = 16  # likewise, in languages that write more around them
_CLOCK = re.compile(r"(?<!\d)\d{1,2}[:.h]\d\d(?!\d)")
_DATED_LINE = re.compile(
    r"(?<!\d)\d{1,4}[./-]\d{1,2}[./-]\d{2,4}(?!\d)|(?:19|20)\d\d.{0,12}\d|\d.{0,20}(?:19|20)\d\d|[年월月]"
)
_IN_ANGLES = re.compile(r"<(?:mailto:)?[^<>@\s]{1,80}@[^<>@\s]{1,80}>")
_BARE_ADDRESS_ENDS = re.compile(r"^[^@]{6,60}\s[\w.+=-]{1,80}@[\w-]{1,60}\.[\w.-]{1,60}\s?[:：]$")
_ENDS_SENTENCE = re.compile(r"[^\W\d_]{2}[.!?…]$")
_GROUPWISE = re.compile(r">>>\s*(?=.{0,200}(?:\d[:.h]\d\d|\d[./-]\d)).{6,300}?(?:>>>|\b(?:wrote|schrieb):)")
_DIGITS = re.compile(r"[\d:.,/+()-]+|\b(?:AM|PM|GMT|UTC|CET|CEST|EST|EDT|PST|PDT)\b", re.IGNORECASE)
_OWN_WORDS = re.compile(r"\b(?:please|meet|call|write to|ask|bitte|call me)\b", re.IGNORECASE)
_PREFIX = "> \t*_-–‐—"
_SHARED = re.compile(
    r"^(?P<own>\S.*?)[\s>*-]*(?:(?<=-)|(?<=\s))(?P<rest>On (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|"
    r"Jun|Jul|"
    r"Aug|Sep|Oct|Nov|Dec|\d).{5,300}wrote:\s*)$"
)


def attribution(lines: Sequence[str], at: int) -> int | None:
    """The first line of the attribution that ends in line `at`; None when none ends there."""
    line = lines[at].strip()
    if not line or len(line) > _LONGEST or not (_END.search(line) or _verbless(line, _quote_below(lines, at))):
        return None
    quoted = _quote_below(lines, at)
    texts = _wrapped(lines, at)
    for opens in (_opened, _dated, _addressed, _verbless):
        wrapped = (each for each in texts if opens is not _dated or each[0] == at or _NUMBERED.search(lines[each[0]]))
        found = next((start for start, text in wrapped if opens(text, quoted)), None)
        if found is not None:
            return found
    if _named(texts[0][1], quoted):
        return _with_wrapped_name(lines, at)
    return None


def groupwise(line: str) -> bool:
    """Whether it is GroupWise's line above a mail that it does not mark: `>>> Kim Lee 3/3/2026 9:58 >>>`."""
    return line.startswith(">>>") and bool(_GROUPWISE.fullmatch(line.strip()))


def is_attribution(line: str) -> bool:
    """Whether a line is a whole attribution, also inside a quote."""
    return attribution([line.lstrip(_PREFIX), ">"], 0) is not None


def apart(line: str) -> tuple[str, str] | None:
    """Splits a line of words and an attribution, which some programs write in one line; None for other lines."""
    if len(line) > _LONGEST or not line.rstrip().endswith("wrote:"):
        return None
    shared = _SHARED.match(line)
    if not shared or _OPENER.match(line) or not shared["own"].strip(_PREFIX):
        return None
    return shared["own"].rstrip(" -"), shared["rest"]


def _wrapped(lines: Sequence[str], at: int) -> list[tuple[int, str]]:
    """The line alone and joined with lines above it, as an attribution may be wrapped. The shortest comes first."""
    joined, found = "", []
    for start in range(at, max(-1, at - _MOST_LINES), -1):
        line = lines[start].strip()
        if not line and not joined.startswith("<"):
            break
        if start < at and _ENDS_SENTENCE.search(line) and not _NUMBERED.search(line) and not _OPENER.match(line):
            break
        joined = f"{line} {joined}".strip()
        if len(joined) > _LONGEST:
            break
        found.append((start, joined.lstrip(_PREFIX)))
    return found


def _quote_below(lines: Sequence[str], at: int) -> bool:
    below = next((line for line in lines[at + 1 : at + 4] if line.strip()), "")
    return below.lstrip().startswith((">", "&gt;"))


def _opened(text: str, quoted: bool) -> bool:
    """Whether it begins with a typical word and a date: `On …`, `Am …`, `Le …`."""
    if _OTHERS.match(text):
        return True
    if not _OPENER.match(text) or not (_COLON.search(text) or _VERB_END.search(text)):
        return False
    dated = bool(_ADDRESS.search(text) or _NUMBERED.search(text))
    if _VERB.search(text):
        return quoted or dated
    if _SAID.search(text):
        return dated and (quoted or bool(_ADDRESS.search(text)))
    return dated and bool(_DATE_AND_ADDRESS.search(text))


def _dated(text: str, quoted: bool) -> bool:
    """Whether it begins with a date: `3 mars 2026 kl. 10:11 skrev …:`, or is date and address:
    `2026-03-03 10:11 … <…>:`."""
    if not _STARTS_DATED.match(text) or not _NUMBERED.search(text):
        return False
    if _VERB.search(text) and (_COLON.search(text) or _VERB_END.search(text)):
        return True
    if _COLON.search(text) and (_DATE_AND_ADDRESS.search(text) or (quoted and _ADDRESS.search(text))):
        return True
    return quoted and bool(_DATE_AND_ADDRESS.search(text))


def _named(text: str, quoted: bool) -> bool:
    """Whether it begins with a name: `Kim <…> schrieb am …:`, `---- Kim wrote ----`."""
    if quoted and _COLON.search(text) and _NUMBERED.search(text) and _ADDRESS.search(text):
        return True  # in whatever language
    if not _VERB.search(text) or not (_COLON.search(text) or _VERB_END.search(text)):
        return bool(quoted and _COLON.search(text) and _SAID.search(text) and _ADDRESS.search(text))
    if quoted or _wrote_beside(text):
        return True
    return bool(_NUMBERED.search(text)) and len(_VERB.split(text, maxsplit=1)[0].split()) <= 3


def _wrote_beside(text: str) -> bool:
    """Whether a word for writing follows an address with only a date between: not "I asked a@b, and she wrote:"."""
    address = next(iter(_ADDRESS.finditer(text)), None)
    verb = _VERB.search(text, address.end()) if address else None
    return bool(address and verb and not re.search(r"[a-z]{3}", text[address.end() : verb.start()]))


def _verbless(text: str, quoted: bool) -> bool:
    """Whether it has a date, a time and a name without a verb: `3 mars 2026 09:58, Omar <…>`,
    `2026-03-03 09:58 Omar:`."""
    if not _DATED_LINE.search(text) or len(text) > _LONGEST_VERBLESS:
        return False
    if not _CLOCK.search(text) and not (_STARTS_NAMED.match(text) and _COLON.search(text)):
        return False
    bare = _DIGITS.sub(" ", _IN_ANGLES.sub(" ", text))
    if _BARE_ADDRESS_ENDS.match(text) and _STARTS_DATED.match(text) and not _OWN_WORDS.search(text):
        return True
    most = _MOST_WORDS_WITH_COLON if _COLON.search(text) else _MOST_WORDS
    if len(bare.split()) > most or bare.rstrip().endswith((".", "!", "?")):
        return False
    if _IN_ANGLES.search(text) and not _OWN_WORDS.search(text):
        return True
    return quoted and bool(_COLON.search(text))


def _addressed(text: str, quoted: bool) -> bool:
    """Whether it begins with a name and its address in the same line."""
    return bool(_STARTS_NAMED.match(text)) and not text.startswith("<") and _named(text, quoted)


def _with_wrapped_name(lines: Sequence[str], at: int) -> int:
    """The line above, if the name is alone there: `Kim via Critter`, and below it `<post@…> wrote:`."""
    above = lines[at - 1].strip() if at else ""
    if above and lines[at].strip().startswith("<") and len(above) < 80 and above[-1] not in ".!?":
        return at - 1
    return at
