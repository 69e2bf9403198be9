"""The worker processes put together: settings into a room, the room under an RQ worker or the clock."""

import signal
import sys
from types import FrameType
from typing import Any, Final

import structlog
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.worker import WorkerStatus

from critter import logs
from critter.check import moneyless
from gateway import crashpoints
from gateway.bell import QUEUES, Bell
from gateway.carriers import Carrier, Letter, Text, dkim_keys
from gateway.carriers.by_name import carriers
from gateway.carriers.smtp_profiles import relay
from gateway.carriers.twilio_inbox import TwilioInbox
from gateway.carriers.watched import Watched, watched
from gateway.crashpoints import crash_point
from gateway.ledger.pulse import Pulse, owner
from gateway.settings import Settings
from gateway.store.database import connect
from workers import clock, missed
from workers.lingering import linger
from workers.loop import Loop
from workers.room import Room, enter

WORKER_TTL: Final = 25  # seconds; RQ waits 15 less for a job, and 10 more than that for Redis to answer
REST: Final = 0.5  # seconds between two tries to reach Redis
TURNS: Final = 0.001  # seconds that one thread may keep the others waiting: the loop must not wait for a rendering

log = structlog.get_logger()


class DrainWorker(SimpleWorker):
    """RQ's worker, less what a bell does not need: no remote commands, and a stop that never asks Redis first."""

    max_connection_wait_time = 1.0
    exponential_backoff_factor = 1.0
    log_result_lifespan = False

    def __init__(self, room: Room, queue: str, connection: Redis) -> None:
        super().__init__([queue], connection=connection, worker_ttl=WORKER_TTL, log_job_description=False)
        self.room = room
        self._lingers = False

    def subscribe(self) -> None:
        """Nobody commands our workers through Redis."""

    def unsubscribe(self) -> None:
        """There is nothing to end."""

    def _install_signal_handlers(self) -> None:
        """A signal that came before there was somebody to hear it counts too."""
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]  # RQ types its public names only
        if self.room.stopping():
            raise StopRequested

    def execute_job(self, job: Job, queue: Queue) -> None:
        """One job; then whatever is rung while it listens on."""
        crash_point("popped, not begun")
        super().execute_job(job, queue)
        self._lingers = True
        try:
            linger(self.room, queue.name, self.connection)
        finally:
            self._lingers = False

    def request_stop(self, signum: Any, frame: FrameType | None) -> None:
        """SIGTERM: a drain ends by itself; a worker that waits for the bell ends at once."""
        self.room.stop()
        self._stop_requested = True
        if self.get_state() != WorkerStatus.BUSY and not self._lingers:
            raise StopRequested


def serve_worker(settings: Settings, queue: str) -> None:
    """Answers one queue's bell until SIGTERM; what is in hand then has 20 s."""
    logs.configure()
    crashpoints.arm(settings.crash_at, settings.var, f"worker-{queue}")
    sys.setswitchinterval(TURNS)
    room = build(settings, queue)
    enter(room)
    _stop_on_signals(room)
    with Pulse(room.engine, f"worker-{queue}", room.owner):
        _work(room, queue)
    room.close()


def _work(room: Room, queue: str) -> None:
    while not room.stopping():
        try:
            _answer(room, queue)
        except StopRequested:
            break
        except (RedisError, OSError) as problem:
            log.warning("redis is away", problem=type(problem).__name__)
        room.rest(REST)


def _answer(room: Room, queue: str) -> None:
    """Until SIGTERM, or until Redis was lost in the middle of a job; then RQ's worker gives up and a new one begins."""
    with Redis.from_url(room.settings.redis_url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=5) as connection:
        try:
            DrainWorker(room, queue, connection).work(logging_level="WARNING")
        finally:
            _stop_on_signals(room)  # RQ's handler would end a rest, and whatever else comes after, by an exception


def serve_clock(settings: Settings) -> None:
    """Rings for what is due until SIGTERM."""
    logs.configure()
    crashpoints.arm(settings.crash_at, settings.var, "clock")
    if stuck := moneyless(settings):
        log.error(stuck)
    room = build(settings, "clock")
    _stop_on_signals(room)
    with Pulse(room.engine, "clock", room.owner), missed.looking(room):
        clock.run(room)
    room.close()


def build(settings: Settings, queue: str) -> Room:
    """The room of one process; only the queues that send have a carrier."""
    return Room(
        settings=settings,
        engine=connect(settings.database_url, by_key=queue in QUEUES, keys=settings.secret_keys),
        bell=Bell(settings.redis_url),
        owner=owner(queue),
        loop=Loop(),
        texts=_texts(settings) if queue == "sms" and settings.sms else {},
        letters=_letters(settings) if queue == "email" and settings.mail else None,
        keys=dkim_keys.of(settings) if queue == "email" and settings.mail else (),
        inbox=_inbox(settings) if queue == "clock" and settings.sms and "twilio" in settings.sms_carriers else None,
    )


def _texts(settings: Settings) -> dict[str, Carrier[Text]]:
    """The carriers for texts that our numbers name, by these names."""
    return {name: watched(carrier) for name, carrier in carriers(settings).items()}


def _inbox(settings: Settings) -> TwilioInbox:
    return TwilioInbox(settings.twilio_account_sid, settings.twilio_auth_tokens[0], settings.twilio_api_base)


def _letters(settings: Settings) -> Carrier[Letter]:
    return Watched(relay(settings))


def _stop_on_signals(room: Room) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: room.stop())
