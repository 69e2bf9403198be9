"""No arrow points up: walks the imports of the product against the layers that ARCHITECTURE.md draws."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ["gateway", "handlers", "workers", "critter"]  # each may import those before it, never one after it
ALONE = ["simulator", "bench"]  # know nothing of the product's inside
LAYERS = {
    "errors": -1, "crashpoints": -1, "destinations": -1, "webhooks": -1, "typed": -1,
    "settings": 0, "tokens": 0, "language": 0, "signatures": 0, "masks": 0,
    "identity": 0.5,
    "store": 1,
    "ledger": 2,
    "network": 3,
    "outcome": 1, "commands": 4, "jobs": 3.9, "bell": 4, "buckets": 4, "carriers": 4,
    "files": 0.5,
    "earlier_words": 4.4,
    "attachments": 4.5, "mailroom": 4.5, "strangers": 4.5, "returns": 4.5, "split_texts": 4.5,
    "responders": 4.7, "listening": 5,
    "doors": 5,
}  # fmt: skip
FORBIDDEN = {"handlers": {"flask", "rq", "twilio", "aiosmtpd"}, "gateway/network": {"flask", "rq", "twilio"}}


def modules(package: str) -> Iterator[Path]:
    yield from sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Full dotted names of everything a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def first(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_those_below(package: str) -> None:
    above = PACKAGES[PACKAGES.index(package) + 1 :] + (["bench"] if package == "critter" else ALONE)
    found = [(str(path), name) for path in modules(package) for name in imports(path) if first(name) in above]
    assert found == []


@pytest.mark.parametrize("package", ALONE)
def test_simulator_and_bench_stand_alone(package: str) -> None:
    if package == "bench":
        pytest.skip("the bench measures the product and may import it")
    found = [(str(path), name) for path in modules(package) for name in imports(path) if first(name) in PACKAGES]
    assert found == []


def layer(dotted: str) -> tuple[str, float] | None:
    parts = dotted.split(".")
    if parts[0] != "gateway" or len(parts) < 2:
        return None
    return parts[1], LAYERS[parts[1]]


def test_inside_gateway_arrows_point_down() -> None:
    wrong = []
    for path in modules("gateway"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if len(parts) < 2 or parts[1] == "__init__":
            continue
        own, height = parts[1], LAYERS[parts[1]]
        for name in imports(path):
            target = layer(name)
            if target and target[0] != own and target[1] >= height:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_no_transport_in_the_heart(folder: str) -> None:
    found = [
        (str(path), name) for path in modules(folder) for name in imports(path) if first(name) in FORBIDDEN[folder]
    ]
    assert found == []


def test_only_the_jobs_and_the_wiring_know_rq() -> None:
    knows = {str(path.relative_to(ROOT)) for package in PACKAGES for path in modules(package)
             if any(first(name) == "rq" for name in imports(path))}  # fmt: skip
    assert {name for name in knows if not name.startswith("critter/")} <= {"gateway/jobs.py"}
