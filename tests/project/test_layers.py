"""No arrow points up: walks the imports of the product against the folders that ARCHITECTURE.md lists, bottom first."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("gateway", "handlers", "workers", "migrations", "simulator", "critter")
FOLDER: Final = re.compile(rf"(?:^|(?<= ))((?:{'|'.join(PACKAGES)})/[\w/]*)", re.MULTILINE)
# From the bottom to the top. A folder may import itself and those before it.
LAYERS: Final = tuple(
    folder.rstrip("/") for folder in FOLDER.findall((ROOT / "ARCHITECTURE.md").read_text().split("```")[1])
)
TRANSPORTS: Final = {"flask", "rq", "twilio", "aiosmtpd", "gunicorn"}
MOST_FILES: Final = 20
# A file for each family, command, page.
MORE: Final = {
    "handlers": 40, "gateway/actions": 24, "critter/commands": 30, "simulator": 35, "gateway/network/people": 22,
    "gateway/doors/web/operate": 25,
}  # fmt: skip


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def folder_of(path: Path) -> str:
    return str(path.parent.relative_to(ROOT))


def imports(path: Path) -> Iterator[str]:
    """Full dotted names of everything a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def target(name: str) -> str | None:
    """The folder that an import leads to; None outside of the product."""
    parts = name.split(".")
    if parts[0] not in (*PACKAGES, "bench", "tests"):
        return None
    for upto in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:upto])
        if place.with_suffix(".py").is_file():
            return folder_of(place)
        if place.is_dir():
            return str(place.relative_to(ROOT))
    return None


def test_every_folder_is_a_layer() -> None:
    assert sorted(LAYERS) == sorted({folder_of(path) for path in modules()} - {"gateway/ledger", "gateway/network",
                                                                             "gateway/mail"})  # fmt: skip


def test_folders_import_only_those_below() -> None:
    wrong = []
    for path in modules():
        own = folder_of(path)
        for name in imports(path):
            found = target(name)
            if found and found != own and (found not in LAYERS or LAYERS.index(found) > LAYERS.index(own)):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_folders_above_others_hold_no_code() -> None:
    """gateway/ledger, gateway/network and gateway/mail have rooms only."""
    for folder in ("gateway/ledger", "gateway/network", "gateway/mail"):
        assert [path.name for path in (ROOT / folder).glob("*.py")] == ["__init__.py"]


def test_the_simulator_stands_alone() -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        if folder_of(path).startswith("simulator")
        for name in imports(path)
        if not (target(name) or "simulator").startswith("simulator")
    ]
    assert found == []


@pytest.mark.parametrize("folder", LAYERS)
def test_no_folder_is_crowded(folder: str) -> None:
    files = [path for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py"]
    assert len(files) <= MORE.get(folder, MOST_FILES)


@pytest.mark.parametrize("folder", ["handlers", "gateway/network", "gateway/ledger", "gateway/language"])
def test_no_transport_in_the_heart(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        if folder_of(path).startswith(folder)
        for name in imports(path)
        if name.partition(".")[0] in TRANSPORTS
    ]
    assert found == []


def test_only_the_queue_and_the_processes_know_rq() -> None:
    knows = {folder_of(path) for path in modules() if any(name.partition(".")[0] == "rq" for name in imports(path))}
    assert knows <= {"gateway/queue", "critter/processes", "critter/up", "critter/doctor"}


def test_no_class_has_two_meanings() -> None:
    """Apart from the tables, whose names are those of the database, and the simulator, which stands alone."""
    seen: dict[str, list[str]] = {}
    for path in modules():
        if folder_of(path).startswith(("simulator", "gateway/store")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                seen.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: places for name, places in seen.items() if len(places) > 1} == {}
