"""Charsets of mails: the labels that people's programs write, larger sets than the label says, single bad octets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.decode.charsets import charset_of_html, is_wide, repair
from gateway.mail.parse.own_words import read_own_words

THAI, HEBREW = "ส่งลังไปท่าเรือ 4", "הארגזים מגיעים לרציף 4"
CHINESE, CANTONESE = "箱子送到四号码头。鎔", "啲箱喺碼頭，嗰度冇人"


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("windows-874", "cp874", THAI),
        ("TIS-620", "cp874", THAI),
        ("iso-8859-11", "cp874", f"“{THAI}”…"),
        ("dos-874", "cp874", THAI),
        ("iso-8859-8-i", "iso8859-8", HEBREW),
        ("iso-8859-8-e", "iso8859-8", HEBREW),
        ("logical", "iso8859-8", HEBREW),
        ("gb2312", "gb18030", CHINESE),
        ("GBK", "gb18030", CHINESE + "€"),
        ("chinese", "gb18030", CHINESE),
        ("big5", "big5hkscs", CANTONESE),
        ("big5-hkscs", "big5hkscs", CANTONESE),
        ("x-x-big5", "cp950", "箱子到四號碼頭"),
        ("cp850", "cp850", "Die Kräne fahren über die Straße"),
        ("ibm-850", "cp850", "für später"),
        ("x-mac-roman", "mac-roman", "“Las cajas, ¿dónde están?”"),
        ("macintosh", "mac-roman", "où ça ?"),
        ("x-mac-cyrillic", "mac-cyrillic", "Ящики на пирсе"),
        ("windows-31j", "cp932", "①番の倉庫"),
        ("x-sjis", "cp932", "髙橋さん"),
        ("ks_c_5601-1987", "cp949", "똠방각하"),
        ("windows-949", "cp949", "상자는 4번 부두로"),
        ("cp-1251", "cp1251", "Ящики на пирсе"),
        ("x-cp1250", "cp1250", "Skrzynie są już w porcie"),
        ("iso-8859-9", "cp1254", "Kutular “yarın” geliyor, şimdi değil"),
        ("iso-8859-1", "cp1252", "“quotes” — and 5 €"),
        ("us-ascii", "cp1252", "für dich"),
        ("latin1", "cp1252", "für dich"),
        ("iso-ir-100", "cp1252", "für dich"),
        ("koi8-u", "koi8-u", "Ящики на пірсі"),
        ('"utf-16"', "utf-16", "für dich"),
        ("utf8mb4", "utf-8", "für dich 🎉"),
        ("unicode-1-1-utf-8", "utf-8", "für dich"),
        ("x-unknown", "utf-8", "für dich"),
        ("8bit", "cp1252", "für dich"),
        ("windows-874", "utf-8", "a wrong label: für dich"),
    ],
)
def test_labels(label, codec, text):
    assert repair(text.encode(codec), label) == text


@pytest.mark.parametrize("text", ["①番倉庫へ", "㈱山田 №5", "髙橋と﨑山", "半角ｶﾅと漢字", "plain"])
def test_japanese_with_more_than_the_standard_has(text):
    assert repair(iso_2022_jp(text), "ISO-2022-JP") == text
    assert repair(iso_2022_jp(text), None) == text or text == "plain"  # nothing shows that it is Japanese
    assert repair(euc_jp(text), "euc-jp") == text


def iso_2022_jp(text: str) -> bytes:
    """As Outlook writes it: rows of NEC inside of JIS X 0208; one escape for each character."""
    return b"".join(_escaped(jis_pair(each)) for each in text) + b"\x1b(B"


def _escaped(octets: bytes) -> bytes:
    if len(octets) == 2:
        return b"\x1b$B" + octets
    return b"\x1b(I" + bytes([octets[0] & 0x7F]) if octets[0] > 0x80 else b"\x1b(B" + octets


def euc_jp(text: str) -> bytes:
    pieces = [jis_pair(each) for each in text]
    return b"".join(
        bytes(octet | 0x80 for octet in piece) if len(piece) == 2 else (b"\x8e" + piece if piece[0] > 0x80 else piece)
        for piece in pieces
    )


def jis_pair(character: str) -> bytes:
    """By way of Shift_JIS; IBM's extensions stand in NEC's rows too, where ISO-2022-JP can reach them."""
    octets = character.encode("cp932")
    if len(octets) == 1:
        return octets
    lead, trail = octets
    if lead >= 0xFA:
        lead, trail = next(
            (a, b)
            for a in (0xED, 0xEE)
            for b in range(0x40, 0xFD)
            if bytes([a, b]).decode("cp932", "replace") == character
        )
    row = (lead - (0x70 if lead < 0xA0 else 0xB0)) * 2
    if trail < 0x9F:
        return bytes([row - 1, trail - 0x1F - (trail > 0x7F)])
    return bytes([row, trail - 0x7E])


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("utf-8", "utf-8", "Grüße aus Zürich, schöne Tage"),
        (None, "utf-8", "Ящики на пирсе"),
        ("iso-8859-1", "utf-8", "Grüße aus Zürich, schöne Tage"),
        ("gb2312", "gb18030", CHINESE * 3),
        ("big5", "big5hkscs", CANTONESE * 3),
        ("shift_jis", "cp932", "倉庫へ行きます。よろしく。" * 3),
        ("euc-kr", "cp949", "상자는 4번 부두로 갑니다. " * 3),
    ],
)
def test_one_bad_octet_spoils_nothing_else(label, codec, text):
    read = repair(text.encode(codec) + b" \xff ok", label)
    assert read.startswith(text)
    assert read.endswith("ok")


def test_latin_letters_that_say_they_are_utf_8():
    assert repair("für dich, später".encode("cp1252"), "utf-8") == "für dich, später"


def test_html_names_its_charset():
    head = "From: a@b.example\r\nContent-Type: text/html\r\n\r\n"
    for meta in (
        '<meta charset="windows-1251">',
        "<META http-equiv=Content-Type content='text/html; charset=windows-1251'>",
    ):
        raw = head.encode() + f"<html><head>{meta}</head><p>Ящики на пирсе</p>".encode("cp1251")
        assert read_own_words(raw).text == "Ящики на пирсе"
    assert charset_of_html(b"<meta charset=utf-16>") is None


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("win-1251", "cp1251", "Ящики на пирсе"),
        ("win1251", "cp1251", "Ящики на пирсе"),
        ("gb-2312", "gbk", "你好"),
        ("big-5", "big5", "你好"),
        ("x-euc-kr", "cp949", "안녕"),
        ("cp51932", "euc_jp", "こんにちは"),
        ("eucJP-ms", "euc_jp", "こんにちは"),
        ("x-ms-cp932", "cp932", "こんにちは"),
        ("x-mac-ce", "mac-latin2", "Łódź"),
        ("x-mac-greek", "mac-greek", "Καλημέρα"),
    ],
)
def test_labels_that_no_standard_has(label, codec, text):
    assert repair(text.encode(codec), label) == text


PIECES = st.sampled_from([b"\x1b$B", b"\x1b$@", b"\x1b(B", b"\x1b(I", b"\x1b$(D", b"\x8e", b"\x8f", b"~~", b"!\xff"])


@given(
    st.lists(st.binary(max_size=8) | PIECES, max_size=9).map(b"".join),
    st.sampled_from(["iso-2022-jp", "euc-jp", "big5", "gbk", "utf-16", "utf-7", "x", None]),
)
def test_any_octets_are_text(raw, label):
    assert isinstance(repair(raw, label), str)


def test_wide_ones():
    assert all(map(is_wide, ("utf-16le", "ISO-2022-JP", "hz-gb-2312", "utf-7", '"utf-32"')))
    assert not any(map(is_wide, ("utf-8", "gbk", "x-unknown", None)))
