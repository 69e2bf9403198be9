"""What is in force is said once, in the views of schema.sql: who asks reads those. The tables behind them are for who
writes them, and for what is asked of another moment than now."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gateway.store.views import VIEWS

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("gateway", "handlers", "workers", "critter")
READ: Final = re.compile(
    r"\b(?:FROM|JOIN|USING)\s+(?:public\.)?(follows|topic_follows|trackers|silences)\b(?!\s*\()", re.IGNORECASE
)
DELETED: Final = re.compile(r"\bDELETE\s+FROM\s+\w+", re.IGNORECASE)
SWITCH: Final = re.compile(
    r"\boff_until\s*(?:[<>]|IS\b)|\bbouncing_since\s+IS\s+NULL|\bNOT\s+(?:\w+\.)?receiving\b", re.IGNORECASE
)
ORM: Final = ("Follow", "TopicFollow", "Tracker", "Silence")
ASKED: Final = ("select", "aliased", "exists")
PAST: Final = "asks of the moment when something left or was spread, not of now"
ASKS_THE_TABLE: Final = {
    "gateway/ledger/audit/audience_rules.py": PAST,
    "gateway/network/receipts/receipts.py": PAST,
    "gateway/network/audience/private_repeats.py": "what could be read once counts as read",
    "gateway/network/people/export.py": "a person is given everything, also what has ended",
    "gateway/network/people/erase.py": "counts and deletes everything, also what has ended",
    "gateway/network/follows/follow_snapshot.py": "keeps a follow as it is, for undo",
    "gateway/network/follows/follows.py": "writes them",
    "gateway/network/follows/tag_follows.py": "writes them",
    "gateway/network/follows/trackers.py": "writes them",
    "gateway/network/follows/subscriptions.py": "writes them",
    "gateway/ledger/operations/retention.py": "deletes what has ended",
    "gateway/network/follows/group_owners.py": "requests, and whether a group was ever used",
    "gateway/network/follows/relationships.py": "requests to join",
    "gateway/network/feeds/to_you.py": "requests to join, and when somebody began to follow",
    "gateway/network/mail/unsubscribe.py": "ends a follow whatever state it is in",
    "gateway/network/people/accounts.py": "cuts all follows of who leaves",
    "gateway/network/follows/mutes.py": "writes them",
    "gateway/store/tables.py": "is where they are declared",
    "critter/demo/pretend_followers.py": "counts all rows that it made",
    "critter/demo/tour/starting_over.py": "deletes them all",
}


def modules() -> Iterator[tuple[str, str]]:
    for package in PRODUCT:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text()


def asks_tables(source: str) -> bool:
    """Whether SQL in this module, or a condition on an ORM class, asks one of the tables behind the views."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and READ.search(DELETED.sub("", node.value)):
            return True
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ORM:
            return True
        asked = node.args if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ASKED else []
        if any(isinstance(each, ast.Name) and each.id in ORM for each in asked):
            return True
    return False


def test_who_asks_what_is_in_force_reads_the_views() -> None:
    asking = {path for path, source in modules() if asks_tables(source)}
    assert asking - ASKS_THE_TABLE.keys() == set()
    assert ASKS_THE_TABLE.keys() - asking == set()  # an exception that is not needed is taken out


def test_an_off_that_may_end_is_judged_by_the_view() -> None:
    found = {
        path
        for path, source in modules()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SWITCH.search(node.value)
    }
    # The list of bouncing mailboxes sorts by it; mails of who prefers them, and urgent calls, come where mails do not
    # come back, also while they are switched off.
    bouncing = {"gateway/network/mail/bounce_scores.py"}
    preferring = {"gateway/attention/way_sql.py", "gateway/network/audience/recipients.py"}
    urgent = {"gateway/network/calls/call_people.py", "gateway/network/calls/escalation.py"}
    assert found - bouncing - preferring - urgent == set()


SAMPLES: Final = {
    "FROM": 'GET = text("SELECT 1 FROM follows WHERE state = 1")',
    "JOIN": 'GET = text("SELECT 1 FROM accounts a JOIN silences s ON s.account_id = a.id")',
    "a subquery": 'GET = text("SELECT EXISTS (SELECT FROM topic_follows)")',
    "a condition": "select(1).where(Follow.expires_at > func.now())",
    "an alias": "follow = aliased(Follow)",
    "whole rows": "select(Silence)",
}


@pytest.mark.parametrize("source", SAMPLES.values(), ids=SAMPLES.keys())
def test_a_question_to_a_table_is_found(source: str) -> None:
    assert asks_tables(source)


def test_a_question_to_a_view_is_none() -> None:
    for name in VIEWS.tables:
        assert not asks_tables(f'GET = text("SELECT 1 FROM {name} WHERE account_id = 1")')
    assert not asks_tables('GONE = text("DELETE FROM follows WHERE account_id = 1")')
    assert not asks_tables("select(FollowInForce).where(FollowInForce.account_id == 1)")
