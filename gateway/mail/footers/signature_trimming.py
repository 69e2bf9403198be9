"""Removes what is under a mail's words: "-- ", "Kind regards" and a name, a device line, footers. quote_trimming.py
calls it."""

import re
from collections.abc import Sequence

from gateway.mail.footers.contact_blocks import contact_block
from gateway.mail.footers.device_footers import without_device
from gateway.mail.footers.disclaimers import footer

SIGNED = "\ufdd1"  # html_to_text.py puts this line where a program marked its signature; no text has this character
_FAREWELLS = (
    r"(?:with )?(?:(?:my |our )?(?:best|kind|kindest|warm|warmest|many thanks and|with (?:best|"
    r"kind)) ?(?:regards|wishes)?)|"
    r"(?:thanks|thank you|many thanks|thx)(?: (?:and|&) (?:best |kind )?regards| in advance| so much| again|"
    r" a lot)?|regards|rgds|br|kr|cheers|"
    r"sincerely|(?:yours )?(?:sincerely|truly|faithfully)|yours|all the best|take care|respectfully|cordially|"
    r"mit (?:freundlich(?:en|em)|besten|lieben|herzlichen) (?:gr(?:ü|ue)(?:ß|ss)en|gru(?:ß|ss))|"
    r"freundliche gr(?:ü|ue)(?:ß|ss)e|"
    r"(?:viele|liebe|beste|schöne|herzliche|sonnige|freundliche|besten|lieben|schönen|herzlichen) (?:gr(?:ü|"
    r"ue)(?:ß|ss)e|dank|gru(?:ß|ss))|"
    r"(?:gru(?:ß|ss)|gr(?:ü|ue)(?:ß|ss)e)|mfg|lg|vg|bg|danke|vielen dank|"
    r"(?:bien )?cordialement|très cordialement|bien à (?:vous|toi)|bonne (?:journée|soirée|réception)|"
    r"(?:meilleures )?salutations|amicalement|merci|bises|cdlt|"
    r"(?:un |muchos |cordiales |atentos )?saludos?(?: cordiales?)?|atentamente|cordialmente|(?:muchas )?gracias|"
    r"un abrazo|abrazos|"
    r"(?:cordiali |distinti |cari )?saluti|cordialmente|grazie(?: mille)?|a presto|"
    r"(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|groet(?:en|jes)?|gr|mvg|bedankt|alvast bedankt|dank je|"
    r"atenciosamente|cumprimentos|com os melhores cumprimentos|melhores cumprimentos|abraços?|obrigad[oa]|att|"
    r"(?:med )?(?:vänliga|bästa|varma) hälsning(?:ar)?|hälsningar|mvh|/?hälsar|tack(?: på förhand)?|vänligen|"
    r"(?:med )?(?:venlige?|vennlig|bedste|de bedste|mange|beste) hilsen(?:er)?|hilsner|hilsen|kh|vh|dbh|knus|"
    r"(?:på forhånd )?tak|takk|"
    r"(?:serdecznie )?pozdrawiam(?: serdecznie)?|pozdrowienia|z poważaniem|z powazaniem|z wyrazami szacunku|"
    r"dziękuję|dzięki|"
    r"(?:ystävällisin |parhain )?terveisin|terveiset|t|kiitos|"
    r"с уважением|с наилучшими пожеланиями|спасибо|всего доброго|з повагою|"
    r"s pozdravem|s úctou|děkuji|zdravím|üdvözlettel|köszönöm|saygılarımla|cu stimă|με εκτίμηση|"
    r"viele grüße aus \w+|un cordiale saluto|um abraço|terv|trân trọng|hormat saya|salam|lep pozdrav|srdačan pozdrav|"
    r"pozdrav|lugupidamisega|ar cieņu|pagarbiai|поздрави|с уважение|salutacions|(?:kær )?kveðja|सादर|cu respect|"
    r"(?:best )?warmly|have a (?:nice|great|good) (?:day|weekend|evening)|sincerely yours|talk soon|hälsn|בברכה|"
    r"مع تحياتي|مع أطيب التحيات|تحياتي|ขอแสดงความนับถือ|ด้วยความเคารพ|"
    r"此致|敬礼|敬上|祝好|谢谢|顺祝商祺|此致敬礼|谨上|敬具|以上|よろしくお願い(?:いた)?します|"
    r"以上、?(?:宜しく|よろしく)お願い(?:いた|致)?します|감사합니다|감사드립니다"
)
_FAREWELL = re.compile(rf"(?:{_FAREWELLS})(?:\s*/\s*(?:{_FAREWELLS}))?\s*[,.!;，。、！–-]*", re.IGNORECASE)
_IN_ONE = re.compile(rf"(?:{_FAREWELLS})\s*[,，!]\s*(?P<name>[^\W\d_][\w.’' -]{{1,40}})", re.IGNORECASE)
_BEFORE_NAME = re.compile(rf"(?:{_FAREWELLS})[.,!]?\s+(?P<name>\S.{{0,60}})", re.IGNORECASE)
_SHORT_FAREWELL = re.compile(r"[^\W\d_][^\d,.:;?!@]{1,40}[,،，]")
_MOST_FAREWELL_WORDS = 4
_DELIMITER = re.compile(r"\s*(?:--|—|–)\s*")
_RULE = re.compile(r"\s*(?:_{5,}|[—–―]{4,}|={5,}|-{10,}|\*{5,})\s*")
_INITIALLED = re.compile(r"(?:[-–—~]|/)\s?[^\W\d_a-zß-ÿ][\w.’' ]{1,40}|(?:--|[–—~])\s?[^\W\d_][\w.’' ]{1,30}")
_SENTENCE = re.compile(r"(?:\S+\s+){5,}\S.*[.!?…:]\s*$")
_PICTURE = re.compile(r"\s*\[(?:cid:|image:|mailto:|inline image|https?://)[^\]]{0,200}\]\s*", re.IGNORECASE)
_AFTERTHOUGHT = re.compile(r"p\.?\s?s\.?\b\s*[:.,]?\s+\S", re.IGNORECASE)
_PARTICLES_WORDS = """
and & of the de da do dos del della der den di du la le van von und y e i zu af av
"""
_PARTICLES = frozenset(_PARTICLES_WORDS.split())
_NAME_ENDS = ".?!;:,"
_LONGEST_FAREWELL = 8
_LONGEST_LOOSE = 12
_LONGEST_LINE = 75


