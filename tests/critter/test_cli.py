"""The command line's frame: what it lists, and that a person's error is one line and exit 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from critter.cli import Queue
from gateway.queue.jobs import QUEUES

ROOT = Path(__file__).parents[2]


def critter(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.environ["PATH"], "COLUMNS": "100", **environ}
    command = [sys.executable, "-m", "critter", *arguments]
    return subprocess.run(command, env=known, cwd=ROOT, capture_output=True, text=True, check=False)


def test_lists_the_processes_and_every_module_of_commands() -> None:
    listed = critter("--help").stdout
    modules = [path.stem.replace("_", "-") for path in (ROOT / "critter" / "commands").glob("[a-z]*.py")]
    for name in ("up", "migrate", "check", "web", "mail", "worker", "clock", "simulator", *modules):
        assert f" {name} " in listed


@pytest.mark.parametrize(
    ("arguments", "environ", "start"),
    [
        (["check"], {"CRITTER_MODE": "demo"}, "CRITTER_MODE: "),
        (["up"], {"CRITTER_WEB_LISTEN": "8000"}, "CRITTER_WEB_LISTEN: "),
        (["up"], {"CRITTER_VAR": "/dev/null/var"}, "CRITTER_VAR: "),
        (["migrate"], {"CRITTER_DATABASE_URL": "postgresql://127.0.0.1:1/critter"}, "The database does not answer"),
    ],
)
def test_error_is_one_line_and_exit_2(
    tmp_path: Path, arguments: list[str], environ: dict[str, str], start: str
) -> None:
    ended = critter(*arguments, **{"CRITTER_VAR": str(tmp_path), **environ})
    assert ended.returncode == 2
    assert ended.stderr.startswith(start)
    assert ended.stderr.count("\n") == 1


def test_unknown_queue_is_refused() -> None:
    ended = critter("worker", "faxes")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_procfile_names_every_process_of_production() -> None:
    from critter.processes import registry
    from gateway.settings import load

    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    named = set(registry.of(load({"CRITTER_SECRET_KEY": "s"}))) - {"simulator"}
    assert set(lines) == named
    assert lines.pop("fallback") == "critter web --accept-only"
    assert all(command == f"critter {name.replace('-', ' ')}" for name, command in lines.items())


def test_every_queue_has_a_worker() -> None:
    assert {each.value for each in Queue} == set(QUEUES)
