"""RQ's worker as our queues need it: it waits for jobs and runs the drains that they name. critter/processes/workers
starts it.

RQ keeps far more in Redis than a wake-up needs: results, retries, callbacks, dependent jobs, commands to workers, and
it cleans up by reading all of that again. Whoever can write to Redis could abuse each of them, so none is used here.
"""

from types import FrameType
from typing import Any, Final

from redis import Redis, ResponseError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.utils import now
from rq.worker import WorkerStatus
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY, clean_worker_registry

from gateway.failpoints import crash_point
from gateway.queue import jobs
from gateway.queue.jobs import DrainJob, JobQueue
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import run
from workers.runtime.listen_on import listen_while_idle

WORKER_TTL: Final = 25  # seconds; RQ waits for a job for 15 less, and for Redis for 10 more than that


class DrainWorker(SimpleWorker):
    """Serves one of our queues, and the queue of that name which the version before used. It takes no commands through
    Redis, and it can be stopped without asking Redis first."""

    max_connection_wait_time = 1.0
    exponential_backoff_factor = 1.0
    log_result_lifespan = False

    def __init__(self, context: WorkerContext, queue: str, connection: Redis) -> None:
        super().__init__(
            [jobs.rq_name(queue), queue],
            connection=connection,
            queue_class=JobQueue,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
            log_job_description=False,
        )
        self.context = context
        self._queue = queue

    def subscribe(self) -> None:
        """Takes no commands."""

    def unsubscribe(self) -> None:
        """Does nothing, because nothing was subscribed."""

    def check_for_suspension(self, burst: bool) -> None:
        """Does nothing: nobody may suspend it."""

    def register_birth(self) -> None:
        """Registers the worker. Keys of RQ's lists of workers that have another type must not keep a worker from
        starting."""
        try:
            super().register_birth()  # type: ignore[no-untyped-call]  # RQ types its public names only
        except ResponseError:
            self._forget_workers()
            self.connection.unlink(self.key)  # half of it was written
            super().register_birth()  # type: ignore[no-untyped-call]

    def run_maintenance_tasks(self) -> None:
        """Only forgets workers that were killed; ours leave nothing else behind."""
        self.last_cleaned_at = now()  # type: ignore[assignment]
        try:
            for queue in self.queues:
                clean_worker_registry(queue)
        except (ResponseError, ValueError):
            self._forget_workers()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Runs one drain; then whatever it is woken for while it listens on."""
        assert isinstance(job, DrainJob)
        crash_point("popped, not begun")
        with self.connection.pipeline(transaction=False) as pipeline:
            self.set_state(WorkerStatus.BUSY, pipeline)
            self.heartbeat(jobs.TIMEOUT + WORKER_TTL, pipeline)
            pipeline.execute()
        self.context.notifier.answered(job.name)
        with self.death_penalty_class(jobs.TIMEOUT, JobTimeoutException):
            run(job.name)
        listen_while_idle(self.context, self._queue, self.connection)

    def request_stop(self, signum: Any, frame: FrameType | None) -> None:
        """SIGTERM: a drain ends by itself; a worker that waits for a job ends at once."""
        self.context.stop()
        self._stop_requested = True
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    def _install_signal_handlers(self) -> None:
        """A signal that came before the handler was installed counts too."""
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        if self.context.stopping():
            raise StopRequested

    def _forget_workers(self) -> None:
        """Only people read these lists; a worker is on them again when it starts anew."""
        self.connection.unlink(REDIS_WORKER_KEYS, *(WORKERS_BY_QUEUE_KEY % queue.name for queue in self.queues))
        jobs.refuse("workers")
