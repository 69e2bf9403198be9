"""What can be said and what then happens: the table of commands, and one inbound turned into effects and one answer.

handlers/ fill the table with `@command` and `@meaning`; workers/inbound and `critter explain` call `answer`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.language import verbs as language
from gateway.language.named import Named, Reading
from gateway.language.verbs import Verb
from gateway.settings import Settings
from gateway.store.tables import Account, Address, Effect
from gateway.tokens import Signer

Handler = Callable[[Session, "Turn"], str | None]


@dataclass(frozen=True, slots=True)
class World:
    """What every turn needs and no turn changes."""

    settings: Settings
    signer: Signer
    verbs: Mapping[str, Verb]
    handlers: Mapping[str, Handler]
    meanings: Mapping[str, Handler]

    def handler(self, reading: Reading) -> Handler:
        """What an intent of its own means (ask, choice, update …); else what its verb does."""
        own = self.meanings.get(reading.intent)
        return own or self.handlers[reading.verb or reading.intent]


@dataclass(slots=True)
class Turn:
    """One thing that one person said: who, from where, and how it was read. Handlers note here what they did."""

    world: World
    account: Account
    address: Address
    via: str
    inbound_id: int
    reading: Reading
    carrier_answered: bool = False
    said: str = ""
    our_address: str | None = None
    carrier_id: str | None = None
    done: list[Effect] = field(default_factory=list)

    @property
    def names(self) -> tuple[Named, ...]:
        return self.reading.names

    @property
    def text(self) -> str:
        return self.reading.text

    def did(self, kind: str, subject_id: int | None = None, **detail: Any) -> None:
        """Notes an effect; it commits with the turn, and `undo` reads it."""
        number = len(self.done)
        self.done.append(
            Effect(inbound_id=self.inbound_id, number=number, kind=kind, subject_id=subject_id, detail=detail)
        )

    def as_read(self, reading: Reading) -> "Turn":
        """The same turn, read otherwise: what a person's choice made of it."""
        return replace(self, reading=reading)


@dataclass(slots=True)
class Table:
    """The commands as they are declared, before the first text is read."""

    verbs: list[Verb] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)
    meanings: dict[str, Handler] = field(default_factory=dict)


TABLE = Table()


def command(*usages: str, **how: Any) -> Callable[[Handler], Handler]:
    """Declares a command by its usage lines; `how` goes to language.verbs.verb. The function gets what is so read."""

    def declare(handler: Handler) -> Handler:
        row = language.verb(*usages, **how)
        TABLE.verbs.append(row)
        TABLE.handlers[row.name] = handler
        return handler

    return declare


def meaning(*intents: str) -> Callable[[Handler], Handler]:
    """Declares what happens with texts of an intent that has no verb: update, reply, choice …"""

    def declare(handler: Handler) -> Handler:
        for intent in intents:
            if TABLE.meanings.setdefault(intent, handler) is not handler:
                raise ValueError(f"two handlers for texts that mean {intent!r}")
        return handler

    return declare


def world(settings: Settings) -> World:
    """Everything a turn needs, from what handlers/ declared. Raises ValueError for a duplicate or reserved verb."""
    rows = language.table(TABLE.verbs)
    return World(settings, Signer(settings.secret_keys), rows, dict(TABLE.handlers), dict(TABLE.meanings))


def perform(session: Session, turn: Turn) -> str | None:
    """Does what the reading says and returns the answer. A refusal is an answer too, and leaves nothing behind."""
    handler = turn.world.handler(turn.reading)
    effects = len(turn.done)
    try:
        with session.begin_nested():
            text = handler(session, turn)
            session.flush()
    except Refused as refused:
        del turn.done[effects:]
        return str(refused)
    return text
