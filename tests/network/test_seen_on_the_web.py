"""Who is on the web, what comes there alone, and what goes to the phone because it was not seen there. The real
workers; it delays and never eats."""

import pytest

from gateway.actions import reacting, replying, seeing
from gateway.actions.preferences import unseen as setting
from gateway.errors import Refused
from gateway.network.people import accounts, erase, export
from gateway.network.presence import presence
from gateway.network.receipts import receipts
from gateway.store.database import transaction
from tests.support.desk import SLEEP, Desk

DUE = "UPDATE held SET until = now(), delayed_until = now() WHERE state = 'waiting'"
IDLE = "UPDATE presence SET active_at = now() - interval '61 seconds'"


def on_the_web(desk: Desk, handle: str) -> None:
    with transaction(desk.office.engine) as session:
        presence.note_activity(session, account(desk, handle))


def account(desk: Desk, handle: str) -> int:
    [row] = desk.office.sql("SELECT id FROM accounts WHERE handle = :handle", handle=handle)
    return int(row.id)


def posts(desk: Desk, words: str) -> list[int]:
    return [row.id for row in desk.office.sql("SELECT id FROM posts WHERE text LIKE '%' || :words || '%'", words=words)]


def saw(desk: Desk, handle: str, words: str) -> int:
    with transaction(desk.office.engine) as session:
        number = seeing.mark_seen(session, account(desk, handle), posts(desk, words))
    desk.send()
    return number


def time_comes(desk: Desk) -> None:
    desk.office.sql(DUE)
    desk.send()


def reasons(desk: Desk) -> list[tuple[str, str]]:
    return [(row.state, row.reason) for row in desk.office.sql("SELECT state, reason FROM held ORDER BY message_id")]


def deliveries(desk: Desk, handle: str) -> list[tuple[str, str | None]]:
    rows = desk.office.sql(
        """SELECT d.state, d.reason FROM deliveries d JOIN addresses a ON a.id = d.address_id
           JOIN messages m ON m.id = d.message_id AND m.kind = 'update'
           WHERE a.account_id = :who ORDER BY d.message_id""",
        who=account(desk, handle),
    )
    return [(row.state, row.reason) for row in rows]


# Presence


def test_input_is_written_once_in_half_a_minute(desk: Desk) -> None:
    on_the_web(desk, "sam")
    desk.office.sql("UPDATE presence SET active_at = now() - interval '29 seconds'")
    [before] = desk.office.sql("SELECT active_at, xmin::text AS version FROM presence")
    on_the_web(desk, "sam")
    assert desk.office.sql("SELECT active_at, xmin::text AS version FROM presence") == [before]
    desk.office.sql("UPDATE presence SET active_at = now() - interval '31 seconds'")
    on_the_web(desk, "sam")
    [row] = desk.office.sql("SELECT now() - active_at < interval '5 seconds' AS fresh FROM presence")
    assert row.fresh


def test_a_clock_that_was_set_back_makes_nobody_present(desk: Desk) -> None:
    on_the_web(desk, "sam")
    desk.office.sql("UPDATE presence SET active_at = now() + interval '1 hour'")
    desk.says("kim", "gate 4 is closed")
    assert desk.heard("sam") == ["Kim Lee: gate 4 is closed"]
    on_the_web(desk, "sam")
    [row] = desk.office.sql("SELECT active_at <= now() AS past FROM presence")
    assert row.past


# Online: a text waits three minutes for whoever is on the web


def test_whoever_is_on_the_web_gets_the_text_three_minutes_later(desk: Desk) -> None:
    on_the_web(desk, "sam")
    desk.says("kim", "gate 4 is closed")
    assert desk.heard("sam") == []
    assert reasons(desk) == [("waiting", "online")]
    [row] = desk.office.sql("SELECT until - created_at AS wait, delayed_until = until AS once FROM held")
    assert row.wait.total_seconds() == 180
    assert row.once
    on_the_web(desk, "sam")  # still there: it waits once
    time_comes(desk)
    assert desk.heard("sam") == ["Kim Lee: gate 4 is closed"]
    assert reasons(desk) == [("sent", "online")]
    desk.clean()


