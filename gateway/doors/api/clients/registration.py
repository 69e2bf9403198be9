"""Registering a person by an app, for conformance runs alone (CRITTER_API_CONFORMANCE): elsewhere people are made by
those who run the installation."""

import time
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from werkzeug.exceptions import NotFound

from gateway.channels import EMAIL
from gateway.doors.api.clients import ROUTER
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.errors import ApiError
from gateway.doors.api.frame.fields import Entity, Parameters
from gateway.i18n.phrases import ENGLISH, languages
from gateway.network.apps import app_tokens
from gateway.network.people import accounts, addresses
from gateway.store.tables import Account, App


class Registration(Parameters):
    username: Annotated[str, Field(min_length=1, max_length=30)]
    email: Annotated[str, Field(min_length=3, max_length=254)]
    password: Annotated[str, Field(min_length=8, max_length=200)]
    agreement: bool
    locale: str = ENGLISH
    reason: str = ""

    @field_validator("agreement")
    @classmethod
    def _must_agree(cls, given: bool) -> bool:
        if not given:
            raise ValueError("must be accepted")
        return given


class NewToken(Entity):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a word of RFC 6750
    scope: str
    created_at: int


@ROUTER.post("/api/v1/accounts", "write:accounts", who="app")
def register(call: ApiCall, given: Registration) -> NewToken:
    """Makes a person and lets the app in for them. There is no such address where no conformance run is allowed."""
    passwords, access = call.api.passwords, call.access
    if passwords is None:
        raise NotFound
    assert access is not None
    person = _make(call, given)
    passwords.keep(person.id, given.password)
    app = call.session.get_one(App, access.app_id)
    token = app_tokens.begin(call.session, app, sorted(access.scopes), person.id)
    return NewToken(access_token=token, scope=" ".join(sorted(access.scopes)), created_at=int(time.time()))


def _make(call: ApiCall, given: Registration) -> Account:
    mailbox: Any = addresses.normal_mailbox(given.email)
    if addresses.find(call.session, EMAIL, mailbox):
        raise ApiError(422, "Validation failed: email: has already been taken")
    language = given.locale if given.locale in languages() else ENGLISH
    person = accounts.create_person(
        call.session, given.username.lower(), given.username, language=language, reserved=call.api.reserved
    )
    addresses.add(call.session, person.id, EMAIL, mailbox, "verified", True)
    return person
