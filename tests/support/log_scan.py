"""Looks through everything that the suite's processes log for what must never stand there (R50); conftest.py asks.

One pass over the words of each test's own process, as its report has them, and one over the log files that child
processes wrote, at the end of each pytest process.
"""

import re
from collections.abc import Iterator
from pathlib import Path

# Numbers and mailboxes of made-up people, and words that only bodies hold. Our own number (…0100) is no secret.
PHONE = rb"\+?1(?:415555(?!0100)|555123)\d{4}(?!\d)"
MAILBOX = rb"(?<![\w.])[\w.]++@(?:demo|corp)\.example"
BODY = rb"starting the ACME proposal|margin \d+|zanzibar|kumquat|seeded-secret[\w-]*"
SECRET = re.compile(b"|".join((PHONE, MAILBOX, BODY)))
FILES = ("*.log", "*.err", "stderr*")
CHUNK = 1 << 20


def find_secret(text: str) -> str | None:
    """The first secret in it, with what stands around."""
    return _found(text.encode(errors="replace"))


def _found(octets: bytes) -> str | None:
    match = SECRET.search(octets)
    if match is None:
        return None
    around = octets[max(0, match.start() - 120) : match.end() + 60]
    return around.decode(errors="replace")


def in_files(folder: Path) -> Iterator[str]:
    """Each log file under the folder that tells one, with what it tells."""
    for pattern in FILES:
        for path in folder.rglob(pattern):
            if path.is_file() and (secret := _in_file(path)):
                yield f"{path}: {secret}"


def _in_file(path: Path) -> str | None:
    rest = b""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            if secret := _found(rest + piece):
                return secret
            rest = piece[-200:]
    return None
