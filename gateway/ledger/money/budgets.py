"""Budgets: what texts may cost. Every text is charged to its budgets in the transaction that claims it, before it can
leave.

workers/sending/budget_reservation reserves; gateway/ledger/money/charges gives back what surely did not leave. A
budget is a counter of parts (the company's month: of millionths of a dollar) for one UTC day or month. A reader who
wants only so many texts a day has one, too: it counts texts, on a day by the reader's own clock, and an update beyond
it waits. One lock guards all budgets, taken late in a claim: each text counts in several budgets, and every text in
the company's, so finer locks would only mean more locks.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gateway.ledger.money import spend_breaker
from gateway.settings import Settings
from gateway.store.arrays import numbers
from gateway.store.direct import DirectTransaction, Statement

Scope = Literal["company_day", "company_month", "country", "group", "person", "reader"]
Key = tuple[Scope, str]  # the scope, and the id or ISO code that it is for; "" for the company's

MICROS: Final = 1_000_000  # in a dollar
RESERVE: Final = 50  # 1/50 of the company's budgets is reserved for codes, answers and what must arrive
LOCK: Final = 0x6D6F6E6579  # the lock of all budgets, "money"; held until the transaction ends
COMPANY: Final[tuple[Key, Key]] = (("company_day", ""), ("company_month", ""))


class ReaderDay(NamedTuple):
    """One of a reader's days, and how many texts they want on it. `passes`: the text comes however many there were."""

    account_id: int
    day: date
    most: int
    passes: bool

    @property
    def key(self) -> Key:
        return "reader", str(self.account_id)


class BudgetRequest(NamedTuple):
    """A text that is to leave. `urgent`: it may use the reserve. `pausable`: the open spend breaker holds it up.
    `reader`: None for a reader without a limit."""

    attempt_id: int
    message_id: int
    address_id: int
    number: int  # the delivery's attempt
    digest: bytes  # of its words: sms/body_hash
    author_id: int  # 0: Critter's own words
    group_id: int  # 0: not to a group
    country: str
    parts: int
    micros: int
    urgent: bool
    pausable: bool
    reader: ReaderDay | None = None


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """How much may be used: parts a day, and for the month millionths of a dollar. 0: nothing."""

    month: int
    day: int
    person: int
    group: int
    country: int
    home: str  # the country that has no budget of its own
    hour: int  # parts in an hour below which the breaker never trips


@dataclass(frozen=True, slots=True)
class BudgetOutcome:
    """`over`: the attempts that did not fit, each with the budget that was full. `held`: the attempts that wait for the
    spend breaker. `full_days`: the attempts whose readers have had the texts of their day. `exhausted`: budgets that
    were used up just now. `tripped`: the hour's parts and the usual ones, when the breaker tripped just now."""

    over: dict[int, Scope]
    held: frozenset[int]
    full_days: frozenset[int] = frozenset()
    exhausted: tuple[Key, ...] = ()
    tripped: tuple[int, int] | None = None


def limits(settings: Settings) -> BudgetLimits:
    return BudgetLimits(
        month=micros(settings.monthly_sms_budget),
        day=settings.daily_sms_budget,
        person=settings.person_daily_parts,
        group=settings.group_daily_parts,
        country=settings.country_daily_parts,
        home=settings.sms_region,
        hour=settings.breaker_parts,
    )


def micros(dollars: Decimal) -> int:
    return int((dollars * MICROS).to_integral_value())


def take(session: Session, most: BudgetLimits, wanted: Sequence[BudgetRequest]) -> BudgetOutcome:
    """Charges what fits, in the order given. The caller sends nothing of `over`, `held` and `full_days`, and commits
    soon: until then every other worker waits.

    A reader's day comes before money: what waits for its reader costs nobody's budget."""
    readers = {one.reader.key: one.reader for one in wanted if one.reader}
    lock(session)
    used = used_now(session, _keys(most, wanted), {key: reader.day for key, reader in readers.items()})
    going, tripped = spend_breaker.admit(session, most.hour, [(one.parts, one.pausable) for one in wanted])
    held = frozenset(one.attempt_id for one, goes in zip(wanted, going, strict=True) if not goes)
    fit = _fit([one for one in wanted if one.attempt_id not in held], most, used)
    if fit.taken:
        session.execute(SPEND, _spend(most, fit, readers))
    full_now = {key for one in wanted if one.attempt_id in fit.over for key in [_named(one, fit.over[one.attempt_id])]}
    return BudgetOutcome(fit.over, held, fit.full_days, _note_full(session, full_now), tripped)


