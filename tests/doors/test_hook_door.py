"""The web hook's door on a real socket, in front of the real PostgreSQL."""

import json
import time
from collections.abc import Iterator

import pytest
import requests
from sqlalchemy import Engine
from sqlalchemy import text as sql

from gateway.security import standard_webhooks
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.web_process import changed, served

OURS, SENDER = "55555", "+15551230001"
SECRET, OLD = "the new secret", "the old secret"
TEXT = {"id": "in-1", "from": SENDER, "to": OURS, "text": "caffè 👍"}


@pytest.fixture
def hooked(settings: Settings, engine: Engine) -> Settings:
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    return changed(
        settings,
        CRITTER_SMS_NUMBERS=f"+15005550006,{OURS}@hook",
        CRITTER_HOOK_URL="http://127.0.0.1:9/out",
        CRITTER_HOOK_SECRET=f"{SECRET},{OLD}",
    )


@pytest.fixture
def url(hooked: Settings) -> Iterator[str]:
    with served(hooked) as place:
        yield place


def rows(engine: Engine, table: str = "inbound") -> list:
    with engine.connect() as connection:
        return list(connection.execute(sql(f"SELECT * FROM {table} ORDER BY id")))


def call(url: str, path: str, fields: object, secret: str = SECRET, at: float | None = None, **headers: str) -> int:
    body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    signed = standard_webhooks.sign(standard_webhooks.key_of(secret), "call-1", body, at)
    return requests.post(url + path, data=body, headers={**signed, **headers}, timeout=9).status_code


def test_a_text_is_one_row_however_often_it_comes(url, engine):
    assert [call(url, "/sms/hook/inbound", TEXT, secret) for secret in (SECRET, SECRET, OLD)] == [204] * 3
    (row,) = rows(engine)
    assert (row.channel, row.sender, row.recipients, row.trusted) == ("sms", SENDER, [OURS], True)
    assert (row.text, row.message_id) == ("caffè 👍", "in-1")
    assert json.loads(bytes(row.raw)) == TEXT


def test_only_a_fresh_signature_counts(url, engine):
    now, body = time.time(), json.dumps(TEXT).encode()
    refused = [
        call(url, "/sms/hook/inbound", TEXT, "another secret"),
        call(url, "/sms/hook/inbound", TEXT, at=now - 400),
        call(url, "/sms/hook/inbound", TEXT, at=now + 400),
        call(url, "/sms/hook/inbound", TEXT, **{"webhook-id": "call-2"}),
        call(url, "/sms/hook/inbound?x=1", TEXT),
        requests.post(f"{url}/sms/hook/inbound", data=body, timeout=9).status_code,
    ]
    assert refused == [403] * 6
    assert rows(engine) == []
    assert call(url, "/sms/hook/inbound", TEXT, at=now - 200) == 204


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 50_000, 400),
        ([], 400),
        ({}, 400),
        ({**TEXT, "id": ""}, 400),
        ({**TEXT, "id": 7}, 400),
        ({**TEXT, "id": "x" * 200}, 400),
        ({**TEXT, "from": "BANK"}, 400),
        ({**TEXT, "to": None}, 400),
        ({**TEXT, "to": "+15005550006"}, 403),
        ({**TEXT, "text": ["a"]}, 400),
        ({**TEXT, "text": "x" * 20_000}, 400),
        ({**TEXT, "text": "x" * 200_000}, 413),
    ],
)
def test_what_is_refused_leaves_nothing(url, engine, fields, code):
    assert call(url, "/sms/hook/inbound", fields) == code
    assert rows(engine) == []


def test_odd_characters_are_kept_as_far_as_the_database_can(url, engine):
    assert call(url, "/sms/hook/inbound", {**TEXT, "text": "a\0b\ud800"}) == 204
    assert [row.text for row in rows(engine)] == ["ab?"]


def test_statuses_are_kept_with_their_carrier(url, engine, hooked):
    path = f"/sms/hook/status/{Signer(hooked.secret_keys).sign('status', 7)}"
    assert call(url, path, {"id": "x-1", "status": "sent"}) == 204
    assert call(url, path, {"id": "x-1", "status": "failed", "reason": "opted_out"}) == 204
    assert call(url, path, {"id": "x-1", "status": "failed", "reason": "call +15551230001"}) == 204
    found = rows(engine, "callbacks")
    assert [(r.attempt_id, r.carrier, r.status, r.carrier_id, r.reason) for r in found] == [
        (7, "hook", "sent", "x-1", None),
        (7, "hook", "failed", "x-1", "21610"),
        (7, "hook", "failed", "x-1", None),
    ]


def test_statuses_for_nobody_are_refused(url, engine, hooked):
    path = f"/sms/hook/status/{Signer(hooked.secret_keys).sign('status', 7)}"
    assert call(url, path + "x", {"id": "x-1", "status": "sent"}) == 403
    assert call(url, path, {"id": "x-1", "status": "sent"}, "another") == 403
    assert call(url, path, {"id": "x-1", "status": "Sent!"}) == 400
    assert call(url, path, {"status": "sent"}) == 400
    assert rows(engine, "callbacks") == []