def test_seen_there_nothing_is_sent(desk: Desk) -> None:
    on_the_web(desk, "sam")
    desk.says("kim", "gate 4 is closed")
    assert saw(desk, "sam", "gate 4") == 1
    time_comes(desk)
    assert desk.heard("sam") == []
    assert reasons(desk) == [("seen", "online")]
    assert deliveries(desk, "sam") == [("cancelled", "seen")]
    assert saw(desk, "sam", "gate 4") == 0
    desk.clean()


def test_somebody_else_who_saw_it_ends_nothing(desk: Desk) -> None:
    on_the_web(desk, "sam")
    desk.says("kim", "gate 4 is closed")
    assert saw(desk, "bob", "gate 4") == 0
    time_comes(desk)
    assert desk.heard("sam") == ["Kim Lee: gate 4 is closed"]


def test_what_comes_meanwhile_comes_after_it(desk: Desk) -> None:
    """The reader left the web after the first one: the second one must not overtake it, and both come one by one."""
    on_the_web(desk, "sam")
    desk.says("kim", "first thing")
    desk.office.sql(IDLE)
    desk.says("kim", "second thing")
    desk.says("kim", "third thing")
    assert desk.heard("sam") == []
    [row] = desk.office.sql("SELECT count(DISTINCT until) AS ends FROM held")
    assert row.ends == 1
    time_comes(desk)
    assert [words.split(" (")[0] for words in desk.heard("sam")] == [
        "Kim Lee: first thing", "Kim Lee: second thing", "Kim Lee: third thing",
    ]  # fmt: skip
    desk.says("kim", "fourth thing")
    assert [words.split(" (")[0] for words in desk.heard("sam")] == ["Kim Lee: fourth thing"]


def test_a_page_that_is_only_open_delays_nothing(desk: Desk) -> None:
    on_the_web(desk, "sam")
    desk.office.sql(IDLE)
    desk.says("kim", "gate 4 is closed")
    assert desk.heard("sam") == ["Kim Lee: gate 4 is closed"]


def test_what_is_asked_for_and_mails_do_not_wait(desk: Desk) -> None:
    on_the_web(desk, "sam")
    on_the_web(desk, "priya")
    desk.says("sam", "whois kim")
    assert "Kim Lee" in desk.heard("sam")[0]
    desk.says("kim", "gate 4 is closed")
    assert len(desk.mailed("priya")) == 1


def test_what_waited_for_the_morning_still_comes_as_one_digest(desk: Desk) -> None:
    """Whoever is on the web when their quiet hours end gets one text, not one for each."""
    desk.says("sam", SLEEP)
    desk.heard("sam")
    for words in ("first thing", "second thing"):
        desk.says("kim", words)
    on_the_web(desk, "sam")
    desk.says("sam", "quiet off")
    assert [words for words in desk.heard("sam") if words.startswith("While you were quiet, 2 updates came:")]


def test_taken_back_meanwhile_it_never_comes(desk: Desk) -> None:
    on_the_web(desk, "sam")
    desk.says("kim", "gate 4 is closed")
    desk.says("kim", "undo")
    time_comes(desk)
    assert desk.heard("sam") == []
    desk.clean()


def test_a_change_of_settings_does_not_shorten_it(desk: Desk) -> None:
    on_the_web(desk, "sam")
    desk.says("kim", "gate 4 is closed")
    desk.says("sam", "quiet 22-7")
    desk.says("sam", "quiet off")
    assert not [words for words in desk.heard("sam") if "gate 4" in words]
    assert reasons(desk) == [("waiting", "online")]


def test_answering_or_liking_it_on_a_page_is_seeing_it(desk: Desk) -> None:
    on_the_web(desk, "sam")
    desk.says("kim", "gate 4 is closed")
    desk.says("kim", "gate 5 is open")
    with transaction(desk.office.engine) as session:
        sam = desk.office.actor(session, "sam")
        reacting.react(session, sam, posts(desk, "gate 4")[0], "like")
        replying.reply(session, sam, posts(desk, "gate 5")[0], "thank you")
    time_comes(desk)
    assert desk.heard("sam") == []
    assert [state for state, _ in reasons(desk)] == ["seen", "seen"]


# The way `web`


