"""When a digest is to come, as people write it."""

from datetime import time

import pytest

from gateway.language.grammar import read as read_text
from gateway.language.words.digest_times import read
from tests.support.language_table import CONTEXT, VERBS, resolver


@pytest.mark.parametrize(
    ("text", "weekday", "at"),
    [
        ("8am", None, time(8)),
        ("8", None, time(8)),
        ("8:30", None, time(8, 30)),
        ("8.30", None, time(8, 30)),
        ("0830", None, time(8, 30)),
        ("8h30", None, time(8, 30)),
        ("8 AM!", None, time(8)),
        ("8 p.m.", None, time(20)),
        ("at 8", None, time(8)),
        ("noon", None, time(12)),
        ("midnight", None, time(0)),
        ("24", None, time(0)),
        ("every day at 8", None, time(8)),
        ("8am daily", None, time(8)),
        ("a las 8", None, time(8)),
        ("todos los días a las 8", None, time(8)),
        ("8 de la mañana", None, time(8)),
        ("monday 8am", 0, time(8)),
        ("Mon. 8:30", 0, time(8, 30)),
        ("mondays at 8am", 0, time(8)),
        ("every monday at 8", 0, time(8)),
        ("on mondays 8", 0, time(8)),
        ("8am monday", 0, time(8)),
        ("weekly sunday 20:00", 6, time(20)),
        ("lunes 8", 0, time(8)),
        ("lunes a las 8", 0, time(8)),
        ("los lunes a las 8:30", 0, time(8, 30)),
        ("cada miércoles 9", 2, time(9)),
        ("sunday midnight", 0, time(0)),  # the end of Sunday
    ],
)
def test_what_is_a_time(text, weekday, at):
    found = read(text)
    assert found is not None
    assert (found.weekday, found.at) == (weekday, at)


@pytest.mark.parametrize(
    "text",
    ["", "later", "monday", "25", "8:60", "8-9", "8 9", "till 8", "-8", "weekdays 8", "mon-fri 8", "mon 8 tue", "8 8",
     "mon,tue 8", "on", "off", "sales", "of the week", "8 people"],
)  # fmt: skip
def test_what_is_none(text):
    assert read(text) is None


@pytest.mark.parametrize(
    "time", ["8am", "8:30", "monday 8am", "lunes a las 8", "every day at 8 p.m.", "every monday at 8 am"]
)
def test_the_verb_takes_them(time):
    reading = read_text(f"digest {time}", "sms", VERBS, resolver, CONTEXT)
    assert reading.verb == "digest"
    assert read(reading.args[0]) == read(time)
