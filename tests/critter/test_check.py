"""The doctor, and what is refused at a start: PostgreSQL that forgets, a database of the other mode, none at all."""

import asyncio
import re
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from critter.console.database import open_database, prepare, refuse_unsafe_start
from critter.doctor.check import Look, run
from gateway.carriers.kannel import check as kannel
from gateway.carriers.webhook import check as webhook
from gateway.errors import Refused, SettingsError
from gateway.settings import Settings
from tests.support.fake_http_server import CLOSE, FakeHttpServer, http, serving


def test_servers_that_forget_are_refused_by_name(settings: Settings) -> None:
    """The tests' own server runs without fsync, which is what a careless one looks like."""
    with pytest.raises(Refused, match=r"^PostgreSQL has fsync and synchronous_commit off [^\n]*--unsafe"):
        prepare(settings)
    with pytest.raises(Refused, match="fsync"):
        refuse_unsafe_start(settings)


def test_experiments_may_go_on(settings: Settings) -> None:
    refuse_unsafe_start(settings.model_copy(update={"unsafe": True}))
    engine = prepare(settings, unsafe=True)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT mode FROM installation")) == "simulated"
    engine.dispose()


def test_database_of_the_other_mode_is_refused(settings: Settings) -> None:
    prepare(settings, unsafe=True).dispose()
    with pytest.raises(SettingsError, match=r"^CRITTER_MODE is live"):
        prepare(settings.model_copy(update={"mode": "live"}), unsafe=True)


def test_database_that_is_away_is_one_line(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://critter@127.0.0.1:1/critter"})
    with pytest.raises(Refused, match=r"^The database does not answer: is `critter up` running\?[^\n]*$"):
        open_database(away)
    refuse_unsafe_start(away)
    assert "does not answer yet" in caplog.text


def test_doctor_names_each_trouble(settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(settings) == 1
    verdicts = {line[7:19].strip(): line[:5].strip() for line in capsys.readouterr().out.splitlines()}
    assert verdicts == {
        "settings": "ok",
        "database": "ok",
        "durability": "wrong",
        "roles": "ok",
        "push": "ok",
        "redis": "ok",
        "twilio": "wrong",
        "money": "ok",
        "numbers": "wrong",
        "texts in": "wrong",
        "relay": "wrong",
        "senders": "ok",
        "clock": "ok",
        "months": "ok",
        "waiting": "ok",
    }


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (http(400, "Empty receiver number not allowed, rejected"), "takes our user"),
        (http(403, "Authorization failed for sendsms"), "KANNEL_PASSWORD"),
        (http(404, "Unknown request."), "KANNEL_URL"),
        (http(202, "0: Accepted for delivery"), "KANNEL_URL"),
        (b"220 mail.example ESMTP\r\n", "KANNEL_URL"),
    ],
)
def test_doctor_asks_kannel_without_sending(settings: Settings, answer: bytes, found: str) -> None:
    said, server = looked(kannel.user, settings, "kannel_url", [answer, CLOSE])
    assert found in said
    assert server.requests[0].headers["x-kannel-to"] == ""


def test_doctor_looks_whether_the_web_hook_listens(settings: Settings) -> None:
    assert "listens" in looked(webhook.listens, settings, "hook_url", [])[0]
    away = settings.model_copy(update={"hook_url": "http://127.0.0.1:1/out"})
    with pytest.raises(Refused, match="CRITTER_HOOK_URL"):
        webhook.listens(away)


def looked(look: Look, settings: Settings, name: str, script: list[object]) -> tuple[str, FakeHttpServer]:
    """What it says about a server that answers so."""

    async def story() -> tuple[str, FakeHttpServer]:
        async with serving(script) as server:
            try:
                return await asyncio.to_thread(look, settings.model_copy(update={name: f"{server.url}/x"})), server
            except Refused as refused:
                return str(refused), server

    return asyncio.run(story())


def texts_in(settings: Settings, capsys: pytest.CaptureFixture[str]) -> str:
    run(settings)
    return next(line for line in capsys.readouterr().out.splitlines() if line[7:].startswith("texts in"))


def test_doctor_knows_how_texts_come_in(settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert "never read: is critter clock running?" in texts_in(settings, capsys)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO watermarks (number, asked_at) VALUES ('+15005550006', now())"))
    assert texts_in(settings, capsys).startswith("ok     texts in    by web hooks, and from Twilio's list, last read")
    assert "polling" in texts_in(settings.model_copy(update={"sms_intake": "poll"}), capsys)
    assert "no CRITTER_FALLBACK_URL" in texts_in(settings.model_copy(update={"fallback_url": None}), capsys)
    with engine.begin() as connection:
        connection.execute(text("UPDATE watermarks SET failures = 3, reason = '503'"))
    assert "to ...06 was not complete 3 times in a row (503)" in texts_in(settings, capsys)
    with engine.begin() as connection:
        connection.execute(text("UPDATE watermarks SET failures = 0, asked_at = now() - interval '1 hour'"))
    assert "last read 3600 s ago: is critter clock running?" in texts_in(settings, capsys)


def test_doctor_leaves_out_a_channel_that_is_off(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    run(settings.model_copy(update={"sms": False, "mail": False}))
    said = capsys.readouterr().out
    assert "twilio" not in said
    assert "numbers" not in said
    assert "relay" not in said


def test_doctor_survives_strange_peers(
    settings: Settings, free_port: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    strange = {"smtp_relay": f"smtps://127.0.0.1:{free_port()}", "twilio_api_base": f"http://127.0.0.1:{free_port()}/x"}
    assert run(settings.model_copy(update=strange)) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["monthly_sms_budget", "daily_sms_budget"])
def test_a_budget_of_nothing_is_said_with_its_setting(
    settings: Settings, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings.model_copy(update={name: 0})) == 1
    assert f"CRITTER_{name.upper()} is 0: no text can be sent" in capsys.readouterr().out


def test_updates_that_wait_are_said(settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    run(settings)
    assert re.search(r"^ok +money", capsys.readouterr().out, re.MULTILINE)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO breaker (tripped_at) VALUES (now())"))
    run(settings)
    assert "look at critter costs, then --resume" in capsys.readouterr().out
