"""The tour's button that kills the sending worker in the middle of 1,000 pretend texts, and then counts what arrived.

Everything in it is real: the signal, the supervisor that starts the worker again, the search in the carrier's list for
what is in doubt. The numbers at the end come from the simulator's own ledger.
"""

import json
import os
import signal
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Engine, text

from critter.demo import company
from critter.demo.pretend_followers import GROUP, load_crowd
from critter.demo.tour.troubles import describe
from gateway.errors import Refused
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction
from simulator.tour import Trouble

TOTAL: Final = 1_000
KILL_AFTER: Final = 200  # texts
VICTIM: Final = "worker-sms"
SAYS: Final = f"#{GROUP} one update for a thousand phones"
BY: Final = "dana"
PATIENCE: Final = 120.0  # seconds for all of it
GLANCE, LOOK = 0.02, 0.2  # seconds between two looks, before and after the kill

log = structlog.get_logger()


@dataclass(slots=True)
class DrillStatus:
    """What the page shows. `phase`: idle, loading, sending, killed, counting, done, failed. `sent` has arrived as far
    as we know, `doubt` may have, the rest waits; `arrived`, `lost` and `twice` were counted at the end."""

    phase: str = "idle"
    total: int = TOTAL
    sent: int = 0
    doubt: int = 0
    pid: int | None = None  # of the worker that was killed
    killed_at: int = 0  # texts sent by then
    successor: int | None = None
    arrived: int = 0
    lost: int = 0
    twice: int = 0
    seconds: float = 0.0
    trouble: str = ""


