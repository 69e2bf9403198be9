"""`critter estimate`: the numbers of a post that is not written, and nothing left behind."""

import json

from tests.critter.test_cli_explain import everything
from tests.support.office import Office


def estimated(office: Office, *arguments: str) -> dict[str, object]:
    result = office.critter("estimate", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.output))


def test_it_says_whom_an_update_would_reach_and_leaves_nothing(office: Office) -> None:
    office.sql(
        "UPDATE addresses SET quiet = 'mo,tu,we,th,fr,sa,su 00:00-23:59', quiet_since = now()"
        " WHERE account_id = (SELECT id FROM accounts WHERE handle = 'sam')"
    )
    before = everything(office)
    found = estimated(office, "kim", "gate 4 is closed")
    assert (found["now"], found["later"], found["digest"], found["exact"]) == (1, 1, 0, True)  # Priya, and Sam sleeps
    assert (found["phones"], found["parts"]) == (1, 1)
    assert str(found["until"]).startswith("20")
    assert everything(office) == before


def test_people_read_it_too(office: Office) -> None:
    result = office.critter("estimate", "kim", "lunch at one, who comes along?", "--group", "sales")
    assert result.exit_code == 0, result.output
    assert "now" in result.output
    assert "1 part to 1 phone, $0.01" in result.output


def test_who_is_not_there_is_refused(office: Office) -> None:
    assert "No person is called zoe." in office.critter("estimate", "zoe", "hello").output
    assert "No group is called kim." in office.critter("estimate", "kim", "hello", "--group", "kim").output
