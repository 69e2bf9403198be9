"""Builds `critter web --accept-only`: the fallback door alone, without handlers, pages, Redis or the notifier.

No worker is woken: the clock looks once a second, which is soon enough for a text that came through the fallback.
"""

from dataclasses import dataclass
from typing import Final

from flask import Flask
from sqlalchemy import Engine

from critter.processes import logs
from critter.processes.app import FIRST_BEAT, MOST_PARTS, refuse_unclassed
from critter.processes.gunicorn import WebServer
from gateway.carriers.descriptors.registry import CARRIERS
from gateway.carriers.parts import open_door, usual_step
from gateway.doors.body_limits import SMALL
from gateway.doors.sms import fallback
from gateway.doors.sms.fallback import FallbackInbox, SpooledWriter
from gateway.errors import SettingsError
from gateway.ledger.commit.admission import Admission
from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.inbox.spool import Spool
from gateway.ledger.inbox.writer import Intake
from gateway.ledger.operations.heartbeat import Heartbeat, owner
from gateway.ledger.outbox.callbacks import CallbackCall, Callbacks
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import connect

CONNECT: Final = 2  # seconds for a connection to the database


@dataclass(frozen=True, slots=True)
class FallbackResources:
    """Threads and connections, so it is made after a fork, never before."""

    engine: Engine
    intake: Intake
    callbacks: Callbacks
    fallback_inbox: FallbackInbox
    pulse: Heartbeat

    def close(self) -> None:
        self.intake.close()
        self.callbacks.close()
        self.fallback_inbox.close()
        self.pulse.close()
        self.engine.dispose()


def build(settings: Settings) -> FallbackResources:
    try:
        spool = Spool(settings.var / "spool")
    except OSError as error:
        raise SettingsError(f"CRITTER_VAR: its folder spool cannot be used ({error.strerror})") from None
    engine = connect(settings.database_url, pool=2, connect_timeout=CONNECT, by_key=True)
    admission = Admission(lambda: not len(spool))
    pulse = Heartbeat(engine, "fallback", owner("fallback"), admission)
    pulse.wait_for_beat(FIRST_BEAT)
    fallback_inbox = FallbackInbox(engine, spool, admission)
    return FallbackResources(
        engine, Intake(engine, _nobody), Callbacks(engine, _nobody, usual_step), fallback_inbox, pulse
    )


def _nobody() -> None:
    """Wakes nobody."""


def create_app(settings: Settings, parts: FallbackResources) -> Flask:
    app = Flask("critter", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=SMALL, MAX_FORM_MEMORY_SIZE=SMALL, MAX_FORM_PARTS=MOST_PARTS)
    app.url_map.merge_slashes = False  # as critter/processes/app has it
    intake: SpooledWriter[Incoming] = SpooledWriter(parts.intake, parts.fallback_inbox)
    called: SpooledWriter[CallbackCall] = SpooledWriter(parts.callbacks, parts.fallback_inbox)
    signer = Signer(settings.secret_keys)
    for carrier in CARRIERS.values():
        door = open_door(carrier, settings, signer, intake, called) if carrier.calls_fallback else None
        if door is not None:
            app.register_blueprint(door)
    app.register_blueprint(fallback.blueprint(parts.fallback_inbox))
    refuse_unclassed(app)
    return app


def serve(settings: Settings) -> None:
    """Serves until SIGTERM; requests in progress then have 20 s, and what is spooled stays for the next start."""
    if not settings.sms:
        raise SettingsError("CRITTER_SMS: the fallback door takes texts, and they are off")
    logs.configure()
    made: list[FallbackResources] = []

    def load() -> Flask:
        made.append(build(settings))
        return create_app(settings, made[-1])

    def done() -> None:
        for parts in made:
            parts.close()

    WebServer(settings.fallback_listen, load, done).run()
