"""Reads a migration's .sql file as steps, which are run one by one.

Every statement is a step: a transaction of its own, whose locks end with it. Three things are written differently:

    BEGIN; …; COMMIT;               several statements as one step, because nobody may see one without the other
    CREATE INDEX CONCURRENTLY …     runs outside of a transaction, on a partitioned table part by part
    -- batch: posts by id           the statement below it, with `id BETWEEN :from AND :to` in it, runs again and again,
                                    each time for the next rows of that table, each time committed
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from migrations.statements import Statement, split

BATCH: Final = re.compile(r"(\w+) by (\w+)")
INDEX: Final = re.compile(
    r"CREATE (?P<unique>UNIQUE )?INDEX CONCURRENTLY (?P<name>\w+) ON (?P<table>\w+) (?P<rest>.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """One step: its number in the file, from 1, and its statements. `batch`: the table and the key by which the batches
    go."""

    number: int
    statements: tuple[Statement, ...]
    batch: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return self.statements[0].short

    @property
    def index(self) -> "re.Match[str] | None":
        """The parts of its CREATE INDEX CONCURRENTLY; None for any other statement."""
        return INDEX.fullmatch(self.statements[0].sql)


def read(file: Path) -> list[MigrationStep]:
    """The steps of a file; raises ValueError for what cannot be run."""
    return [
        MigrationStep(number, statements, _batch(statements))
        for number, statements in enumerate(_grouped(file.read_text()), 1)
    ]


def _grouped(text: str) -> Iterator[tuple[Statement, ...]]:
    group: list[Statement] | None = None
    for statement in split(text):
        word = statement.sql.upper()
        if word == "BEGIN":
            group = []
        elif word == "COMMIT":
            if not group:
                raise ValueError("COMMIT without BEGIN, or with nothing between them")
            yield tuple(group)
            group = None
        elif group is not None:
            group.append(statement)
        else:
            yield (statement,)
    if group is not None:
        raise ValueError("BEGIN without COMMIT")


def _batch(statements: tuple[Statement, ...]) -> tuple[str, str] | None:
    noted = statements[0].notes.get("batch")
    if noted is None:
        return None
    along = BATCH.fullmatch(noted)
    if along is None or ":from" not in statements[0].sql or ":to" not in statements[0].sql:
        raise ValueError(f"-- batch: {noted}: write `-- batch: TABLE by KEY`, and KEY BETWEEN :from AND :to below it")
    return along[1], along[2]
