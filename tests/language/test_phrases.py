"""What is said can be said in every language there is: found in the code, translated, with the same places to fill."""

import ast
import pickle
import string
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from hypothesis import given
from hypothesis import strategies as st

from critter.tools.translations import PAGES, ROOT, refresh, templates, write
from gateway.i18n.phrases import (
    LOCALES,
    Phrase,
    count,
    joined,
    languages,
    listed,
    say,
    sentence,
    translated,
    translator,
)
from gateway.sms.fit import thrifty
from gateway.sms.gsm7 import segments
from handlers.help_command import OPTING_OUT, START

CATALOGS = sorted(LOCALES.glob("*.po"))
SAID_BY_PEOPLE = ("handlers", "gateway/network", "gateway/language")


def places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_a_catalog_is_in_step_with_the_code(path: Path) -> None:
    assert path.read_bytes() == write(refresh(path)), "make translations brings it into step"


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
def test_every_sentence_is_translated_and_keeps_its_places(path: Path) -> None:
    wrong = [message.id for message in refresh(path) if message.id and not _good(message)]
    assert wrong == []


def _good(message: Message) -> bool:
    ids = message.id if isinstance(message.id, tuple) else (message.id,)
    said = message.string if isinstance(message.string, tuple) else (message.string,)
    wanted = places(ids[-1])
    return all(said) and all(places(each) in (wanted, wanted - {"count"}) for each in said)


def test_the_second_language_is_whole() -> None:
    assert languages() >= {"en", "es"}
    assert len(templates()) > 150


def test_no_sentence_is_glued_together_where_it_is_said() -> None:
    """An f-string is English for ever: say() takes a template, and a refusal a phrase."""
    glued = []
    for package in SAID_BY_PEOPLE:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                    first = node.args[0]
                    if node.func.id in ("say", "count", "template") and isinstance(first, ast.JoinedStr):
                        glued.append(f"{path}:{node.lineno}")
                    if (
                        node.func.id == "Refused"
                        and package == "handlers"
                        and not isinstance(first, ast.Call | ast.Name)
                    ):
                        glued.append(f"{path}:{node.lineno}")
    assert glued == []


def test_a_phrase_is_english_until_it_is_translated() -> None:
    phrase = joined([say("You follow {name}:", name="Kim"), count("about {count} a day", "about {count} a day", 2)])
    assert phrase == "You follow Kim: about 2 a day"
    assert translated(phrase, "es") == "Sigues a Kim: más o menos 2 al día"
    assert translated(phrase, "es-MX").startswith("Sigues a Kim")
    assert translated(phrase, "fr") == phrase
    assert translated("plain words", "es") == "plain words"


def test_plurals_numbers_money_and_times_are_of_the_language() -> None:
    assert translated(count("{count} follower", "{count} followers", 1), "es") == "1 seguidor"
    assert translated(count("{count} follower", "{count} followers", 12_345), "es") == "12.345 seguidores"
    assert count("{count} follower", "{count} followers", 12_345) == "12,345 followers"
    assert translator("es").value(Decimal("5.31")) == "5,31 US$"
    assert translator("en").value(Decimal("5.31")) == "$5.31"
    assert translator("es").value(datetime(2026, 11, 25, 19, 5)) == "mié, 19:05"  # noqa: DTZ001
    assert translator("en").value(datetime(2026, 11, 25, 19, 5)) == "Wed 19:05"  # noqa: DTZ001
    assert translator("en").value(date(2026, 5, 3)) == "May 3"
    assert translator("es").value(date(2026, 5, 3)) == "3 may"


def test_reasons_become_sentences_and_names_lists() -> None:
    reason = say("no one is called {word}", word="slaes")
    assert sentence(reason) == "No one is called slaes."
    assert translated(sentence(reason), "es") == "Nadie se llama slaes."
    assert listed(["Kim", "Sam", "Pat"]) == "Kim, Sam and Pat"
    assert translated(listed(["Kim", "Sam"]), "es") == "Kim y Sam"
    assert listed(["Kim"]) == "Kim"


def test_a_copy_elsewhere_is_the_words() -> None:
    assert pickle.loads(pickle.dumps(say("Deleted."))) == "Deleted."


@given(st.text(max_size=40))
def test_what_people_wrote_is_never_filled_in_again(words: str) -> None:
    """Braces in a name are a name's."""
    assert say("{name} is on.", name=words) == f"{words} is on."
    assert isinstance(translated(say("{name} is on.", name=words), "es"), str)
    assert words in translated(say("{name} is on.", name=Phrase(lambda translator: words)), "es")


# What a sentence is filled with, as long as it usually is. What only ever goes by mail may be longer than a text.
USUAL = {
    "name": "Sam Ortiz", "names": "Sam Ortiz and Kim Lee", "handle": "dispatch", "group": "Dispatch", "tag": "#harbor",
    "company": "Critter Demo Co", "code": "033812", "count": "12", "number": "12", "digits": "1234", "days": "14",
    "hours": "4 hours", "time": "Wed 19:05", "date": "May 3", "day": "May 3", "phones": "51",
    "parts": "about 51 parts", "texts": "12 texts",
    "price": "$0.42", "minutes": "2 minutes", "seconds": "10", "people": "12 people", "most": "1,600", "verb": "digest",
    "mails": "12 mails", "language": "Spanish", "access": "broadcast", "why": "the mailbox is full",
    "words": "starting the ACME proposal", "what": "Add Sam Ortiz to Dispatch?",
    "form": "https://critter.example.com/login/0123456789abcdef0123456789abcdef",
}  # fmt: skip
BY_MAIL_ALONE = (
    "Mail {address} what you are doing",
    "Mails to this mailbox came back",
    "A mail in your name reached Critter",
    "We no longer text your phone",
    "This is {company}'s Critter. Nobody here",
    "{name} invites you to {company}'s Critter: short updates by text and mail",
    "{channel}: {delivered} arrived",
)


@pytest.mark.parametrize("language", sorted(languages()))
def test_a_sentence_fits_one_text(language: str) -> None:
    long = {}
    for template, place in templates().items():
        if template[0].startswith(BY_MAIL_ALONE) or place.startswith(PAGES):  # a page has room
            continue
        catalog = translator(language).catalog
        said = catalog.gettext(template[0]) if len(template) == 1 else catalog.ngettext(*template, 12)
        filled = thrifty(translator(language).filled(said, {place: USUAL.get(place, place) for place in places(said)}))
        if segments(filled)[1] > 1:  # short ones may keep accents, for in UCS-2 they are one part as well
            long[filled] = segments(filled)
    assert long == {}


def test_what_is_to_be_sent_stands_in_capitals() -> None:
    phrase = say("To stop: LEAVE {handle!u}", handle="kim")
    assert phrase == "To stop: LEAVE KIM"
    assert translated(say("It answers you. To stop: MUTE {handle!u}", handle="kim"), "es").endswith("MUTE KIM")


def test_the_first_help_fits_one_text_with_the_way_out() -> None:
    for language in languages():
        words = translated(joined([START, OPTING_OUT]), language)
        assert segments(thrifty(words))[1] == 1
        assert "STOP" in words
