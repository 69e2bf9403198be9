"""A Critter on eight machines: one is cut off and one loses its power in the middle of a fan-out; nothing is lost.

`make rehearse`. Every machine is a network namespace of its own on this one.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from critter.servers import binaries
from gateway.store.database import connect
from tests.rehearsal.network import RANGE, Host, missing, network
from tests.support.running_critter import ROOT, Company
from tests.whole.test_kills import CROWD, KIM, marked, received

FOLLOWERS = 1_500
UPDATES = 3
DATABASE, REDIS, WEB, MAIL, WORLD = (
    Host("db", 20), Host("redis", 21), Host("web", 10), Host("mail", 11), Host("world", 50)
)  # fmt: skip
WORKERS = Host("work-a", 31), Host("work-b", 32)
CLOCK = Host("clock", 33)
ALL = (DATABASE, REDIS, WEB, MAIL, WORLD, *WORKERS, CLOCK)
JOBS = ("worker inbound", "worker fanout", "worker sms", "worker email", "clock")


class Site:
    """The machines of one company."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "PATH": "/usr/bin:/usr/sbin:/bin",
            "CRITTER_VAR": str(folder / "var"),
            "CRITTER_SECRET_KEY": "a key for the rehearsal, of thirty-two letters",
            "CRITTER_DATABASE_URL": f"postgresql://critter@{DATABASE.address}/critter",
            "CRITTER_DATABASE_OWNER_URL": f"postgresql://critter_owner@{DATABASE.address}/critter",
            "CRITTER_REDIS_URL": f"redis://{REDIS.address}:6379/0",
            "CRITTER_PUBLIC_URL": f"http://{WEB.address}:8000",
            "CRITTER_WEB_LISTEN": f"{WEB.address}:8000",
            "CRITTER_SMTP_LISTEN": f"{MAIL.address}:2525",
            "CRITTER_SIMULATOR_LISTEN": f"{WORLD.address}:8001",
            "CRITTER_MAIL_TRUST": f"{RANGE}.0/24",
            "CRITTER_HOLD_SECONDS": "0",
            "CRITTER_ASK_PHONES": "1000000",
            "CRITTER_SMS_RATE": "100",
        }

    def critter(self, host: Host, command: str) -> None:
        words = [sys.executable, "-m", "critter", *command.split()]
        host.run(words, self.environ, self.folder / f"{host.name}-{command.replace(' ', '-')}.log")

    def boot(self, host: Host) -> None:
        log = self.folder / f"{host.name}.log"
        if host is DATABASE:
            script = [sys.executable, "-m", "tests.rehearsal.database", str(self.folder / "db"), host.address]
            host.run(script, {**self.environ, "PYTHONPATH": str(ROOT)}, log)
        elif host is REDIS:
            listening = ["--bind", host.address, "--port", "6379", "--protected-mode", "no", "--save", ""]
            host.run([str(binaries.redis().path), *listening], self.environ, log)
        elif host in WORKERS:
            for job in JOBS:
                self.critter(host, job)
        else:
            self.critter(host, {"web": "web", "mail": "mail", "world": "simulator", "clock": "clock"}[host.name])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Company]]:
    if problem := missing():
        pytest.skip(problem)
    made = Site(tmp_path_factory.mktemp("site"))
    (made.folder / "db").mkdir(mode=0o755)
    with network(ALL):
        for host in (DATABASE, REDIS):
            made.boot(host)
        engine = connect(made.environ["CRITTER_DATABASE_URL"])
        nobody = subprocess.Popen(["true"])
        world = f"http://{WORLD.address}:8001"
        company = Company(Path(made.environ["CRITTER_VAR"]), made.environ, nobody, engine, world)
        company.wait(lambda: company.scalar("SELECT true"), "the database")
        assert company.command("migrate").returncode == 0
        for host in (WORLD, WEB, MAIL, CLOCK, *WORKERS):
            made.boot(host)
        company.run(CROWD, kim=KIM, count=FOLLOWERS)
        company.wait(lambda: company.text(KIM, "help"), "the web host", 60)
        yield made, company
        engine.dispose()


def test_a_fan_out_outlives_a_cut_cable_and_a_lost_machine(site: tuple[Site, Company]) -> None:
    made, company = site
    first, second = WORKERS
    for number in range(UPDATES):
        assert company.text(KIM, f"update number {number}")
    company.wait(lambda: sent(company) > FOLLOWERS // 5, "the first copies")
    first.cut_off()
    print(f"\n{first.name} cut off after {sent(company)} copies")
    company.wait(lambda: sent(company) > FOLLOWERS, "copies from the other worker")
    assert REDIS.kill() == 1
    made.boot(REDIS)
    assert second.kill() == len(JOBS)
    print(f"redis and {second.name} lost their power after {sent(company)} copies")
    time.sleep(3)
    made.boot(second)
    company.wait(lambda: sent(company) > 2 * FOLLOWERS, "copies after the loss")
    first.plug_in()
    began = time.monotonic()
    expected = UPDATES * FOLLOWERS
    company.wait(lambda: delivered(company) == expected, "all copies", 240)
    print(f"all {expected} copies {time.monotonic() - began:.0f} s after {first.name} was plugged in again")
    company.wait(lambda: company.scalar(OPEN) == 0, "quiet", 120)
    with company.engine.connect() as connection:
        updates = set(connection.scalars(text("SELECT id FROM messages WHERE kind = 'update'")))
    copies = Counter(key for key in received(company) if key[0] in updates)
    twice = {key for key, times in copies.items() if times > 1}
    print(f"{len(twice)} arrived twice, all marked")
    assert len(copies) == expected
    assert twice <= marked(company)
    audit = company.command("audit")
    assert audit.returncode == 0, audit.stdout


OPEN = "SELECT count(*) FROM deliveries WHERE ended_at IS NULL"
SENT = "SELECT count(*) FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE m.kind = 'update' AND d.state "


def sent(company: Company) -> int:
    return int(company.scalar(SENT + "IN ('sent', 'delivered')"))


def delivered(company: Company) -> int:
    return int(company.scalar(SENT + "IN ('sent', 'delivered', 'unknown') AND d.ended_at IS NOT NULL"))
