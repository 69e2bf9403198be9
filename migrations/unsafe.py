"""Names the statements of a migration that would keep a door waiting, and says how to write each one instead.

A test checks every migration with it. A comment above a statement that is really harmless allows it: `-- allow: why`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from migrations.statements import Statement
from migrations.steps import MigrationStep

Rule = Callable[[str, "FileState"], str | None]


class FileState:
    """What the file has done so far: tables that it made itself, which nobody uses yet, and constraints that it has
    validated."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self.unchecked: dict[str, str] = {}  # NOT VALID constraints: name → definition
        self.checked: list[str] = []

    def learn(self, sql: str) -> None:
        if found := re.match(r"CREATE (?:TEMP\w* |UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)", sql, re.I):
            self.made.add(found[1])
        for name, says in re.findall(r"ADD CONSTRAINT (\w+) (.*?) NOT VALID", sql, re.I):
            self.unchecked[name] = says
        if found := re.search(r"VALIDATE CONSTRAINT (\w+)", sql, re.I):
            self.checked.append(self.unchecked.get(found[1], ""))

    def old(self, table: str) -> bool:
        return table not in self.made


def find_unsafe(steps: list[MigrationStep]) -> Iterator[str]:
    """Yields a text for each statement that must not be written as it is."""
    known = FileState()
    for step in steps:
        for statement in step.statements:
            if "allow" not in statement.notes:
                yield from (f"{statement.short}\n    {why}" for why in _whys(statement, step, known))
        if len(step.statements) > 1 and "allow" not in step.statements[0].notes:
            yield from _in_a_group(step)
        for statement in step.statements:
            known.learn(statement.bare)


def _whys(statement: Statement, step: MigrationStep, known: FileState) -> Iterator[str]:
    sql = statement.bare
    for rule in RULES:
        if why := rule(sql, known):
            yield why
    if step.batch is None and (why := _unbatched(sql, known)):
        yield why


def _in_a_group(step: MigrationStep) -> Iterator[str]:
    for statement in step.statements:
        if re.search(r"\bCONCURRENTLY\b|\bVALIDATE CONSTRAINT\b", statement.bare, re.I) or "batch" in statement.notes:
            yield f"{statement.short}\n    takes long: write it outside of BEGIN … COMMIT, as a step of its own"


def _index(sql: str, known: FileState) -> str | None:
    found = re.match(r"CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?.*?\bON (?:ONLY )?(\w+)", sql, re.I)
    if found and not found[1] and known.old(found[2]):
        return f"keeps every writer of {found[2]} out until it is built: write CREATE INDEX CONCURRENTLY NAME ON …"
    return None


def _reindex(sql: str, known: FileState) -> str | None:
    if re.match(r"(REINDEX(?!.*CONCURRENTLY)|CLUSTER|VACUUM|TRUNCATE)\b", sql, re.I):
        return "locks a whole table for long, or empties it: leave it out of migrations"
    return None


def _constraint(sql: str, known: FileState) -> str | None:
    for table, action in _actions(sql, known):
        if not re.match(r"ADD (CONSTRAINT|CHECK|FOREIGN|UNIQUE|PRIMARY|EXCLUDE)", action, re.I):
            continue
        if re.search(r"\b(UNIQUE|PRIMARY KEY|EXCLUDE)\b", action, re.I) and "USING INDEX" not in action.upper():
            return f"builds an index while nobody may use {table}: CREATE UNIQUE INDEX CONCURRENTLY, then USING INDEX"
        if re.search(r"\b(CHECK|FOREIGN KEY)\b", action, re.I) and "NOT VALID" not in action.upper():
            return (
                f"reads all of {table} while nobody may use it: write ADD CONSTRAINT NAME … NOT VALID; and after it "
                f"ALTER TABLE {table} VALIDATE CONSTRAINT NAME;"
            )
    return None


