"""Processor time of the processes of a company that is measured: its own, PostgreSQL's and Redis's, by name.

/proc has it in clock ticks (proc(5)); a process counts with its descendants, and with those that it has waited for.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

from bench.company import Company

TICK: Final = 1 / os.sysconf("SC_CLK_TCK")


class Process(NamedTuple):
    """One line of /proc: its parent, and the seconds that it and its ended children ran."""

    parent: int
    seconds: float


def spent(place: Company) -> dict[str, float]:
    """Seconds so far, by process."""
    there = _processes()
    roots = {**place.names, **_servers(place.folder)}
    owner: dict[int, str] = {}
    for pid in there:
        name = _name(pid, there, roots)
        if name:
            owner[pid] = name
    seconds: defaultdict[str, float] = defaultdict(float)
    for pid, name in owner.items():
        seconds[name] += there[pid].seconds
    return dict(seconds)


def since(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - before.get(name, 0.0) for name in sorted(after)}


def _processes() -> dict[int, Process]:
    found: dict[int, Process] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            found[int(entry.name)] = Process(int(fields[1]), sum(map(int, fields[11:15])) * TICK)
    return found


def _servers(folder: Path) -> dict[int, str]:
    """The embedded servers of this company: their command lines name its folder."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            for program, name in (("postgres", "postgresql"), ("redis", "redis"), ("valkey", "redis")):
                if str(folder) in command and program in command.split("\0")[0]:
                    found[int(entry.name)] = name
    return found


def _name(pid: int, there: dict[int, Process], roots: dict[int, str]) -> str | None:
    while pid in there:
        if pid in roots:
            return roots[pid]
        pid = there[pid].parent
    return None
