"""Every command with what goes wrong at a desk: nothing given, too much, no database, another version's, a closed pipe,
bytes that are no text. Each ends with one line and 2, never with a traceback; what says --json prints JSON."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.main import get_command
from typer.testing import CliRunner

from critter import __main__
from critter.cli import app
from critter.console.console import format_count
from gateway.errors import Refused, SettingsError
from gateway.settings import Settings
from tests.support.databases import restructure
from tests.support.office import Office, point_command_line

ROOT = Path(__file__).parents[2]
STAYING = {
    "up",
    "web",
    "stream",
    "mail",
    "worker",
    "clock",
    "simulator",
    "drain",
    "backup",
    "restore",
}  # have tests of their own


def leaves(command: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that it is called by."""
    if not hasattr(command, "commands"):
        yield above, command
        return
    for name in command.list_commands(None):
        if above or name not in STAYING:
            yield from leaves(command.get_command(None, name), *above, name)


COMMANDS = dict(leaves(get_command(app)))
EACH = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def options(words: tuple[str, ...]) -> set[str]:
    return {name for one in COMMANDS[words].params for name in one.opts}


def needed(words: tuple[str, ...]) -> list[str]:
    """An argument for each that must be there."""
    return ["1" for one in COMMANDS[words].params if one.required and one.param_type_name == "argument"]


def run(*arguments: str) -> tuple[int, str]:
    """How it ends, as main() says it; anything else is a traceback, and raised."""
    result = CliRunner().invoke(app, arguments)
    if isinstance(result.exception, Refused | SettingsError):
        return 2, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def office(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Office:
    made = Office(engine, settings)
    made.assemble()
    point_command_line(monkeypatch, settings)
    monkeypatch.chdir(tmp_path)
    return made


def test_the_walk_finds_them() -> None:
    assert {("people", "show"), ("people", "link"), ("groups", "rename"), ("audit",), ("check",)} <= set(COMMANDS)


@EACH
def test_an_unknown_option(words: tuple[str, ...]) -> None:
    code, said = run(*words, "--nonsense")
    assert (code, "No such option" in said) == (2, True)


@EACH
def test_no_database(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRITTER_VAR", str(tmp_path))
    monkeypatch.setenv("CRITTER_DATABASE_URL", "postgresql://127.0.0.1:1/critter")
    monkeypatch.setenv("CRITTER_REDIS_URL", "redis://127.0.0.1:1/0")
    code, said = run(*words, *needed(words))
    assert code in (0, 1, 2)
    assert said.count("\n") < 30
    assert "Traceback" not in said


@EACH
def test_nothing_given(words: tuple[str, ...], office: Office) -> None:
    code, _ = run(*words)
    assert code == (2 if needed(words) else code)
    assert code in (0, 1, 2)


PRINTING = [words for words in COMMANDS if "--json" in options(words)]
OF_THE_INPUT = {("trace",), ("posts", "show")}
GIVEN = {("explain",): ["hello there"], ("say",): ["kim", "hello", "--seconds", "0"]}
UNKNOWN = {("held", "show"), ("reports", "show"), ("dead", "show")}  # there is none of them here


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_json_is_json(words: tuple[str, ...], office: Office) -> None:
    said = str(office.says("kim", "The dock opens at ten"))
    office.work()
    given = [said] if words in OF_THE_INPUT else GIVEN.get(words, ["kim"] * len(needed(words)))
    code, output = run(*words, *given, "--json") if words not in UNKNOWN else run(*words, "7", "--json")
    if words in UNKNOWN:
        assert code == 2
    elif words == ("people", "import"):
        assert (code, output) == (2, "kim: No such file or directory.")
    else:
        json.loads(output.partition("\nBut nothing happens yet")[0])  # that is said on standard error


@pytest.mark.parametrize(
    "words", [("people", "list"), ("held", "list"), ("audit",), ("outbox",), ("costs",)], ids=" ".join
)
def test_a_database_of_another_version(words: tuple[str, ...], office: Office) -> None:
    restructure(office.engine, "ALTER TABLE deliveries RENAME COLUMN ended_at TO gone")
    restructure(office.engine, "ALTER TABLE accounts RENAME COLUMN handle TO gone")
    restructure(office.engine, "ALTER TABLE inbound RENAME COLUMN received_at TO gone")
    restructure(office.engine, "ALTER TABLE budgets RENAME TO gone")
    assert run(*words) == (2, "The database is of another version than this Critter: run critter migrate.")


def test_bytes_that_are_no_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["critter", "people", "show", "k\udcffm"])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "“k<U+DCFF>m” is not UTF-8: look at the locale of this terminal.\n"


def test_a_closed_pipe_is_no_error_to_read(tmp_path: Path) -> None:
    known = {"PATH": os.environ["PATH"], "CRITTER_VAR": str(tmp_path)}
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "critter", "--help"], env=known, cwd=ROOT, stdout=closed, stderr=subprocess.PIPE,
            check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (1, "person", "1 person"), (2, "person", "2 people"), (0, "delivery", "0 deliveries"), (1, "alias", "1 alias"),
        (3, "address", "3 addresses"), (2, "try", "2 tries"), (2, "phone or mailbox", "2 phones and mailboxes"),
        (2000, "row", "2,000 rows"), (2, "fan-out", "2 fan-outs"),
    ],
)  # fmt: skip
def test_plurals(count: int, noun: str, said: str) -> None:
    assert format_count(count, noun) == said
