"""The phrases of a post and what people track: against a naive matcher that walks over characters one by one, with any
mixture of scripts; and each script's own difficulties."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.language.track_phrases import LONGEST, MOST_TOKENS, has_phrase, phrases, quoted, track_phrase
from gateway.language.words.normalize import clean

# Latin and its special letters, Greek, Cyrillic, Hebrew, Arabic, Hindi, Thai, Lao, Khmer, Burmese, Han, kana, Hangul.
LETTERS = "aAbBsSkKmMIiİıßéÉeñØ9½²σςΣДйעאأاےहिन्मึกาຄນខ្មမြ車部コンガｶﾞ한국Å"
MARKS = "\u0301\u0308\u0327\u05b8\u064b\u0e49\u200d\u200c\u00ad\ufe0f"
BETWEEN = " \n-_.,!?#@/'’ʼ\"“”()👍👨•。、"
TEXTS = st.text(alphabet=LETTERS + MARKS + BETWEEN, max_size=60)
UNSPACED = ("THAI", "LAO", "KHMER", "MYANMAR", "CJK", "HIRAGANA", "KATAKANA")
ACCENTED = ("COMBINING", "HEBREW POINT", "ARABIC")


def folded(text: str) -> str:
    text = re.sub("[\u200b-\u200f\u00ad\ufe0f]", "", re.sub(r"https?://\S+", " ", text))
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(one for one in spread if not _is_accent(one))
    composed = unicodedata.normalize("NFC", re.sub("[’ʼ]", "'", bare).replace("ı", "i"))
    return composed.replace("\u3099", "")  # a voiced sound mark that belongs to no kana


def _is_accent(one: str) -> bool:
    return bool(unicodedata.combining(one)) and _named(one, *ACCENTED) and not _named(one, "COMBINING KATAKANA")


def _named(character: str, *beginnings: str) -> bool:
    return unicodedata.name(character[:1] or " ", "").startswith(beginnings)


def words_of(text: str) -> list[str]:
    """Letter by letter: what is no letter ends a word, and each character of a script without blanks is one."""
    found, word = [], ""
    text = folded(text) + " "
    for place, one in enumerate(text):
        mark = unicodedata.category(one).startswith("M")
        alone = _named(one, *UNSPACED) and (one.isalnum() or mark)
        inside = one == "'" and word and not _named(word, *UNSPACED) and _goes_on(text[place + 1 : place + 2])
        if mark and alone and word and _named(word[0], *UNSPACED):
            word += one
        elif alone:
            found.append(word)
            word = one
        elif (one.isalnum() or mark or inside) and not (word and _named(word[0], *UNSPACED)):
            word += one
        else:
            found.append(word)
            word = one if one.isalnum() or mark else ""
    return [each for each in [*found, word] if each]


def _goes_on(one: str) -> bool:
    letter = one.isalnum() or unicodedata.category(one[:1] or " ").startswith("M")
    return letter and not _named(one, *UNSPACED)


def naively_in(phrase: str, text: str) -> bool:
    wanted, words = phrase.split(), words_of(text)
    return any(
        all(word in (have, have.removesuffix("'s")) for word, have in zip(wanted, words[place:], strict=False))
        for place in range(len(words) - len(wanted) + 1)
    )


@given(TEXTS)
@example("ACME's crew")
@example("rock 'n' roll, l'été d'Åsa")
@example("9'ि")
def test_words_are_found_as_a_naive_reader_finds_them(text: str) -> None:
    assert track_phrase(text).folded.split() == words_of(text)


@given(TEXTS, TEXTS, TEXTS)
def test_a_phrase_is_found_where_a_naive_matcher_finds_it(before: str, tracked: str, after: str) -> None:
    phrase = track_phrase(tracked)
    if phrase.too_short or phrase.too_long:
        return
    for text in (f"{before} {tracked} {after}", f"{before}{tracked}{after}", after, f"{before} {tracked.upper()}'s"):
        found = naively_in(phrase.folded, text)
        assert (phrase.folded in phrases(text), has_phrase(text, phrase.folded)) == (found, found), text


@given(TEXTS, st.sampled_from(LETTERS))
def test_every_phrase_of_a_text_is_in_it_and_can_be_tracked(text: str, letter: str) -> None:
    for phrase in phrases(text):
        assert naively_in(phrase, text)
        assert len(phrase) <= LONGEST
        assert not track_phrase(phrase).too_long
    assert track_phrase(letter).folded.split() == words_of(letter)


@given(st.text(max_size=80))
def test_what_is_shown_means_the_same_in_any_case(words: str) -> None:
    phrase = track_phrase(words)
    for written in (phrase.shown, phrase.folded):
        assert track_phrase(written).folded == phrase.folded
    if not phrase.too_short and not phrase.too_long:
        assert track_phrase(quoted(phrase.shown).upper()).folded == phrase.folded
        assert phrase.folded in phrases(f"we {clean(words)} you")


@pytest.mark.parametrize(("tracked", "text", "found"), [
    ("acme", "the ACME proposal", True),
    ("acme", "ACME's proposal", True),
    ("acme", "ACME’s proposal", True),
    ("acme's", "the ACME proposal", False),
    ("kim's van", "Kim's van's door", True),
    ("kim van", "Kim's van's door", True),
    ("acme", "see https://acme.example/acme", False),
    ("acme", "mail kim@acme.example", True),
    ("acme", "#acme @acme", True),
    ("acme", "acmes and macme", False),
    ("follow-up", "a follow up", True),
    ("board meeting", "the board-meeting", True),
    ("board meeting", "the board. Meeting at noon", True),
    ("board meeting", "a meeting of the board", False),
    ("strasse", "Hauptstraße", False),
    ("STRASSE", "die Straße", True),
    ("straße", "DIE STRASSE", True),
    ("istanbul", "İSTANBUL", True),
    ("İstanbul", "istanbul", True),
    ("ısparta", "ISPARTA", True),
    ("muller", "Herr Müller", True),
    ("Müller", "Herr Mu\u0308ller", True),
    ("für", "natürlich", False),  # a letter with a mark is no edge of a word
    ("ana", "mañana", False),
    ("σοφος", "ΣΟΦΟΣ", True),
    ("hyphen", "hy\u00adphen", True),
    ("می\u200cخواهم", "می\u200cخواهم", True),
    ("محمد", "مُحَمَّد", True),
    ("हिन्दी", "हिन्दी में", True),
    ("हिन", "हिन्दी में", False),
    ("会議", "今日は会議です", True),
    ("会議", "議会", False),
    ("コンピューター", "新しいｺﾝﾋﾟｭｰﾀｰを", True),
    ("ประชุม", "วันนี้มีการประชุมใหญ่", True),
    ("회사", "우리 회사", True),
    ("k12", "k12 and K 12", True),
    ("\U0001f44d", "\U0001f44d", False),
])  # fmt: skip
def test_each_script(tracked: str, text: str, found: bool) -> None:
    assert (track_phrase(tracked).folded in phrases(text)) is found


@pytest.mark.parametrize("words", ["", "a", "9", "!", "\U0001f44d", "https://acme.example", "'s", "車", "\u0301"])
def test_what_is_too_short(words: str) -> None:
    assert track_phrase(words).too_short


@pytest.mark.parametrize("words", ["one two three four five six", "x" * 41, "nine letter words again repeated " * 2])
def test_what_is_too_long(words: str) -> None:
    assert track_phrase(words).too_long


def test_long_posts_are_read_only_so_far() -> None:
    words = [f"w{number}" for number in range(MOST_TOKENS + 10)]
    found = phrases(" ".join(words))
    assert f"w{MOST_TOKENS - 1}" in found
    assert f"w{MOST_TOKENS}" not in found
    assert len(phrases("a's b's c's d's e's " * 4_000)) < 10_000
    assert phrases("x" * 20_000) == set()