def test_what_is_wanted_on_the_web_alone_is_not_sent(desk: Desk) -> None:
    desk.says("sam", "prefer web for kim")
    assert desk.heard("sam") == ["From now on on the web alone: Kim Lee. To end it: PREFER USUAL FOR KIM"]
    desk.says("kim", "gate 4 is closed")
    assert desk.heard("sam") == []
    assert deliveries(desk, "sam") == [("cancelled", "on_web")]
    desk.says("kim", "who got it")
    assert desk.heard("kim")[-1] == '"gate 4 is closed": 1 got it, 1 on the web.'
    desk.says("kim", "who got sam")
    assert desk.heard("kim") == ['"gate 4 is closed": Sam Ortiz has it on the web alone.']
    desk.clean()


def test_another_cause_that_is_louder_brings_it(desk: Desk) -> None:
    desk.says("sam", "prefer web for kim")
    desk.heard("sam")
    desk.says("kim", "@sam gate 4 is closed")
    assert desk.heard("sam") == ["Kim Lee: @sam gate 4 is closed"]


@pytest.mark.parametrize("words", ["gate 4 is closed", "d sam gate 4 is closed", "@sam gate 4 is closed"])
def test_who_prefers_the_web_gets_no_texts(desk: Desk, words: str) -> None:
    desk.says("sam", "prefer web")
    assert "on the web alone" in desk.heard("sam")[0]
    desk.says("kim", words)
    desk.office.sql("UPDATE deliveries SET not_before = now() WHERE ended_at IS NULL")
    desk.send()
    assert desk.heard("sam") == []
    assert deliveries(desk, "sam") == [("cancelled", "on_web")]
    desk.says("sam", "undo")
    desk.says("kim", "gate 5 is open")
    assert desk.heard("sam")[-1] == "Kim Lee: gate 5 is open"


def test_a_text_that_was_queued_before_is_not_sent_either(desk: Desk) -> None:
    desk.office.says("kim", "gate 4 is closed")
    desk.office.read()
    desk.office.says("sam", "prefer web")
    desk.work()
    assert not [words for words in desk.heard("sam") if "gate 4" in words]


# Unseen: it goes to the phone when it was not seen there


def unseen(desk: Desk, *, words: str = "d sam gate 4 is closed") -> None:
    desk.says("sam", "prefer web")
    desk.says("sam", "unseen 5m")
    desk.heard("sam")
    desk.says("kim", words)
    desk.office.sql("UPDATE deliveries SET not_before = now() WHERE ended_at IS NULL")
    desk.send()
    assert desk.heard("sam") == []


@pytest.mark.parametrize("words", ["d sam gate 4 is closed", "@sam gate 4 is closed"])
def test_what_is_written_to_its_reader_comes_by_text_when_it_was_not_seen(desk: Desk, words: str) -> None:
    unseen(desk, words=words)
    assert reasons(desk) == [("waiting", "unseen")]
    [row] = desk.office.sql("SELECT until - created_at AS wait FROM held")
    assert row.wait.total_seconds() == 300
    time_comes(desk)
    [text] = desk.heard("sam")
    assert "gate 4 is closed" in text
    assert reasons(desk) == [("sent", "unseen")]
    desk.says("sam", "why")
    assert desk.heard("sam")[0].startswith("You had not seen it on the web for 5 minutes; UNSEEN OFF ends that. ")
    desk.clean()


def test_what_a_follow_brings_stays_on_the_web(desk: Desk) -> None:
    unseen(desk, words="gate 4 is closed")
    assert reasons(desk) == []
    assert deliveries(desk, "sam") == [("cancelled", "on_web")]


def test_seen_in_time_it_does_not_come(desk: Desk) -> None:
    unseen(desk)
    assert saw(desk, "sam", "gate 4") == 1
    time_comes(desk)
    assert desk.heard("sam") == []
    desk.says("kim", "who got it")
    with transaction(desk.office.engine) as session:
        tally = receipts.tally(session, posts(desk, "gate 4")[0])
    assert (tally.on_web, tally.got, tally.missed, tally.later) == (1, 0, 0, 0)
    desk.clean()


def test_quiet_hours_hold_it_and_then_it_comes(desk: Desk) -> None:
    unseen(desk)
    desk.says("sam", SLEEP)
    desk.heard("sam")
    time_comes(desk)
    assert desk.heard("sam") == []
    assert reasons(desk) == [("waiting", "quiet")]
    desk.says("sam", "quiet off")
    assert [words for words in desk.heard("sam") if "gate 4" in words]
    desk.clean()


