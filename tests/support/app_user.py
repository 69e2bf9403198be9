"""An app in front of the API, as somebody let it in: Flask's test client with a bearer token."""

from collections.abc import Sequence
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from gateway.network.apps import app_tokens, apps
from gateway.store.database import transaction

ALL = ("read", "write", "follow", "push")


class AppUser:
    """`token`: empty for who shows none."""

    def __init__(self, app: Flask, token: str = "") -> None:
        self.client, self.token = app.test_client(), token

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **more.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **more)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.ask("GET", path, query_string=query)

    def post(self, path: str, given: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        return self.ask("POST", path, json=given or {}, **more)


def let_in(app: Flask, engine: Engine, account_id: int | None, scopes: Sequence[str] = ALL) -> AppUser:
    """A new app with a token for somebody; for None: for itself."""
    with transaction(engine) as session:
        made = apps.register(session, "An app", ["urn:ietf:wg:oauth:2.0:oob"], scopes, None)
        return AppUser(app, app_tokens.begin(session, made.app, scopes, account_id))
