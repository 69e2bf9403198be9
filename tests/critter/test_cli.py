"""The command line's frame: what it lists, and that a person's error is one line and exit 2."""

import os
import subprocess
from pathlib import Path

import pytest

from critter.cli import Queue
from gateway.queue.jobs import QUEUES
from tests.support.fork_server import Process, shared

ROOT = Path(__file__).parents[2]


def critter(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command, as the shell would run it; `stdout` is all that it wrote."""
    known, written = {"PATH": os.environ["PATH"], "COLUMNS": "100", **environ}, folder / "written"
    code = Process(shared().command(arguments, known, written)).wait()
    return subprocess.CompletedProcess(arguments, code, written.read_text())


def test_lists_the_processes_and_every_module_of_commands(tmp_path: Path) -> None:
    listed = critter(tmp_path, "--help").stdout
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
    ended = critter(tmp_path, *arguments, **{"CRITTER_VAR": str(tmp_path / "var"), **environ})
    assert ended.returncode == 2
    assert ended.stdout.startswith(start)
    assert ended.stdout.count("\n") == 1


def test_unknown_queue_is_refused(tmp_path: Path) -> None:
    ended = critter(tmp_path, "worker", "faxes")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stdout


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
