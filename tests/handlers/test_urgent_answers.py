"""What is said about urgent calls and questions fits one text, with names of twenty letters, in both languages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.actions.group_questions import AnsweredQuestion
from gateway.actions.urgent_calls import Acknowledged, SentCall, UrgentReach
from gateway.i18n.phrases import Phrase, languages, say, translated
from gateway.i18n.refusals import refusal
from gateway.network.calls.calls import CallTally, Unanswered
from gateway.network.receipts import call_reports
from gateway.sms.fit import segments, thrifty
from gateway.store.tables import Call
from handlers import group_questions, urgent_calls

NAME = "Maximiliana Bergström"[:20]
GROUP = "g" * 20
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
CONTEXT: Any = SimpleNamespace(account=SimpleNamespace(zone_now="UTC"))


def check(words: str) -> None:
    for language in languages():
        said = translated(words, language)
        assert segments(thrifty(said))[1] == 1, (len(said), said)


def tally(asked: int = 999, answered: int = 899, late: int = 2, unreached: int = 12, left: int = 0) -> CallTally:
    gone = [Unanswered(NAME, "opted_out")] * unreached
    return CallTally(asked, answered, late, [NAME] * (asked - answered - late), gone, left, timedelta(minutes=29))


def call(ending: str | None = None) -> Call:
    ended = NOON if ending else None
    return Call(created_at=NOON - timedelta(minutes=30), ended_at=ended, ending=ending, kind="rollcall")


@pytest.mark.parametrize("ending", [None, "time", "undone"])
@pytest.mark.parametrize("open_", [0, 1, 2, 90])
@pytest.mark.parametrize("unreached", [0, 12])
def test_reports_and_ends(ending: str | None, open_: int, unreached: int) -> None:
    check(call_reports.describe(call(ending), tally(answered=999 - open_ - 2, unreached=unreached), GROUP))


@pytest.mark.parametrize("asked", [1, 999])
def test_the_end_when_all_have_answered(asked: int) -> None:
    check(call_reports.describe(call("all"), tally(asked, asked, 0), GROUP))


@pytest.mark.parametrize("asleep", [0, 1, 999])
def test_the_question(asleep: int) -> None:
    reach = UrgentReach(99_999, asleep, 199_998, Decimal("1599.98"))
    described = urgent_calls._describe(GROUP, reach)
    check(say("{what} Reply {code} to confirm.", what=described, code="123456"))
    check(say("{what} Reply with your PIN.", what=described))


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 99])
@pytest.mark.parametrize("why", ["opted_out", "off", "unreached"])
def test_the_answer_names_as_many_as_fit(number: int, why: str) -> None:
    answer = urgent_calls._sent(CONTEXT, SentCall(1, GROUP, 99_999, ((NAME, why),) * number, NOON))
    check(answer)
    assert (NAME in translated(answer, "en")) == (number > 0)


@pytest.mark.parametrize("state", ["noted", "already", "late", "undone"])
@pytest.mark.parametrize("words", ["", "stuck at gate 4"])
def test_what_answers_an_answer(state: Any, words: str) -> None:
    check(urgent_calls._noted(CONTEXT, Acknowledged(state, NAME, GROUP, NOON, NOON, words)))


@pytest.mark.parametrize("state", ["noted", "late"])
@pytest.mark.parametrize("replaced", [None, NOON])
def test_what_answers_an_answer_to_a_question(state: Any, replaced: datetime | None) -> None:
    check(group_questions.describe_answered(CONTEXT, AnsweredQuestion(state, NAME, NOON, replaced)))


@pytest.mark.parametrize("reason", ["may_not_urge", "urgent_by_posters"])
def test_refusals(reason: str) -> None:
    text = refusal(reason, handle=GROUP).text
    assert isinstance(text, Phrase)
    check(text)