class Drill:
    """One drill at a time; it continues when nobody looks."""

    def __init__(self, engine: Engine, settings: Settings, simulator: str) -> None:
        self._engine, self._settings, self._simulator = engine, settings, simulator
        self._standing = DrillStatus()
        self._lock = threading.Lock()

    def running(self) -> bool:
        return self._standing.phase not in ("idle", "done", "failed")

    def tell(self) -> dict[str, Any]:
        return asdict(self._standing) | {"by": BY, "says": SAYS}

    def forget(self) -> None:
        """Forgets how the last one went; one that is running continues."""
        with self._lock:
            if not self.running():
                self._standing = DrillStatus()

    def begin(self) -> None:
        """Starts it; raises Trouble when one is running, or when nobody would start the worker again."""
        with self._lock:
            if self.running():
                raise Trouble("The 1,000 texts are on their way already.")
            _refuse_unsupervised(self._settings.var / "pids")
            self._standing = DrillStatus("loading")
        threading.Thread(target=self._run, name="drill", daemon=True).start()

    def _run(self) -> None:
        now = self._standing
        began = time.monotonic()
        try:
            with describe():
                message = self._post()
                self._watch(message, began)
                now.phase = "counting"
                now.arrived, now.lost, now.twice = self._count(message)
            now.seconds = round(time.monotonic() - began, 1)
            now.phase = "done"
        except Trouble as trouble:
            now.phase, now.trouble = "failed", str(trouble)
        except Exception:
            log.exception("the drill failed")
            now.phase, now.trouble = "failed", "Something went wrong; the log has it."

    def _post(self) -> int:
        """Sends Dana's update to the crowd, from her phone like any other; returns its message once it is being fanned
        out."""
        with transaction(self._engine) as session:
            load_crowd(session, TOTAL)
        sid = self._text(SAYS)
        if self._settings.ask_phones < TOTAL:  # so many phones need a confirmation first
            self._wait_for(READ, sid)  # an OK that came before the question would not answer it
            sid = self._text("OK")
        message = self._wait_for(MESSAGE, sid)
        self._standing.phase = "sending"
        return message

    def _wait_for(self, question: str, sid: str) -> int:
        """What the query finds for this text, once it finds something."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := self._scalar(question, sid=sid):
                return int(found)
            time.sleep(GLANCE)
        raise Trouble("The update was not read in time. Is worker-inbound running?")

    def _text(self, words: str) -> str:
        number = company.NUMBERS + next(person.number or "" for person in company.PEOPLE if person.handle == BY)
        form = urllib.parse.urlencode({"body": words}).encode()
        return str(json.loads(self._ask(f"/phones/{urllib.parse.quote(number)}/texts", form))["sid"])

    def _watch(self, message: int, began: float) -> None:
        """Watches until none of its deliveries is open any more; in between it kills the worker."""
        now = self._standing
        pids = self._settings.var / "pids"
        while True:
            now.sent, now.doubt, open_ = self._row(STANDING, message=message)
            now.seconds = round(time.monotonic() - began, 1)
            if now.pid is None and now.sent >= KILL_AFTER:
                now.pid, now.killed_at, now.phase = _kill(pids / VICTIM), now.sent, "killed"
            if now.pid and now.successor is None:
                now.successor = _successor(pids / VICTIM, now.pid)
            if now.sent >= KILL_AFTER and not open_:
                return
            if now.seconds > PATIENCE:
                raise Trouble(f"After {PATIENCE:.0f} s {open_} texts are still open: critter outbox shows them.")
            time.sleep(LOOK if now.pid else GLANCE)

    def _count(self, message: int) -> tuple[int, int, int]:
        """(arrived, lost, twice) of the copies of this message: by the ledger of the simulated carrier, identified by
        the token in each text's callback URL."""
        signer = Signer(self._settings.secret_keys)
        with self._engine.connect() as connection:
            rows = connection.execute(text("SELECT id, address_id FROM attempts WHERE message_id = :m"), {"m": message})
            phone_of = {row.id: row.address_id for row in rows}
        arrivals: Counter[int] = Counter()
        for line in map(json.loads, self._ask("/ledger.jsonl").splitlines()):
            if line["kind"] == "create" and line["accepted"]:
                attempt = signer.read("status", line["callback"].rpartition("/")[2])
                if attempt and attempt[0] in phone_of:
                    arrivals[phone_of[attempt[0]]] += 1
        return len(arrivals), TOTAL - len(arrivals), sum(count - 1 for count in arrivals.values())

    def _ask(self, path: str, form: bytes | None = None) -> bytes:
        request = urllib.request.Request(self._simulator + path, form)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return bytes(answer.read())

    def _scalar(self, statement: str, **values: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.scalar(text(statement), values)

    def _row(self, statement: str, **values: Any) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(text(statement), values).one()


def _refuse_unsupervised(pids: Path) -> None:
    """The file of process ids is used only when it names us, too: an old file may name any process by now."""
    try:
        ours = int((pids / "web").read_text())
        int((pids / VICTIM).read_text())
    except (OSError, ValueError):
        ours = 0
    if ours not in (os.getpid(), os.getppid()):
        raise Trouble("This needs critter up: it starts the killed worker again.")


def _kill(file: Path) -> int:
    try:
        pid = int(file.read_text())
        os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError) as problem:
        raise Refused("There was no worker to kill. Try once more.") from problem
    return pid


def _successor(file: Path, killed: int) -> int | None:
    try:
        pid = int(file.read_text())
    except (OSError, ValueError):  # it is being written
        return None
    return pid if pid != killed else None


READ: Final = "SELECT id FROM inbound WHERE message_id = :sid AND state = 'done'"
MESSAGE: Final = """
    SELECT m.id FROM inbound i JOIN posts p ON p.inbound_id = i.id JOIN messages m ON m.post_id = p.id
    WHERE i.message_id = :sid AND m.kind = 'update'
"""
STANDING: Final = """
    SELECT count(*) FILTER (WHERE state IN ('sent', 'delivered')),
           count(*) FILTER (WHERE state IN ('sending', 'unknown')),
           count(*) FILTER (WHERE ended_at IS NULL)
    FROM deliveries WHERE message_id = :message
"""
