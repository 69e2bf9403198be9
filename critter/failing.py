"""What becomes of a job that failed: RQ would keep its traceback in Redis and write it into the log as it is, with
whatever a library's error quotes. Workers keep nothing there and log through our own (critter/logs)."""

from types import TracebackType
from typing import Any, Final

import structlog
from rq import Queue, SimpleWorker
from rq.job import Job

KEPT: Final = "told in the log"  # in place of the traceback, for whoever looks into Redis

log = structlog.get_logger()


class DiscreetWorker(SimpleWorker):
    """RQ's worker whose failed jobs leave no words behind."""

    def handle_exception(
        self, job: Job, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """In place of RQ's, which formats the traceback itself."""
        log.error("job failed", job=job.id, queue=job.origin, exc_info=(kind, error, trace))

    def handle_job_failure(self, job: Job, queue: Queue, *how: Any, **further: Any) -> None:
        """RQ hands the traceback on as `exc_string`, by name."""
        super().handle_job_failure(job, queue, *how, **{**further, "exc_string": KEPT})
