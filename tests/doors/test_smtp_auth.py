"""Wrong passwords at the mail door are counted by address and by name, and neither locks the honest relay out."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from sqlalchemy import Engine

from gateway.doors.smtp import auth, server
from gateway.doors.smtp.auth import BAD, BUSY, GOOD, LOCK, WINDOW, WRONG_FOR_NAME, WRONG_TRIES, SignIn
from gateway.settings import smtp_users
from gateway.settings.smtp_users import SmtpUser
from tests.support.delivering import rows

PASSWORD = b"correct horse"


class Door:
    """A sign-in whose clock stands still, and the names that it locked."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.locked: list[str] = []
        cheap = smtp_users._base64(smtp_users._scrypt(PASSWORD, b"\0" * 16, (1, 1, 1)))
        salt = smtp_users._base64(b"\0" * 16)
        users = [SmtpUser(name, f"scrypt.1.1.1.{salt}.{cheap}") for name in ("relay", "other")]
        self.sign_in = SignIn(users, lambda: self.now, self.locked.append)

    async def guess(self, origins: int, tries: int = 1, name: str = "relay") -> list[str]:
        return [
            await self.sign_in.judge(f"192.0.2.{origin}", name, b"wrong")
            for origin in range(origins)
            for _ in range(tries)
        ]

    async def right(self, origin: str = "198.51.100.1", name: str = "relay") -> str:
        return await self.sign_in.judge(origin, name, PASSWORD)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setattr(auth, "COST", (1, 1, 1))  # of a name that nobody has
    made = Door()
    yield made
    made.sign_in.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(work())  # type: ignore[arg-type]


def test_a_flood_from_one_address_locks_that_address(door: Door) -> None:
    async def work() -> None:
        said = await door.guess(1, 3 * WRONG_FOR_NAME)
        assert said == [BAD] * WRONG_TRIES + [BUSY] * (3 * WRONG_FOR_NAME - WRONG_TRIES)
        assert await door.right("192.0.2.0") == BUSY
        assert await door.right() == GOOD

    run(work)
    assert door.locked == []


def test_guesses_from_many_addresses_have_one_try_each(door: Door) -> None:
    async def work() -> None:
        assert set(await door.guess(10, 2)) == {BAD}
        assert await door.guess(10, 2) == [BUSY] * 20  # those have had theirs
        assert await door.guess(15, 3) == [BUSY] * 30 + [BAD, BUSY, BUSY] * 5
        assert await door.right("192.0.2.3") == BUSY  # not even by chance
        assert await door.right() == GOOD  # from an address that was never wrong, at once
        assert await door.right("192.0.2.3") == GOOD  # known by now

    run(work)
    assert door.locked == ["relay"]


def test_another_name_is_not_locked_with_it(door: Door) -> None:
    async def work() -> None:
        await door.guess(10, 2)
        assert await door.guess(1, 3, "other") == [BAD] * 3
        assert await door.right("192.0.2.1", "other") == GOOD
        assert await door.guess(WRONG_FOR_NAME + 2, 1, "nobody") == [BAD] * (
            WRONG_FOR_NAME + 2
        )  # nobody has that name, so that there is nothing to guess

    run(work)
    assert door.locked == ["relay"]


def test_the_lock_ends(door: Door) -> None:
    async def work() -> None:
        await door.guess(10, 2)
        door.now += WINDOW + 1
        assert await door.guess(1) == [BUSY]
        door.now += LOCK
        assert await door.guess(1, 2) == [BAD] * 2
        await door.guess(10, 2)

    run(work)
    assert door.locked == ["relay", "relay"]


def test_few_within_the_window_lock_nothing(door: Door) -> None:
    async def work() -> None:
        for _ in range(5):
            await door.guess(WRONG_FOR_NAME - 1)
            door.now += WINDOW + 1
        assert set(await door.guess(3)) == {BAD}

    run(work)
    assert door.locked == []


def test_no_more_is_remembered_than_there_is_room_for(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "PEERS", 10)

    async def work() -> None:
        await door.guess(50)
        assert len(door.sign_in._wrong_for) == 10

    run(work)


def test_a_lock_stands_in_the_audit(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    server._note_lock(engine, "relay")
    assert rows(engine, "SELECT actor, action, detail FROM audit") == [
        ("mail door", "smtp_user.locked", {"name": "relay"})
    ]
    assert "wrong passwords for relay" in caplog.text
