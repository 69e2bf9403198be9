"""Somebody in front of the pages: signs in, opens pages, presses buttons. Flask's test client with a cookie jar."""

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from gateway.doors.web.visits import csrf
from gateway.network.web import web_sessions
from gateway.store.database import transaction
from gateway.store.tables import Account


class WebVisitor:
    """`token`: of the session; empty for a visitor who is not signed in."""

    def __init__(self, app: Flask, token: str = "") -> None:
        self.browser: FlaskClient = app.test_client()
        self.token = token
        if token:
            self.browser.set_cookie("critter", token)

    def open(self, path: str, **more: Any) -> TestResponse:
        return self.browser.get(path, **more)

    def press(
        self, path: str, form: dict[str, Any] | None = None, *, follow: bool = False, **more: Any
    ) -> TestResponse:
        """Sends a form as a page of ours would."""
        proof = {"csrf": csrf.token(self.token or self._visitor_cookie())}
        return self.browser.post(path, data={**proof, **(form or {})}, follow_redirects=follow, **more)

    def _visitor_cookie(self) -> str:
        known = self.browser.get_cookie("critter-sign-in")
        return known.value if known else ""

    def words(self, path: str) -> str:
        """The page without its markup, its blanks made one."""
        return plain(self.open(path).text)


def plain(page: str) -> str:
    main = page.partition("<main")[2] or page
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


def signed_in(app: Flask, engine: Engine, account_id: int) -> WebVisitor:
    with transaction(engine) as session:
        return WebVisitor(app, web_sessions.begin(session, session.get_one(Account, account_id), "code"))