def _column(sql: str, known: FileState) -> str | None:
    for table, action in _actions(sql, known):
        if not re.match(r"ADD (?!CONSTRAINT|CHECK|FOREIGN|UNIQUE|PRIMARY|EXCLUDE)", action, re.I):
            continue
        if re.search(r"\bCHECK\b", action, re.I):
            return (
                f"reads all of {table} while nobody may use it: add the column, then the CHECK as NOT VALID, VALIDATE"
            )
        if re.search(r"\b(UNIQUE|PRIMARY KEY)\b", action, re.I):
            return f"builds an index while nobody may use {table}: add the column, then an index CONCURRENTLY"
        if re.search(r"\bGENERATED\b|\bSERIAL\b", action, re.I):
            return f"writes all of {table} anew while nobody may use it: add a plain column and fill it in batches"
        default = re.search(r"\bDEFAULT (.*)", action, re.I)
        if default and re.search(r"\bREFERENCES\b", action, re.I):
            return f"reads all of {table} while nobody may use it: add the column without a default"
        if default and re.search(r"\w\(", re.sub(r"\bnow\(\)", "", default[1], flags=re.I)):
            return (
                f"writes all of {table} anew, for its default differs by row: add it, SET DEFAULT, fill it in batches"
            )
        if not default and re.search(r"\bNOT NULL\b", action, re.I):
            return (
                f"fails when {table} has rows: give it a constant DEFAULT, or fill it in batches and SET NOT NULL later"
            )
    return None


def _not_null(sql: str, known: FileState) -> str | None:
    for table, action in _actions(sql, known):
        found = re.match(r"ALTER (?:COLUMN )?(\w+) SET NOT NULL", action, re.I)
        if found and not any(f"{found[1].upper()} IS NOT NULL" in says.upper() for says in known.checked):
            return (
                f"reads all of {table} while nobody may use it: first ADD CONSTRAINT NAME CHECK ({found[1]} IS NOT "
                f"NULL) NOT VALID, then VALIDATE CONSTRAINT NAME, then this, then DROP CONSTRAINT NAME"
            )
    return None


def _type(sql: str, known: FileState) -> str | None:
    for table, action in _actions(sql, known):
        if re.match(r"ALTER (COLUMN )?\w+ (SET DATA )?TYPE\b", action, re.I):
            return (
                f"writes all of {table} anew: add a column, fill it in batches, and drop the old one in a later version"
            )
        if re.match(r"SET (LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)", action, re.I):
            return f"writes all of {table} anew while nobody may use it"
        if re.match(r"ATTACH PARTITION|DETACH PARTITION", action, re.I):
            return f"locks {table} while it reads the part: write a function that does it by the month"
    return None


def _definer(sql: str, known: FileState) -> str | None:
    if re.search(r"\bSECURITY DEFINER\b", sql, re.I) and not re.search(r"\bSET search_path\b", sql, re.I):
        return "could be led astray by its caller's tables: add SET search_path = pg_catalog, public, pg_temp"
    return None


def _unbatched(sql: str, known: FileState) -> str | None:
    found = re.match(r"(?:WITH .*?)?\b(?:UPDATE(?: ONLY)?|DELETE FROM(?: ONLY)?) (\w+)", sql, re.I)
    if found and known.old(found[1]):
        return (
            f"locks all rows of {found[1]} that it changes until its end: write `-- batch: {found[1]} by id` above it "
            "and `id BETWEEN :from AND :to` into it"
        )
    if re.match(r"INSERT\b.*\bSELECT\b.*\bFROM\b", sql, re.I) or re.match(r"SELECT\b.*(\bFROM\b|\w\()", sql, re.I):
        return "may read a whole table in one transaction: write `-- batch: TABLE by KEY` and :from, :to"
    if re.match(r"DO\b|CALL\b", sql, re.I):
        return "hides what it does: write plain statements, with `-- batch:` where they change rows"
    return None


def _actions(sql: str, known: FileState) -> Iterator[tuple[str, str]]:
    """The actions of an ALTER TABLE on a table that others use, one by one."""
    found = re.match(r"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(\w+) (.*)", sql, re.I)
    if found and known.old(found[1]):
        for action in _at_commas(found[2]):
            yield found[1], action


def _at_commas(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()


RULES: Final[tuple[Rule, ...]] = (_index, _reindex, _constraint, _column, _not_null, _type, _definer)
