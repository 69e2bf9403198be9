"""Second halves of long private texts: the pure reading, and the whole road when things come late or out of order."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from gateway.language.grammar import read
from gateway.language.model.reading import Context, PendingFragment, Reading
from tests.support.language_table import BOARD, CONTEXT, KIM, PAT, VERBS, resolver
from tests.support.office import Office

LONG = "a long story about what everybody earns " * 5
FOLLOWING = [
    "goes on here", ".with a dot", '"with a quote', "/on sales", "follow sales", "@pat knows it", "#sales knows it",
    "5 of them", "r ok", "new haircut", "rt", "?", "done with it",
]  # fmt: skip


def meant(said: str, half: PendingFragment) -> Reading:
    return read(said, "sms", VERBS, resolver, Context(last=CONTEXT.last, half=half))


@pytest.mark.parametrize("second", FOLLOWING)
def test_whatever_it_begins_with_it_goes_where_the_first_went(second):
    reading = meant(second, PendingFragment((KIM, PAT), 500))
    assert (reading.intent, reading.names, reading.text, reading.post) == ("direct", (KIM, PAT), second, 500)
    in_group = meant(second, PendingFragment((BOARD,), 501, privacy="group"))
    assert (in_group.intent, in_group.names, in_group.text) == ("group", (BOARD,), second)


@pytest.mark.parametrize("second", FOLLOWING)
def test_what_is_held_is_read_as_a_whole(second):
    kept = meant(second, PendingFragment(held=f"d zzyzx {LONG.strip()}"))
    assert (kept.intent, kept.privacy) == ("ask", "direct")
    assert kept.text == f"d zzyzx {LONG.strip()} {second}"
    refused = meant(second, PendingFragment(held=LONG.strip()))
    assert (refused.intent, refused.privacy, refused.text) == ("ask", "direct", f"{LONG.strip()} {second}")


def test_what_is_private_by_itself_goes_to_those_it_names():
    for half in (PendingFragment((KIM,), 500), PendingFragment(held="d zzyzx " + LONG)):
        reading = meant("d pat not to kim", half)
        assert (reading.intent, reading.names, reading.post) == ("direct", (PAT,), None)
    assert meant("dpat not to kim", PendingFragment((KIM,), 500)).intent == "ask"


@pytest.mark.parametrize(("second", "intent"), [("STOP", "optout"), ("undo", "undo"), ("\U0001f44d", "reaction")])
def test_what_is_never_a_half(second, intent):
    assert meant(second, PendingFragment((KIM,), 500)).intent == intent
    assert meant(second, PendingFragment(held="d zzyzx " + LONG)).intent == intent


def visibilities(office: Office) -> list[tuple[str, str]]:
    return [(str(row[0]), str(row[1])[-12:]) for row in office.sql("SELECT visibility, text FROM posts ORDER BY id")]


def test_before_anybody_got_it_the_two_are_one_post(office):
    office.says("kim", f"d sam {LONG}")
    office.says("kim", "#sales the end")
    office.work()
    assert office.sql("SELECT count(*) FROM posts")[0][0] == 1
    assert office.sql("SELECT count(*) FROM messages WHERE kind = 'update'")[0][0] == 1
    both = f"{LONG.strip()} #sales the end"
    rows = office.sql("SELECT p.text, m.text, m.body FROM posts p JOIN messages m ON m.post_id = p.id")
    assert tuple(rows[0]) == (both, f"Kim Lee (private): {both}", both)


def test_once_it_has_left_the_second_follows(office):
    office.says("kim", f"d sam {LONG}")
    office.read()
    office.sql("UPDATE fanouts SET not_before = now()")
    office.work()
    office.says("kim", "the end")
    office.work()
    assert visibilities(office)[1] == ("direct", "the end")
    assert office.sql("SELECT count(*) FROM posts WHERE in_reply_to IS NOT NULL")[0][0] == 1


def test_while_a_worker_has_it_nothing_is_added(office):
    office.says("kim", f"d sam {LONG}")
    office.read()
    with office.engine.begin() as worker:
        worker.execute(text("SELECT FROM fanouts FOR UPDATE"))
        office.says("kim", "the end")
        office.read()
    assert [row[0] for row in visibilities(office)] == ["direct", "direct"]


@pytest.mark.parametrize(("seconds", "then"), [(9, "direct"), (11, "company"), (-20, "direct")])
def test_ten_seconds_count_between_the_arrivals_at_the_door(office, seconds, then):
    office.says("kim", f"d sam {LONG}")
    office.read()
    office.sql("UPDATE fanouts SET not_before = now()")
    office.work()
    office.says("kim", "the end")
    office.sql(
        "UPDATE inbound SET received_at = :at + (SELECT min(received_at) FROM inbound) WHERE state = 'new'",
        at=timedelta(seconds=seconds),
    )
    office.work()
    assert visibilities(office)[-1] == (then, "the end")


def test_what_was_refused_has_no_public_half_either(office):
    office.sql("UPDATE addresses SET state = 'stopped' WHERE address = '+14155550102'")
    office.says("kim", f"d sam {LONG}")
    office.says("kim", "my salary, too")
    office.work()
    assert visibilities(office) == []
    assert office.sql("SELECT count(*) FROM messages WHERE text LIKE 'Not sent.%'")[0][0] == 2


def test_what_waits_for_its_price_has_no_public_half_either(office):
    settings = office.settings.model_copy(update={"ask_phones": 0})
    office.registry = type(office)(office.engine, settings).registry
    office.says("kim", f"d sam {LONG}")
    office.says("kim", "my salary, too")
    office.work()
    assert visibilities(office) == []


def test_another_phone_is_another_talk(office):
    office.says("kim", f"d sam {LONG}")
    office.says("sam", "on my way")
    office.work()
    assert visibilities(office)[1] == ("company", "on my way")
