"""The user under which the embedded servers run: the one who starts them, or for root an existing unprivileged one."""

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.errors import Refused

UNPRIVILEGED = ("postgres", "nobody")
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAP_SETPCAP = 8  # needed to hand one on


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user of this machine. With the capability, if any, it can pass closed folders on the way to its own."""

    name: str
    uid: int
    gid: int
    capability: int | None = None


def serving(var: Path) -> SystemUser:
    """The user who serves from this state folder: the owner of the data in it, because PostgreSQL refuses to run as
    root."""
    if os.geteuid() != 0:
        return _named(os.geteuid())
    owners = [folder.stat().st_uid for folder in sorted(var.glob("postgres-*")) if folder.stat().st_uid]
    return _named(owners[-1]) if owners else _unprivileged()


def reaching(account: SystemUser, paths: Iterable[Path]) -> SystemUser:
    """The account, able to reach these paths even when they are inside folders that only root can open, such as /root.

    No folder is opened for others. Reading and searching is enough: what is written belongs to the account.
    """
    closed = [folder for path in paths for folder in path.absolute().parents if not _may_search(account, folder)]
    if not closed or os.geteuid() != 0:
        return account
    held = _capabilities()
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if held >> capability & held >> CAP_SETPCAP & 1:
            return replace(account, capability=capability)
    raise Refused(
        f"{closed[0]} is closed to the user {account.name}, as whom root runs PostgreSQL: "
        "start Critter as an ordinary user, or move it to a folder such as /opt"
    )


def _named(uid: int) -> SystemUser:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise Refused(f"The user id {uid} has no name, which PostgreSQL needs: add it to /etc/passwd") from None
    return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _unprivileged() -> SystemUser:
    entries = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in UNPRIVILEGED:
        if name in entries:
            return SystemUser(name, entries[name].pw_uid, entries[name].pw_gid)
    raise Refused("PostgreSQL refuses to run as root, and there is no user nobody here: start as an ordinary user")


def _may_search(account: SystemUser, folder: Path) -> bool:
    try:
        found = folder.stat()
    except FileNotFoundError:
        return True  # it will be made
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    return bool(found.st_mode & (stat.S_IXGRP if found.st_gid == account.gid else stat.S_IXOTH))


def _capabilities() -> int:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)
