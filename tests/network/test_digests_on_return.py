"""`digest back`: what is in it waits till its reader writes, at most two weeks. Nobody else can bring it."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from gateway.actions.preferences import zone
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox import held
from gateway.network.mail import mailing_lists
from gateway.store.database import transaction
from tests.support.desk import Desk
from workers import wake_up

TWO_WEEKS = timedelta(days=14)
AWAY = "Auto-Submitted: auto-replied"


def away(desk: Desk, who: str = "sam") -> None:
    """They hear Kim in a digest when they are back, and two updates wait for that."""
    desk.says(who, "follow kim")
    desk.says(who, "digest kim")
    desk.says(who, "digest back")
    desk.heard(who)
    desk.says("kim", "first thing")
    desk.says("kim", "second thing")
    assert desk.heard(who) == []


def waits(desk: Desk) -> list[tuple[object, ...]]:
    return [tuple(row) for row in desk.office.sql("SELECT reason, slot, until FROM held WHERE state = 'waiting'")]


def mail(desk: Desk, sender: str, *lines: str, words: str = "groups") -> None:
    raw = "\r\n".join([f"Return-Path: <{sender}>", f"From: {sender}", "To: post@mail.example", *lines, "", words, ""])
    desk.office.accept(
        Incoming(
            "email", uuid.uuid4().bytes, sender, ("post@mail.example",), raw.encode(), True, uuid.uuid4().hex,
            proof="a server of ours",
        )
    )  # fmt: skip
    desk.work()


def test_it_waits_two_weeks_and_comes_when_they_write(desk: Desk) -> None:
    away(desk)
    rows = waits(desk)
    assert [row[:2] for row in rows] == [("digest", None)] * 2
    for row in rows:
        assert isinstance(row[2], datetime)
        assert abs(row[2] - datetime.now(UTC) - TWO_WEEKS) < timedelta(minutes=2)
    desk.says("sam", "groups")
    answer, digest = desk.heard("sam")
    assert digest.startswith("While you were away, 2 updates:")
    assert answer.startswith("You are in")
    assert desk.office.sql("SELECT kind FROM digests") == [("return",)]
    desk.says("kim", "third thing")
    assert desk.heard("sam") == []
    desk.clean()


def test_it_comes_after_two_weeks_at_the_latest(desk: Desk) -> None:
    away(desk)
    desk.office.sql("UPDATE held SET until = until - interval '14 days'")
    desk.send()
    assert desk.heard("sam")[0].startswith("While you were away, 2 updates:")
    desk.clean()


def test_an_update_and_a_mail_are_signs_of_life_too(desk: Desk) -> None:
    away(desk)
    desk.says("sam", "back at the depot")
    assert desk.heard("sam")[-1].startswith("While you were away, 2 updates:")
    away(desk, "pat")
    mail(desk, "pat@demo.example")
    assert any("While you were away, 2 updates:" in one for one in desk.mailed("pat"))


def test_what_they_write_that_is_refused_is_a_sign_of_life_too(desk: Desk) -> None:
    away(desk)
    desk.says("sam", "leave bob")
    assert desk.heard("sam")[-1].startswith("While you were away, 2 updates:")


NOT_THEM: dict[str, Callable[[Desk], None]] = {
    "a machine's mail": lambda desk: mail(desk, "pat@demo.example", AWAY, words="I am away"),
    "a list's mail": lambda desk: mail(desk, "pat@demo.example", "List-Id: <all.lists.example>"),
    "a colleague": lambda desk: desk.says("kim", "d pat hello"),
}


@pytest.mark.parametrize("what", NOT_THEM)
def test_what_is_no_sign_of_life(desk: Desk, what: str) -> None:
    away(desk, "pat")
    NOT_THEM[what](desk)
    assert [row[0] for row in waits(desk)] == ["digest"] * 2
    assert not any("While you were away" in one for one in desk.mailed("pat"))


def test_an_opt_out_brings_nothing_and_ends_what_waits(desk: Desk) -> None:
    away(desk)
    desk.says("sam", "STOP")
    assert waits(desk) == []
    assert not any("While you were away" in one for one in desk.heard("sam"))


def test_in_quiet_hours_it_waits_for_their_end(desk: Desk) -> None:
    desk.says("sam", "quiet 0-23:59")
    away(desk)
    desk.says("sam", "groups")
    assert not any("While you were away" in one for one in desk.heard("sam"))
    assert all(row[2] < datetime.now(UTC) + timedelta(days=2) for row in waits(desk))  # type: ignore[operator]
    desk.says("sam", "quiet off")
    assert desk.heard("sam")[-1].startswith("While you were away, 2 updates:")
    desk.clean()


def test_a_daily_one_sends_what_waits_at_its_time(desk: Desk) -> None:
    away(desk)
    desk.says("sam", "digest 8am")
    assert desk.heard("sam") == ["Your digest comes every day at 08:00, by text. To end it: DIGEST OFF"]
    assert all(row[1] is not None for row in waits(desk))
    desk.says("sam", "undo")
    assert desk.heard("sam") == ["Your digest comes when you are back again."]
    assert all(row[1] is None for row in waits(desk))
    desk.says("sam", "digest back")
    answer, digest = desk.heard("sam")
    assert answer.endswith("To make it daily: DIGEST 8AM")
    assert digest.startswith("While you were away, 2 updates:")


def test_who_changes_a_daily_one_to_it_keeps_what_waits(desk: Desk) -> None:
    """They have just written, and go away now: it does not come at once."""
    desk.says("sam", "digest kim")
    desk.says("kim", "first thing")
    desk.heard("sam")
    desk.says("sam", "digest back")
    assert len(desk.heard("sam")) == 1
    assert [row[:2] for row in waits(desk)] == [("digest", None)]


def test_ending_it_brings_what_waits(desk: Desk) -> None:
    away(desk)
    desk.says("sam", "digest off")
    answer, digest = desk.heard("sam")
    assert answer == "Digests are off: 1 follow comes one by one again. 2 updates waited and come now."
    assert digest.startswith("Your digest, 2 updates:")
    desk.says("kim", "third thing")
    assert desk.heard("sam")[0].startswith("Kim Lee: third thing")


def test_who_changes_a_setting_on_a_page_is_back(desk: Desk) -> None:
    away(desk)
    with transaction(desk.office.engine) as session:
        zone.set_zone(session, desk.office.actor(session, "sam"), "Asia/Tokyo")
    desk.send()
    assert desk.heard("sam")[0].startswith("While you were away, 2 updates:")


def test_what_was_taken_back_meanwhile_is_not_in_it(desk: Desk) -> None:
    away(desk)
    desk.says("kim", "undo")
    desk.says("sam", "groups")
    digest = desk.heard("sam")[-1]
    assert "first thing" in digest
    assert "second thing" not in digest


def test_one_click_ends_digests(desk: Desk) -> None:
    assert mailing_lists.of_message("digest", "return") == "digest"


def test_who_writes_twice_at_once_gets_one(desk: Desk) -> None:
    away(desk)
    desk.office.says("sam", "groups")
    desk.office.says("sam", "following")
    desk.work()
    assert sum(one.startswith("While you were away") for one in desk.heard("sam")) == 1
    desk.clean()


def test_a_text_does_not_wait_for_a_wake_up_in_hand(desk: Desk) -> None:
    away(desk)
    desk.office.sql("UPDATE held SET until = now() WHERE state = 'waiting'")
    with transaction(desk.office.engine) as session:
        assert held.due(session, 10)
        desk.office.says("sam", "groups")
        assert desk.office.read()  # it would wait for this transaction for ever
    desk.send()
    assert sum(one.startswith("While you were away") for one in desk.heard("sam")) == 1
    desk.clean()


def test_a_crash_between_the_text_and_the_wake_up_loses_nothing(desk: Desk) -> None:
    """What they wrote is done and what waits is due in one transaction; whoever comes next sends it."""
    away(desk)
    desk.office.says("sam", "groups")
    desk.office.read()
    assert all(row[2] <= datetime.now(UTC) for row in waits(desk))  # type: ignore[operator]
    assert wake_up.step(desk.context)
    desk.send()
    assert desk.heard("sam")[-1].startswith("While you were away")
    desk.clean()


def test_a_process_of_the_version_before_sees_a_daily_one(desk: Desk) -> None:
    """It reads `digest_every` alone, and whoever it sets a time for has that time."""
    away(desk)
    assert desk.office.sql("SELECT digest_every, digest_back FROM attention") == [("day", True)]
    desk.office.sql("UPDATE attention SET digest_every = 'week', digest_weekday = 0")
    desk.says("sam", "digest")
    assert desk.heard("sam")[0].startswith("Your digest comes every Monday at 08:00, by text.")
    desk.office.sql("UPDATE attention SET digest_every = NULL, digest_weekday = NULL")
    desk.says("sam", "digest")
    assert desk.heard("sam")[-1].startswith("2 updates wait for your digest, every day at 08:00")


def test_a_text_of_somebody_else_costs_no_statement_more(desk: Desk) -> None:
    """Whether a digest waits for whoever writes is asked by the statement that notes that they wrote."""
    said: list[str] = []
    desk.office.says("bob", "groups")
    event.listen(desk.office.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    desk.office.read()
    asked = [one for one in said if "digest_back" in one or "zones_now" in one or "out_of_office" in one]
    assert len(asked) == 1
    assert asked[0].lstrip().startswith("UPDATE addresses SET seen_at")
