"""What a first visit to Home loads over the wire, as the server packs it: at most 60 KB, of which our own scripts are a
small part. Later visits load the page alone, because all else has a year of cache."""

import re
from typing import Final

from gateway.network.feeds import feeds
from tests.doors.web.conftest import PageCompany
from tests.support.web_visitor import WebVisitor

FIRST_VISIT: Final = 60_000  # octets
SCRIPTS: Final = 8_000
PACKED: Final = {"Accept-Encoding": "gzip, br"}


def load(visitor: WebVisitor, path: str, sizes: dict[str, int]) -> None:
    """One file and what it asks for, each once."""
    if path in sizes:
        return
    answer = visitor.open(path, headers=PACKED)
    sizes[path] = len(answer.data)
    assert answer.status_code == 200, path
    if path.startswith("/static/"):
        assert "immutable" in answer.headers["Cache-Control"], path
    text = visitor.open(path).text if answer.mimetype in ("text/html", "text/javascript") else ""
    for found in re.findall(r'(?:src|href|from|import)(?:=| )"(/(?:static/|manifest)[^"#]+)', text):
        load(visitor, found, sizes)


def test_a_first_visit_is_small(company: PageCompany) -> None:
    for number in range(feeds.PAGE):
        company.says(("kim", "anne")[number % 2], f"@sam draft {number} of the design is on the wall")
    sizes: dict[str, int] = {}
    load(company.open("sam"), "/", sizes)
    scripts = sum(size for path, size in sizes.items() if ".js" in path and "htmx" not in path)
    assert sum(sizes.values()) <= FIRST_VISIT, sizes
    assert scripts <= SCRIPTS, sizes
    assert sizes["/"] < 10_000


def test_every_page_is_packed(company: PageCompany) -> None:
    for path in ("/", "/help", "/privacy", "/no-such-page"):
        answer = company.open("sam").open(path, headers=PACKED)
        assert answer.headers["Content-Encoding"] == "gzip", path
        assert answer.headers["Vary"] == "Accept-Encoding", path
