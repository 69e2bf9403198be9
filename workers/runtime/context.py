"""The worker context: settings, database, notifier, event loop and carriers of this process, for its drains.

RQ calls drains by path and without arguments, so critter/processes/workers sets the context once, and drains look it
up here.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Engine

import handlers
from gateway.carriers.common.protocol import Carrier, OutboundEmail, OutboundPush, Text
from gateway.carriers.twilio.inbound_list import TwilioInbox
from gateway.inbound import commands
from gateway.inbound.commands import CommandRegistry
from gateway.ledger.commit.admission import Admission
from gateway.mail.auth.dns import Resolver, of_settings
from gateway.mail.compose.dkim_signer import DkimKey
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.rate_limiter import Buckets
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.direct import DirectConnection
from workers.runtime.event_loop import Loop
from workers.runtime.transient_errors import TransientErrors


@dataclass(eq=False)
class WorkerContext:
    """One per worker process. `owner` names it in leases; a channel that is switched off has no carriers."""

    settings: Settings
    engine: Engine
    notifier: WorkerNotifier
    owner: str
    loop: Loop
    texts: Mapping[str, Carrier[Text]] = field(default_factory=dict)  # by name
    emails: Carrier[OutboundEmail] | None = None
    pushes: Carrier[OutboundPush] | None = None
    keys: tuple[DkimKey, ...] = ()  # the keys that sign mails
    inbox: TwilioInbox | None = None  # the carrier's list of texts to us; only the clock's context has it
    admission: Admission = field(default_factory=Admission)  # the clock's, which takes texts in from that list
    transient_errors: TransientErrors = field(default_factory=TransientErrors)
    suspects_at: float = float("-inf")  # when inbound rows that had ended a worker were last looked for (monotonic)
    wave_limit: int = 20  # how many inbound rows are claimed together; workers/inbound changes it
    _stop: threading.Event = field(default_factory=threading.Event)

    def stopping(self) -> bool:
        """True after SIGTERM: a drain then finishes what it has in hand and claims nothing more."""
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    def rest(self, seconds: float) -> None:
        """Waits that long, or until the process is told to end."""
        self._stop.wait(seconds)

    @cached_property
    def direct(self) -> DirectConnection:
        """The connection of the thread that runs the drains."""
        return DirectConnection(self.engine)

    @cached_property
    def claims(self) -> DirectConnection:
        """The connection by which send loops claim texts, one after the other."""
        return DirectConnection(self.engine)

    @cached_property
    def settlements(self) -> DirectConnection:
        """The one by which they settle them."""
        return DirectConnection(self.engine)

    @cached_property
    def buckets(self) -> Buckets:
        return Buckets(self.settings.redis_url)

    @cached_property
    def signer(self) -> Signer:
        return Signer(self.settings.secret_keys)

    @cached_property
    def resolver(self) -> Resolver:
        """The DNS resolver; all mails of this process share its cache."""
        return of_settings(self.settings)

    @cached_property
    def registry(self) -> CommandRegistry:
        """All commands: handlers/ declares them when it is imported."""
        assert handlers.MODULES
        return commands.build_registry(self.settings)

    def close(self) -> None:
        carriers: Sequence[Carrier[Text] | Carrier[OutboundEmail] | Carrier[OutboundPush] | TwilioInbox | None]
        carriers = (*self.texts.values(), self.emails, self.pushes, self.inbox)
        for carrier in carriers:
            if carrier is not None:
                self.loop.run(carrier.close(), timeout=5)
        self.loop.run(self.buckets.close(), timeout=5)
        self.loop.close()
        self.notifier.close()
        for connection in (self.direct, self.claims, self.settlements):
            connection.close()
        self.engine.dispose()


_entered: list[WorkerContext] = []


def enter(context: WorkerContext | None) -> None:
    """Makes `context` the context of this process; None removes it."""
    _entered[:] = [] if context is None else [context]


def current() -> WorkerContext:
    if not _entered:
        raise RuntimeError(
            "no worker context was entered: drains run in a process that critter/processes/workers has set up"
        )
    return _entered[0]
