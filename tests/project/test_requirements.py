"""What requirements.in asks for is what the product imports: nothing is missing, and nothing is there for nothing."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("gateway", "handlers", "workers", "migrations", "simulator", "critter")
# Not imported by their names, and needed all the same.
BEHIND: Final = {
    "pynacl": "dkimpy reads Ed25519 keys with it",
}
# Imported, and asked for by a library that is listed: they are part of what it gives us.
THROUGH: Final = {
    "multidict": "aiohttp",
    "yarl": "aiohttp",
    "werkzeug": "flask",
    "markupsafe": "jinja2",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def listed() -> set[str]:
    lines = (ROOT / "requirements.in").read_text().splitlines()
    return {normal(re.split(r"[\s\[;<>=#]", line)[0]) for line in lines if line and not line.startswith("#")}


def imported() -> set[str]:
    """Distributions, by the names of their packages."""
    names: set[str] = set()
    for path in (path for package in PRODUCT for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    outside = names - set(sys.stdlib_module_names) - set(PRODUCT)
    found = packages_distributions()
    assert outside <= found.keys()
    return {normal(one) for name in outside for one in found[name]}


def test_what_is_imported_is_asked_for() -> None:
    missing = imported() - listed()
    assert missing - THROUGH.keys() == set()
    assert {THROUGH[name] for name in missing} <= listed()


def test_what_is_asked_for_is_imported() -> None:
    assert listed() - imported() == set(BEHIND)
