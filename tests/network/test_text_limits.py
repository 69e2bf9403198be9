"""`limit 20`: updates beyond the texts of a day wait for the digest, and what was written to the reader comes. The real
workers and statements."""

from tests.support.desk import Desk, asleep


def due(desk: Desk) -> None:
    """The moment of the next digest has come."""
    desk.office.sql("UPDATE held SET until = now()")
    desk.send()


def reasons(desk: Desk) -> list[tuple[object, ...]]:
    return [tuple(row) for row in desk.office.sql("SELECT reason, state FROM held ORDER BY message_id")]


def counted(desk: Desk) -> list[tuple[object, ...]]:
    rows = desk.office.sql("SELECT used, allowed FROM budgets WHERE scope = 'reader' ORDER BY day, subject")
    return [tuple(row) for row in rows]


def limited(desk: Desk, most: int) -> None:
    """Sam, of whom nothing has been counted today but the answer to this."""
    desk.says("sam", f"limit {most + 1}")
    desk.heard("sam")
    desk.office.sql("UPDATE budgets SET used = 1 WHERE scope = 'reader'")


def test_updates_beyond_the_limit_wait_and_what_is_for_the_reader_comes(desk: Desk) -> None:
    limited(desk, 2)
    for each in ("one", "two", "three", "four"):
        desk.says("kim", each)
    desk.says("kim", "d sam can you open at six")
    desk.says("kim", "hello @sam again")
    desk.says("sam", "whois kim")
    heard = desk.heard("sam")
    assert [each.split(" (")[0] for each in heard[:2]] == ["Kim Lee: one", "Kim Lee: two"]
    assert "can you open at six" in heard[2]
    assert "hello @sam again" in heard[3]
    assert len(heard) == 5
    assert reasons(desk) == [("over", "waiting")] * 2
    assert counted(desk) == [(6, 3)]
    desk.clean()
    due(desk)
    [digest] = desk.heard("sam")
    assert digest.startswith("Over your texts of a day, 2 updates:")
    assert "three" in digest
    assert "four" in digest
    assert reasons(desk) == [("over", "sent")] * 2
    desk.clean()
