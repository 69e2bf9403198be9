"""Help comes at once: it imports what typer needs and our signatures, and nothing that commands work with."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
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


ASKED = [(), *((name,) for name in COMMANDS), ("people", "link"), ("people", "import")]
# Each command is run in a process of its own, forked from one that has imported nothing but typer and what draws help.
ASK = """
import io, json, os, runpy, sys, typer, typer.core, typer.main, typer.rich_utils
def run(arguments, told):
    sys.argv[:], sys.stdout, code = ["critter", *arguments], io.StringIO(), None
    try:
        runpy.run_module("critter", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    json.dump([code, sys.stdout.getvalue(), sorted(sys.modules)], told)
for arguments in json.loads(sys.argv[1]):
    reads, writes = os.pipe()
    if os.fork() == 0:
        with open(writes, "w") as told:
            run(arguments, told)
        os._exit(0)
    os.close(writes)
    with open(reads) as told:
        print(told.read())
    os.wait()
"""


def imported(*commands: Sequence[str]) -> dict[Sequence[str], set[str]]:
    """The modules that each command has imported when it has ended well."""
    known = {"PATH": os.environ["PATH"], "COLUMNS": "100"}
    command = [sys.executable, "-c", ASK, json.dumps(commands)]
    ended = subprocess.run(command, env=known, cwd=ROOT, capture_output=True, text=True, check=True)
    found = {}
    for arguments, line in zip(commands, ended.stdout.splitlines(), strict=True):
        code, said, modules = json.loads(line)
        assert not code, arguments
        assert "Usage: critter" in said or "--version" in arguments
        found[arguments] = set(modules)
    return found


@pytest.fixture(scope="module")
def of_help() -> dict[Sequence[str], set[str]]:
    return imported(*((*arguments, "--help") for arguments in ASKED))


@pytest.mark.parametrize("arguments", ASKED)
def test_help_imports_nothing_to_work_with(of_help: dict[Sequence[str], set[str]], arguments: tuple[str, ...]) -> None:
    found = of_help[*arguments, "--help"]
    assert {"typer", "critter.cli"} <= found
    assert found & (HEAVY | OURS) == set()
    assert len(found) < MOST


def test_neither_does_the_version() -> None:
    (found,) = imported(("--version",)).values()
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
