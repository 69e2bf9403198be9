"""`critter check`: tests each thing that Critter needs, and says whether it is ok or wrong, and what to do about it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, TypeVar

import redis
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from critter.console.console import format_age, format_count, show_json
from critter.console.database import find_undurable, open_database
from critter.doctor import probes
from critter.doctor.settings_lint import find_mistakes
from gateway.carriers import parts
from gateway.carriers.operator_advice import advice
from gateway.channels import PUSH, SMS
from gateway.errors import Refused
from gateway.ledger.audit import role_check
from gateway.ledger.money import budgets, spending
from gateway.ledger.operations import partitions, task_failures, waiting_items
from gateway.ledger.senders import pauses
from gateway.setting_types import values as value
from gateway.settings import Settings
from gateway.store.database import transaction

TIMEOUT = 10.0  # seconds
STALE = 60.0  # seconds beyond its period since Twilio's list of texts was last read
WATERMARKS = text("SELECT number, failures, reason, extract(epoch FROM now() - asked_at) AS asked FROM watermarks")
NO_EVICTION = "noeviction"
OLDEST_MENDED = (7, 2)  # the oldest Redis that still got fixes in 2026
Answer = TypeVar("Answer")
Look = Callable[[Settings], str]  # returns what is fine; raises Refused with what to do


class CheckResult(NamedTuple):
    """What was checked; ok or wrong; what is fine about it, or what to do."""

    name: str
    state: str
    note: str


def run(settings: Settings, as_json: bool = False) -> int:
    """Prints a line for each check, or one JSON array; returns 1 when one of them is wrong."""
    rows = []
    for row in results(settings):
        rows.append(row)
        if not as_json:
            print(f"{row.state:<6} {row.name:<11} {row.note}", flush=True)
    if as_json:
        show_json([row._asdict() for row in rows])
    return 1 if any(row.state == "wrong" for row in rows) else 0


def results(settings: Settings) -> Iterator[CheckResult]:
    """One after the other, as each is found."""
    for name, look in _looks(settings):
        yield _looked(settings, name, look)


def _looked(settings: Settings, name: str, look: Look) -> CheckResult:
    try:
        return CheckResult(name, "ok", look(settings))
    except Refused as refused:
        return CheckResult(name, "wrong", str(refused))


def _looks(settings: Settings) -> Iterator[tuple[str, Look]]:
    yield "settings", _settings
    for mistake in find_mistakes(settings):
        yield "settings", partial(_mistaken, mistake)
    yield "database", _database
    yield "durability", _durability
    yield "roles", _roles
    yield "redis", _redis
    if settings.sms:
        for carrier in settings.carriers_for(SMS):
            yield from parts.list_checks(carrier)
        if settings.listed_numbers:
            yield "texts in", _texts_in
        yield "money", _money
    if settings.mail:
        yield from parts.list_checks(settings.mail_carrier)
    for carrier in settings.carriers_for(PUSH):
        yield from parts.list_checks(carrier)
    if settings.mode == "live":
        yield "web address", probes.web_address
    yield "senders", _senders
    yield "clock", _clock
    yield "months", _months
    yield "waiting", _waiting


def check_without_money(settings: Settings) -> str | None:
    """Why no text can leave at all; each process says it at its start, too."""
    empty = ["CRITTER_MONTHLY_SMS_BUDGET is"] if not settings.monthly_sms_budget else []
    empty += ["CRITTER_DAILY_SMS_BUDGET is"] if not settings.daily_sms_budget else []
    return f"{' and '.join(empty)} 0: no text can be sent" if settings.sms and empty else None


def _settings(settings: Settings) -> str:
    channels = [name for name, on in (("SMS", settings.sms), ("mail", settings.mail)) if on]
    return f"{settings.mode}, {' and '.join(channels) or 'no channel'}, state in {settings.var}"


def _mistaken(mistake: str, _settings: Settings) -> str:
    raise Refused(mistake)


def _database(settings: Settings) -> str:
    engine = open_database(settings)
    with engine.connect() as connection:
        version = str(connection.scalar(text("SHOW server_version"))).split()[0]
        if not connection.scalar(text("SELECT to_regclass('installation') IS NOT NULL")):
            raise Refused("it is empty: run critter migrate")
        mode = connection.scalar(text("SELECT mode FROM installation"))
        if mode not in (None, settings.mode):
            raise Refused(f"it was made in {mode} mode, this is {settings.mode}: set CRITTER_DATABASE_URL to another")
    engine.dispose()
    return f"PostgreSQL {version}"


def _durability(settings: Settings) -> str:
    engine = open_database(settings)
    off = find_undurable(engine)
    engine.dispose()
    if off:
        raise Refused(f"{' and '.join(off)} off: PostgreSQL would lose what it confirmed; switch it on")
    return "fsync and synchronous_commit are on"


def _roles(settings: Settings) -> str:
    """Whether an attacker with the processes' role could rewrite the audit."""
    engine = open_database(settings)
    try:
        with transaction(engine) as session:
            gaps = role_check.gaps(session)
    except ProgrammingError:
        raise Refused("the database is not of this version: run critter migrate") from None
    finally:
        engine.dispose()
    if not gaps:
        return "the tables belong to another role than the processes'"
    problem = f"the role in CRITTER_DATABASE_URL {' and '.join(gaps)}, so it could rewrite the audit"
    if settings.mode == "live":
        raise Refused(
            f"{problem}: make a second role, name it in CRITTER_DATABASE_OWNER_URL and run critter migrate "
            "(docs/running.md, Two roles)"
        )
    return f"{problem}; live mode would call that wrong"


