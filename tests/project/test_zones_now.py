"""Times go by the clock of where people are; accounts.timezone is only where they live. Whoever asks for somebody's
zone reads the view zones_now, or Account.zone_now, which asks it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("gateway", "handlers", "workers", "critter")
IN_SQL: Final = re.compile(r"\b\w+\.timezone\b|\bSELECT\b[^;]*\btimezone\b", re.IGNORECASE)
ASKS_FOR_HOME: Final = {
    "gateway/network/people/imports/apply.py": "writes where people live",
    "gateway/network/people/imports/plan.py": "compares where people live",
    "gateway/network/people/export.py": "a person is given both",
    "gateway/doors/web/operate/people_add.py": "somebody new lives, if nobody says else, where the operator lives",
    "gateway/network/inspect/profile.py": "an operator sees both",
    "gateway/inbound/unknown_senders.py": "a new colleague lives where the one lives who invites them",
    "gateway/network/mail/daily_mail.py": "asks the function behind the view, which would join accounts twice",
    "gateway/ledger/audit/waiting_rules.py": "asks of another moment than now",
}
ANOTHER: Final = {
    "gateway/network/operating/adding.py": "makes somebody who lives there",  # a field of another thing
    "gateway/attention/facts.py": "Facts.timezone is of the clock now",
    "gateway/attention/text_limit.py": "Facts.timezone is of the clock now",
    "gateway/attention/timing.py": "Facts.timezone is of the clock now",
    "gateway/network/digests/wake_up.py": "HeldItem.timezone is of the clock now",
    "gateway/network/audience/delivery_decisions.py": "HeldItem.timezone is of the clock now",
    "gateway/doors/web/media.py": "PostMedia.timezone is of the clock now",
}


def asks_for_home(source: str) -> bool:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr == "timezone":
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value):
            return True
    return False


def modules() -> Iterator[tuple[str, str]]:
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text()


def test_who_asks_for_a_zone_asks_for_the_one_of_now() -> None:
    asking = {path for path, source in modules() if asks_for_home(source)}
    assert asking == ASKS_FOR_HOME.keys() | ANOTHER.keys()


@pytest.mark.parametrize(
    "source",
    [
        "zone(context.account.timezone)",
        'GET = text("SELECT reader.timezone FROM accounts reader")',
        'GET = text("SELECT id, timezone FROM accounts")',
        "select(Account.timezone)",
    ],
)
def test_a_question_for_where_somebody_lives_is_found(source: str) -> None:
    assert asks_for_home(source)


def test_a_question_for_the_zone_of_now_is_none() -> None:
    assert not asks_for_home("zone(account.zone_now)")
    assert not asks_for_home('GET = text("SELECT z.zone FROM zones_now z")')
