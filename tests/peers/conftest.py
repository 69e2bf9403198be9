"""A company whose mail door runs as a process, and a Postfix that passes mail on. Everything listens on loopback."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import postfix
from bench.company import Company, company
from bench.mail_in import listens
from bench.postfix import Postfix
from tests.support.ports import free_port

PATH = "/usr/bin:/usr/sbin"
PEOPLE = """
    INSERT INTO accounts (kind, handle, name, access)
    VALUES ('person', 'kim', 'Kim Lee', NULL), ('group', 'ops', 'Operations', 'open')
"""


def need(program: str, package: str) -> str:
    """Where it is; skips the test with the line that installs it."""
    found = shutil.which(program, path=PATH)
    if found is None:
        pytest.skip(f"{program} is not installed: apt-get install --no-install-recommends {package}")
    return found


@dataclass(frozen=True)
class Door:
    """Our mail door and the rows behind it."""

    port: int
    place: Company

    def rows(self) -> int:
        return int(self.place.scalar("SELECT count(*) FROM inbound"))

    def wait_for(self, rows: int) -> None:
        self.place.wait(lambda: self.rows() >= rows, 60)
        assert self.rows() == rows


@pytest.fixture
def door() -> Iterator[Door]:
    port = free_port()
    with company("mail", CRITTER_SMTP_LISTEN=f"127.0.0.1:{port}") as place:
        place.run(PEOPLE)
        place.wait(lambda: listens(port))
        yield Door(port, place)


class Relay(Postfix):
    """Passes every mail on to one port of this machine."""

    def __init__(self, to: int) -> None:
        super().__init__()
        self._to = to

    def configure(self, config: Path) -> None:
        super().configure(config)
        for name, lines in (("main.cf", MAIN.format(to=self._to)), ("master.cf", MASTER)):
            with (config / name).open("a") as file:
                file.write(lines)


MAIN = """
mydestination =
relay_domains = mail.example, corp.example
relayhost = [127.0.0.1]:{to}
smtpd_client_restrictions = permit
maximal_backoff_time = 5s
minimal_backoff_time = 1s
queue_run_delay = 1s
"""
MASTER = """
smtp unix - - n - - smtp
relay unix - - n - - smtp
scache unix - - n - 1 scache
retry unix - - n - - error
"""


def need_postfix() -> None:
    if problem := postfix.missing():
        pytest.skip(problem)