def without_signature(
    lines: Sequence[str], name: str | None = None, address: str | None = None
) -> tuple[list[str], list[str]]:
    """The lines above the signature, and the signature. `name`, `address`: the sender's, to recognise it."""
    own, cut = _at(lines, min(_delimiter(lines), footer(lines)))
    for sign in (_rule, _farewell, _initialled):
        own, signature = _at(own, sign(own))
        cut = signature + cut
    own, device = without_device(own)
    cut = device + cut
    for sign in (_rule, _farewell, _initialled):  # a signature above the device line
        own, signature = _at(own, sign(own))
        cut = signature + cut
    own, signature = _at(own, contact_block(own, name, address))
    if signature:
        own, farewell = _at(own, _last_farewell(own))
        cut = farewell + signature + cut
    own, signature = _at(own, _own_name(own, name))
    return own, signature + cut


def _at(lines: Sequence[str], at: int) -> tuple[list[str], list[str]]:
    """Cuts the lines at `at`, and removes lines before it that are only placeholders for pictures."""
    own = list(lines[:at])
    while own and (not own[-1].strip() or _PICTURE.fullmatch(own[-1])):
        own.pop()
    return own, list(lines[len(own) :])


def _written(lines: Sequence[str]) -> list[int]:
    return [at for at, line in enumerate(lines) if line.strip()]


def _delimiter(lines: Sequence[str]) -> int:
    """The line of a delimiter. An exact "-- " ends a mail anywhere (RFC 3676), a looser form only when little
    follows."""
    for at, line in enumerate(lines):
        if line in ("-- ", SIGNED) or (_DELIMITER.fullmatch(line) and len(lines) - at <= _LONGEST_LOOSE):
            return at
    return len(lines)


