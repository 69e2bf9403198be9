"""Builds the serving processes: settings into parts, parts into doors. critter/cli.py calls it."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import uvloop
from flask import Blueprint, Flask
from sqlalchemy import Engine

import handlers
from critter.console.reserved_words import reserved_words
from critter.processes import fd_limits, garbage, logs, operator_tools
from critter.processes.gunicorn import WebServer
from critter.processes.gunicorn_worker import FAST_PATH
from gateway import failpoints
from gateway.carriers.parts import open_door, open_hooks, usual_step
from gateway.channels import SMS
from gateway.doors.api.frame import cors, errors, serving
from gateway.doors.api.frame.addresses import IdConverter
from gateway.doors.api.frame.call import ApiResources
from gateway.doors.api.frame.rate_limits import RateLimits
from gateway.doors.api.routers import ENDPOINTS as API_ENDPOINTS
from gateway.doors.api.routers import ROUTERS as API_ROUTERS
from gateway.doors.body_limits import SMALL
from gateway.doors.oauth.passwords import Passwords
from gateway.doors.route_access import inventory
from gateway.doors.sms.hook_fast_path import HookFastPath
from gateway.doors.smtp import server, tls_certificates
from gateway.doors.smtp.connection_limits import ConnectionLimits
from gateway.doors.web import headers, health, help_page, legal_pages, media, metrics, pages, portraits
from gateway.doors.web.routers import PAGES, ROUTERS
from gateway.doors.web.shell import assets, rendering, router
from gateway.doors.web.shell.content_policy import policy_of
from gateway.doors.web.visits.try_limits import TryLimits
from gateway.doors.web.visits.visit import WebResources
from gateway.errors import SettingsError
from gateway.inbound import commands
from gateway.ledger.commit.admission import Admission
from gateway.ledger.inbox.writer import Intake
from gateway.ledger.operations.heartbeat import Heartbeat, owner
from gateway.ledger.outbox.callbacks import Callbacks
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import connect

MOST_PARTS = 100
FIRST_BEAT = 5.0  # seconds; without a database the doors open too, and answer that they cannot


@dataclass(frozen=True, slots=True)
class Tour:
    """What the web process has more while simulated: the tour's pages, to which visitors are led, and the made-up
    people as whom the pages can be opened."""

    pages: Callable[[Settings], Blueprint]
    people: tuple[str, ...]
    path: str = "/tour"


@dataclass(frozen=True, slots=True)
class DoorResources:
    """What the doors of one process share: threads and connections, so it is made after a fork, never before."""

    engine: Engine
    ledger: Engine  # where what is accepted is stored
    notifier: WorkerNotifier
    intake: Intake
    callbacks: Callbacks
    pulse: Heartbeat

    def close(self) -> None:
        """Commits what was accepted, then closes the connections."""
        self.intake.close()
        self.callbacks.close()
        self.pulse.close()
        self.notifier.close()
        self.engine.dispose()
        self.ledger.dispose()


def build(settings: Settings, name: str = "web") -> DoorResources:
    engine, ledger = (
        connect(settings.database_url, keys=settings.secret_keys),
        connect(settings.database_url, pool=2, by_key=True, keys=settings.secret_keys),
    )
    notifier = WorkerNotifier(settings.redis_url)
    admission = Admission(needs_contact=True)
    pulse = Heartbeat(engine, name, owner(name), admission)
    pulse.wait_for_beat(FIRST_BEAT)  # a running drain knows of this process before anything comes in
    return DoorResources(
        engine=engine,
        ledger=ledger,
        notifier=notifier,
        intake=Intake(ledger, lambda: notifier.notify("inbound"), admission, lambda: notifier.notify("proving")),
        callbacks=Callbacks(ledger, lambda: notifier.notify("receipts"), usual_step),
        pulse=pulse,
    )


def create_app(settings: Settings, parts: DoorResources, tour: Tour | None = None) -> Flask:
    """Every door that speaks HTTP, and the pages. `tour`: what is there while simulated. Nothing here reads Host or
    X-Forwarded-*: every URL is made from the settings."""
    app = Flask("critter", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=SMALL, MAX_FORM_MEMORY_SIZE=SMALL, MAX_FORM_PARTS=MOST_PARTS)
    app.url_map.converters["id"] = IdConverter
    app.url_map.merge_slashes = False  # its redirect for "//" would use the host name that the caller gave
    signer = Signer(settings.secret_keys)
    for door in _sms_doors(settings, signer, parts) if settings.sms else ():
        app.register_blueprint(door)
    app.register_blueprint(health.blueprint(parts.engine, settings.redis_url, parts.pulse.draining))
    app.register_blueprint(metrics.blueprint(settings, parts.engine))
    app.register_blueprint(pages.blueprint(settings, signer, parts.engine))
    app.register_blueprint(media.blueprint(settings, signer, parts.engine))
    app.register_blueprint(portraits.blueprint())
    assert handlers.MODULES  # importing them filled the table of commands
    app.register_blueprint(help_page.blueprint(settings, commands.build_registry(settings).verbs))
    app.register_blueprint(legal_pages.blueprint(settings))
    app.register_blueprint(assets.blueprint())
    if tour:
        app.register_blueprint(tour.pages(settings))
    assert PAGES  # importing them declared their addresses
    for made in router.blueprints(ROUTERS, _web_resources(settings, signer, parts, tour)):
        app.register_blueprint(made)
    assert API_ENDPOINTS  # the same for endpoints
    for made in serving.blueprints(API_ROUTERS, _api_resources(settings, signer, parts)):
        app.register_blueprint(made)
    rendering.install(app)
    headers.install(app, settings, errors.of_uncaught)
    cors.install(app)
    refuse_unclassed(app)
    if fast_path := _fast_path(settings, signer, parts):
        app.extensions[FAST_PATH] = fast_path
    return app


def _web_resources(
    settings: Settings, signer: Signer, parts: DoorResources, tour: Tour | None
) -> WebResources:  # fmt: skip
    people, path = (tour.people, tour.path) if tour else ((), "")
    tools = operator_tools.build(settings)
    return WebResources(
        settings, signer, parts.engine, parts.notifier, TryLimits(), people, path, reserved_words(), tools
    )


def _api_resources(settings: Settings, signer: Signer, parts: DoorResources) -> ApiResources:
    conformance = settings.api_conformance
    return ApiResources(
        settings, signer, parts.engine, parts.notifier, RateLimits(on=not conformance), reserved_words(),
        Passwords() if conformance else None,
    )  # fmt: skip


def _sms_doors(settings: Settings, signer: Signer, parts: DoorResources) -> Iterator[Blueprint]:
    """One door for each carrier of one of our numbers that calls us."""
    for carrier in settings.carriers_for(SMS):
        door = open_door(carrier, settings, signer, parts.intake, parts.callbacks)
        if door is not None:
            yield door


def _fast_path(settings: Settings, signer: Signer, parts: DoorResources) -> HookFastPath | None:
    """What takes usual web hooks before Flask, for the first carrier that has such a thing."""
    of_all = [*headers.strict_headers(settings), ("Content-Security-Policy", policy_of(settings))]
    for carrier in settings.carriers_for(SMS) if settings.sms else ():
        if hooks := open_hooks(carrier, settings, signer, parts.intake, parts.callbacks):
            return HookFastPath(hooks, of_all)
    return None


def refuse_unclassed(app: Flask) -> None:
    for rule, kind in inventory(app).items():
        if kind is None:
            raise SettingsError(f"{rule} does not say who may ask it (gateway/doors/route_access.py)")


def serve_web(settings: Settings, tour: Tour | None = None) -> None:
    """Serves until SIGTERM; requests in progress then have 20 s."""
    logs.configure()
    failpoints.arm(settings.crash_at, settings.var, "web")
    made: list[DoorResources] = []

    def load() -> Flask:
        made.append(build(settings))
        app = create_app(settings, made[-1], tour)
        garbage.calm()
        return app

    def done() -> None:
        for parts in made:
            parts.close()

    WebServer(settings.web_listen, load, done).run()


def serve_mail(settings: Settings) -> None:
    """Accepts mail until SIGTERM; mails on their way in then have 20 s."""
    logs.configure()
    failpoints.arm(settings.crash_at, settings.var, "mail")
    parts = build(settings, "mail")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_open_mail_door(settings, parts))
    parts.close()


async def _open_mail_door(settings: Settings, parts: DoorResources) -> None:
    stop, tls = asyncio.Event(), tls_certificates.of(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, tls.look_again if tls else lambda: None)
    limits = ConnectionLimits(
        message=settings.mail_largest, connections=fd_limits.most_connections(ConnectionLimits().connections)
    )
    await server.serve(settings, parts.engine, parts.intake, stop, limits, tls)
