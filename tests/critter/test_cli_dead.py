"""`critter dead`: what ended badly is counted, looked at, retried and dropped, singly or all that died of the same."""

import json

import pytest

from tests.critter.test_cli_repairs import woken_queues
from tests.support.office import Office


def kill(office: Office, handle: str, reason: str | None, state: str = "failed") -> str:
    """A text that ends badly at somebody's phone or mailbox."""
    office.says("kim", f"hello {reason}")
    office.work()
    key = office.delivery(handle)
    for table in ("deliveries", "attempts"):
        office.sql(
            f"UPDATE {table} SET state = :state, reason = :reason WHERE message_id || ':' || address_id = :key",
            state=state,
            reason=reason,
            key=key,
        )
    return key


def aside(office: Office) -> int:
    inbound = office.says("kim", "hello poison")
    office.sql("UPDATE inbound SET state = 'quarantined', attempt = 3 WHERE id = :id", id=inbound)
    return inbound


def listed(office: Office, *arguments: str) -> list[str]:
    return [one["id"] for one in json.loads(office.critter("dead", "list", "--json", *arguments).output)["dead"]]


def state(office: Office, key: str) -> object:
    return office.sql("SELECT state, reason FROM deliveries WHERE message_id || ':' || address_id = :key", key=key)[0][
        :
    ]


def test_nothing_dead_says_so(office: Office) -> None:
    assert office.critter("dead", "list").output == "There are no dead letters.\n"
    assert office.critter("dead", "list", "--reason", "30008").output == "There are none of those.\n"
    assert office.critter("dead", "retry", "--reason", "30008").output == "There are none of those.\n"


def test_the_dead_are_counted_and_listed(office: Office) -> None:
    first, second = kill(office, "sam", "30008"), kill(office, "sam", "30008")
    doubt = kill(office, "sam", "unnamed", "unknown")
    input_id = aside(office)
    assert listed(office) == [str(input_id), doubt, second, first]
    output = office.critter("dead", "list").output
    assert "2      texts  failed" in output
    assert "unknown error" in output
    assert "nobody knows whether it arrived" in output
    assert "it ended three workers" in output
    assert "+1" not in output


def test_what_is_listed_can_be_narrowed(office: Office) -> None:
    text, other = kill(office, "sam", "30008"), kill(office, "sam", "gave_up")
    doubt = kill(office, "sam", "timeout", "unknown")
    input_id = aside(office)
    assert listed(office, "--reason", "30008") == [text]
    assert listed(office, "--reason", "unknown") == [doubt]
    assert listed(office, "--reason", "failed") == [other, text]
    assert listed(office, "--reason", "quarantined") == [str(input_id)]
    assert listed(office, "--channel", "email") == []
    office.sql("UPDATE deliveries SET ended_at = now() - interval '3 hours' WHERE reason = '30008'")
    assert listed(office, "--since", "2h", "--channel", "sms") == [str(input_id), doubt, other]


def test_one_is_shown_with_its_tries(office: Office) -> None:
    key = kill(office, "sam", "30034")
    output = office.critter("dead", "show", key).output
    assert "number not registered for A2P 10DLC; this number is not registered" in output
    assert "try 1" in output
    assert "it ended three workers" in office.critter("dead", "show", str(aside(office))).output


def test_single_ones_go_again(office: Office, redis_url: str) -> None:
    key, input_id = kill(office, "sam", "30008"), aside(office)
    assert office.critter("dead", "retry", key, str(input_id)).output.startswith("Put back: 2.")
    assert woken_queues(redis_url) == {"sms", "inbound"}
    office.work()
    assert state(office, key) == ("sent", None)
    assert office.sql("SELECT state FROM inbound WHERE id = :id", id=input_id) == [("done",)]
    assert {row[0] for row in office.sql("SELECT action FROM audit")} == {"delivery.retry", "inbound.retry"}
    assert office.critter("audit").exit_code == 0


def test_single_ones_are_dropped(office: Office) -> None:
    key, doubt, input_id = kill(office, "sam", "30008"), kill(office, "sam", "timeout", "unknown"), aside(office)
    assert office.critter("dead", "drop", key, doubt, str(input_id)).output == "Dropped: 3.\n"
    assert (state(office, key), state(office, doubt)) == (("cancelled", "dropped"), ("cancelled", "dropped"))
    assert office.sql("SELECT state FROM inbound WHERE id = :id", id=input_id) == [("dropped",)]
    assert len(office.sql("SELECT 1 FROM audit")) == 3
    assert listed(office) == []
    assert office.critter("audit").exit_code == 0


def test_all_or_nothing(office: Office) -> None:
    key = kill(office, "sam", "30008")
    living = office.says("kim", "still new")
    result = office.critter("dead", "drop", key, str(living))
    assert (result.exit_code, "is new, not a dead letter" in result.output) == (2, True)
    assert office.critter("dead", "drop", key, "7").exit_code == 2
    assert state(office, key) == ("failed", "30008")
    assert office.sql("SELECT 1 FROM audit") == []


def test_many_are_shown_and_asked_about_first(office: Office, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [kill(office, "sam", "30008") for _ in range(3)]
    unasked = office.critter("dead", "retry", "--reason", "30008", given=b"y\n")
    assert (unasked.exit_code, "no terminal to ask at: --yes says yes" in unasked.output) == (2, True)
    monkeypatch.setattr("critter.console.prompts.at_terminal", lambda: True)
    other = kill(office, "sam", "gave_up")
    shown = office.critter("dead", "retry", "--reason", "30008", given=b"n\n")
    assert (shown.exit_code, "Retry 3? [y/N]" in shown.output) == (1, True)
    assert [state(office, key) for key in keys] == [("failed", "30008")] * 3
    assert woken_queues(redis_url) == set()
    done = office.critter("dead", "retry", "--reason", "30008", given=b"y\n")
    assert "Put back: 3." in done.output
    assert woken_queues(redis_url) == {"sms"}
    office.work()
    assert [state(office, key)[0] for key in keys] == ["sent"] * 3  # type: ignore[index]
    assert state(office, other) == ("failed", "gave_up")
    assert office.sql("SELECT action, detail ->> 'reason', detail ->> 'rows' FROM audit") == [
        ("dead.retry", "30008", "3")
    ]


def test_many_are_dropped_without_asking(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.ledger.operations.dead_letters.BATCH", 2)
    keys, input_id = [kill(office, "sam", "30008") for _ in range(3)], aside(office)
    assert "Dropped: 4." in office.critter("dead", "drop", "--since", "1h", "--yes").output
    assert [state(office, key) for key in keys] == [("cancelled", "dropped")] * 3
    assert office.sql("SELECT state FROM inbound WHERE id = :id", id=input_id) == [("dropped",)]
    rows = office.sql("SELECT detail ->> 'rows' FROM audit WHERE action = 'dead.drop' ORDER BY id")
    assert rows == [("2",), ("1",)]
    assert office.critter("audit").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("retry",), "Say which"),
        (("drop",), "Say which"),
        (("drop", "1", "--reason", "30008"), "Say either ids"),
        (("list", "--channel", "fax"), "neither sms nor email"),
        (("list", "--since", "soon"), "'soon' is not a time"),
    ],
)
def test_what_is_not_understood_changes_nothing(office: Office, arguments: tuple[str, ...], says: str) -> None:
    key = kill(office, "sam", "30008")
    result = office.critter("dead", *arguments)
    assert result.exit_code == 2
    assert says in result.output
    assert state(office, key) == ("failed", "30008")
