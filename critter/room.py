"""The worker processes put together: settings into a room, the room under an RQ worker or the clock."""

import os
import secrets
import signal
import socket
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
from sqlalchemy import Engine, event

from critter import logs
from gateway import crashpoints
from gateway.bell import QUEUES, Bell
from gateway.carriers.smtp_relay import SmtpRelay
from gateway.carriers.twilio_sms import TwilioSms
from gateway.crashpoints import crash_point
from gateway.settings import Settings
from gateway.store.database import connect
from workers import clock
from workers.lingering import linger
from workers.loop import Loop
from workers.room import Room, TextCarrier, enter

WORKER_TTL: Final = 25  # seconds; RQ waits 15 less for a job, and 10 more than that for Redis to answer
REST: Final = 0.5  # seconds between two tries to reach Redis
TURNS: Final = 0.001  # seconds that one thread may keep the others waiting: the loop must not wait for a rendering

# Every statement of the workers is a look-up by key. A planner without statistics, in a fresh database or after a large
# fan-out, would rather read whole tables, and keep that plan; also for the checks of foreign keys.
BY_KEY: Final = (
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off;"
    " SET join_collapse_limit = 1; SET jit = off"
)

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
    while not room.stopping():
        try:
            _answer(room, queue)
        except StopRequested:
            break
        except (RedisError, OSError) as problem:
            log.warning("redis is away", problem=type(problem).__name__)
        room.rest(REST)
    room.close()


def _answer(room: Room, queue: str) -> None:
    """Until SIGTERM, or until Redis was lost in the middle of a job; then RQ's worker gives up and a new one begins."""
    with Redis.from_url(room.settings.redis_url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=5) as connection:
        DrainWorker(room, queue, connection).work(logging_level="WARNING")


def serve_clock(settings: Settings) -> None:
    """Rings for what is due until SIGTERM."""
    logs.configure()
    crashpoints.arm(settings.crash_at, settings.var, "clock")
    room = build(settings, "clock")
    _stop_on_signals(room)
    clock.run(room)
    room.close()


def build(settings: Settings, queue: str) -> Room:
    """The room of one process; only the queues that send have a carrier."""
    return Room(
        settings=settings,
        engine=_engine(settings, queue),
        bell=Bell(settings.redis_url),
        owner=f"{queue}@{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
        loop=Loop(),
        texts=_texts(settings) if queue == "sms" and settings.sms else {},
        letters=_letters(settings) if queue == "email" and settings.mail else None,
    )


def _texts(settings: Settings) -> dict[str, TextCarrier]:
    """The carriers for texts, by the name that a number's setting may give."""
    twilio = TwilioSms(settings.twilio_account_sid, settings.twilio_auth_tokens[0], settings.twilio_api_base)
    return {"twilio": twilio}


def _letters(settings: Settings) -> SmtpRelay:
    return SmtpRelay(settings.smtp_relay, settings.mail_domain)


def _engine(settings: Settings, queue: str) -> Engine:
    engine = connect(settings.database_url)
    if queue in QUEUES:
        event.listen(engine, "connect", _look_up_by_key)
    return engine


def _look_up_by_key(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BY_KEY)
    connection.commit()


def _stop_on_signals(room: Room) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: room.stop())
