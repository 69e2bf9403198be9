"""Critter behind a PgBouncer that gives each transaction another connection."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.company import KIM, company
from bench.mail_in import listens
from bench.stub import Stub
from critter.servers import Servers
from critter.servers.account import reaching, serving
from critter.servers.spawn import spawn
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.inbox.writer import Intake
from gateway.settings import embedded
from tests.peers.conftest import need
from tests.support.ports import free_port

FOLLOWERS = 300
CONFIGURATION = """
[databases]
critter = host={sockets} port={port} dbname=critter user={role}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
"""
CROWD = """
    WITH people AS (
        INSERT INTO accounts (kind, handle, name)
        SELECT 'person', 'p' || n, 'Person ' || n FROM generate_series(0, CAST(:count AS int)) n
        RETURNING id, handle
    ), phones AS (
        INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
        SELECT id, 'sms', '+1555' || (8000000 + CAST(substr(handle, 2) AS int)), true, now() FROM people
    )
    INSERT INTO follows (follower_id, account_id, by_text)
    SELECT reader.id, writer.id, true FROM people reader, people writer
    WHERE writer.handle = 'p0' AND reader.handle <> 'p0'
"""


@contextmanager
def pooled(servers: Servers) -> Iterator[str]:
    program = need("pgbouncer", "pgbouncer")
    listen, sockets = free_port(), embedded.socket_folder(servers.var)
    configuration = sockets / "pgbouncer.ini"  # in a folder of the user whom both servers run as
    configuration.write_text(
        CONFIGURATION.format(sockets=sockets, port=embedded.PORT, role=embedded.ROLE, listen=listen)
    )
    configuration.chmod(0o644)
    user = reaching(serving(servers.var), [configuration])
    with (servers.var / "pgbouncer.log").open("wb") as log:
        bouncer = spawn([program, configuration], account=user, environ={}, folder=sockets, output=log)
        try:
            end = time.monotonic() + 20
            while not listens(listen):
                assert bouncer.poll() is None and time.monotonic() < end, "PgBouncer did not start"  # noqa: PT018
                time.sleep(0.05)
            yield f"postgresql://critter@127.0.0.1:{listen}/critter?pooled=on"
        finally:
            bouncer.terminate()
            bouncer.wait(20)


@pytest.mark.usefixtures("_pgbouncer")
def test_a_fan_out_behind_a_pooler_that_keeps_no_session() -> None:
    with Stub("texts") as stub:
        processes = ("web", "worker inbound", "worker fanout", "worker sms", "worker sms", "clock")
        base = f"http://127.0.0.1:{stub.port}"
        with company(*processes, pooler=pooled, TWILIO_API_BASE=base) as place:
            place.run(CROWD, count=FOLLOWERS)
            with_intake(place, 6)
            place.wait(lambda: stub.report()["count"] >= 6 * FOLLOWERS, 120)
            place.wait(lambda: place.settled("sms"), 60)
            report = stub.report()
            assert report["count"] == report["distinct"] == 6 * FOLLOWERS
            states = place.scalar("SELECT string_agg(DISTINCT state, ',') FROM deliveries WHERE author_id <> 0")
            assert states == "sent"


def with_intake(place, texts: int) -> None:
    intake = Intake(place.engine, lambda: None)
    for number in range(texts):
        sid = f"SM{number:032x}"
        incoming = Incoming(
            "sms",
            sid.encode(),
            KIM,
            place.settings.sms_numbers[:1],
            b"",
            True,
            sid,
            f"starting the ACME proposal, part {number}",
        )
        intake.submit(incoming).result(20)
    intake.close()


@pytest.fixture
def _pgbouncer() -> None:
    need("pgbouncer", "pgbouncer")