def test_who_is_on_the_web_when_it_is_due_gets_it_all_the_same(desk: Desk) -> None:
    unseen(desk)
    on_the_web(desk, "sam")
    time_comes(desk)
    assert [words for words in desk.heard("sam") if "gate 4" in words]


def test_unseen_off_leaves_it_on_the_web(desk: Desk) -> None:
    unseen(desk)
    desk.says("sam", "unseen off")
    desk.heard("sam")
    time_comes(desk)
    assert desk.heard("sam") == []
    assert deliveries(desk, "sam") == [("cancelled", "on_web")]
    desk.clean()


def test_prefer_text_brings_what_waits_at_once(desk: Desk) -> None:
    unseen(desk)
    desk.says("sam", "prefer text")
    assert [words for words in desk.heard("sam") if "gate 4" in words]


def test_another_setting_does_not_shorten_the_wait(desk: Desk) -> None:
    unseen(desk)
    desk.says("sam", "zone tokyo")
    desk.says("sam", "prefer digest for groups")
    desk.says("sam", "quiet 22-7")
    desk.says("sam", "quiet off")
    desk.send()
    assert not [words for words in desk.heard("sam") if "gate 4" in words]
    [row] = desk.office.sql("SELECT reason, until = delayed_until AS kept FROM held")
    assert (row.reason, row.kept) == ("unseen", True)


def test_a_block_or_an_undo_ends_it(desk: Desk) -> None:
    unseen(desk)
    desk.says("sam", "block kim")
    desk.heard("sam")
    time_comes(desk)
    assert desk.heard("sam") == []
    desk.clean()


def test_without_a_phone_it_is_refused(desk: Desk) -> None:
    with transaction(desk.office.engine) as session, pytest.raises(Refused):
        setting.set_unseen(session, desk.office.actor(session, "priya"), 5)


def test_seen_while_in_a_digest_it_is_not_in_it(desk: Desk) -> None:
    desk.says("sam", SLEEP)
    desk.heard("sam")
    for words in ("first thing", "second thing", "third thing"):
        desk.says("kim", words)
    desk.office.sql("UPDATE addresses SET quiet = NULL, quiet_since = NULL")
    desk.office.sql("UPDATE held SET until = now() WHERE state = 'waiting'")
    desk.fold()
    assert {state for state, _ in reasons(desk)} == {"folded"}
    assert saw(desk, "sam", "second thing") == 1
    [digest] = desk.heard("sam")
    assert "second" not in digest
    assert "first thing" in digest
    assert "third thing" in digest
    desk.clean()


def test_a_repeat_of_what_was_seen_has_the_same_words(desk: Desk) -> None:
    desk.says("bob", "follow kim")
    desk.says("sam", "follow bob")
    desk.says("sam", SLEEP)
    desk.heard("sam")
    desk.says("kim", "gate 4 is closed")
    desk.office.sql("UPDATE deliveries SET state = 'cancelled', reason = 'off' WHERE state = 'held'")
    desk.office.sql("UPDATE held SET state = 'cancelled', ended_at = now()")
    desk.says("bob", "rt")
    desk.office.sql("UPDATE fanouts SET not_before = now()")
    desk.work()
    assert [state for state, _ in reasons(desk)].count("waiting") == 1
    with transaction(desk.office.engine) as session:
        [original] = [row.id for row in desk.office.sql("SELECT id FROM posts WHERE repeat_of IS NULL")]
        assert seeing.mark_seen(session, account(desk, "sam"), [original]) == 1


def test_export_and_erase_know_it(desk: Desk) -> None:
    unseen(desk)
    on_the_web(desk, "sam")
    with transaction(desk.office.engine) as session:
        sam = accounts.by_handle(session, "sam")
        assert sam
    with transaction(desk.office.engine) as session:
        kept = export.everything(session, sam)
    assert kept["attention"][0]["unseen_after"] == "00:05:00"
    assert kept["on_the_web"][0]["active_at"]
    assert kept["waiting"][0]["delayed_until"]
    with transaction(desk.office.engine) as session:
        sam = accounts.by_handle(session, "sam")
        assert sam
        erase.erase(session, sam, "test")
    assert desk.office.sql("SELECT FROM presence") == []
    assert desk.office.sql("SELECT FROM held WHERE state = 'waiting'") == []
