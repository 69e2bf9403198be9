"""`zone` and what looks like it: a zone sets the clock, what is nearly one is asked about, and a sentence stays one."""

import pytest

import handlers
from gateway.inbound.commands import TABLE
from gateway.language.grammar import read
from gateway.language.model.reading import Reading
from gateway.language.usage.verbs import spoken, table
from gateway.language.words import time_zones
from tests.support.language_table import CONTEXT, resolver

assert handlers.MODULES  # importing them fills the table
VERBS = table(TABLE.verbs)


def meant(text: str, language: str = "en") -> Reading:
    return read(text, "sms", spoken(VERBS, language), resolver, CONTEXT)


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("zone", ()),
        ("zone?", ()),
        ("Zone Tokyo", ("tokyo",)),
        ("zone tokyo.", ("tokyo",)),
        ("zone tokyo till sunday", ("tokyo", "till sunday")),
        ("zone new york until 9pm", ("new york", "till 9pm")),
        ("zone new york for 3 days", ("new york", "3d")),
        ("zone paris, france", ("paris, france",)),
        ("zone Asia/Tokyo 2w", ("asia/tokyo", "2w")),
        ("zone utc+2", ("utc+2",)),
        ("zone utc + 02:00 till friday", ("utc + 02:00", "till friday")),
        ("zone America/Argentina/Buenos_Aires", ("america/argentina/buenos_aires",)),
        ("zone eastern time till monday", ("eastern time", "till monday")),
        ("zone tokyo please", ("tokyo",)),
        ("/zone tokyo", ("tokyo",)),
        ("zone home", ("home",)),
        ("zone off", ("off",)),
        ("zone tokio", ("tokio",)),  # so it is called in Spanish; the command looks at its writer's language
        ("zone 東京", ()),
    ],
)
def test_a_command(text: str, args: tuple[str, ...]) -> None:
    reading = meant(text)
    if args or (text.startswith(("zone?", "zone")) and len(text) < 6):
        assert (reading.verb, reading.intent, reading.args) == ("zone", "zone", args)
    else:
        assert reading.intent == "ask"


@pytest.mark.parametrize(
    "text",
    [
        "zone tokoy", "zone new yrok", "zone new yrok till friday", "zone tokyo friday", "zone tokyo till fridy",
        "zone tokyo 9pm", "zone 5", "zone west", "zone pacific", "zone pacific till friday", "zone mars till friday",
        "zone defence", "zone home till friday", "zone 9-5", "zoen tokyo", "zonee tokyo till sunday",
        "zone till friday", "zone tokyo tomorrow", "zone utc+99",
    ],
)  # fmt: skip
def test_what_is_nearly_one_is_asked_about(text: str) -> None:
    reading = meant(text)
    assert reading.intent == "ask"
    assert reading.privacy == "company"


@pytest.mark.parametrize(
    "text",
    [
        "zone 5 is closed", "zone 4 crew to the gate", "zone tokyo office opens today", "zones are fine",
        "zone out for a while", "zone defence was great today", "zone B needs two people", "zone west is closed till 9",
        "zone north and zone south are done", "zone manager is on the way", "ozone tokyo", "the zone is tokyo",
        "zone tokyo\nand more words", "zone new york deliveries are late",
        "done", "done friday", "gone home", "none", "gone off", "tone off", "one tokyo", "ozone friday", "phone home",
    ],
)  # fmt: skip
def test_a_sentence_stays_an_update(text: str) -> None:
    assert meant(text).intent == "update"


def test_in_spanish() -> None:
    assert meant("zona tokio", "es").args == ("tokio",)
    assert meant("zona nueva york till sunday", "es").args == ("nueva york", "till sunday")
    assert meant("zona 5 cerrada hoy", "es").intent == "update"


@pytest.mark.parametrize(("name", "place"), [
    ("Asia/Tokyo", "Tokyo"), ("America/New_York", "New York"), ("UTC", "UTC"), ("Etc/GMT-2", "UTC+2"),
    ("Etc/GMT+11", "UTC-11"), ("America/Indiana/Knox", "Knox"),
])  # fmt: skip
def test_what_a_zone_is_called(name: str, place: str) -> None:
    assert time_zones.place(name) == place


def test_every_zone_can_be_written_as_it_is_suggested() -> None:
    for name in time_zones.usable():
        [found] = time_zones.find(time_zones.written_as(name)).exact or [None]
        assert found
        assert time_zones.find(name).exact == (found,)
