"""An old, large database, and a door that goes on taking texts while it is migrated."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.support.stall_meter import StallMeter

FILL = """
INSERT INTO installation (mode) VALUES ('simulated');
INSERT INTO accounts (kind, handle, name)
SELECT 'person', 'p' || n, 'Pretend ' || n FROM generate_series(1, %(people)s) n;
INSERT INTO addresses (account_id, channel, address)
SELECT id, 'sms', '+1415' || (5550000 + row_number() OVER ()) FROM accounts;
INSERT INTO inbound (channel, natural_key, sender, recipients, text, trusted, state, account_id, done_at)
SELECT 'sms', sha256(n::text::bytea), '+14155550101', '{+15005550006}', 'words ' || n, true, 'done',
       (SELECT min(id) FROM accounts), now()
FROM generate_series(1, %(rows)s) n;
INSERT INTO effects (inbound_id, number, kind) SELECT id, 0, 'post' FROM inbound;
INSERT INTO posts (author_id, visibility, text, via, inbound_id)
SELECT account_id, 'company', text, 'sms', id FROM inbound;
INSERT INTO messages (kind, post_id, text, subject, body) SELECT 'update', id, text, '', '' FROM posts;
INSERT INTO deliveries (message_id, address_id, channel, priority, state, give_up_at, ended_at)
SELECT id, (SELECT min(id) FROM addresses), 'sms', 5, 'sent', now(), now() FROM messages;
INSERT INTO media (inbound_id, number, url) SELECT id, 0, 'https://media.example/1' FROM inbound WHERE id % 7 = 0;
INSERT INTO audit (actor, action) SELECT 'root', 'people.role' FROM generate_series(1, %(audited)s);
"""
ACCEPT = """
    INSERT INTO inbound (channel, natural_key, sender, recipients, text, trusted)
    VALUES ('sms', sha256(gen_random_uuid()::text::bytea), '+14155550102', '{+15005550006}', 'a text', true)
"""


def fill(url: str, rows: int, people: int = 2_000, audited: int = 5_000) -> None:
    """As many texts, posts, messages and deliveries, in a database of the first schema."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0")
        for statement in FILL.split(";\n"):
            if statement.strip():
                given = {"rows": rows, "people": people, "audited": audited}
                connection.cursor().execute(_written(statement, given).encode())


def _written(statement: str, given: dict[str, int]) -> str:
    for name, value in given.items():
        statement = statement.replace(f"%({name})s", str(value))
    return statement


@dataclass
class Door:
    """What a door met: how long each of its commits took, in seconds, and how long the machine itself stood still."""

    took: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    stalled: float = 0.0

    @property
    def longest(self) -> float:
        return max(self.took)


@contextmanager
def door(url: str) -> Iterator[Door]:
    """Accepts texts one after the other until the block ends, with the time limits of a real one."""
    met, stopped = Door(), threading.Event()

    def accept() -> None:
        with psycopg.connect(url, autocommit=True, options="-c lock_timeout=4s") as connection:
            while not stopped.is_set():
                began = time.monotonic()
                try:
                    connection.execute(ACCEPT)
                except psycopg.Error as error:
                    met.errors.append(type(error).__name__)
                met.took.append(time.monotonic() - began)
                stopped.wait(0.005)

    thread = threading.Thread(target=accept)
    try:
        with StallMeter() as stalls:
            thread.start()
            yield met
    finally:
        stopped.set()
        thread.join()
        met.stalled = stalls.together
