"""The facts of channels in SQL, for a channel more: nothing of it depends on the alphabet or on there being two."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from gateway.channels import CHANNELS, EMAIL, MAILS, NAMES, PUSH, SMS, TEXTS, by_rank
from gateway.store import channel_sql

# Its name comes last in the alphabet and its rank lies between those of the others.
PAGER = replace(
    TEXTS,
    name="zpager",
    rank=30,
    gives_up_after=timedelta(minutes=5),
    reached_by=frozenset({"delivered"}),
    priced=False,
)
ALL = (MAILS, PAGER, TEXTS)
VALUES = "(VALUES ('email'), ('sms'), ('zpager')) AS given (channel)"


def ask(engine: Engine, statement: str) -> list[object]:
    with engine.connect() as connection:
        return list(connection.scalars(text(statement)))


def test_names_come_by_rank() -> None:
    assert list(CHANNELS) == list(NAMES) == [SMS, EMAIL, PUSH]
    assert by_rank({EMAIL, SMS}) == [SMS, EMAIL]
    assert by_rank({EMAIL}) == [EMAIL]
    assert by_rank([]) == []


def test_each_rank_is_given_once() -> None:
    assert len({each.rank for each in CHANNELS.values()}) == len(CHANNELS)


def test_the_highest_rank_comes_first(engine: Engine) -> None:
    order = channel_sql.rank("channel", ALL)
    assert ask(engine, f"SELECT channel FROM {VALUES} ORDER BY {order} DESC") == ["sms", "zpager", "email"]


def test_each_channel_has_its_own_time(engine: Engine) -> None:
    spans = channel_sql.gives_up_after("channel", ALL)
    found = ask(engine, f"SELECT {spans} FROM {VALUES}")
    assert found == [timedelta(days=2), timedelta(hours=4), timedelta(minutes=5)]


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (lambda channel: channel.priced, ["sms"]),
        (lambda channel: channel.folds_repeats, ["email"]),
        (lambda channel: channel.opt_out_is_final, ["sms", "zpager"]),
        (lambda _: False, []),
    ],
)
def test_channels_are_chosen_by_a_fact(engine: Engine, fact, expected) -> None:
    which = channel_sql.such("channel", fact, ALL)
    assert ask(engine, f"SELECT channel FROM {VALUES} WHERE {which}") == expected


@pytest.mark.parametrize("channels", [(TEXTS, MAILS), ALL])
def test_reached_is_what_its_channel_says(engine: Engine, channels) -> None:
    condition = channel_sql.reached("channel", "state", channels)
    wanted = [(each, state) for each in channels for state in ("queued", "sent", "delivered", "failed", "unknown")]
    rows = ", ".join(f"('{each.name}', '{state}')" for each, state in wanted)
    found = ask(engine, f"SELECT {condition} FROM (VALUES {rows}) AS given (channel, state)")
    assert found == [state in each.reached_by for each, state in wanted]