def take_all(transaction: DirectTransaction, most: BudgetLimits, wanted: Sequence[BudgetRequest]) -> bool:
    """Charges all of them when every one surely fits and the breaker has nothing to say, else none; and commits in any
    case. The caller releases what was not charged, and `take` is for that: if it is lost before, the attempts say what
    may have left. It costs one round trip."""
    [_, [[fits]]] = transaction.finish((LOCK_DIRECTLY, {}), (SPEND_IF_ALL_FIT, _spend_if_all_fit(most, wanted)))
    return bool(fits)


def _spend_if_all_fit(most: BudgetLimits, wanted: Sequence[BudgetRequest]) -> dict[str, object]:
    """The values of SPEND_IF_ALL_FIT. `rooms`: how far each budget may be used by the least urgent of these."""
    fit, rooms = _Fit(list(wanted), {}, frozenset(), Counter()), dict[Key, int]()
    for one in wanted:
        for key, cost in _costs(one, most):
            fit.spent[key] += cost
            rooms[key] = min(_room(key, one, most), rooms.get(key, _MOST_MICROS))
    return _spend(most, fit, {}) | {
        "rooms": numbers(rooms[key] for key in fit.spent),
        "floor": most.hour,
        "pausable": any(one.pausable for one in wanted),
    }


_MOST_MICROS: Final = 1 << 62  # more than any budget


class _Fit(NamedTuple):
    """What of some requests fits into the budgets, and what that spends."""

    taken: list[BudgetRequest]
    over: dict[int, Scope]
    full_days: frozenset[int]
    spent: Counter[Key]


def _fit(wanted: Sequence[BudgetRequest], most: BudgetLimits, used: dict[Key, int]) -> _Fit:
    fit, full_days = _Fit([], {}, frozenset(), Counter()), set[int]()
    for one in wanted:
        if _day_is_full(one.reader, used):
            full_days.add(one.attempt_id)
            continue
        full = _full(one, most, used)
        if full is not None:
            fit.over[one.attempt_id] = full[0]
            continue
        fit.taken.append(one)
        for key, cost in _costs(one, most):
            used[key] += cost
            fit.spent[key] += cost
    return fit._replace(full_days=frozenset(full_days))


def _keys(most: BudgetLimits, wanted: Sequence[BudgetRequest]) -> list[Key]:
    return sorted({key for one in wanted for key, _ in _costs(one, most)} | set(COMPANY))


def _day_is_full(reader: ReaderDay | None, used: Mapping[Key, int]) -> bool:
    return reader is not None and not reader.passes and used[reader.key] >= reader.most


def lock(session: Session) -> None:
    """Locks all budgets: until this transaction ends nobody else charges or refunds, so what is read after this call
    stays true."""
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))


def _costs(one: BudgetRequest, most: BudgetLimits) -> Iterable[tuple[Key, int]]:
    yield COMPANY[0], one.parts
    yield COMPANY[1], one.micros
    if one.country != most.home:
        yield ("country", one.country), one.parts
    if one.group_id:
        yield ("group", str(one.group_id)), one.parts
    if one.author_id:
        yield ("person", str(one.author_id)), one.parts
    if one.reader:
        yield one.reader.key, 1


def _full(one: BudgetRequest, most: BudgetLimits, used: dict[Key, int]) -> Key | None:
    """The first of the budgets of money that the text does not fit into."""
    for key, cost in _costs(one, most):
        if key[0] == "reader":
            continue
        room = _room(key, one, most)
        if room <= 0 or used[key] + cost > room:
            return key
    return None


def _room(key: Key, one: BudgetRequest, most: BudgetLimits) -> int:
    """How far the text may use a budget of money."""
    limit = limit_of(key[0], most)
    return limit - reserve(limit) if key in COMPANY and not one.urgent else limit


