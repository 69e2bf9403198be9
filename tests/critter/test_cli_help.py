"""Help comes at once: it imports what typer needs and our signatures, and nothing that commands work with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from critter.commands import audit, costs, outbox
from critter.console import help_request
from gateway.ledger.audit import invariants
from gateway.ledger.money import spending
from gateway.ledger.operations import outbox_stats

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(path.stem.replace("_", "-") for path in (ROOT / "critter" / "commands").glob("[a-z]*.py"))
HEAVY = {"sqlalchemy", "psycopg", "dotenv", "redis", "rq", "flask", "aiohttp", "twilio", "alembic", "cryptography"}
OURS = {"gateway.store", "gateway.ledger", "gateway.network", "gateway.settings", "critter.console.console", "workers"}
MOST = 600  # modules, of which typer and rich are most


def imported(*arguments: str) -> set[str]:
    """The modules that a command imports before it ends well."""
    command = [sys.executable, "-X", "importtime", "-m", "critter", *arguments]
    known = {"PATH": os.environ["PATH"], "COLUMNS": "100"}
    ended = subprocess.run(command, env=known, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Usage: critter" in ended.stdout or "--version" in arguments
    lines = [line for line in ended.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS), ("people", "link"), ("people", "import")])
def test_help_imports_nothing_to_work_with(arguments: tuple[str, ...]) -> None:
    found = imported(*arguments, "--help")
    assert {"typer", "critter.cli"} <= found
    assert found & (HEAVY | OURS) == set()
    assert len(found) < MOST


def test_neither_does_the_version() -> None:
    found = imported("--version")
    assert found & (HEAVY | OURS) == set()


def test_a_help_that_is_a_value_is_none(tmp_path: Path) -> None:
    """`--reason --help`: the command works, and says what is wrong as always."""
    known = {"PATH": os.environ["PATH"], "CRITTER_VAR": str(tmp_path), "CRITTER_MODE": "demo"}
    command = [sys.executable, "-m", "critter", "people", "suspend", "kim", "--reason", "--help"]
    ended = subprocess.run(command, env=known, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.startswith("CRITTER_MODE: ")) == (2, True), ended.stderr


@pytest.mark.parametrize(
    ("arguments", "works"),
    [
        ([], False),
        (["--help"], False),
        (["people", "add", "--help"], False),
        (["people", "list"], True),
        (["say", "kim", "--", "--help"], True),
    ],
)
def test_who_asks_for_help(arguments: list[str], works: bool) -> None:
    try:
        help_request.begin(arguments)
        assert help_request.working() is works
    finally:
        help_request.begin(["anything"])


def test_choices_are_those_of_the_ledger() -> None:
    assert outbox.State == outbox_stats.State
    assert costs.By == spending.By
    assert invariants.SETTLED.total_seconds() == audit.SETTLED
