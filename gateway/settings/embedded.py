"""Where the embedded PostgreSQL and Redis of a state folder listen: one rule for settings, launcher and tests."""

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import quote

ROLE = "critter"  # the role of the processes
OWNER = "critter_owner"  # the role that owns the tables
PORT = 5432
LONGEST_SOCKET_PATH = 107  # sun_path holds 108 bytes with its closing zero (unix(7))
PLAIN = re.compile(r"[A-Za-z0-9._/+@-]+")
SOCKET_NAMES = (f".s.PGSQL.{PORT}", "redis.sock")


def socket_folder(var: Path) -> Path:
    """The folder of the servers' sockets: inside the state folder, or in /tmp when that path is too long for a socket
    or has blanks and the like, which programs that read Redis's list of clients cannot parse.

    The name in /tmp follows from the state folder alone, so every process finds it; whoever makes it checks its owner.
    """
    inside = var / "run"
    if PLAIN.fullmatch(str(inside)) and all(
        len(os.fsencode(inside / name)) <= LONGEST_SOCKET_PATH for name in SOCKET_NAMES
    ):
        return inside
    return Path("/tmp") / f"critter-{os.getuid()}-{hashlib.sha256(os.fsencode(var)).hexdigest()[:16]}"  # noqa: S108


def database_url(var: Path, database: str = ROLE, role: str = ROLE) -> str:
    return f"postgresql://{role}@/{database}?host={quote(os.fsencode(socket_folder(var)), safe='')}&port={PORT}"


def redis_url(var: Path) -> str:
    return f"unix://{quote(os.fsencode(socket_folder(var) / 'redis.sock'))}?db=0"
