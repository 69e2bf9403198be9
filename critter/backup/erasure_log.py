"""Records who was erased, by id alone, beside the database: an older backup still has them, so a restore erases them
again."""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gateway.errors import Refused

NAME: Final = "erased.jsonl"
BEGINS: Final = '{"account": "'
WRITTEN: Final = re.compile(rf'{re.escape(BEGINS)}(\d+)"')
CUT_OFF: Final = re.compile(rf"{re.escape(BEGINS)}\d*")
TAKEN_BACK: Final = '"taken_back": true'


def remember(var: Path, account_id: int) -> None:
    """Writes a line to the disk before the database erases them: a crash in between must not bring them back later."""
    _write(var, account_id, {})


def take_back(var: Path, account_id: int) -> None:
    """Removes the line when the database failed and nobody was erased."""
    _write(var, account_id, {"taken_back": True})


def read_log(var: Path) -> list[int]:
    """Their ids, in order; raises Refused for a file that cannot be read. An id that a crash cut off was never
    confirmed, and its database had not erased that person."""
    path = var / NAME
    found: dict[int, None] = {}
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        if match := WRITTEN.match(line):
            found.pop(int(match[1]), None)
            if TAKEN_BACK not in line:
                found[int(match[1])] = None
        elif line.strip() and not (BEGINS.startswith(line) or CUT_OFF.fullmatch(line)):
            raise Refused(f"{path}, line {number} cannot be read: put it right, for it names who was erased.")
    return list(found)


def _write(var: Path, account_id: int, more: dict[str, bool]) -> None:
    var.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"account": str(account_id), "at": datetime.now(UTC).isoformat(timespec="seconds"), **more})
    with open(os.open(var / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "rb+") as file:
        cut_off = file.seek(0, os.SEEK_END) > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
        file.write(f"{chr(10) if cut_off else ''}{line}\n".encode())
        file.flush()
        os.fsync(file.fileno())
