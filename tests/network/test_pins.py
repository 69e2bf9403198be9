"""PINs and codes: counted, locked, never kept as they were typed."""

import pytest
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.network.people import accounts
from gateway.network.verification import pins
from gateway.store.database import transaction
from tests.support.office import Office


def kim(session: Session) -> int:
    account = accounts.by_handle(session, "kim")
    assert account
    return account.id


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "", "1234", "98765", "0000", "77777777"])
def test_a_bad_pin_is_refused(office: Office, pin: str) -> None:
    with transaction(office.engine) as session, pytest.raises(Refused):
        pins.set_pin(session, kim(session), pin)


def test_twenty_wrong_tries_in_a_row_end_a_pin_until_there_is_a_new_one(office: Office) -> None:
    with transaction(office.engine) as session:
        pins.set_pin(session, kim(session), "4826")
        assert pins.check(session, kim(session), "4826") == "right"
        tries = [pins.check(session, kim(session), "1111") for _ in range(20)]
        assert tries == ["wrong"] * 19 + ["locked"]
        assert pins.check(session, kim(session), "4826") == "locked"
        pins.set_pin(session, kim(session), "5937")
        assert pins.check(session, kim(session), "5937") == "right"
        assert pins.clear(session, kim(session))
        assert pins.check(session, kim(session), "5937") == "wrong"


def test_what_is_answered_to_a_secret_question_stays_nowhere(office: Office) -> None:
    with transaction(office.engine) as session:
        pins.set_pin(session, kim(session), "4826", always=True)
    for words in ("lunch at noon", "1357", "4826", "4826"):
        office.says("kim", words)
        office.work()
    assert office.sql("SELECT count(*) FROM posts WHERE text = 'lunch at noon'") == [(1,)]
    tables = [row[0] for row in office.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for secret in ("1357", "4826"):
        pattern = f"(^|[^0-9]){secret}([^0-9]|$)"
        for table in tables:
            found = office.sql(f"SELECT count(*) FROM {table} t WHERE t::text ~ :pattern", pattern=pattern)
            assert found == [(0,)], (secret, table)
