"""The supervisor: starts what it keeps, starts it again, says what is in the way, and leaves nothing running."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from critter.servers.spawn import spawn
from critter.up import ports
from critter.up.forked import Forked
from critter.up.output import PipeReader, wait_readable
from critter.up.supervised_process import SupervisedProcess, describe_end
from gateway.errors import Refused
from gateway.settings import Settings, load
from tests.support.memory_folder import new_folder

ROOT = Path(__file__).parents[2]

# The whole supervisor with the real servers, and with processes that only open their ports; the schema when asked for.
DRIVER = """
import http.server, socket, sys, time, types
import critter
from critter.processes import registry as processes
from critter import up
from critter.__main__ import main

import critter.demo
demo = types.SimpleNamespace(load=lambda engine: print("demo loaded", flush=True))
sys.modules["critter.demo.company"] = critter.demo.company = demo

class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass

def web(settings):
    print("web serves", flush=True)
    http.server.HTTPServer(settings.web_listen, Healthy).serve_forever()

def sleeper(settings):
    time.sleep(600)

if "--with-schema" in sys.argv:
    sys.argv.remove("--with-schema")
else:
    up._prepare_database = lambda settings, unsafe, output: None
processes.import_shared = lambda: None
processes.of = lambda settings: {"web": web, "clock": sleeper}
up.ports.answers = lambda settings: {"web": lambda: up.ports.web_answers(settings.web_listen)}
main()
"""


class Running:
    """A supervisor in a process of its own, and what it has said."""

    def __init__(self, environ: dict[str, str], *arguments: str, before: str = "") -> None:
        command = [sys.executable, "-c", before + DRIVER, "up", *arguments]
        self.process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        )
        self.said = ""

    def read_until(self, text: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if text in line:
                return
        pytest.fail(f"{text!r} was not said, but: {self.said}")

    def read_rest(self) -> int:
        assert self.process.stdout is not None
        self.said += self.process.stdout.read()
        return self.process.wait(30)


@pytest.fixture
def environ(memory: Path, free_port: Callable[[], int]) -> dict[str, str]:
    names = ("CRITTER_WEB_LISTEN", "CRITTER_SMTP_LISTEN", "CRITTER_SIMULATOR_LISTEN")
    ports = {name: f"127.0.0.1:{free_port()}" for name in names}
    return {"PATH": os.environ["PATH"], "CRITTER_VAR": str(new_folder(memory) / "state of it"), **ports}


@pytest.fixture
def running(environ: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Running]:
    supervisor = Running(environ, *getattr(request, "param", ()))
    yield supervisor
    supervisor.process.kill()
    supervisor.process.wait()
    assert supervisor.process.stdout is not None
    supervisor.process.stdout.close()


def left_of(var: str) -> list[str]:
    """Processes that have this state folder in their command."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if var in command:
            found.append(command)
    return found


