"""The connection to PostgreSQL is cut after every so many octets of a door's commit: the repeat finds the row (F8)."""

import socket
import threading
from collections.abc import Iterator

import pytest

from critter.servers import Servers
from gateway.settings import Settings
from gateway.settings.embedded import socket_folder
from gateway.store.database import claim_mode, transaction
from tests.support.database_proxy import DatabaseProxy
from tests.support.delivering import rows
from tests.support.web_process import changed, send, served, text

STEP = {"there": 7, "back": 1}  # octets; a text's row is some hundreds of them, what PostgreSQL says of it is few


class Scissors(DatabaseProxy):
    """A proxy that cuts itself once it has passed so many octets in one direction, as often as it is told to."""

    def __init__(self, server: str) -> None:
        self.way, self.octets, self.cuts, self._left = "", 0, 0, 0
        self._lock = threading.Lock()
        super().__init__(server)

    def arm(self, way: str, octets: int, cuts: int) -> None:
        with self._lock:
            self.way, self.octets, self.cuts = way, octets, cuts
            self._left = octets

    def rest(self) -> None:
        self.arm(self.way, 0, 0)

    def _let_through(self, source: socket.socket, data: bytes) -> tuple[bytes, bool]:
        """How much of it passes, and whether the connection is cut then. The door's heartbeat has a connection of its
        own: two that are cut at the same moment would count as one, and the next connection would be cut as well."""
        way = "there" if source.family == socket.AF_INET else "back"
        with self._lock:
            if not self.cuts or self.way != way:
                return data, False
            if len(data) <= self._left:
                self._left -= len(data)
                return data, False
            passed = data[: self._left]
            self.cuts, self._left = self.cuts - 1, self.octets
            return passed, True


@pytest.fixture
def scissors(servers: Servers) -> Iterator[Scissors]:
    found = Scissors(socket_folder(servers.var) / ".s.PGSQL.5432")
    yield found
    found.pull()


@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.parametrize("cuts", [1, 2], ids=["once", "twice"])
def test_a_commit_cut_at_every_octet(settings: Settings, engine, scissors: Scissors, way: str, cuts: int) -> None:
    """Once: the door tries again by itself, and the text is accepted. Twice: 503, and the carrier's repeat is."""
    name = settings.database_url.partition("?")[0].rpartition("/")[2]
    place = f"postgresql://critter@127.0.0.1:{scissors.port}/{name}?sslmode=disable&gssencmode=disable"
    wired = changed(settings, CRITTER_DATABASE_URL=place)
    answers: list[int] = []
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    with served(wired) as url:
        assert send(url, wired, "/sms/inbound", text(wired, 0)).status_code == 200
        octets = 0
        while True:
            scissors.arm(way, octets, cuts)
            form = text(wired, 1 + len(answers))
            answers.append(send(url, wired, "/sms/inbound", form).status_code)
            if scissors.cuts == cuts:
                break  # the whole of it passed
            scissors.rest()
            assert send(url, wired, "/sms/inbound", form).status_code == 200
            octets += STEP[way] * cuts
    hit = answers[:-1]
    print(f"{way}, {cuts}: {len(hit)} commits cut, {hit.count(503)} were answered 503")
    assert len(hit) > 20
    assert set(hit) == ({200} if cuts == 1 else {200, 503} & set(hit))
    assert cuts == 1 or 503 in hit
    kept = rows(engine, "SELECT message_id, count(*) AS count FROM inbound GROUP BY 1")
    assert len(kept) == len(answers) + 1
    assert {row.count for row in kept} == {1}
