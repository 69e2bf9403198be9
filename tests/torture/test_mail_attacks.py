"""The mail process under everything at once, and with more large mails than it has room for."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg

from tests.doors.test_attacks import ATTACKS, MIB, Door, door, measured  # noqa: F401  the fixture
from tests.support.mail_process import LETTER, Client

LARGE = 9 * MIB
SENDERS = 12  # together more than there is room for
MOST = 1024 * MIB  # that the process may hold: the mails, and their copies on the way to the database


def test_all_attacks_at_once(door: Door) -> None:  # noqa: F811
    slowest, grown, wrong = measured(door, ATTACKS, 200)
    print(f"all at once: slowest {slowest:.1f} s, grown {grown / MIB:.1f} MiB")
    turned_away = "421 4.3.2 Too many connections"  # an attack that found the house full has not happened
    assert [each for each in wrong if turned_away not in str(each)] == []
    assert slowest < 10
    assert grown < 100 * MIB


def test_more_large_mails_than_there_is_room_for(door: Door) -> None:  # noqa: F811
    """Who is told to come again does, until all are in; the process stays within bounds meanwhile."""
    peak, later, over = [0], [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], door.octets())

    def send(number: int) -> None:
        mail = LETTER.replace(b"<1@", b"<large.%d@" % number) + b"%070d\r\n" % number * (LARGE // 72)
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            with suppress(OSError, AssertionError):
                with Client(door.settings.smtp_listen, home=f"127.2.0.{number // 15 + 1}") as client:
                    client.socket.settimeout(60)
                    if client.mail(mail).startswith("250"):
                        return
                later[0] += 1
            over.wait(0.2)
        raise AssertionError("it was never taken")

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(SENDERS) as crowd:
            list(crowd.map(send, range(SENDERS)))
    finally:
        over.set()
        watcher.join()
    print(f"{SENDERS} mails of {LARGE // MIB} MiB: {peak[0] / MIB:.0f} MiB at most, {later[0]} came again")
    with psycopg.connect(door.settings.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM inbound WHERE message_id LIKE '<large.%'").fetchone()
    assert row == (SENDERS,)
    assert peak[0] < MOST