def reserve(limit: int) -> int:
    """The share of a company budget that only codes, answers and what must arrive may use."""
    return -(-limit // RESERVE)


def limit_of(scope: Scope, most: BudgetLimits) -> int:
    by_scope = {
        "company_day": most.day,
        "company_month": most.month,
        "country": most.country,
        "group": most.group,
        "person": most.person,
    }
    return by_scope[scope]


def _named(one: BudgetRequest, scope: Scope) -> Key:
    subjects = {"country": one.country, "group": str(one.group_id), "person": str(one.author_id)}
    return scope, subjects.get(scope, "")


def _columns(keys: Iterable[Key], days: Mapping[Key, date]) -> dict[str, object]:
    """`days`: of readers, by their own clocks; for all other budgets it is the day of the database."""
    listed = list(keys)
    return {
        "scopes": [scope for scope, _ in listed],
        "subjects": [subject for _, subject in listed],
        "days": [days.get(key) for key in listed],
    }


def _spend(most: BudgetLimits, fit: _Fit, readers: Mapping[Key, ReaderDay]) -> dict[str, object]:
    """The values of SPEND."""
    taken, spent = fit.taken, fit.spent
    limits = (readers[key].most if key in readers else limit_of(key[0], most) for key in spent)
    return {
        **_columns(spent, {key: reader.day for key, reader in readers.items()}),
        "amounts": numbers(spent.values()),
        "most": numbers(limits),
        "attempts": numbers(one.attempt_id for one in taken),
        "authors": numbers(one.author_id for one in taken),
        "groups": numbers(one.group_id for one in taken),
        "countries": [one.country for one in taken],
        "parts": numbers(one.parts for one in taken),
        "micros": numbers(one.micros for one in taken),
        "messages": numbers(one.message_id for one in taken),
        "addresses": numbers(one.address_id for one in taken),
        "tries": numbers(one.number for one in taken),
        "digests": [one.digest for one in taken],
        "sum": sum(one.parts for one in taken),
        "readers": numbers(one.reader.account_id if one.reader else None for one in taken),
        "reader_days": [one.reader.day if one.reader else None for one in taken],
    }


def _note_full(session: Session, keys: set[Key]) -> tuple[Key, ...]:
    """Marks these budgets as used up, and returns those that were not marked before."""
    if not keys:
        return ()
    rows = session.execute(EXHAUSTED, _columns(sorted(keys), {})).all()
    return tuple((row.scope, row.subject) for row in rows)


def fall_short(session: Session, missed: dict[int, tuple[int, Scope, int]]) -> None:
    """Records messages that a budget kept from some phones, so that the author is told: message → (author, scope of the
    budget, how many phones did not get it)."""
    if missed:
        rows = {
            "messages": numbers(sorted(missed)),
            "authors": numbers(missed[one][0] for one in sorted(missed)),
            "scopes": [missed[one][1] for one in sorted(missed)],
            "phones": numbers(missed[one][2] for one in sorted(missed)),
        }
        session.execute(SHORTFALL, rows)


def forget_old(session: Session) -> None:
    """Deletes what nobody asks for any more: hours after eight days, price sweeps and shortfalls after a month, charges
    and budgets after thirteen months."""
    for statement in FORGET:
        session.execute(statement)


def used_now(session: Session, keys: Sequence[Key], days: Mapping[Key, date] = MappingProxyType({})) -> dict[Key, int]:
    """What was used of these budgets today or this month, read without a lock. `days`: of readers."""
    rows = session.execute(USED, _columns(keys, days)).all()
    return dict.fromkeys(keys, 0) | {(row.scope, row.subject): row.used for row in rows}


DAY: Final = """coalesce(given.day, CASE given.scope
                WHEN 'company_month' THEN date_trunc('month', now() AT TIME ZONE 'UTC')
                ELSE now() AT TIME ZONE 'UTC' END::date)"""
GIVEN: Final = """unnest(CAST(:scopes AS text[]), CAST(:subjects AS text[]), CAST(:days AS date[]))
                  AS given (scope, subject, day)"""

USED: Final = text(f"""
    SELECT b.scope, b.subject, b.used FROM {GIVEN}
    JOIN budgets b ON b.day = {DAY} AND b.scope = given.scope AND b.subject = given.subject
""")  # noqa: S608

# What a reader's budget allowed is the highest limit of that day: lowering it later overdraws nothing.
# A text's attempt is written before the text leaves, because its callback may come before its request is answered (a
# mail's is written when it has ended). It is written here, together with its charge: the words of the text are known by
# now, and this saves a statement. With the installation's key in the hash, nobody can guess a short text from it.
_SPENDING: Final = f"""tried AS (
        INSERT INTO attempts (id, message_id, address_id, number, body_hash)
        SELECT id, message_id, address_id, number, sha256((SELECT hash_key FROM installation) || digest)
        FROM unnest(CAST(:attempts AS bigint[]), CAST(:messages AS bigint[]), CAST(:addresses AS bigint[]),
                    CAST(:tries AS smallint[]), CAST(:digests AS bytea[]))
             AS given (id, message_id, address_id, number, digest)
        ON CONFLICT (id) DO NOTHING
    ), spent AS (
        INSERT INTO budgets AS b (day, scope, subject, used, allowed)
        SELECT {DAY}, scope, subject, amount, most
        FROM unnest(CAST(:scopes AS text[]), CAST(:subjects AS text[]), CAST(:days AS date[]),
                    CAST(:amounts AS bigint[]), CAST(:most AS bigint[])) AS given (scope, subject, day, amount, most)
        {{where}} ON CONFLICT (day, scope, subject) DO UPDATE
        SET used = b.used + excluded.used,
            allowed = CASE b.scope WHEN 'reader' THEN greatest(b.allowed, excluded.allowed) ELSE excluded.allowed END
    ), hour AS (
        INSERT INTO hours AS h (hour, parts) SELECT date_trunc('hour', now(), 'UTC'), :sum {{where}}
        ON CONFLICT (hour) DO UPDATE SET parts = h.parts + excluded.parts
    ), charged AS (
        INSERT INTO charges (attempt_id, author_id, group_id, country, parts, micros, reader_id, reader_day)
        SELECT * FROM unnest(CAST(:attempts AS bigint[]), CAST(:authors AS bigint[]), CAST(:groups AS bigint[]),
                             CAST(:countries AS text[]), CAST(:parts AS smallint[]), CAST(:micros AS bigint[]),
                             CAST(:readers AS bigint[]), CAST(:reader_days AS date[]))
        {{where}}
    )"""  # noqa: S608
SPEND: Final = text(f"WITH {_SPENDING.format(where='')} SELECT")

# The same for `take_all`. The lock is a statement before it, so this one sees what all others have used.
LOCK_DIRECTLY: Final = Statement(f"SELECT pg_advisory_xact_lock({LOCK})")
SPEND_IF_ALL_FIT: Final = Statement(f"""
    WITH fits AS MATERIALIZED (
        SELECT NOT EXISTS (
            SELECT FROM unnest(CAST(:scopes AS text[]), CAST(:subjects AS text[]), CAST(:days AS date[]),
                               CAST(:amounts AS bigint[]), CAST(:rooms AS bigint[]))
                        AS given (scope, subject, day, amount, room)
            LEFT JOIN budgets b ON b.day = {DAY} AND b.scope = given.scope AND b.subject = given.subject
            WHERE given.room <= 0 OR coalesce(b.used, 0) + given.amount > given.room
        ) AND (NOT CAST(:pausable AS boolean) OR (
            SELECT state.tripped_at IS NULL
               AND (state.quiet OR state.hour + CAST(:sum AS bigint) <= CAST(:floor AS bigint))
            FROM ({spend_breaker.STATE}) AS state)) AS fits
    ), {_SPENDING.format(where="WHERE (SELECT fits FROM fits)")}
    SELECT fits FROM fits
""")  # noqa: S608

EXHAUSTED: Final = text(f"""
    INSERT INTO budgets AS b (day, scope, subject, exhausted_at)
    SELECT {DAY}, scope, subject, now() FROM {GIVEN}
    ON CONFLICT (day, scope, subject) DO UPDATE SET exhausted_at = now() WHERE b.exhausted_at IS NULL
    RETURNING b.scope, b.subject
""")  # noqa: S608

SHORTFALL: Final = text("""
    INSERT INTO shortfalls AS s (message_id, author_id, scope, phones)
    SELECT * FROM unnest(CAST(:messages AS bigint[]), CAST(:authors AS bigint[]), CAST(:scopes AS text[]),
                         CAST(:phones AS bigint[]))
    ON CONFLICT (message_id) DO UPDATE SET phones = s.phones + excluded.phones, missed_at = now()
""")

FORGET: Final = (
    text("DELETE FROM hours WHERE hour < now() - interval '8 days'"),
    text("DELETE FROM charges WHERE attempt_id < id_at(now() - interval '13 months')"),
    text("DELETE FROM budgets WHERE day < now() - interval '13 months'"),
    text("DELETE FROM price_sweeps WHERE day < now() - interval '1 month'"),
    text("DELETE FROM shortfalls WHERE created_at < now() - interval '1 month'"),
)
