"""Proves that the ledger holds what it promises, or names the rows that break a promise. `critter audit` asks."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger import rules, rules_of_audience, rules_of_money
from gateway.ledger.rules import Rule

RULES: Final = (*rules.RULES, *rules_of_audience.RULES, *rules_of_money.RULES)
SETTLED: Final = timedelta(seconds=60)
MOST: Final = 1000  # broken rows that one rule names; more would not be read


@dataclass(frozen=True, slots=True)
class Broken:
    """One row that breaks an invariant: which, the rule in words, what the row is, its id, what is wrong."""

    invariant: str
    rule: str
    kind: str
    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at, counted, and what was found."""

    counts: dict[str, int]
    broken: tuple[Broken, ...]

    @property
    def clean(self) -> bool:
        return not self.broken

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"clean": self.clean, "counts": self.counts, "broken": [asdict(row) for row in self.broken]}


def prove(session: Session, settled: timedelta = SETTLED) -> Proof:
    """Asks every rule, all on one snapshot. The caller has just begun its transaction and ends it without a change."""
    session.execute(SNAPSHOT)
    session.execute(PATIENCE)
    broken = tuple(row for rule in RULES for row in _ask(session, rule, settled))
    return Proof(dict(session.execute(COUNTS).mappings().one()), broken)


def _ask(session: Session, rule: Rule, settled: timedelta) -> list[Broken]:
    given = {"settled": settled} if ":settled" in rule.broken else {}
    rows = session.execute(text(f"{rule.opening} {rule.broken} LIMIT {MOST}"), given)
    return [Broken(rule.invariant, rule.says, rule.noun, str(row[0]), row[1]) for row in rows]


SNAPSHOT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
PATIENCE: Final = text("SET LOCAL statement_timeout = '10min'")
COUNTS: Final = text("""
    SELECT (SELECT count(*) FROM inbound) AS inputs, (SELECT count(*) FROM posts) AS posts,
           (SELECT count(*) FROM deliveries) AS deliveries, (SELECT count(*) FROM attempts) AS attempts
""")