def gone(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def wait_until(true: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


@pytest.mark.parametrize("running", [("--with-schema",)], indirect=True)
def test_from_nothing_to_ready_and_nothing_left(running: Running, environ: dict[str, str]) -> None:
    running.read_until("ready in")
    var = Path(environ["CRITTER_VAR"])
    pids = [int(file.read_text()) for file in (var / "pids").iterdir()]
    assert len(pids) == 2
    assert "demo loaded" in running.said
    assert f"http://{environ['CRITTER_WEB_LISTEN']}/" in running.said

    os.kill(int((var / "pids" / "clock").read_text()), signal.SIGKILL)
    running.read_until("clock was ended by SIGKILL; it starts again in 0.5 s")

    running.process.send_signal(signal.SIGTERM)
    assert running.read_rest() == 0
    assert not left_of(str(var))
    assert all(gone(pid) for pid in pids)


def test_killed_supervisor_leaves_nothing_and_the_next_one_starts(running: Running, environ: dict[str, str]) -> None:
    running.read_until("ready in")
    var = Path(environ["CRITTER_VAR"])
    pids = [int(file.read_text()) for file in (var / "pids").iterdir()]
    running.process.kill()
    running.process.wait()
    again = Running(environ, before="import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)")
    again.read_until("ready in")
    assert all(gone(pid) for pid in pids)
    again.process.send_signal(signal.SIGINT)  # it hears that even from the background of a script
    assert again.read_rest() == 0
    assert not left_of(str(var))


def test_second_one_and_taken_port_are_one_line(running: Running, environ: dict[str, str], memory: Path) -> None:
    running.read_until("ready in")
    second = Running(environ)
    assert second.read_rest() == 2
    assert second.said.startswith(f"Critter already runs from {environ['CRITTER_VAR']} (process {running.process.pid})")
    assert second.said.count("\n") == 1
    elsewhere = Running({**environ, "CRITTER_VAR": str(new_folder(memory) / "other")})
    assert elsewhere.read_rest() == 2
    assert elsewhere.said.startswith(f"CRITTER_WEB_LISTEN: {environ['CRITTER_WEB_LISTEN']} is taken")
    assert elsewhere.said.count("\n") == 1


def test_ends_with_who_started_it(environ: dict[str, str]) -> None:
    parent = subprocess.Popen(
        ["/bin/sh", "-c", '"$0" -c "$1" up --tied; true', sys.executable, DRIVER],
        env=environ,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert parent.stdout is not None
    while b"ready in" not in (line := parent.stdout.readline()):
        assert line
    parent.kill()
    parent.wait()
    assert b"Stopped." in parent.stdout.read()
    parent.stdout.close()
    assert not left_of(environ["CRITTER_VAR"])


def test_two_of_our_ports_may_not_be_one(tmp_path: Path, free_port: Callable[[], int]) -> None:
    one = f"127.0.0.1:{free_port()}"
    settings = load({"CRITTER_VAR": str(tmp_path), "CRITTER_WEB_LISTEN": one, "CRITTER_SMTP_LISTEN": one})
    with pytest.raises(Refused, match=f"^CRITTER_SMTP_LISTEN: {one} is taken"):
        ports.refuse_taken(settings, patience=0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open any port")
def test_low_port(settings: Settings) -> None:
    with pytest.raises(Refused, match="ports below 1024"):
        ports.refuse_taken(settings.model_copy(update={"web_listen": ("127.0.0.1", 1)}), patience=0)


def test_free_ports_are_fine(settings: Settings) -> None:
    with socket.create_server(settings.smtp_listen), pytest.raises(Refused, match=r"^CRITTER_SMTP_LISTEN: "):
        ports.refuse_taken(settings, patience=0)
    ports.refuse_taken(settings, patience=0)  # raises nothing: the one that was taken is free again
    with socket.create_server(settings.smtp_listen) as ours:
        assert ours.getsockname() == settings.smtp_listen


def test_checks_of_what_serves() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = silent.getsockname()
        assert ports.opens(address)
    assert not ports.opens(address)
    assert not ports.mail_answers(address)
    assert not ports.web_answers(address)


class Doomed:
    """A process that has ended already."""

    pid = 2**22 + 1  # above the highest process id there can be

    def poll(self) -> int | None:
        return 3

    def wait(self) -> int:
        return 3

    def terminate(self) -> None:
        raise AssertionError("it has ended")


def test_back_off_doubles_to_a_limit_and_is_forgotten() -> None:
    kept = SupervisedProcess("web", Doomed)
    now = time.monotonic()
    delays = []
    for _ in range(9):
        assert kept.look(now) is None
        line = kept.look(now + 1)
        assert line is not None
        delays.append(float(line.split()[-2]))
        assert kept.look(now + 1 + delays[-1] / 2) is None
        now += 1 + delays[-1]
    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert kept.look(now) is None
    assert kept.look(now + 61) == "web ended with code 3; it starts again in 0.5 s"


def test_process_that_cannot_start_is_told_and_tried_again() -> None:
    def fails() -> Doomed:
        raise Refused("no such thing")

    kept = SupervisedProcess("redis", fails)
    assert kept.look(time.monotonic()) == "redis did not start: no such thing; it starts again in 0.5 s"


def test_ending_in_words() -> None:
    assert describe_end(-9) == "was ended by SIGKILL"
    assert describe_end(1) == "ended with code 1"


def test_forked_process_is_its_own() -> None:
    def serve() -> None:
        print(os.getpid() == os.getsid(0), os.listdir("/proc/self/fd"), flush=True)
        print(Path("/proc/self/cmdline").read_text().rstrip("\0"), file=sys.stderr)
        raise SystemExit(7)

    process = Forked("worker sms", serve)
    assert process.wait(10) == 7
    with process.stdout as pipe:
        said = pipe.read().decode()
    assert said.startswith("True ['0', '1', '2'")
    assert said.endswith("critter worker sms\n")


def test_forked_process_tells_bugs_whole_and_the_persons_errors_in_a_line() -> None:
    def bug() -> None:
        raise ZeroDivisionError

    def refused() -> None:
        raise Refused("not here")

    for serve, code, start in ((bug, 1, b"Traceback"), (refused, 2, b"not here\n")):
        process = Forked("test", serve)
        assert process.wait(10) == code
        with process.stdout as pipe:
            assert pipe.read().startswith(start)


def test_lines_carry_their_names() -> None:
    stream = io.StringIO()
    output = PipeReader(stream)
    child = spawn(["/bin/sh", "-c", "printf 'one\\ntwo'"], output=subprocess.PIPE)
    assert child.stdout is not None
    output.add("web", child.stdout)
    output.pump_for(0.5)
    child.wait()
    assert stream.getvalue() == "web            | one\nweb            | two\n"


def test_reader_that_has_gone_is_noticed() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    output = PipeReader(stream)
    output.say("anybody?")
    assert output.broken
    output.say("no")
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_log_on_a_full_disk_loses_lines_and_nothing_else() -> None:
    with open("/dev/full", "w", buffering=1) as stream:
        output = PipeReader(stream)
        output.say("no room for this")
        assert not output.broken
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        output.say("room again")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("{not json", "{not json"),
        ('{"a": 1}', '{"a": 1}'),
        ('{"event": "sent", "level": "info", "timestamp": "t"}', "sent"),
        ('{"event": "lost", "level": "error", "exception": "Traceback"}', "ERROR lost\nTraceback"),
    ],
)
def test_log_lines_for_people(line: str, shown: str) -> None:
    plain = wait_readable(line).replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert [each.rstrip() for each in plain.splitlines()] == shown.splitlines()
