"""Checks the invariants of the ledger, and names the rows that break one, for `critter audit`."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.files import media_folder
from gateway.ledger.audit import audience_rules, audit_log, budget_rules, call_rules, role_check, rules, waiting_rules
from gateway.ledger.audit.audit_log import ChainHead
from gateway.ledger.audit.hash_chain import ChainCount
from gateway.ledger.audit.rules import Rule

RULES: Final = (*rules.RULES, *audience_rules.RULES, *budget_rules.RULES, *waiting_rules.RULES, *call_rules.RULES)
SETTLED: Final = timedelta(seconds=60)
MOST: Final = 1000  # broken rows that one rule names; nobody would read more


@dataclass(frozen=True, slots=True)
class InvariantViolation:
    """One row that breaks an invariant: the invariant, the rule in words, the kind of row, its id, what is wrong."""

    invariant: str
    rule: str
    kind: str
    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How many rows were checked, and what was found. `chain`: the rows of the audit; `open`: why somebody who has our
    database role could rewrite the audit."""

    counts: dict[str, int]
    broken: tuple[InvariantViolation, ...]
    chain: ChainCount
    open: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not self.broken

    def plain(self) -> dict[str, Any]:
        """The proof as values that JSON can hold."""
        return {
            "clean": self.clean,
            "counts": self.counts,
            "broken": [asdict(row) for row in self.broken],
            "audit": {**asdict(self.chain), "unprotected": list(self.open)},
        }


def prove(
    session: Session, settled: timedelta = SETTLED, var: Path | None = None, noted: ChainHead | None = None
) -> Proof:
    """Checks every rule on one snapshot, reads the media folder in `var` if given, and checks that the head of the
    audit that was `noted` before is still there. The caller has just begun its transaction and ends it without a
    change."""
    session.execute(SNAPSHOT)
    session.execute(PATIENCE)
    broken = tuple(row for rule in RULES for row in _ask(session, rule, settled))
    counts = dict(session.execute(COUNTS).mappings().one())
    chain = ChainCount()
    broken += (*_unchained(session, chain), *_headless(session, noted), *(_lost(session, var) if var else ()))
    return Proof(counts, broken, chain, role_check.gaps(session))


def _unchained(session: Session, count: ChainCount) -> Iterator[InvariantViolation]:
    """Reads all rows, for the count, and names the first MOST that are wrong."""
    for number, row in enumerate(audit_log.find_broken(session, count)):
        if number < MOST:
            yield InvariantViolation("I9", rules.CHAINED, "audit", str(row.id), row.why)


def _headless(session: Session, noted: ChainHead | None) -> Iterator[InvariantViolation]:
    if noted is not None and not audit_log.chain_stands(session, noted):
        yield InvariantViolation(
            "I9", rules.CHAINED, "head", str(noted), "was there once: rows were cut off the end, or rewritten"
        )


def _lost(session: Session, var: Path) -> list[InvariantViolation]:
    """Names files that should be in the folder and are missing there, or are not what they were."""
    there = {name: media_folder.right(var, name) for name in session.scalars(FILES)}
    lost = [name for name, right in there.items() if not right]
    rows = session.execute(WHOSE, {"names": lost}) if lost else ()
    return [
        InvariantViolation("I10", rules.SHOWN, "file", row[0], "is not in the media folder as it was kept")
        for row in rows
    ]


def _ask(session: Session, rule: Rule, settled: timedelta) -> list[InvariantViolation]:
    given = {"settled": settled} if ":settled" in rule.broken else {}
    rows = session.execute(text(f"{rule.opening} {rule.broken} LIMIT {MOST}"), given)
    return [InvariantViolation(rule.invariant, rule.says, rule.noun, str(row[0]), row[1]) for row in rows]


FILES: Final = text("""
    SELECT DISTINCT encode(file, 'hex') FROM media, unnest(ARRAY[sha256, small_sha256]) AS file
    WHERE state = 'fetched' AND file IS NOT NULL
""")
WHOSE: Final = text(f"""
    SELECT inbound_id || '.' || number FROM media
    WHERE encode(sha256, 'hex') = ANY (:names) OR encode(small_sha256, 'hex') = ANY (:names) LIMIT {MOST}
""")  # noqa: S608
SNAPSHOT: Final = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
PATIENCE: Final = text("SET LOCAL statement_timeout = '10min'")
COUNTS: Final = text("""
    SELECT (SELECT count(*) FROM inbound) AS inputs, (SELECT count(*) FROM posts) AS posts,
           (SELECT count(*) FROM deliveries) AS deliveries, (SELECT count(*) FROM attempts) AS attempts,
           (SELECT count(*) FROM inbound WHERE state = 'quarantined') AS quarantined
""")
