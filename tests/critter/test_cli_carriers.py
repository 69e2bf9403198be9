"""`critter carriers`: numbers and the relay are listed, paused and resumed, and a refusal says what to do."""

import json
from datetime import timedelta

import pytest

from gateway.carriers.descriptors.smtp import RELAY
from gateway.carriers.descriptors.twilio import TWILIO
from gateway.carriers.operator_advice import advice
from gateway.carriers.smtp.handshake import REFUSED
from gateway.carriers.smtp.oauth_tokens import OURS
from gateway.carriers.smtp.replies import TROUBLES
from gateway.carriers.twilio.error_codes import CODES
from gateway.ledger.senders import pauses, relay_quota, senders
from gateway.store.database import transaction
from tests.support.office import Office
from workers.sending.relay_quota import RelayQuota

FIRST, SECOND = "+15005550006", "+15005550007"


@pytest.fixture
def pool(office: Office) -> Office:
    with transaction(office.engine) as session:
        senders.sync(session, [(FIRST, "twilio"), (SECOND, "twilio")])
    return office


def refuse(office: Office, code: str, number: str | None = None) -> None:
    with transaction(office.engine) as session:
        senders.pause(session, number, None if number else "twilio", timedelta(minutes=1), code)


def paused(office: Office) -> dict[str, bool]:
    told = json.loads(office.critter("carriers", "list", "--json").output)
    return {one["number"]: one["paused"] for one in told}


def test_everything_that_sends_is_listed(pool: Office) -> None:
    output = pool.critter("carriers", "list").output
    assert output.count("active") == 3
    assert paused(pool) == {FIRST: False, SECOND: False, "mail": False}


def test_one_number_is_paused_and_resumed(pool: Office) -> None:
    result = pool.critter("carriers", "pause", FIRST, "--for", "2h", "--reason", "complaints")
    assert (result.exit_code, result.output.split(":")[0]) == (0, "Paused for 2 h")
    assert paused(pool) == {FIRST: True, SECOND: False, "mail": False}
    output = pool.critter("carriers", "list").output
    assert "complaints" in output
    assert f"{FIRST}: critter carriers resume {FIRST}" in output
    assert pool.critter("carriers", "resume", FIRST).output.startswith(f"Resumed: {FIRST}. What waited leaves")
    assert paused(pool) == {FIRST: False, SECOND: False, "mail": False}


def test_a_whole_carrier_is_paused_until_resumed(pool: Office) -> None:
    assert "until critter carriers resume twilio" in pool.critter("carriers", "pause", "twilio").output
    assert paused(pool) == {FIRST: True, SECOND: True, "mail": False}
    refuse(pool, "30034", FIRST)  # a minute's pause does not shorten it, nor take its reason away
    [first, *_] = json.loads(pool.critter("carriers", "list", "--json").output)
    assert (first["until"], first["reason"].endswith(": paused")) == (None, True)


@pytest.mark.parametrize("name", ["smtp", "mail"])
def test_the_relay_is_paused(pool: Office, name: str) -> None:
    pool.critter("carriers", "pause", name)
    assert paused(pool)["mail"]
    with transaction(pool.engine) as session:
        assert pauses.mail_is_paused(session)
    pool.critter("carriers", "resume", name)
    with transaction(pool.engine) as session:
        assert not pauses.mail_is_paused(session)


def test_who_did_it_is_kept_without_numbers(pool: Office) -> None:
    pool.critter("carriers", "pause", FIRST, "--for", "30m")
    pool.critter("carriers", "resume", "smtp")
    rows = pool.sql("SELECT actor <> '', action, subject_id, detail::text FROM audit ORDER BY id")
    assert [row[:3] for row in rows] == [(True, "carrier.pause", 1), (True, "carrier.resume", 0)]
    assert "1800" in str(rows[0][3])
    assert not any("+1" in str(row[3]) for row in rows)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("pause", "+15005550099"), "Nothing of ours is called '+15005550099'. There is: twilio, +15005550006"),
        (("resume", "fax"), "Nothing of ours is called 'fax'"),
        (("pause", "twilio", "--for", "soon"), "'soon' is not a time"),
    ],
)
def test_what_is_not_ours_changes_nothing(pool: Office, arguments: tuple[str, ...], says: str) -> None:
    result = pool.critter("carriers", *arguments)
    assert result.exit_code == 2
    assert says in result.output
    assert not any(paused(pool).values())
    assert pool.sql("SELECT 1 FROM audit") == []


@pytest.mark.parametrize("code", ["20003", "30034", "30032", "21606", "21608"])
def test_a_refusal_says_what_to_do(pool: Office, code: str) -> None:
    refuse(pool, code, FIRST)
    output = pool.critter("carriers", "list").output
    assert code in output
    assert f"{FIRST}: {advice(code)}" in output


def test_a_refused_login_at_the_relay_says_what_to_do(pool: Office) -> None:
    with transaction(pool.engine) as session:
        pauses.mail_refused(session, timedelta(minutes=1), "535")
    assert f"mail: {advice('535')}" in pool.critter("carriers", "list").output


def test_a_refusal_ends_by_itself(pool: Office) -> None:
    refuse(pool, "20003")
    pool.sql("UPDATE senders SET paused_until = now() - interval '1 second'")
    assert paused(pool)[FIRST] is False


def test_each_carrier_has_its_own_step() -> None:
    assert "TWILIO_AUTH_TOKEN" in advice("401", "twilio")
    assert "KANNEL_PASSWORD" in advice("401", "kannel")
    assert "CRITTER_HOOK_SECRET" in advice("403", "hook")
    assert advice("kim: paused", "kannel") == ""


def test_every_code_that_pauses_has_its_step() -> None:
    pausing = {str(code) for code, row in CODES.items() if row.action in ("pause_number", "pause_carrier")}
    relays = {one.reason for one in TROUBLES} | OURS | {REFUSED, "daily", "530", "534", "535", "538", "auth", "tls"}
    assert pausing | {"401"} == set(TWILIO.advice)
    assert relays == set(RELAY.advice)


def test_a_day_that_is_used_up_is_said(pool: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRITTER_SMTP_DAILY", "5")
    with transaction(pool.engine) as session:
        assert relay_quota.lock(session) == 0
        relay_quota.add(session, 5)
        assert RelayQuota(5).remaining(session, 100) == 0
    output = pool.critter("carriers", "list").output
    assert "mail: the day's mails are used up: it goes on at midnight UTC" in output
    assert output.endswith("mail: 5 of 5 of today (UTC)\n")
    [mail] = [one for one in json.loads(pool.critter("carriers", "list", "--json").output) if one["number"] == "mail"]
    assert (mail["today"], mail["daily"], mail["paused"], mail["reason"]) == (5, 5, True, "daily")
    assert "(daily): the day's mails are used up" in pool.critter("outbox").output
    assert json.loads(pool.critter("outbox", "--json").output)["paused"][0]["number"] == "mail"
