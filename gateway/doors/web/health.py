"""Is this process alive, and is Critter keeping up? Load balancers and watchers ask (R55)."""

import logging
from collections.abc import Callable
from typing import Any

import redis
from flask import Blueprint, Response, jsonify
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from gateway.doors.route_access import access
from gateway.ledger.inbox import inbox
from gateway.store.database import transaction

TOO_OLD = 60.0  # seconds that the oldest accepted input may wait
PATIENCE = 2  # seconds for the database and for Redis

log = logging.getLogger(__name__)


def blueprint(engine: Engine, redis_url: str, draining: Callable[[], bool] = lambda: False) -> Blueprint:
    """GET /healthz: 200 while the process lives. GET /readyz: 503 when the database is away, an input waits too long,
    or `critter drain` closed the doors. If Redis is away the answer says so, but stays 200: that only delays, and is no
    reason to send clients elsewhere."""
    pages = Blueprint("health", __name__)
    ringing = redis.Redis.from_url(redis_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)

    @pages.get("/healthz")
    @access("public")
    def healthz() -> Response:
        return Response("ok\n", content_type="text/plain")

    @pages.get("/readyz")
    @access("public")
    def readyz() -> Response:
        age = _oldest(engine)
        status: dict[str, Any] = {
            "database": "away" if age is None else "ok",
            "redis": "ok" if _answers(ringing) else "away",
            "oldest_unprocessed_seconds": age,
        }
        if draining():
            status["draining"] = True
        answer = jsonify(status)
        answer.status_code = 200 if age is not None and age <= TOO_OLD and "draining" not in status else 503
        return answer

    return pages


def _oldest(engine: Engine) -> float | None:
    """Returns the seconds that the oldest unfinished input has waited; None when the database does not answer in
    time."""
    try:
        with transaction(engine) as session:
            session.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}s'"))
            return round(inbox.oldest_age(session).total_seconds(), 3)
    except SQLAlchemyError as error:
        log.warning("the database does not answer: %s", type(error).__name__)
        return None


def _answers(ringing: "redis.Redis") -> bool:
    try:
        return bool(ringing.ping())
    except redis.RedisError as error:
        log.warning("redis does not answer: %s", type(error).__name__)
        return False
