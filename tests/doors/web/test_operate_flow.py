"""The flow of the operators: one sentence, four stages, what waits, and what wants a person."""

import re

import pytest

from gateway.doors.web.operate import charts
from tests.support.operator_pages import OperatorPages
from tests.support.web_visitor import plain

ALIVE = ("web", "mail", "clock", "worker-inbound", "worker-proving", "worker-fanout", "worker-sms", "worker-email")
PAGES = (
    "/operate", "/operate/now", "/operate?span=day", "/operate?span=week", "/operate/deliveries",
    "/operate/undelivered", "/operate/held", "/operate/reports", "/operate/numbers", "/operate/consent",
    "/operate/costs", "/operate/costs?month=2026-02", "/operate/people", "/operate/people/kim", "/operate/audit",
    "/operate/audit?check=1", "/operate/settings", "/operate/check", "/operate/explain",
)  # fmt: skip


def all_run(operators: OperatorPages) -> None:
    for name in ALIVE:
        operators.office.sql(
            "INSERT INTO processes (owner, name) VALUES (:owner, :name)"
            " ON CONFLICT (owner) DO UPDATE SET seen_at = now()",
            owner=f"{name}@test",
            name=name,
        )


@pytest.mark.parametrize("path", PAGES)
def test_each_page_opens_for_an_operator_in_an_empty_company(operators: OperatorPages, path: str) -> None:
    """With one heading, its command, and nothing that the policy would not allow."""
    answer = operators.as_whom("dana").open(path)
    assert answer.status_code == 200
    if path != "/operate/now":
        assert answer.text.count("<h1") == 1
        assert "On the command line:" in answer.text
    for unwanted in ("style=", "onclick=", "<script>", "<style"):
        assert unwanted not in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/operate/people/import"])
def test_a_member_sees_none_of_them(operators: OperatorPages, path: str) -> None:
    assert operators.as_whom("kim").open(path).status_code == 403


def test_everything_flows(operators: OperatorPages) -> None:
    all_run(operators)
    operators.office.says("kim", "starting the ACME proposal")
    operators.office.says("kim", "who")
    operators.office.work()
    words = operators.as_whom("dana").words("/operate")
    assert "Everything flows Nothing waits to be read." in words
    assert "Accepted 2 this hour texts 2 mails 0 web 0" in words
    assert "Read 2 this hour updates 1 commands 1 held 0" in words
    assert "Fanned out 3 this hour to phones 2 to mailboxes 1 asleep 0" in words
    assert "Sent 3 this hour arrived 1 no receipt yet 2 trying again 0" in words
    assert "Nothing waits for you." in words


def test_what_nobody_reads_is_red(operators: OperatorPages) -> None:
    all_run(operators)
    operators.office.says("kim", "hello?")
    operators.office.sql("UPDATE inbound SET received_at = now() - interval '3 minutes'")
    page = operators.as_whom("dana").open("/operate").text
    assert "Nothing is read since 3 min 1 input waits." in plain(page)
    assert 'class="sign bad"' in page
    assert "1 waits oldest 3 min" in plain(page)


def test_a_process_that_does_not_run_is_red_before_anything_waits(operators: OperatorPages) -> None:
    all_run(operators)
    operators.office.sql("DELETE FROM processes WHERE name = 'worker-fanout'")
    words = operators.as_whom("dana").words("/operate")
    assert "Not running: worker-fanout" in words
    assert "fanout (not working)" in words


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "UPDATE installation SET mail_paused_until = 'infinity', mail_pause_reason = 'pat: moving'",
            "Mails are paused",
        ),
        ("INSERT INTO breaker (tripped_at, parts, usual) VALUES (now(), 900, 11)", "far more than usual was sent"),
        ("UPDATE installation SET draining_until = now() + interval '1 minute'", "The doors are closed"),
        (
            "INSERT INTO task_failures (task, failures, reason) VALUES ('retention', 5, 'OSError')",
            "The clock cannot do all its tasks",
        ),
    ],
)
def test_what_waits_is_amber_with_its_reason(operators: OperatorPages, statement: str, sentence: str) -> None:
    all_run(operators)
    operators.office.sql(statement)
    page = operators.as_whom("dana").open("/operate").text
    assert sentence in plain(page)
    assert 'class="sign waits"' in page


def test_what_is_tried_again_is_named_with_its_story(operators: OperatorPages) -> None:
    all_run(operators)
    operators.office.says("kim", "starting the ACME proposal")
    operators.office.work()
    key = operators.office.delivery("sam")
    operators.office.sql(
        "UPDATE deliveries SET state = 'retry', reason = '30003', ended_at = NULL,"
        " not_before = now() + interval '9 minutes' WHERE message_id || ':' || address_id = :key",
        key=key,
    )
    page = operators.as_whom("dana").open("/operate").text
    assert re.search(
        r"1 is tried again\. Next: Sam Ortiz at \d\d:\d\d, the phone was off or out of reach\.", plain(page)
    )
    assert f"/operate/trace/{key}" in page
    assert "trying again 1" in plain(page)


def test_what_wants_a_person_is_counted(operators: OperatorPages) -> None:
    operators.office.says("kim", "hello")
    operators.office.sql("UPDATE inbound SET state = 'held'")
    operators.office.sql(
        "INSERT INTO reports (reporter_id, account_id) SELECT k.id, s.id FROM accounts k, accounts s"
        " WHERE k.handle = 'kim' AND s.handle = 'sam'"
    )
    words = operators.as_whom("dana").words("/operate")
    assert "1 input is held" in words
    assert "1 report is open" in words


def test_figures_alone_have_an_id_each(operators: OperatorPages) -> None:
    """The page's script puts in what has changed, by these."""
    page = operators.as_whom("dana").open("/operate/now").text
    names = re.findall(r'id="(now-[a-z-]+)"', page)
    assert len(names) == len(set(names)) >= 8
    assert "<html" not in page


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.1, 0.2), (1, 1), (1.1, 2), (3, 4), (11, 20), (99, 100), (214, 400), (5001, 6000)]
)
def test_a_chart_ends_at_a_number_that_divides_well(value: float, top: float) -> None:
    assert charts.round_up(value) == top


def test_columns_stand_on_each_other_and_end_at_the_ground() -> None:
    drawn = charts.draw_stacks([{"s1": 10, "s5": 30}], [20.0], ["1", "2"], share=35)
    assert [(bar.look, bar.y, bar.height) for bar in drawn.bars] == [
        ("s1", 75.0, 25.0), ("s5", 0.0, 75.0), ("ahead", 50.0, 50.0),
    ]  # fmt: skip
    assert drawn.limit == 12.5
    assert charts.draw_stacks([{"s1": 10}], [], [], share=1000).limit is None