def _redis(settings: Settings) -> str:
    """Which version it is, and what makes it less safe than it could be."""
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=TIMEOUT) as client:
            found = client.info()
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise Refused(f"CRITTER_REDIS_URL: its user or password is not taken, or may not do enough ({error})") from None
    except redis.RedisError as error:
        raise Refused(f"it does not answer: is critter up running? ({error})") from None
    policy = found.get("maxmemory_policy", NO_EVICTION)
    if policy != NO_EVICTION:
        raise Refused(f"its maxmemory-policy is {policy}, so it forgets how fast numbers may send: set {NO_EVICTION}")
    return ", ".join([_server(found), *_open(settings)])


def _server(found: dict[str, str]) -> str:
    if "valkey_version" in found:
        return f"Valkey {found['valkey_version']}"
    version = found["redis_version"]
    old = tuple(int(part) for part in version.split(".")[:2]) < OLDEST_MENDED
    return f"Redis {version}{' (known holes are not mended in it any more: take a newer one)' if old else ''}"


def _open(settings: Settings) -> Iterator[str]:
    if settings.redis_url.startswith("redis:"):
        yield "without TLS"
    if value.is_open_redis(settings.redis_url):
        yield "without a password: whoever reaches it can hold all texts and mails up"


def _senders(settings: Settings) -> str:
    """Which numbers may not send now, because an operator paused them or the carrier refuses us."""
    rows = _asked(settings, pauses.list_pauses)
    paused = [row for row in rows if row.paused]
    if paused:
        step = advice(paused[0].reason, paused[0].carrier) or "critter carriers resume lets it go on"
        raise Refused(f"{len(paused)} paused ({paused[0].carrier}: {paused[0].reason}): {step}")
    return "none is paused"


def _clock(settings: Settings) -> str:
    """Whether a task of the clock fails repeatedly."""
    failing = _asked(settings, task_failures.list_failing)
    if failing:
        first = failing[0]
        others = f", and {len(failing) - 1} more" if len(failing) > 1 else ""
        raise Refused(
            f"its task {first.task} keeps failing since {first.since:%Y-%m-%d %H:%M} UTC ({first.reason}, "
            f"{format_count(first.failures, 'time')} in a row){others}: the clock's log says why"
        )
    return "none of its tasks keeps failing"


def _months(settings: Settings) -> str:
    """Whether each delivery is in the partition of its month."""
    outside = _asked(settings, partitions.outside)
    if outside:
        raise Refused(
            f"{format_count(outside, 'delivery')} without a partition of the month: the clock moves them, so see that "
            "critter clock runs, or run critter migrate"
        )
    return "each delivery is in its month"


def _waiting(settings: Settings) -> str:
    """Whether what waits for its reader comes when its moment has come."""
    items = _asked(settings, waiting_items.count)
    if items.overdue and items.overdue > waiting_items.LATE:
        raise Refused(
            f"the oldest item that waited for its reader is overdue for {format_age(items.overdue)}: see "
            "that critter clock and critter worker fanout run; the worker's log says what fails"
        )
    return f"{format_count(items.waiting, 'item')} waiting for readers, none overdue"


def _asked(settings: Settings, question: Callable[[Session], Answer]) -> Answer:
    engine = open_database(settings)
    try:
        with transaction(engine) as session:
            return question(session)
    except ProgrammingError:
        raise Refused("the database is not of this version: run critter migrate") from None
    finally:
        engine.dispose()


def _money(settings: Settings) -> str:
    """Whether anything may be sent at all, and is being sent."""
    if stuck := check_without_money(settings):
        raise Refused(stuck)
    engine = open_database(settings)
    with Session(engine) as session:
        status = spending.read_status(session, budgets.limits(settings))
    engine.dispose()
    if status.breaker.tripped_at:
        raise Refused("updates wait, because far more than usual was sent: look at critter costs, then --resume")
    if not (status.month.left and status.day.left):
        raise Refused("a budget for texts is used up: look at critter costs")
    month = status.month.left / budgets.MICROS
    return f"${month:,.2f} of the month and {format_count(status.day.left, 'part')} of the day are left"


def _texts_in(settings: Settings) -> str:
    """How texts reach us, and whether Twilio's list of them is read to its end."""
    engine = open_database(settings)
    with engine.connect() as connection:
        if not connection.scalar(text("SELECT to_regclass('watermarks') IS NOT NULL")):
            raise Refused("the database is of an older version: run critter migrate")
        read = {row.number: row for row in connection.execute(WATERMARKS)}
    engine.dispose()
    mine = settings.listed_numbers
    for number in mine:
        if number not in read or read[number].asked is None:
            raise Refused("Twilio's list of texts was never read: is critter clock running?")
        if read[number].failures:
            raise Refused(
                f"Twilio's list of texts to ...{number[-2:]} was not complete "
                f"{format_count(read[number].failures, 'time')} in a row "
                f"({read[number].reason}): look at the account in Twilio's console, and at the clock's log"
            )
    oldest = max(read[number].asked for number in mine)
    if oldest > STALE + settings.sms_intake_seconds:
        raise Refused(f"Twilio's list of texts was last read {oldest:.0f} s ago: is critter clock running?")
    if settings.sms_intake == "poll":
        return f"by polling Twilio's list, last read {oldest:.0f} s ago; no web hook is needed"
    second = "" if settings.fallback_url else " (no CRITTER_FALLBACK_URL: what the door misses comes minutes later)"
    return f"by web hooks, and from Twilio's list, last read {oldest:.0f} s ago{second}"
