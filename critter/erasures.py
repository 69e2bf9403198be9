"""Who was erased, by id alone, beside the database: a backup from before still has them, and a restore erases again."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

NAME = "erased.jsonl"


def remember(var: Path, account_id: int) -> None:
    """A line on the disk before anybody is told."""
    var.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"account": str(account_id), "at": datetime.now(UTC).isoformat(timespec="seconds")})
    with open(os.open(var / NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def remembered(var: Path) -> list[int]:
    """Their ids, in order."""
    path = var / NAME
    lines = path.read_text().splitlines() if path.exists() else []
    return [int(json.loads(line)["account"]) for line in lines if line.strip()]
