"""The company of personas.py at work, and the command line beside it: texts are read, spread and sent as workers do
it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from critter.cli import app
from critter.explain.text import build_registry
from gateway.actions.model.actor import Actor
from gateway.errors import Refused, SettingsError
from gateway.inbound.commands import CommandRegistry
from gateway.inbound.process import process
from gateway.language.model.reading import NamedAccount
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.outbox import claims, due_work, fanouts
from gateway.ledger.outbox.settlements import Settlement, settle
from gateway.network.audience import delivery_decisions, recipients
from gateway.network.conversation import offers
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.queue.jobs import QUEUES
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support import personas
from workers.sending import budget_reservation
from workers.sending.send_loop import OutboundItem

LEASE = timedelta(seconds=60)


class Parcel(NamedTuple):
    """A text that nobody reads."""

    attempt: int


ASK_WORKERS = ("retry", "dead", "held", "costs", "say")  # commands that say whether a worker is alive


@dataclass
class Office:
    """The people, what they say, and an operator at the command line."""

    engine: Engine
    settings: Settings
    registry: CommandRegistry = field(init=False)
    at_work: bool = True  # as the command line sees it

    def __post_init__(self) -> None:
        self.registry = build_registry(self.settings)

    def assemble(self) -> None:
        """Writes the people into an empty database."""
        with transaction(self.engine) as session:
            personas.assemble(session)
            claim_mode(session, "simulated")

    def actor(self, session: Session, handle: str = "kim", *confirmed: str) -> Actor:
        """Somebody on a page: no phone or mailbox speaks."""
        account = accounts.by_handle(session, handle)
        assert account
        return Actor(account, "api", self.settings, self.registry.signer, confirmed=frozenset(confirmed))

    def named(self, session: Session, handle: str) -> NamedAccount:
        account = accounts.by_handle(session, handle)
        assert account
        return find_named(account)

    def says(self, handle: str, words: str, *, trusted: bool = True) -> int:
        """A text from somebody's phone, accepted; the id of its row."""
        phone = next(person.phone for person in personas.PEOPLE if person.handle == handle)
        assert phone
        return self.accept_text(phone, words, trusted=trusted)

    def accept_text(self, phone: str, words: str, *, trusted: bool = True) -> int:
        sid = f"SM{uuid.uuid4().hex}"
        return self.accept(Incoming("sms", sid.encode(), phone, (personas.NUMBER,), b"", trusted, sid, words))

    def accept(self, incoming: Incoming) -> int:
        with transaction(self.engine) as session:
            return next(iter(inbox.accept(session, inbox.hash_key(session), [incoming]).values()))

    def work(self) -> None:
        """Reads, spreads and sends until nothing is left to do now."""
        while self._turn():
            pass

    def due(self) -> frozenset[str]:
        """The drains that have work now. To ask once is cheaper than to try them all."""
        with transaction(self.engine) as session:
            return due_work.look(session).drains

    def _turn(self) -> bool:
        due = self.due()
        if ("inbound" in due and self.read()) or ("fanout" in due and self.spread()):
            return True
        if "offers" in due and self.offer():
            return True
        return any(channel in due and self.send(channel) for channel in ("sms", "email"))

    def read(self) -> bool:
        with transaction(self.engine) as session:
            claimed = inbox.claim(session, "test", LEASE, 10)
            for one in claimed:
                row, _ = inbox.take(session, one) or (None, None)
                assert row is not None
                outcome = process(session, self.registry, row)
                inbox.finish(session, row, outcome.state, outcome.intent, outcome.reason, outcome.account_id)
        return bool(claimed)

    def spread(self) -> bool:
        with transaction(self.engine) as session:
            fanout = fanouts.claim(session)
            if fanout is None:
                return False
            chunk = recipients.expand(session, fanout, fanouts.priority(session, fanout), 100)
            fanouts.advance(session, fanout, chunk, done=chunk.upto == recipients.END)
        return True

    def offer(self) -> bool:
        with transaction(self.engine) as session:
            due = offers.due(session, 1)
            for one in due:
                offers.make(session, self.settings, one)
        return bool(due)

    def send(self, channel: str) -> bool:
        with transaction(self.engine) as session:
            claimed = claims.claim(session, channel, "test", LEASE, 100)
            sent, limits = delivery_decisions.keep_allowed(session, claimed)
            if channel == "sms":
                contents = claims.contents(session, {one.message_id for one in sent})
                loads = [OutboundItem(one, Parcel(one.attempt_id), 1) for one in sent]
                kept = budget_reservation.reserve(session, self.settings, loads, contents, limits)
                sent = [load.claimed for load in kept.loads]
        with transaction(self.engine) as session:
            settle(session, [Settlement(one, "sent", f"SM{uuid.uuid4().hex}", segments=1) for one in sent])
        return bool(claimed)

    def sql(self, statement: str, **values: object) -> Sequence[Sequence[object]]:
        with transaction(self.engine) as session:
            result = session.execute(text(statement), values)
            return result.all() if result.returns_rows else []  # type: ignore[attr-defined]

    def delivery(self, handle: str) -> str:
        """The id of the last delivery to one of somebody's addresses."""
        rows = self.sql(
            "SELECT d.message_id || ':' || d.address_id FROM deliveries d JOIN addresses a ON a.id = d.address_id"
            " JOIN accounts p ON p.id = a.account_id WHERE p.handle = :handle ORDER BY d.message_id DESC",
            handle=handle,
        )
        return str(rows[0][0])

    def critter(self, *arguments: str, given: bytes | None = None) -> "Ran":
        if self.at_work and (arguments[0] in ASK_WORKERS or "--release" in arguments):
            self._beat()
        return critter(*arguments, given=given)

    def _beat(self) -> None:
        """What workers do is done here, so they count as alive."""
        for queue in QUEUES:
            self.sql(
                "INSERT INTO processes (owner, name) VALUES (:name, :name)"
                " ON CONFLICT (owner) DO UPDATE SET seen_at = now()",
                name=f"worker-{queue}",
            )


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    exit_code: int
    output: str


def critter(*arguments: str, given: bytes | None = None) -> Ran:
    """Runs the command as `python -m critter` does: what it refuses is one line and exit code 2."""
    result = CliRunner().invoke(app, list(arguments), input=given)
    if isinstance(result.exception, (Refused, SettingsError)):
        return Ran(2, f"{result.exception}\n")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.output)


def point_command_line(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Makes the settings that the command line loads those of the test."""
    monkeypatch.setenv("CRITTER_VAR", str(settings.var))
    monkeypatch.setenv("CRITTER_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("CRITTER_DATABASE_OWNER_URL", settings.database_owner_url)
    monkeypatch.setenv("CRITTER_REDIS_URL", settings.redis_url)
