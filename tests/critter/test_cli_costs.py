"""`critter costs`: what was spent, by whom, what is left, and what an operator does about the breaker."""

import json
from datetime import UTC, datetime

from tests.support.office import Office

TODAY = f"{datetime.now(UTC):%Y-%m-%d}"


def busy(office: Office) -> None:
    office.says("sam", "follow sales")
    office.says("kim", "#sales lunch at one")
    office.says("kim", "the ACME proposal is on its way")
    office.work()
    office.sql("UPDATE fanouts SET not_before = now() WHERE state = 'waiting'")
    office.work()


def told(office: Office, *arguments: str) -> dict:
    ran = office.critter("costs", *arguments, "--json")
    assert ran.exit_code == 0
    return json.loads(ran.output)


def test_before_the_first_text_there_is_a_budget_and_nothing_else(office: Office) -> None:
    shown = office.critter("costs").output
    assert shown.startswith(f"No text left in {datetime.now(UTC):%B %Y}.")
    assert "this month" in shown
    assert "comes to $0.00" in shown
    assert told(office)["spent"] == []


def test_what_was_spent_by_whom_and_where(office: Office) -> None:
    busy(office)
    texts = office.sql("SELECT count(*) FROM charges")[0][0]
    assert texts
    days = told(office)["spent"]
    assert [(day["day"], day["texts"], day["parts"]) for day in days] == [(TODAY, texts, texts)]
    assert days[0]["dollars"] == round(texts * 0.0083, 6)
    assert "#sales" in {line["group"] for line in told(office, "--by", "group")["spent"]}
    assert {"@kim", "Critter"} <= {line["person"] for line in told(office, "--by", "person")["spent"]}
    assert [line["country"] for line in told(office, "--by", "country")["spent"]] == ["US"]
    assert told(office, "--day", "2020-01-01")["spent"] == []
    assert told(office, "--since", TODAY)["spent"] == days
    budget = told(office)
    assert budget["day"]["used"] == texts
    assert budget["month"]["used"] == days[0]["dollars"]
    assert budget["forecast"] >= budget["month"]["used"]
    shown = office.critter("costs", "--by", "person").output
    assert "@kim" in shown
    assert f"{texts} texts in" in shown


def test_what_is_no_date_is_said(office: Office) -> None:
    for wrong in (["--day", "yesterday"], ["--month", "2026-13"], ["--day", TODAY, "--month", "2026-11"]):
        assert office.critter("costs", *wrong).exit_code == 2
    assert "--day 2026-11-05" in office.critter("costs", "--day", "yesterday").output


def test_what_is_used_up_and_what_waits_is_said_and_resumed_with_an_audit_row(office: Office) -> None:
    busy(office)
    assert "Nothing to resume" in office.critter("costs", "--resume").output
    office.sql("UPDATE budgets SET exhausted_at = now() WHERE scope IN ('company_day', 'person')")
    office.sql("INSERT INTO breaker (tripped_at, parts, usual) VALUES (now(), 600, 40)")
    shown = office.critter("costs").output
    assert "Used up, so that texts were not sent: today, @" in shown
    assert "Updates wait since" in shown
    assert told(office)["breaker"]["tripped_at"]
    assert "Updates go again" in office.critter("costs", "--resume").output
    assert told(office)["breaker"]["tripped_at"] is None
    assert office.sql("SELECT action FROM audit WHERE action = 'breaker.resume'")
