"""`critter explain`: reads with the real names, answers what would be answered, and leaves nothing behind."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine, func, select

from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from gateway.store.tables import Account, Table
from tests.support.office import Office, critter, point_command_line

EXAMPLES = Path(__file__).parents[1] / "data" / "interpretations.tsv"


def explained(office: Office, *arguments: str) -> dict[str, object]:
    result = office.critter("explain", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.output))


def everything(office: Office) -> dict[str, object]:
    return {
        table.name: office.sql(f"SELECT * FROM {table.name} ORDER BY 1, 2") for table in Table.metadata.sorted_tables
    }


def test_it_says_what_a_text_is_and_why(office: Office) -> None:
    reading = explained(office, "d pat see you at the gate")
    assert list(reading) == ["intent", "args", "privacy", "reason", "would_answer"]
    assert reading["intent"] == "direct"
    assert reading["args"] == ["pat", "see you at the gate"]
    assert reading["privacy"] == "direct"
    assert str(reading["would_answer"]).startswith("This goes privately to Pat Quinn in 10 s.")


def test_an_update_is_not_answered(office: Office) -> None:
    reading = explained(office, "get off the roof at once")
    assert (reading["intent"], reading["would_answer"]) == ("update", None)


def test_people_read_it_too(office: Office) -> None:
    result = office.critter("explain", "d pat see you at the gate")
    assert result.exit_code == 0
    assert "read as   direct [pat] [see you at the gate]" in result.output
    assert "heard by  Pat Quinn (@pat), privately" in result.output
    assert "Nothing was sent." in result.output


def test_it_leaves_nothing_behind_and_never_rings(office: Office, redis_url: str) -> None:
    before = everything(office)
    for words in ("hello all", "d pat a word", "follow sales", "d nobody a word", "stop", "new lunch", "like"):
        explained(office, words)
        explained(office, words, "--as", "sam")
    assert everything(office) == before
    with Redis.from_url(redis_url) as redis:
        assert redis.keys() == []


def test_each_line_of_many_is_read_for_itself(office: Office) -> None:
    lines = ["d nobody the margin is 12%", "1", "follow sales", "follow sales", "", "d pat one\\nand two"]
    result = office.critter("explain", "-", "--as", "sam", given="\n".join(lines).encode())
    readings = [json.loads(line) for line in result.output.splitlines()]
    assert [reading["intent"] for reading in readings] == ["ask", "error", "follow", "follow", "error", "direct"]
    assert readings[2] == readings[3]
    assert readings[5]["args"] == ["pat", "one\nand two"]


def test_bytes_that_are_no_text_are_read_all_the_same(office: Office) -> None:
    result = office.critter("explain", "-", given=b"caf\xe9 \x00 today\rand on\r\n\xff\n")
    assert [json.loads(line)["intent"] for line in result.output.splitlines()] == ["update", "update"]


def test_with_a_name_their_own_talk_counts(office: Office) -> None:
    office.says("sam", "d nobody the margin is 12%")
    office.work()
    assert explained(office, "drop", "--as", "sam")["intent"] == "choice"
    assert explained(office, "drop")["intent"] != "choice"


def test_what_somebody_heard_last_counts(office: Office) -> None:
    office.says("dana", "#dispatch who takes dock 4")
    office.work()
    reading = explained(office, "yes", "--as", "bob")
    assert (reading["intent"], reading["privacy"]) == ("direct", "direct")


def test_somebody_without_a_phone_can_be_asked_for(office: Office) -> None:
    assert explained(office, "follow sales", "--as", "priya")["intent"] == "follow"


def test_who_is_nobody_is_told_in_a_line(office: Office) -> None:
    result = office.critter("explain", "hello", "--as", "kin")
    assert result.exit_code == 2
    assert result.output == "Nobody is @kin. Near: @kim.\n"


def test_an_empty_company_still_reads(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    point_command_line(monkeypatch, settings)
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    readings = [
        json.loads(critter("explain", words, "--json").output)["intent"] for words in ("dm", "whois kim", "r ok")
    ]
    assert readings == ["error", "error", "reply"]
    with transaction(engine) as session:
        assert session.scalar(select(func.count()).select_from(Account)) == 0


def test_no_database_is_one_line(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRITTER_DATABASE_URL", "postgresql://critter@127.0.0.1:1/nothing")
    result = office.critter("explain", "hello")
    assert result.exit_code == 2
    assert "is `critter up` running?" in result.output
    assert len(result.output.splitlines()) == 1


def examples() -> Iterator[tuple[str, str, str]]:
    for line in EXAMPLES.read_text().splitlines()[1:]:
        words, intent, third = line.split("\t")
        yield re.sub(r"<U\+([0-9A-F]+)>", lambda match: chr(int(match[1], 16)), words), intent, third


def test_the_normative_examples(office: Office) -> None:
    by_text = [row for row in examples() if not row[2].startswith("by mail: ")]
    by_mail = [row for row in examples() if row[2].startswith("by mail: ")]
    for channel, rows in (("sms", by_text), ("email", by_mail)):
        given = "\n".join(words for words, _, _ in rows).encode()
        result = office.critter("explain", "-", "--channel", channel, given=given)
        readings = [json.loads(line)["intent"] for line in result.output.splitlines()]
        assert list(zip(readings, [words for words, _, _ in rows], strict=True)) == [
            (intent, words) for words, intent, _ in rows
        ]
