"""The command table: what a usage line compiles to, and what a table refuses."""

import pytest

from gateway.language.usage.verbs import table, verb
from tests.support.language_table import VERBS


def test_a_name_is_what_all_usages_begin_with():
    assert verb("follow NAME [for]").name == "follow"
    assert verb("who NAME", "who about TOPIC").name == "who"
    assert verb("who got").name == "who got"
    assert verb("d NAME[,NAME…] text").name == "d"


def test_usage_lines_compile_to_pieces():
    kinds = [(piece.kinds, piece.optional) for piece in verb("get [COUNT] NAME").forms[0].pieces]
    assert kinds == [(("COUNT",), True), (("NAME",), False)]
    assert verb("new GROUP [open, closed, broadcast]").forms[0].pieces[1].kinds == ("KIND",)
    assert verb('track [WORD | "a phrase"]').forms[0].pieces[0].kinds == ("WORD", "QUOTE")


def test_everyday_words_are_known_per_alias():
    follow = VERBS["follow"]
    assert "add" in follow.english
    assert "follow" not in follow.english
    assert verb("zap NAME", english=True).english == {"zap"}
    assert verb("get NAME", english=False).english == frozenset()


@pytest.mark.parametrize("usage", ["", "NAME", "zap WHATEVER", "one two three"])
def test_a_usage_line_that_cannot_be_read_is_refused(usage):
    with pytest.raises(ValueError):
        verb(usage)


def test_a_table_refuses_doubles_and_carrier_words():
    with pytest.raises(ValueError, match="follow"):
        table([verb("follow NAME"), verb("track WORD", aliases=("follow",))])
    with pytest.raises(ValueError, match="stop"):
        table([verb("stop NAME")])
    assert "help" in table([verb("help [VERB]")])


def test_the_form_for_an_error_uses_the_word_the_person_used():
    assert VERBS["leave"].form("leave") == "leave NAME"
    assert VERBS["stats"].form() == "stats [NAME]"
