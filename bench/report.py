"""What a run of the bench writes: results.md for people, results.json for programs."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from bench.result import Result
from critter.servers import binaries

HERE: Final = Path(__file__).parent
HEAD: Final = "| what | Critter | peer | its figure | ratio | goal | met |\n|---|---|---|---|---|---|---|\n"


def line(result: Result) -> str:
    """One row of the table."""
    cells = (
        result.name,
        f"{_number(result.value)} {result.unit}",
        result.peer,
        f"{_number(result.peer_value)} {result.unit}",
        f"{result.ratio:.2f}",
        f"≥ {result.goal:g}",
        "yes" if result.met else "**no**",
    )
    return f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def write(measured: Mapping[str, Iterable[Result]]) -> None:
    """Writes both files; `measured`: by how it was measured, the lines of the table."""
    results = [result for some in measured.values() for result in some]
    rows = json.dumps([result.row() for result in results], indent=2)
    (HERE / "results.json").write_text(rows + "\n")
    (HERE / "results.md").write_text(_page(measured, results))


def _page(measured: Mapping[str, Iterable[Result]], results: Iterable[Result]) -> str:
    table = HEAD + "\n".join(map(line, results))
    how = "\n".join(f"* {_sentence(text)}" for text, some in measured.items() if some)
    short = "\n".join(f"* {result.name}: {result.short}" for result in results if result.short and not result.met)
    parts = [
        "# Measured with `make bench`",
        place(),
        "Every figure stands beside its peer's from the same run, rounds in turn, medians. Load, peer and Critter share"
        " the machine.",
        table,
        "How:",
        how,
    ]
    return "\n\n".join([*parts, "Short of the goal:", short] if short else parts) + "\n"


def _sentence(text: str) -> str:
    return " ".join(text.split())


def place() -> str:
    """The date and the machine."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = f"load {os.getloadavg()[0]:.1f} at the end, nice {os.nice(0)}"
    return (
        f"{now} · revision {_revision()} · {os.cpu_count()} cores, {_processor()}, {load} · Python"
        f" {platform.python_version()} · PostgreSQL {_postgres()} · psycopg {psycopg.__version__}"
    )


def _revision() -> str:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _postgres() -> str:
    return ".".join(map(str, binaries.postgres(HERE).version))
