"""Budgets of texts: never exceeded by however many workers, used up as far as they go, given back when nothing left."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from gateway.carriers.common.protocol import Outcome
from gateway.ledger.money import budgets, spend_breaker
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.ledger.senders import senders
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.support.delivering import SENT, Carrier, change, open_context, people, person, post, rows, states
from workers import deliver, reconcile
from workers.runtime.context import WorkerContext, enter
from workers.sending.delivery_store import DeliveryStore
from workers.sending.number_pool import Pool, PooledNumber
from workers.sending.render_sms import Texting

WORKERS = 16


@pytest.fixture
def texts() -> Carrier:
    return Carrier("sms")


@pytest.fixture
def context(settings: Settings, texts: Carrier) -> Iterator[WorkerContext]:
    context = open_context(settings, texts)
    enter(context)
    yield context
    enter(None)
    context.close()


@pytest.fixture
def kim(engine: Engine) -> int:
    return person(engine, "kim", phone="+14155550101")[0]


def limited(context: WorkerContext, **limits: object) -> None:
    """Makes these the settings of this context."""
    context.settings = context.settings.model_copy(update=limits)


def phones(engine: Engine, count: int) -> list[Target]:
    return [Target(address, "sms") for address in people(engine, count)]


def phone(engine: Engine, number: str) -> Target:
    return Target(person(engine, f"p{number[1:]}", phone=number)[1], "sms")


def crowd(engine: Engine, count: int) -> list[Target]:
    """Many phones at once."""
    change(
        engine,
        "INSERT INTO accounts (kind, handle, name)"
        f" SELECT 'person', 'p' || n, 'P ' || n FROM generate_series(0, {count - 1}) n",
    )
    change(
        engine,
        "INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)"
        " SELECT id, 'sms', '+1415' || 5560000 + substr(handle, 2)::int, true, now() FROM accounts"
        " WHERE handle ~ '^p[0-9]+$'",
    )
    return [Target(row.id, "sms") for row in rows(engine, "SELECT id FROM addresses WHERE address LIKE '+1415556%'")]


def tell(engine: Engine, to: Sequence[Target], kind: str = "answer", **more: object) -> int:
    with transaction(engine) as session:
        return outbox.put(session, Outgoing(kind, "hello", "hello", "hello", **more), to)


def used(engine: Engine) -> dict[tuple[str, str], int]:
    return {(row.scope, row.subject): row.used for row in rows(engine, "SELECT * FROM budgets")}


def parts_charged(engine: Engine) -> int:
    return int(rows(engine, "SELECT coalesce(sum(parts), 0) AS parts FROM charges")[0].parts)


def desk_of(context: WorkerContext) -> DeliveryStore:
    """The desk of our first number."""
    pool = Pool(context)
    with transaction(context.engine) as session:
        pool.look(session)
        sender = senders.active(session)[0]
    return DeliveryStore(
        context, "sms", Texting(context.settings, context.signer, sender.number).load, PooledNumber(pool, sender)
    )


def work(settings: Settings) -> list[int]:
    """One worker of several: claims, sends and settles until nothing is due; the parts of each text that left."""
    context = open_context(settings, Carrier("sms"))
    desk = desk_of(context)
    left: list[int] = []
    while batch := desk.claim(500, False):
        if not batch.claimed:
            break
        left += [load.segments or 0 for load in batch.loads]
        desk.settle([(load, SENT) for load in batch.loads])
    context.close()
    return left


def test_sixteen_workers_spend_no_more_than_there_is_and_nearly_all_of_it(engine, settings, kim):
    post(engine, kim, "Kim Lee: hello", crowd(engine, 10_000))
    limited_settings = settings.model_copy(update={"daily_sms_budget": 500})
    with ThreadPoolExecutor(WORKERS) as pool:
        left = [parts for worker in pool.map(work, [limited_settings] * WORKERS) for parts in worker]
    assert sum(left) == 500 - budgets.reserve(500)
    assert used(engine)["company_day", ""] == sum(left) == parts_charged(engine)
    ends = Counter((row.state, row.reason) for row in rows(engine))
    assert ends == {("sent", None): 490, ("cancelled", "budget"): 9_510}
    missed = rows(engine, "SELECT author_id, scope, phones FROM shortfalls")
    assert [tuple(row) for row in missed] == [(kim, "company_day", 9_510)]


def test_longer_texts_take_as_many_parts_and_shorter_ones_still_fit(context, engine, texts, kim):
    limited(context, daily_sms_budget=5, person_daily_parts=100)
    to = phones(engine, 2)
    post(engine, kim, "long " * 40, to)  # two parts each
    tell(engine, [to[0]])
    deliver.drain_sms()
    assert used(engine)["company_day", ""] == 5
    assert states(engine) == ["sent", "sent", "sent"]


@pytest.mark.parametrize(
    ("limit", "subject"),
    [("person_daily_parts", "person"), ("group_daily_parts", "group"), ("daily_sms_budget", "company_day")],
)
def test_each_budget_bounds_what_is_sent(context, engine, texts, kim, limit, subject):
    limited(context, **{limit: 3})
    change(engine, "INSERT INTO accounts (kind, handle, name, access) VALUES ('group', 'sales', 'Sales', 'open')")
    post(engine, kim, "hello", phones(engine, 5))
    change(engine, "UPDATE posts SET group_id = (SELECT id FROM accounts WHERE kind = 'group'), visibility = 'group'")
    deliver.drain_sms()
    most = 3 if subject != "company_day" else 2  # the reserve is kept
    assert Counter(states(engine)) == {"sent": most, "cancelled": 5 - most}
    assert {scope: count for (scope, _), count in used(engine).items()}[subject] == most


def test_the_month_is_counted_in_dollars(context, engine, texts, kim):
    limited(context, monthly_sms_budget=Decimal("0.0300"))  # three texts and the reserve
    post(engine, kim, "hello", phones(engine, 5))
    deliver.drain_sms()
    assert Counter(states(engine)) == {"sent": 3, "cancelled": 2}
    assert used(engine)["company_month", ""] == 3 * 8_300


def test_a_budget_of_nothing_lets_nothing_out(context, engine, texts, kim):
    limited(context, monthly_sms_budget=Decimal(0))
    tell(engine, phones(engine, 1), "code")
    deliver.drain_sms()
    assert not texts.taken
    assert [row.reason for row in rows(engine)] == ["budget"]


def test_codes_and_answers_still_leave_when_updates_have_used_it_up(context, engine, texts, kim):
    limited(context, daily_sms_budget=100)
    to = phones(engine, 105)
    post(engine, kim, "hello", to)
    deliver.drain_sms()
    assert len(texts.taken) == 98
    tell(engine, to[:1], "code", priority=0, must_arrive=True)
    tell(engine, to[1:2], "answer", priority=2)
    tell(engine, to[2:3], "answer", priority=2)
    deliver.drain_sms()
    assert len(texts.taken) == 100
    assert used(engine)["company_day", ""] == 100


def test_must_arrive_words_of_somebody_use_the_reserve_only_when_they_are_private(context, engine, texts, kim):
    limited(context, daily_sms_budget=50)
    to = phones(engine, 60)
    post(engine, kim, "hello", to)
    deliver.drain_sms()
    change(engine, "UPDATE messages SET must_arrive = true")
    public = post(engine, kim, "loud", to[:1])
    change(engine, f"UPDATE messages SET must_arrive = true WHERE id = {public}")
    private = post(engine, kim, "quiet", to[1:2], visibility="direct")
    change(engine, f"UPDATE messages SET must_arrive = true WHERE id = {private}")
    change(
        engine,
        "INSERT INTO post_recipients SELECT m.post_id, a.account_id, a.account_id FROM messages m, addresses a,"
        f" deliveries d WHERE m.id = {private} AND d.message_id = m.id AND a.id = d.address_id",
    )
    deliver.drain_sms()
    assert [row.state for row in rows(engine) if row.message_id == public] == ["cancelled"]
    assert [row.state for row in rows(engine) if row.message_id == private] == ["sent"]


@pytest.mark.parametrize(
    ("outcome", "spent"),
    [
        (Outcome("failed", reason="21211"), 0),
        (Outcome("retry", reason="429"), 0),
        (Outcome("retry", reason="20003", pause=True), 0),
        (Outcome("unknown", reason="timeout"), 1),
        (SENT, 1),
    ],
)
def test_what_surely_did_not_leave_is_given_back(context, engine, texts, kim, outcome, spent):
    texts.answers = lambda _: outcome
    post(engine, kim, "hello", phones(engine, 1))
    deliver.drain_sms()
    assert used(engine)["company_day", ""] == used(engine)["person", str(kim)] == spent
    assert used(engine)["company_month", ""] == spent * 8_300
    assert parts_charged(engine) == spent


def test_what_the_carriers_list_lacks_is_given_back_once(context, engine, texts, kim):
    texts.answers = lambda _: Outcome("unknown", reason="timeout")
    post(engine, kim, "hello", phones(engine, 1))
    deliver.drain_sms()
    change(engine, "UPDATE deliveries SET not_before = now()")
    reconcile.step(context)
    assert used(engine)["company_day", ""] == 0
    texts.answers = texts.accept
    deliver.drain_sms()
    assert used(engine)["company_day", ""] == 1 == parts_charged(engine)


def test_what_was_given_back_can_be_spent(context, engine, texts, kim):
    limited(context, daily_sms_budget=2)
    to = phones(engine, 2)
    texts.answers = lambda _: Outcome("failed", reason="21211")
    post(engine, kim, "hello", to[:1])
    deliver.drain_sms()
    texts.answers = texts.accept
    post(engine, kim, "again", to[1:])
    deliver.drain_sms()
    assert states(engine) == ["failed", "sent"]


def test_rows_that_are_put_back_cost_nothing(engine, settings, kim):
    post(engine, kim, "hello", phones(engine, 3))
    context = open_context(settings, Carrier("sms"))
    desk = desk_of(context)
    batch = desk.claim(10, False)
    assert used(engine)["company_day", ""] == 3
    desk.release([load.claimed for load in batch.loads], desk._look)
    assert used(engine)["company_day", ""] == 0
    assert parts_charged(engine) == 0
    context.close()


def test_yesterdays_budget_says_nothing_today(context, engine, texts, kim):
    limited(context, daily_sms_budget=2)
    to = phones(engine, 2)
    post(engine, kim, "hello", to[:1])
    deliver.drain_sms()
    change(engine, "UPDATE budgets SET day = day - 1 WHERE scope <> 'company_month'")
    post(engine, kim, "again", to[1:])
    deliver.drain_sms()
    assert states(engine) == ["sent", "sent"]


def test_operators_hear_once_that_a_budget_is_used_up(context, engine, texts, kim):
    limited(context, daily_sms_budget=2)
    to = phones(engine, 6)
    with capture_logs() as logs:
        for words in ("one", "two", "three"):
            post(engine, kim, words, to)
            deliver.drain_sms()
    said = [line for line in logs if line["event"].startswith("budget")]
    assert [(line["log_level"], line["budget"]) for line in said] == [("error", "company_day")]


@pytest.mark.parametrize(
    ("number", "reason"),
    [("+447400123456", "country"), ("+18765550100", "country"), ("+19005550100", "service_number")],
)
def test_no_text_goes_where_none_may_go(context, engine, texts, kim, number, reason):
    tell(engine, [phone(engine, number)], "code")
    deliver.drain_sms()
    assert not texts.taken
    assert [(row.state, row.reason) for row in rows(engine)] == [("cancelled", reason)]
    assert not used(engine)


def test_other_countries_have_a_budget_and_a_price_of_their_own(context, engine, texts, kim):
    limited(context, sms_countries=("US", "GB"), country_daily_parts=2)
    to = [phone(engine, f"+44740012345{n}") for n in range(4)] + [phone(engine, "+14155550150")]
    post(engine, kim, "hello", to)
    deliver.drain_sms()
    assert sorted(row.state for row in rows(engine)) == ["cancelled", "cancelled", "sent", "sent", "sent"]
    assert used(engine)["country", "GB"] == 2
    assert used(engine)["company_month", ""] == 2 * 56_000 + 8_300


ABROAD = ("+447400123", "+4915112345", "+525512345", "+2348031234", "+33612345", "+819012345", "+18765550")


def test_a_thousand_sign_ups_from_everywhere_are_capped(context, engine, texts, kim):
    """SMS pumping: whoever earns by texts to strange numbers asks for codes to a thousand of them."""
    limited(context, sms_countries=("US", "GB", "DE", "MX"), daily_sms_budget=200, country_daily_parts=20)
    numbers = [f"{ABROAD[n % len(ABROAD)]}{n:03}" for n in range(700)] + [f"+1415556{n:04}" for n in range(300)]
    values = ", ".join(f"('{number}')" for number in numbers)
    change(engine, "INSERT INTO addresses (channel, address) SELECT 'sms', n FROM (VALUES " + values + ") AS v (n)")
    strangers = rows(engine, "SELECT id FROM addresses WHERE account_id IS NULL")
    with capture_logs() as logs:
        tell(engine, [Target(row.id, "sms") for row in strangers], "code", priority=0)
        while "queued" in states(engine):
            deliver.drain_sms()
    sent = Counter(text.recipient[:3] for text in texts.taken)
    # What a slow road gave back may meanwhile have gone to somebody else; no budget is ever exceeded.
    assert all(0 < sent[code] <= 20 for code in ("+44", "+49", "+52"))
    assert set(sent) == {"+44", "+49", "+52", "+14"}
    assert sum(sent.values()) == 200 == used(engine)["company_day", ""]
    reasons = Counter(row.reason for row in rows(engine, "SELECT * FROM deliveries WHERE state = 'cancelled'"))
    assert reasons == {"country": 400, "budget": 400}
    assert any(line["log_level"] == "error" and line["event"].startswith("budget") for line in logs)


def usual(engine: Engine, *parts: int) -> None:
    """What was sent in the hours before the last one."""
    for ago, count in enumerate(parts, 2):
        change(
            engine,
            f"INSERT INTO hours VALUES (date_trunc('hour', now(), 'UTC') - interval '{ago} hours', {count})",
        )


def test_three_times_the_usual_hour_stops_updates_and_nothing_else(context, engine, texts, kim):
    limited(context, breaker_parts=5)
    usual(engine, 2, 4, 90)  # the median is 4
    to = phones(engine, 20)
    with capture_logs() as logs:
        post(engine, kim, "hello", to[:12])
        deliver.drain_sms()
        assert states(engine) == ["sent"] * 12
        post(engine, kim, "more", to[:2])
        post(engine, kim, "quiet", to[12:13], visibility="direct")
        change(
            engine,
            "INSERT INTO post_recipients SELECT p.id, a.account_id, a.account_id FROM posts p, addresses a"
            f" WHERE p.visibility = 'direct' AND a.id = {to[12].address_id}",
        )
        tell(engine, to[13:14], "code", priority=0)
        deliver.drain_sms()
    ends = Counter(row.state for row in rows(engine))
    assert ends == {"sent": 14, "queued": 2}
    assert [line["log_level"] for line in logs if "than usual" in line["event"]] == ["error"]
    with transaction(engine) as session:
        stands = spend_breaker.state(session)
        assert stands.tripped_at is not None
        assert (stands.hour, stands.usual) == (14, 4)
        assert spend_breaker.resume(session)
        assert not spend_breaker.resume(session)
    deliver.drain_sms()
    assert states(engine) == ["sent"] * 16


def test_a_small_companys_busy_hour_is_no_alarm(context, engine, texts, kim):
    limited(context, breaker_parts=50)
    usual(engine, 1, 1, 1)
    post(engine, kim, "hello", phones(engine, 30))
    deliver.drain_sms()
    assert states(engine) == ["sent"] * 30


def test_what_waits_for_the_breaker_costs_nothing_and_is_looked_at_again(context, engine, texts, kim):
    limited(context, breaker_parts=5)
    post(engine, kim, "hello", phones(engine, 6))
    deliver.drain_sms()
    assert states(engine) == ["queued"] * 6
    assert not used(engine)
    waits = rows(engine, "SELECT not_before - now() AS wait, attempt FROM deliveries")
    assert all(0 < row.wait.total_seconds() <= 60 and row.attempt == 0 for row in waits)
    assert not rows(engine, "SELECT FROM attempts")
