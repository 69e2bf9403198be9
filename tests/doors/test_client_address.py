"""Where a request came from: by the socket, by proxies of ours, and never by what a stranger writes (R27)."""

from collections.abc import Iterator

import pytest
import requests
from flask import Flask, request
from sqlalchemy import Engine

from gateway.doors.client_address import caller
from gateway.doors.web.metrics import may_ask
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from tests.doors.test_kannel_door import come_in, kannel, query, rows
from tests.support.web_process import changed, served

__all__ = ["kannel"]  # a fixture

PUBLIC = "https://critter.example.com"
STRANGER = "198.51.100.7"
HEADERS = [
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Via"),
    *("X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"),
]


def asked(settings: Settings, peer: str, *headers: tuple[str, str], host: str = "127.0.0.1:8000") -> str:
    environ = {"REMOTE_ADDR": peer}
    with Flask("asked").test_request_context("/", headers=[("Host", host), *headers], environ_base=environ):
        return str(caller(settings, request))


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("", "None"),
        ("@", "None"),
    ],
)
def test_without_a_proxy_it_is_the_other_end_of_the_socket(settings, peer, address):
    assert asked(settings, peer) == address


@pytest.mark.parametrize("value", ["127.0.0.1", STRANGER, "::1", "unknown", "nonsense", "127.0.0.1, 127.0.0.1", ","])
@pytest.mark.parametrize("name", HEADERS)
def test_what_an_unknown_proxy_passed_on_comes_from_nobody(settings, name, value):
    assert asked(settings, "127.0.0.1", (name, value)) == "None"


def test_the_public_name_without_a_word_of_the_caller_came_by_a_proxy(settings):
    behind = changed(settings, CRITTER_PUBLIC_URL=PUBLIC)
    for host in ("critter.example.com", "CRITTER.example.com", "critter.example.com:443"):
        assert asked(behind, "127.0.0.1", host=host) == "None"
    assert asked(behind, "127.0.0.1") == "127.0.0.1"
    assert asked(behind, "127.0.0.1", host="critter.example.com:8000") == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "written", "address"),
    [
        ("127.0.0.1", [STRANGER], STRANGER),
        ("127.0.0.1", [f"127.0.0.1, {STRANGER}"], STRANGER),  # the stranger's own words stand left of ours
        ("127.0.0.1", ["127.0.0.1", STRANGER], STRANGER),
        ("127.0.0.1", [f"127.0.0.1, {STRANGER}, 10.1.2.3"], STRANGER),
        ("127.0.0.1", ["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
        ("10.1.2.3", ["192.0.2.9"], "192.0.2.9"),
        ("::ffff:10.1.2.3", ["::ffff:192.0.2.9"], "192.0.2.9"),
        ("127.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("127.0.0.1", [f"{STRANGER}:4711"], STRANGER),
        ("127.0.0.1", ["127.0.0.1"], "127.0.0.1"),  # Kannel beside the proxy
        ("127.0.0.1", ["unknown"], "None"),
        ("127.0.0.1", ["127.0.0.1, "], "None"),
        ("127.0.0.1", ["127.0.0.1, nonsense"], "None"),
        (STRANGER, ["127.0.0.1"], "None"),  # not by our proxy at all
        ("192.0.2.1", ["127.0.0.1, 10.1.2.3"], "None"),
    ],
)
def test_behind_our_proxies_it_is_what_the_first_of_them_saw(settings, peer, written, address):
    behind = changed(settings, CRITTER_PUBLIC_URL=PUBLIC, CRITTER_PROXY_FROM="127.0.0.1/32,10.1.0.0/16")
    headers = [("X-Forwarded-For", line) for line in written]
    assert asked(behind, peer, *headers, host="critter.example.com") == address


def test_a_proxy_of_ours_that_says_something_else_says_nothing(settings):
    behind = changed(settings, CRITTER_PROXY_FROM="127.0.0.1/32")
    for name in ("X-Real-IP", "Forwarded", "Via"):
        assert asked(behind, "127.0.0.1", (name, "127.0.0.1")) == "None"


@pytest.fixture
def behind(kannel: Settings) -> Iterator[str]:
    """Kannel's door as it stands behind the example's nginx."""
    with served(changed(kannel, CRITTER_PUBLIC_URL=PUBLIC, CRITTER_PROXY_FROM="127.0.0.1/32")) as url:
        yield url


@pytest.mark.parametrize("written", [STRANGER, f"127.0.0.1, {STRANGER}", f"::1,{STRANGER}"])
def test_a_stranger_who_has_the_token_is_not_near_kannel(behind, engine: Engine, kannel, written):
    forged = {"X-Forwarded-For": written, "Host": "critter.example.com"}
    token = Signer(kannel.secret_keys).sign("status", 7)
    for place in (f"inbound?{query()}", f"status/{token}?type=1"):
        assert requests.get(f"{behind}/sms/kannel/{place}", headers=forged, timeout=9).status_code == 403
    assert rows(engine) == []


def test_kannel_itself_is_heard_directly_and_by_the_proxy(behind, engine: Engine):
    assert come_in(behind) == 200
    by_proxy = {"X-Forwarded-For": "127.0.0.1", "Host": "critter.example.com"}
    other = query(id="fe99e78a-8f9a-42e0-8757-419863c81f13")
    assert requests.get(f"{behind}/sms/kannel/inbound?{other}", headers=by_proxy, timeout=9).status_code == 200
    assert len(rows(engine)) == 2


def test_behind_a_proxy_nobody_named_kannel_is_told_to_try_again_and_the_operator_why(
    kannel, engine: Engine, monkeypatch, caplog
):
    """Not 403: the text must not be lost while the setting is missing."""
    monkeypatch.setattr("gateway.doors.sms.kannel._told_at", float("-inf"))
    with served(changed(kannel, CRITTER_PUBLIC_URL=PUBLIC)) as url:
        for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Host": "critter.example.com"}):
            answer = requests.get(f"{url}/sms/kannel/inbound?{query()}", headers=headers, timeout=9)
            assert answer.status_code == 503
    assert rows(engine) == []
    assert len([record for record in caplog.records if "CRITTER_PROXY_FROM" in record.message]) == 1


@pytest.mark.parametrize("header", HEADERS)
def test_figures_are_for_this_machine_alone_also_behind_a_proxy_of_ours(header):
    with Flask("asked").test_request_context(
        "/metrics", headers={header: "127.0.0.1", "Host": "localhost"}, environ_base={"REMOTE_ADDR": "127.0.0.1"}
    ):
        assert not may_ask("", request)
