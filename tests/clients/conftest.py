"""A whole simulated company, and people who let clients in on the page, in a browser."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import requests

from tests.support.memory_folder import new_folder
from tests.support.running_critter import Company
from tests.support.running_critter import company as run_company

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
CODE = re.compile(r'<input class="input"[^>]* value="([^"]+)" readonly')


@pytest.fixture(scope="module")
def critter(memory: Path) -> Iterator[Company]:
    with run_company(new_folder(memory), CRITTER_HOLD_SECONDS="0") as running:
        yield running


@pytest.fixture(scope="module")
def url(critter: Company) -> str:
    return f"http://{critter.environ['CRITTER_WEB_LISTEN']}"


class Browser:
    """Of somebody who is signed in."""

    def __init__(self, url: str, handle: str) -> None:
        self.url, self.session = url, requests.Session()
        assert self.session.get(f"{url}/as/{handle}", timeout=30).status_code == 200

    def let_in(self, page: str) -> str:
        """Presses yes on the page that the client has led to; returns the code that is shown then."""
        asked = self.session.get(page, timeout=30)
        assert asked.status_code == 200, asked.text
        fields = {name: unescape(value) for name, value in HIDDEN.findall(asked.text)}
        answered = self.session.post(f"{self.url}/oauth/authorize", {**fields, "decision": "yes"}, timeout=30)
        shown = CODE.search(answered.text)
        assert shown, answered.text
        return unescape(shown[1])
