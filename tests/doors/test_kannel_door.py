"""Kannel's door on a real socket, in front of the real PostgreSQL; requests look as Kannel 1.4.5 makes them."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import Engine
from sqlalchemy import text as sql

from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.web_process import changed, served

OURS, SENDER = "+4915550100", "+4915550101"
ID = "fe99e78a-8f9a-42e0-8757-419863c81f12"


@pytest.fixture
def kannel(settings: Settings, engine: Engine) -> Settings:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    return changed(
        settings,
        CRITTER_SMS_NUMBERS=f"{OURS}@kannel,+15005550006",
        CRITTER_SMS_REGION="DE",
        KANNEL_URL="http://127.0.0.1:13013/cgi-bin/sendsms",
        KANNEL_USERNAME="critter",
        KANNEL_PASSWORD="p",
        KANNEL_TOKEN="token",
    )


@pytest.fixture
def url(kannel: Settings) -> Iterator[str]:
    with served(kannel) as place:
        yield place


def rows(engine: Engine, query: str = "SELECT * FROM inbound ORDER BY id") -> list:
    with engine.connect() as connection:
        return list(connection.execute(sql(query)))


def query(**changes: str | bytes | None) -> str:
    """As Kannel writes it: blanks as +, bytes as they are on the phone's side."""
    fields: dict[str, str | bytes | None] = {
        "token": "token", "from": SENDER, "to": OURS, "text": "hello", "charset": "UTF-8", "coding": "0", "udh": "",
        "time": "2026-11-25 21:52:38", "id": ID, **changes,
    }  # fmt: skip
    return "&".join(f"{name}={quote(value).replace('%20', '+')}" for name, value in fields.items() if value is not None)


def come_in(url: str, **changes: str | bytes | None) -> int:
    return requests.get(f"{url}/sms/kannel/inbound?{query(**changes)}", timeout=9).status_code


def test_a_text_is_one_row_however_often_it_comes(url, engine):
    assert [come_in(url, text="  Grüße, two  blanks + € & 50 %") for _ in range(3)] == [200] * 3
    (row,) = rows(engine)
    assert (row.channel, row.sender, row.recipients, row.trusted) == ("sms", SENDER, [OURS], True)
    assert (row.text, row.message_id) == ("  Grüße, two  blanks + € & 50 %", ID)
    assert b"token" not in bytes(row.raw)
    assert quote("Grüße").encode() in bytes(row.raw)


def test_the_answer_is_empty_so_that_kannel_sends_nothing(url):
    answer = requests.get(f"{url}/sms/kannel/inbound?{query()}", timeout=9)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("charset", "coding", "content", "read"),
    [
        ("UTF-8", "0", "é€".encode(), "é€"),
        ("UTF-16BE", "2", "שלום 😀".encode("utf-16-be"), "שלום 😀"),
        ("utf-16be", "2", "ab".encode("utf-16-be") + b"\x00", "ab\ufffd"),
        ("UTF-16BE", "2", b"\xd8\x3d", "\ufffd"),
        ("ISO-8859-1", "0", "é".encode("latin-1"), "é"),
        ("UTF-8", "0", b"ok \xff", "ok \ufffd"),
        ("UTF-8", "0", b"a\x00b", "ab"),
        ("no-such", "0", "é".encode(), "é"),
        ("punycode", "0", b"x-", "x-"),
        ("", "", b"plain", "plain"),
        ("8-BIT", "1", b"\x06\x05\x04\xff", ""),
    ],
)
def test_charset_and_coding(url, engine, charset, coding, content, read):
    assert come_in(url, charset=charset, coding=coding, text=content) == 200
    (row,) = rows(engine)
    assert row.text == read


@pytest.mark.parametrize("written", ["+4915550101", "004915550101", "015550101"])
def test_numbers_as_centers_write_them(url, engine, written):
    assert come_in(url, **{"from": written}) == 200
    assert [row.sender for row in rows(engine)] == [SENDER]


def test_without_an_id_the_same_words_in_the_same_second_are_one(url, engine):
    for changes in [{}, {}, {"text": "hello!"}, {"time": "2026-11-25 21:52:39"}, {"from": "+4915550102"}]:
        assert come_in(url, id=None, **changes) == 200
    assert len(rows(engine)) == 4
    assert come_in(url, id=None, time=None) == 400


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token": "wrong"}, 403),
        ({"token": ""}, 403),
        ({"token": None}, 403),
        ({"to": "+4915550109"}, 403),
        ({"to": "+15005550006"}, 403),  # ours, but Twilio's
        ({"to": ""}, 400),
        ({"from": "BANK"}, 400),
        ({"from": "+49"}, 400),
        ({"from": None}, 400),
        ({f"more{n}": "" for n in range(40)}, 400),
    ],
)
def test_what_is_refused_leaves_nothing(url, engine, changes, code):
    assert come_in(url, **changes) == code
    assert rows(engine) == []


def test_from_elsewhere_nobody_is_heard(kannel, engine):
    with served(changed(kannel, KANNEL_FROM="192.0.2.0/24")) as url:
        token = Signer(kannel.secret_keys).sign("status", 7)
        assert come_in(url) == 403
        assert requests.get(f"{url}/sms/kannel/status/{token}?type=1", timeout=9).status_code == 403
    assert rows(engine) == []


def test_only_get_is_there(url):
    assert requests.post(f"{url}/sms/kannel/inbound?{query()}", timeout=9).status_code == 405


def report(url: str, token: str, **fields: str) -> int:
    place = f"{url}/sms/kannel/status/{token}"
    return requests.get(place, params={"answer": "", "report": "", "id": "", **fields}, timeout=9).status_code


def test_reports_are_kept_with_their_carrier(url, engine, kannel):
    token = Signer(kannel.secret_keys).sign("status", 7)
    assert report(url, token, type="8", answer="ACK/") == 200
    assert report(url, token, type="2", report="id:1 stat:UNDELIV err:004 text:secret", id="e4d0") == 200
    found = rows(engine, "SELECT * FROM callbacks ORDER BY id")
    assert [(r.attempt_id, r.carrier, r.status, r.carrier_id, r.reason) for r in found] == [
        (7, "kannel", "8", "", None),
        (7, "kannel", "2", "e4d0", "UNDELIV 004"),
    ]


def test_reports_for_nobody_are_refused(url, engine, kannel):
    token = Signer(kannel.secret_keys).sign("status", 7)
    codes = [report(url, "x" + token, type="8"), report(url, token, type="x"), report(url, token)]
    assert codes == [403, 400, 400]
    assert report(url, Signer(("other",)).sign("status", 7), type="1") == 403
    assert rows(engine, "SELECT * FROM callbacks") == []


def test_no_door_for_a_carrier_that_no_number_names(settings, engine):
    with served(settings) as url:
        assert come_in(url) == 404
