"""SMTP AUTH (RFC 4954) for the company's relay: PLAIN and LOGIN, over TLS alone. gateway/doors/smtp/protocol leads the
dialogue.

To check a password takes a fifth of a second (scrypt), so one thread checks them, one after the other, and a peer that
was wrong too often is not checked at all. A password that was right once is recognised later without that cost.

Guesses from many addresses are counted by the name. The name is not locked for everybody, because then anybody could
lock the relay out: for an hour each address has one wrong try for it instead of ten. Whoever knows the password needs
one try.
"""

import asyncio
import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from gateway.settings.smtp_users import COST, SmtpUser, matches

WRONG_TRIES = 10  # wrong tries of one peer in a WINDOW
WINDOW = 600.0  # seconds
WRONG_FOR_NAME = 20  # tries of all peers for one name in a WINDOW
LOCK = 3600.0  # seconds in which each peer then has one wrong try for that name
QUEUE = 20  # tries that may wait for their turn
PEERS = 10_000  # whose tries are remembered

GOOD = "235 2.7.0 Signed in"
BAD = "535 5.7.8 No such name and password"
BUSY = "454 4.7.0 Too many wrong passwords, try again later"
GARBLED = "501 5.5.2 Not base64, or not what the mechanism asks for"
GIVEN_UP = "501 5.7.0 Given up"
UNKNOWN_MECHANISM = "504 5.5.4 PLAIN or LOGIN"

Ask = Callable[[str], Awaitable[bytes]]  # sends a challenge and returns the line that answers it


class GarbledError(Exception):
    """The client's line is no valid answer; the exception's text is our reply."""


class SignIn:
    """The users of this door, and how often each peer was wrong. It belongs to one loop."""

    def __init__(
        self, users: Sequence[SmtpUser], time: Callable[[], float], note_lock: Callable[[str], object] = lambda _: None
    ) -> None:
        """`note_lock` is called in the sign-in thread with a name that was guessed too often."""
        self._digests = {user.name: user.digest for user in users}
        self._time = time
        self._key = secrets.token_bytes(32)
        self._known: dict[str, bytes] = {}  # by name: a digest of its right password that only this process can make
        self._wrong: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._guessed: dict[str, tuple[float, int]] = {}  # by name: since when and how often it was tried
        self._locked: dict[str, float] = {}  # by name: until when it is locked
        self._wrong_for: OrderedDict[tuple[str, str], float] = OrderedDict()  # by origin and name: the last wrong try
        self._note_lock = note_lock
        self._thread = ThreadPoolExecutor(1, "sign-in")
        self._waiting = 0
        shown = ".".join(map(str, COST))
        self._nobody = f"scrypt.{shown}.{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}"

    async def judge(self, origin: str, name: str, password: bytes) -> str:
        """Returns the reply. An unknown name takes as long as a wrong password."""
        mark = hmac.digest(self._key, name.encode() + b"\0" + password, hashlib.sha256)
        if hmac.compare_digest(self._known.get(name, b""), mark):
            return GOOD
        if not self._may_try(origin) or self._is_locked(origin, name) or self._waiting >= QUEUE:
            return BUSY
        self._count(origin, 1)  # before the result is known, so that tries at the same time count too
        digest = self._digests.get(name)
        if digest is not None:
            self._count_for_name(origin, name)
        if not await self._matches(digest or self._nobody, password) or digest is None:
            return BAD
        self._count(origin, -1)
        self._wrong_for.pop((origin, name), None)
        self._known[name] = mark
        return GOOD

    async def _matches(self, digest: str, password: bytes) -> bool:
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, matches, digest, password)
        finally:
            self._waiting -= 1

    def _may_try(self, origin: str) -> bool:
        since, wrong = self._wrong.get(origin, (0.0, 0))
        return wrong < WRONG_TRIES or self._time() - since > WINDOW

    def _is_locked(self, origin: str, name: str) -> bool:
        now = self._time()
        return now < self._locked.get(name, 0.0) and now - self._wrong_for.get((origin, name), -LOCK) < LOCK

    def _count_for_name(self, origin: str, name: str) -> None:
        """Counts a try for a name. A right password counts too, but only once: from then on it is recognised and not
        tried any more."""
        now = self._time()
        since, tries = self._guessed.get(name, (now, 0))
        since, tries = (now, 1) if now - since > WINDOW else (since, tries + 1)
        self._guessed[name] = since, tries
        self._wrong_for[origin, name] = now
        self._wrong_for.move_to_end((origin, name))
        if len(self._wrong_for) > PEERS:
            self._wrong_for.popitem(last=False)
        if tries >= WRONG_FOR_NAME and now >= self._locked.get(name, 0.0):
            self._locked[name] = now + LOCK
            self._thread.submit(self._note_lock, name)

    def _count(self, origin: str, tries: int) -> None:
        now = self._time()
        since, wrong = self._wrong.pop(origin, (now, 0))
        self._wrong[origin] = (now, max(tries, 0)) if now - since > WINDOW else (since, wrong + tries)
        if len(self._wrong) > PEERS:
            self._wrong.popitem(last=False)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


async def parse_auth(argument: str, ask: Ask) -> tuple[str, bytes]:
    """Returns the name and the password that the client gives; raises GarbledError with a reply."""
    mechanism, _, first = argument.partition(" ")
    if mechanism.upper() == "PLAIN":
        return _plain(_decoded(first.encode() if first else await ask("")))
    if mechanism.upper() != "LOGIN":
        raise GarbledError(UNKNOWN_MECHANISM)
    name = _decoded(first.encode() if first else await ask("Username:"))
    return _name(name), _decoded(await ask("Password:"))


def challenge(words: str) -> str:
    return f"334 {b64encode(words.encode()).decode()}"


def _decoded(line: bytes) -> bytes:
    if line == b"*":
        raise GarbledError(GIVEN_UP)
    try:
        return b"" if line == b"=" else b64decode(line, validate=True)
    except binascii.Error:
        raise GarbledError(GARBLED) from None


def _plain(message: bytes) -> tuple[str, bytes]:
    """Reads [authzid] NUL authcid NUL password (RFC 4616); nobody may act for somebody else."""
    parts = message.split(b"\0")
    if len(parts) != 3 or parts[0] not in (b"", parts[1]):
        raise GarbledError(GARBLED)
    return _name(parts[1]), parts[2]


def _name(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise GarbledError(GARBLED) from None