def _rule(lines: Sequence[str]) -> int:
    """The line of a horizontal rule with only a few short lines below, and no sentence among them."""
    last = _written(lines)[1:][-_LONGEST_LOOSE:]
    for place, at in enumerate(last):
        below = [lines[each][:400] for each in last[place + 1 :]]
        if _RULE.fullmatch(lines[at]) and not any(map(_SENTENCE.match, below)):
            return at
    return len(lines)


def _farewell(lines: Sequence[str]) -> int:
    """The line of a farewell with a name below it or beside it, and text above."""
    written = _written(lines)
    for at in written[1:][-_LONGEST_FAREWELL:]:
        line = lines[at].strip(" *_\t")
        below = [lines[each].strip(" *_\t") for each in written if each > at]
        if any(len(each) > _LONGEST_LINE or _AFTERTHOUGHT.match(each) for each in below):
            continue
        named = _IN_ONE.fullmatch(line)
        if named and _is_name(named["name"]) and len(below) <= _LONGEST_FAREWELL - 3:
            return at
        if _FAREWELL.fullmatch(line) and below and _is_name(below[0]):
            return at
    return len(lines)


def _last_farewell(lines: Sequence[str]) -> int:
    """The last line, if it is a farewell after the lines below it were removed."""
    written = _written(lines)
    alone = len(written) > 1 and _FAREWELL.fullmatch(lines[written[-1]].strip(" *_\t"))
    return written[-1] if alone else len(lines)


def _is_name(line: str) -> bool:
    """Whether a line is a single word, or a few capitalised words: "See you at five" is no name."""
    words = line.strip(" -–—~/").split()
    if not words or len(words) > 6 or line[-1] in _NAME_ENDS[1:] or ">" in line[:1]:
        return False
    return len(words) == 1 or not any(word[0].islower() and word not in _PARTICLES for word in words)


def _initialled(lines: Sequence[str]) -> int:
    """The last line, if it is `-Kim`, `/Kim` or `~ Kim`, alone below a blank line, and no list item."""
    written = _written(lines)
    if len(written) < 2 or written[-1] - written[-2] < 2 or lines[written[-2]].lstrip().startswith(("-", "/", "~")):
        return len(lines)
    last = lines[written[-1]].strip()
    alone = not last.startswith("- ") and _INITIALLED.fullmatch(last) and len(last.split()) <= 4
    return written[-1] if alone else len(lines)


def _initials(name: str) -> str:
    """The initials of a name in several words; empty for one word, because a single letter could be anything."""
    words = name.split()
    return "".join(word[0] for word in words) if len(words) > 1 else ""


def _closing(lines: Sequence[str], written: list[int], names: set[str]) -> int | None:
    """The line where a farewell begins that the sender's own name ends: `MfG Kim` in one line or, in any language, a
    few words with a comma above the name, below a blank line. None when there is none."""
    if len(written) < 2:
        return None
    last = written[-1]
    line = lines[last].strip(" *_.,-–—\t").casefold()
    beside = _BEFORE_NAME.fullmatch(line)
    if beside and beside["name"] in names and not lines[last - 1].strip():
        return last
    above = lines[last - 1].strip(" *_\t") if last > 1 else ""
    said = _SHORT_FAREWELL.fullmatch(above) and len(above.split()) <= _MOST_FAREWELL_WORDS
    return last - 1 if said and line in names and last - 1 > written[0] and not lines[last - 2].strip() else None


def _own_name(lines: Sequence[str], name: str | None) -> int:
    """The line of the sender's own name, alone in one of the last lines, with at most a few short lines below."""
    written = _written(lines)
    whole = (name or "").casefold().strip("\"' ")
    first = whole.split()[0] if whole else ""
    if len(first) > 1 and (closing := _closing(lines, written, {first, whole})) is not None:
        return closing
    for at in written[1:][-5:]:
        line = lines[at].strip(" *_,.-–—\t").casefold()
        if (
            line
            and " " in whole
            and re.split(r" ?[|,–—/•-] ?", line)[0] == whole
            and all(len(each) < _LONGEST_LINE for each in lines[at:])
        ):
            return at
        if len(first) > 1 and line in (first, _initials(whole)) and at == written[-1] and not lines[at - 1].strip():
            return at
    return len(lines)
