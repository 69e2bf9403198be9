"""Doors that run out of descriptors or memory, and a disk that is full: they shed load, and recover (F10, F11)."""

import contextlib
import resource
import shutil
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from critter.servers import Servers
from tests.support import web_process
from tests.support.running_critter import company
from tests.support.single_processes import SingleProcesses, crowd, single_processes

KIM = "+14155550101"
FEW = {"RLIMIT_NOFILE": 64}


@pytest.fixture(scope="module")
def critter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SingleProcesses]:
    var = tmp_path_factory.mktemp("exhausted")
    with (
        Servers(var, unsafe=True) as servers,
        single_processes(var, servers, servers.database_url, "web", "mail") as running,
    ):
        crowd(running, "kim", KIM, 0, 0)
        yield running


def again(critter: SingleProcesses, name: str, limits: dict[str, int]) -> None:
    """The same door with these limits."""
    critter.end(name)
    critter.start(name, limits)
    _, port = critter.settings.web_listen if name == "web" else critter.settings.smtp_listen
    critter.listening([port])


def texted(critter: SingleProcesses, number: int) -> int | None:
    """The answer of the web hook; None: it had none for us."""
    form = web_process.text(critter.settings, number, From=KIM, Body=f"number {number}")
    try:
        return web_process.send(critter.web, critter.settings, "/sms/inbound", form, timeout=2).status_code
    except requests.RequestException:
        return None


def mailed(critter: SingleProcesses, number: int, size: int = 0) -> int | None:
    """SMTP's last word."""
    body = f"number {number}\r\n" + "x" * 70 * (size > 0) + ("\r\n" + "x" * 70) * (size // 72)
    mail = f"From: kim@demo.example\r\nMessage-ID: <{number}@demo.example>\r\n\r\n{body}\r\n"
    try:
        with smtplib.SMTP(*critter.settings.smtp_listen, local_hostname="relay.example", timeout=5) as smtp:
            smtp.sendmail("kim@demo.example", ["post@mail.example"], mail)
            return 250
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    except (smtplib.SMTPException, OSError):
        return None


@contextlib.contextmanager
def idle(place: tuple[str, int], count: int) -> Iterator[list[socket.socket]]:
    """That many connections that say nothing."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            with contextlib.suppress(OSError):
                opened.append(stack.enter_context(socket.create_connection(place, 0.5)))
        yield opened


def test_a_web_door_without_descriptors(critter: SingleProcesses) -> None:
    again(critter, "web", FEW)
    assert texted(critter, 1) == 200
    logged = len(critter.log())
    with idle(critter.settings.web_listen, 200):
        answers = [texted(critter, number) for number in range(2, 6)]
    assert set(answers) <= {200, 503, None}
    critter.wait(lambda: texted(critter, 6) == 200, "it takes texts again", 20)
    assert "Traceback" not in critter.log()[logged:], critter.log()[logged:][-3000:]
    assert 2 + answers.count(200) <= critter.scalar("SELECT count(*) FROM inbound WHERE channel = 'sms'") <= 6


def test_a_mail_door_without_descriptors(critter: SingleProcesses) -> None:
    again(critter, "mail", FEW)
    assert mailed(critter, 1) == 250
    logged = len(critter.log())
    with idle(critter.settings.smtp_listen, 200):
        answers = [mailed(critter, number) for number in range(2, 4)]
    assert set(answers) <= {250, 421, 451, None}
    critter.wait(lambda: mailed(critter, 4) == 250, "it takes mails again", 20)
    assert critter.children["mail"].poll() is None
    assert "Traceback" not in critter.log()[logged:], critter.log()[logged:][-3000:]
    assert critter.scalar("SELECT count(*) FROM inbound WHERE channel = 'email'") == 2 + answers.count(250)


def test_a_mail_door_without_memory(critter: SingleProcesses) -> None:
    again(critter, "mail", {})
    assert mailed(critter, 10) == 250
    pid = critter.pid("mail")
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    logged = len(critter.log())
    with ThreadPoolExecutor(12) as crowd:
        resource.prlimit(pid, resource.RLIMIT_AS, (size(pid) + 24 * 1024 * 1024, before[1]))
        answers = list(crowd.map(lambda number: mailed(critter, number, 8 * 1024 * 1024), range(11, 23)))
        resource.prlimit(pid, resource.RLIMIT_AS, before)
    print("without memory:", answers)
    assert set(answers) <= {250, 421, 451, 452, None}
    assert set(answers) != {250}, "there was memory enough"
    critter.wait(lambda: mailed(critter, 30) == 250, "it takes mails again", 20)
    assert critter.children["mail"].poll() is None, critter.log()[logged:]
    stored = "SELECT count(*) FROM inbound WHERE message_id = ANY (:ids)"
    kept = [f"<{number}@demo.example>" for number, answer in enumerate(answers, 11) if answer == 250]
    assert critter.scalar(stored, ids=kept) == len(kept)


def size(pid: int) -> int:
    """What RLIMIT_AS counts, in octets."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that a test can fill."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full(small_disk: Path) -> None:
    """PostgreSQL cannot write its log: the doors say 503 and 451, and all goes on once there is room again."""
    with company(small_disk / "var", CRITTER_LEASE_SECONDS="2") as running:
        assert running.text(KIM, "before it was full")
        fill(small_disk)
        answers = [running.text(KIM, f"while it is full {number} " + "x" * 1000) for number in range(8)]
        assert not all(answers), "it was not full"
        (small_disk / "ballast").unlink()
        running.wait(lambda: running.text(KIM, "there is room again"), "the door opens", 60)
        running.wait(running.settled, "everything settled", 60)
        accepted = 1 + sum(answers)
        posted = running.scalar("SELECT count(DISTINCT text) FROM posts WHERE text NOT LIKE 'there is room%'")
        print(f"{sum(answers)} of {len(answers)} texts were accepted on a full disk")
        assert posted >= accepted
        audit = running.command("audit", "--settled", "0")
        assert audit.returncode == 0, audit.stdout + audit.stderr


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb") as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(64 * 1024))
            ballast.flush()
