"""What is a status, what is an ordinary update that begins with the word, and what is asked about."""

import pytest

import handlers
from gateway.inbound.commands import TABLE
from gateway.language.grammar import read
from gateway.language.model.reading import Context, Reading
from gateway.language.usage.verbs import spoken, table
from tests.support.language_table import resolver

VERBS = table(TABLE.verbs)
assert handlers.MODULES


def meant(text: str, language: str = "en") -> Reading:
    return read(text, "sms", spoken(VERBS, language), resolver, Context())


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("status in the workshop till 4", ("in the workshop", "till 4")),
        ("STATUS In the Workshop TILL 16:30", ("In the Workshop", "till 16:30")),
        ("status at lunch for 1h", ("at lunch", "1h")),
        ("status on the road until friday.", ("on the road", "till friday")),
        ("status lunch 2h", ("lunch", "2h")),
        ("status sick", ("sick",)),
        ("status with kim till 3", ("with kim", "till 3")),
        ("status off", ("off",)),
        ("status", ()),
        ("status?", ()),
        ("/status away", ("away",)),
    ],
)
def test_a_line_and_its_end(text: str, args: tuple[str, ...]) -> None:
    reading = meant(text)
    assert (reading.intent, reading.args) == ("status", args)


@pytest.mark.parametrize("text", ["estado en el taller 2h", "Estado off"])
def test_in_spanish(text: str) -> None:
    assert meant(text, "es").intent == "status"
    assert meant(text).intent == "update"


@pytest.mark.parametrize(
    "text",
    [
        "status of the ACME deal: won",
        "status update: we are running late till 4",
        "status report is ready",
        "status quo stays till friday",
        "status meeting moved to 3",
        "status call at 9 tomorrow",
        "status page is red again",
        "status is green everywhere",
        "status of everything that we have open with them at the moment is fine",
        "the status is fine till 4",
        "statuses are out till 4",
        "Status\nof the run: all green",
        ".status in the workshop till 4",
        '"status in the workshop till 4"',
    ],
)
def test_ordinary_sentences_stay_updates(text: str) -> None:
    assert meant(text).intent == "update"
