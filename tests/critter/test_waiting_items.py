"""What operators see of items that wait for their readers: in traces, the outbox, the metrics and the check."""

import json
import re

import pytest

from critter.administration.timeline import WAITS_FOR
from critter.doctor.check import run
from gateway.ledger.operations import drain_mode
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.doors.test_metrics import of, served, told
from tests.support.desk import Desk, asleep

LATE = "UPDATE held SET until = now() - interval '20 minutes' WHERE state = 'waiting'"


def newest_post(desk: Desk) -> str:
    return str(desk.office.sql("SELECT max(id) FROM posts")[0][0])


def test_a_trace_says_until_when_an_item_waits(desk: Desk) -> None:
    asleep(desk, "starting the ACME proposal")
    desk.office.sql("UPDATE held SET until = timestamptz '2030-01-02 07:00+00'")
    post = newest_post(desk)
    output = desk.office.critter("trace", post).output
    assert "text to @sam: waits until 2030-01-02 07:00 UTC (quiet hours)" in output
    assert "texts: 1 later" in output
    found = json.loads(desk.office.critter("trace", post, "--json").output)
    [held] = [one["held"] for one in found["deliveries"] if one["reader"] == "sam"]
    assert (held["state"], held["reason"], held["digest"]) == ("waiting", "quiet", None)
    assert [one["held"] for one in found["deliveries"] if one["reader"] == "priya"] == [None]
    assert found["cost"] == 0  # nothing was sent as a text yet


def test_a_trace_names_the_digest_which_costs_instead(desk: Desk) -> None:
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "quiet off")
    digest = desk.office.sql("SELECT message_id FROM digests")[0][0]
    output = desk.office.critter("trace", newest_post(desk)).output
    assert f"text to @sam: came in a digest, message {digest}" in output
    assert "text to @sam: waited (quiet hours)" in output
    assert "1 text, 1 mail" in output
    assert "$" not in output.splitlines()[0]
    assert "digest written" in desk.office.critter("trace", str(digest)).output


def test_a_trace_says_that_one_item_came_by_itself(desk: Desk) -> None:
    desk.says("sam", "off 8h")
    desk.says("kim", "starting the ACME proposal")
    desk.says("sam", "on")
    output = desk.office.critter("trace", newest_post(desk)).output
    assert "text to @sam: waited (turned off till then)" in output
    assert "text to @sam: has waited, and is sent by itself" in output


def test_a_trace_tells_of_every_reason_to_wait(desk: Desk) -> None:
    """The reasons are those that the database allows."""
    desk.says("sam", "digest kim")
    desk.says("kim", "starting the ACME proposal")
    assert "text to @sam: waits until" in (output := desk.office.critter("trace", newest_post(desk)).output)
    assert "(for a digest)" in output
    [[allowed]] = desk.office.sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'held'::regclass AND contype = 'c' AND conname ~ 'reason'"
    )
    assert set(re.findall(r"'(\w+)'", str(allowed))) == WAITS_FOR.keys()


def test_the_outbox_counts_what_waits(desk: Desk) -> None:
    asleep(desk, "starting the ACME proposal")
    output = desk.office.critter("outbox").output
    assert re.search(r"texts +held +1", output)
    assert re.search(r"1 wait for their readers, the next for \d+ (s|min|h)", output)
    listed = desk.office.critter("outbox", "--state", "held").output
    assert re.search(r"@sam +held .* in \d+ (s|min|h) +quiet", listed)
    found = json.loads(desk.office.critter("outbox", "--json").output)
    assert (found["waiting"]["waiting"], found["waiting"]["folded"], found["waiting"]["overdue"]) == (1, 0, None)


def test_what_is_overdue_is_an_alarm(desk: Desk, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    asleep(desk, "starting the ACME proposal")
    run(settings)
    assert "ok     waiting     1 item waiting for readers, none overdue" in capsys.readouterr().out
    desk.office.sql(LATE)
    assert run(settings) == 1
    assert "wrong  waiting     the oldest item" in capsys.readouterr().out
    assert "the oldest is overdue for 20 min" in desk.office.critter("outbox").output


def test_a_digest_that_left_and_is_not_followed_is_an_alarm_too(
    desk: Desk, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    asleep(desk, "first thing", "second thing")
    desk.says("sam", "quiet off")
    desk.office.sql("UPDATE held SET state = 'folded', ended_at = NULL")
    desk.office.sql("UPDATE deliveries SET ended_at = now() - interval '20 minutes'")
    run(settings)
    assert "wrong  waiting " in capsys.readouterr().out


def test_metrics_have_how_many_wait_and_how_late(desk: Desk, settings: Settings) -> None:
    asleep(desk, "starting the ACME proposal")
    with served(settings) as url:
        found = told(url)
        assert of(found, "queue_rows", queue="wake_ups") == 1
        assert of(found, "queue_age_seconds", queue="wake_ups") == 0
        desk.office.sql(LATE)
        assert of(told(url), "queue_age_seconds", queue="wake_ups") == pytest.approx(1200, abs=9)


def test_a_drain_waits_for_what_is_due_alone(desk: Desk) -> None:
    asleep(desk, "starting the ACME proposal")
    with transaction(desk.office.engine) as session:
        assert drain_mode.left(session) == {}
    desk.office.sql(LATE)
    with transaction(desk.office.engine) as session:
        assert drain_mode.left(session) == {"items that waited": 1}
