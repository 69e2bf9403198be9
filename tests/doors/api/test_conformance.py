"""Conformance runs: people register by an app and sign in with a password, and nowhere else."""

import pytest

from gateway.errors import SettingsError
from gateway.settings import load
from tests.doors.api.conftest import ApiCompany
from tests.doors.api.test_letting_in import VERIFY, NewApp
from tests.support.app_user import AppUser

NEW = {"username": "Newt", "email": "newt@example.com", "password": "a password", "agreement": True, "locale": "en"}


def test_a_person_registers_and_signs_in(conformance: ApiCompany) -> None:
    alone = conformance.app_alone()
    made = alone.post("/api/v1/accounts", NEW)
    assert made.status_code == 200, made.text
    assert AppUser(conformance.app, made.json["access_token"]).get(VERIFY).status_code == 200
    assert conformance.scalar("SELECT handle FROM accounts WHERE name = 'Newt'") == "newt"
    app = NewApp(conformance)
    given = {"grant_type": "password", "client_id": app.id, "client_secret": app.secret, "scope": "read write"}
    for username, password, status in (
        ("newt@example.com", "a password", 200), ("newt", "a password", 200), ("newt", "another", 400),
        ("kim", "a password", 400), ("nobody@example.com", "a password", 400),
    ):  # fmt: skip
        answer = conformance.stranger().post("/oauth/token", {**given, "username": username, "password": password})
        assert answer.status_code == status, username
    for wrong in ({}, {"username": "other"}, {"agreement": False}, {"username": "?", "email": "x@example.com"}):
        assert alone.post("/api/v1/accounts", {**NEW, **wrong}).status_code == 422, wrong


def test_there_is_nothing_of_it_elsewhere(company: ApiCompany) -> None:
    assert company.app_alone().post("/api/v1/accounts", NEW).status_code == 404
    app = NewApp(company)
    given = {"grant_type": "password", "client_id": app.id, "client_secret": app.secret}
    answer = company.stranger().post("/oauth/token", {**given, "username": "kim", "password": ""})
    assert answer.json["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("more", [
    {"CRITTER_WEB_LISTEN": "0.0.0.0:3000"}, {"CRITTER_WEB_LISTEN": "192.0.2.1:3000"},
    {"CRITTER_DATABASE_URL": "postgresql://critter@127.0.0.1/critter"},
])  # fmt: skip
def test_it_is_allowed_on_this_machine_alone(tmp_path, more: dict[str, str]) -> None:
    here = {"CRITTER_VAR": str(tmp_path), "CRITTER_API_CONFORMANCE": "1", "CRITTER_WEB_LISTEN": "127.0.0.1:3000"}
    assert load(here).api_conformance
    assert load({**here, "CRITTER_WEB_LISTEN": "localhost:3000"}).api_conformance
    with pytest.raises(SettingsError, match="CRITTER_API_CONFORMANCE"):
        load({**here, **more})
