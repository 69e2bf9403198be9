"""Marks inside posts: mentions, tags, language, links."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.i18n.language_tags import language
from gateway.language.nanoformats import parse


def test_mentions_are_names_and_no_mail_addresses():
    assert parse("hi @Kim, @pat and @kim: ask ann@corp.example").mentions == ("kim", "pat")
    assert parse("a@kim @k @@kim @kim@elsewhere.example @kim.lee").mentions == ()
    assert parse("(@kim) @kim.").mentions == ("kim",)


def test_tags():
    assert parse("#Launch is #über #1 c#d &#39; ##x").tags == ("launch", "über")


def test_the_language_is_taken_off():
    assert parse("lang:de guten Tag") == parse("guten Tag lang:de")
    assert (parse("guten Tag lang:de-at").text, parse("guten Tag lang:de-at").lang) == ("guten Tag", "de-AT")
    for left in ("lang:xx hallo", "hallo lang:de da", "key:value hallo", "lang:"):
        assert (parse(left).text, parse(left).lang) == (left, None)


def test_links_lose_the_sentence_around_them():
    text = "see https://x.example/a_(b), (https://y.example/c). or https://z.example/#top @kim"
    assert parse(text).links == ("https://x.example/a_(b)", "https://y.example/c", "https://z.example/#top")
    assert parse(text).mentions == ("kim",)
    assert parse(text).tags == ()


def test_language_tags():
    assert [language(tag) for tag in ("EN", "pt-br", "zh-hant-tw", "es-419", "xx", "e", "en-", "en_US", "en-x-a")] == [
        "en", "pt-BR", "zh-Hant-TW", "es-419", None, None, None, None, "en-x-a",
    ]  # fmt: skip


@given(st.text())
def test_any_text_is_parsed(text):
    found = parse(text)
    assert parse(found.text).mentions == found.mentions
