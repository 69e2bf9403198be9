"""Whoever wrote what a budget kept back is told once a day: how many phones, and until when."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.i18n.phrases import languages, translated
from gateway.ledger.money import budgets
from gateway.network.receipts import budget_notices
from gateway.network.receipts.budget_notices import BudgetShortfall
from gateway.sms.fit import segments, thrifty
from gateway.store.database import transaction
from tests.support.delivering import change, person, post, rows

NOW = timedelta(0)


def missed(engine: Engine, author: int, phones: int, scope: str = "company_day") -> int:
    message = post(engine, author, "hello", [])
    with transaction(engine) as session:
        budgets.fall_short(session, {message: (author, scope, phones)})
    change(engine, "UPDATE shortfalls SET missed_at = missed_at - interval '1 second'")
    return message


def tell(engine: Engine, calm: timedelta = NOW) -> frozenset[str]:
    with transaction(engine) as session:
        return budget_notices.tell(session, calm)


def said(engine: Engine) -> list[str]:
    return [row.text for row in rows(engine, "SELECT text FROM messages WHERE kind = 'notice' ORDER BY id")]


@pytest.fixture
def kim(engine: Engine) -> int:
    return person(engine, "kim", phone="+14155550101")[0]


def test_a_writer_is_told_once_how_many_phones_and_until_when(engine, kim):
    missed(engine, kim, 37)
    assert tell(engine) == {"sms"}
    assert said(engine) == [
        "Today's budget for texts is used up, so 37 phones did not get your message. It starts again at midnight UTC."
    ]
    missed(engine, kim, 2)
    assert tell(engine) == frozenset()
    assert len(said(engine)) == 1
    change(engine, "UPDATE shortfalls SET told_at = told_at - interval '1 day'")
    missed(engine, kim, 1, "person")
    tell(engine)
    assert said(engine)[1:] == [
        "Your budget for texts is used up, so 1 phone did not get your message. It starts again at midnight UTC."
    ]


def test_a_mailbox_comes_first_for_it_costs_nothing(engine, kim):
    change(
        engine,
        "INSERT INTO addresses (account_id, channel, address, is_primary)"
        f" VALUES ({kim}, 'email', 'kim@demo.example', true)",
    )
    missed(engine, kim, 3)
    assert tell(engine) == {"email"}


def test_a_fan_out_that_still_runs_is_waited_for(engine, kim):
    message = missed(engine, kim, 3)
    assert tell(engine, timedelta(minutes=1)) == frozenset()
    with transaction(engine) as session:
        budgets.fall_short(session, {message: (kim, "company_day", 4)})
    change(engine, "UPDATE shortfalls SET missed_at = now() - interval '2 minutes'")
    tell(engine, timedelta(minutes=1))
    assert "7 phones" in said(engine)[0]


@pytest.mark.parametrize("scope", ["company_day", "company_month", "person", "group", "country"])
@pytest.mark.parametrize("language", sorted(languages()))
def test_it_fits_one_part_in_every_language(engine, kim, scope, language):
    since = rows(engine, "SELECT now() AS now")[0].now.replace(month=12)
    words = budget_notices._words(BudgetShortfall(kim, 12_000, scope, since))
    if scope == "company_month":
        assert f"{since.year + 1}-01-01" in translated(words, "en")
    assert segments(thrifty(translated(words, language)))[1] == 1
