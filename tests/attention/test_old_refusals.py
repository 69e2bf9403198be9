"""The rules in Python refuse what the one CASE in SQL refused, and for the same reason: compared on random states."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gateway.ledger.outbox.claims import Key
from tests.attention import old_refusals
from tests.attention.old_refusals import PRIVACY_FIRST
from tests.attention.random_states import RandomState
from tests.support.refusals import refusals

ODDS: Final = (0.02, 0.1, 0.35)
REASONS: Final = {
    "opted_out", "invited", "suspended", "bouncing", "deactivated", "gave_up", "retracted", "silenced", "private",
    "left", "off",
}  # fmt: skip
SAID: Final = {"off_till": "off"}  # what waits now for the end of an `off` was refused then


NAMED: Final = text("""
    SELECT d.message_id, d.address_id FROM deliveries d JOIN addresses a ON a.id = d.address_id
    JOIN messages m ON m.id = d.message_id AND m.kind = 'update'
    WHERE d.source_id IS NOT NULL AND (
        EXISTS (SELECT FROM mentions n WHERE n.post_id = m.post_id AND n.account_id = a.account_id)
        OR EXISTS (SELECT FROM post_recipients r WHERE r.post_id = m.post_id AND r.account_id = a.account_id))
""")


@contextmanager
def nothing_kept(engine: Engine) -> Iterator[Session]:
    """A session in which `now()` stands still and whose rows are gone afterwards."""
    with engine.connect() as connection, Session(connection) as session:
        yield session
        session.rollback()


@settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],  # a smaller seed is no smaller state
)
@given(seed=st.integers(0, 2**32))
@example(seed=0)  # has each of the moved reasons, which are rare
def test_the_rules_refuse_what_the_statement_refused(engine: Engine, seed: int) -> None:
    """Always the same deliveries. The reason is the same, but that privacy comes before every preference now. A post
    that names its reader is not refused any more because they have left, or switched off, what else brings it."""
    reasons: Counter[str | None] = Counter()
    moved: Counter[tuple[str, str]] = Counter()
    for odds in ODDS:
        with nothing_kept(engine) as session:
            keys = RandomState(session, seed, odds).make()
            found = {key: SAID.get(reason, reason) for key, reason in refusals(session, keys).items()}
            named = {(row[0], row[1]) for row in session.execute(NAMED)}
            refused = {key: reason for key, reason in found.items() if key not in named}
            before = old_refusals.find_refusals(session, keys)
            assert refused.keys() == before.keys() - named
            assert found.keys() <= before.keys()
            assert {before[key] for key in before.keys() - found.keys()} <= {"left", "off"}
            assert _same(refused, old_refusals.find_refusals(session, keys, PRIVACY_FIRST))
        reasons.update(refused.get(key) for key in keys)
        moved.update((before[key], reason) for key, reason in refused.items() if before[key] != reason)
    assert reasons.total() > 10_000
    assert reasons.keys() == REASONS | {None}
    assert min(reasons.values()) > 50
    assert {after for _, after in moved} <= {"private", "left"}
    assert {old for old, _ in moved} <= {"off", "left", "retracted"}
    assert seed or {old for old, _ in moved} == {"off", "left", "retracted"}


def _same(now: dict[Key, str], before: dict[Key, str]) -> bool:
    """Whoever has left what brings it, and switched off their phone as well, hears the first reason now."""
    return all(reason == before[key] or (reason, before[key]) == ("left", "off") for key, reason in now.items())
