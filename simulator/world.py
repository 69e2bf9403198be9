"""All the state of one simulator, in one place: it is handed to the REST API, the sink and the pages."""

from dataclasses import dataclass
from typing import Self

from aiohttp import web

from simulator.carrier_words import Blocks
from simulator.events import Events
from simulator.faults import Faults
from simulator.hooks import Hooks
from simulator.journeys import Journeys
from simulator.ledger import Ledger
from simulator.mailboxes import Mailboxes
from simulator.messages import Messages
from simulator.options import Options
from simulator.push_devices import PushDevices


@dataclass(frozen=True, slots=True)
class World:
    options: Options
    ledger: Ledger
    events: Events
    faults: Faults
    messages: Messages
    mailboxes: Mailboxes
    blocks: Blocks
    hooks: Hooks
    journeys: Journeys
    logins: frozenset[str]  # the Authorization headers that open the REST API, compared whole on every request
    push_devices: PushDevices
    media: dict[str, tuple[str, bytes]]  # by SID: content type and bytes of pictures that phones sent

    @classmethod
    def make(cls, options: Options) -> Self:
        """Must be called in a running event loop."""
        events = Events()
        ledger = Ledger(options.ledger, options.fsync, lambda line: events.tell("ledger", line))
        faults, hooks = Faults(options.seed), Hooks(options)
        return cls(
            options,
            ledger,
            events,
            faults,
            Messages(options.keep_messages),
            Mailboxes(options.keep_mails),
            Blocks(options.numbers, together=options.messaging_service_sid is not None),
            hooks,
            Journeys(options, faults, hooks, ledger, events),
            options.logins(),
            PushDevices(),
            {},
        )

    def reset(self) -> None:
        """Resets it as if just started: no texts, no mails, no blocks, no faults, an empty ledger."""
        self.journeys.clear()
        for part in (self.messages, self.mailboxes, self.blocks, self.ledger, self.push_devices, self.media):
            part.clear()
        self.faults.set([])
        self.events.tell("reset", {})

    async def close(self) -> None:
        await self.journeys.close()
        await self.hooks.close()
        await self.ledger.close()


WORLD = web.AppKey("world", World)
