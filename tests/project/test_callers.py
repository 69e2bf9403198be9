"""Nothing is kept for nothing: each function, class and constant of a module is used by the product, not by tests
alone."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("gateway", "handlers", "workers", "migrations", "simulator", "critter")
# Found by whoever reads the module, not by name.
REGISTERED: Final = {"routes", "__all__"}
# For tests, and for doors that are still to come.
FOR_TESTS: Final = {
    "migrations.unsafe.find_unsafe",  # a test refuses migrations that would keep a door waiting
    "gateway.network.apps.app_tokens.in_force",  # for the stream
    "workers.deliver.drain_push",  # gateway/queue/jobs names it after its channel
    "workers.upkeep.lease_sweeper.sweep",  # one turn of four tasks of the clock
    "workers.upkeep.media_gc.sweep",  # one turn over all shelves
}


def modules() -> dict[str, ast.Module]:
    files = (path for package in PRODUCT for path in (ROOT / package).rglob("*.py"))
    found = {}
    for path in files:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text())
    return found


def defined(tree: ast.Module) -> Iterator[str]:
    """What has a name at the top of a module. A decorator registers its function, except for those that change it."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if all(
                "cache" in ast.unparse(each) or "contextmanager" in ast.unparse(each) for each in node.decorator_list
            ):
                yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def used(name: str, tree: ast.Module, known: set[str]) -> Iterator[str]:
    """The full names of what a module uses, its own things included; recursion is no use."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {each.asname: each.name for each in node.names if each.asname}
            aliases |= {each.name.partition(".")[0]: each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                aliases[each.asname or each.name] = f"{node.module}.{each.name}"
                yield f"{node.module}.{each.name}"
    for top in tree.body:
        for node in ast.walk(top):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id != getattr(top, "name", None):
                yield f"{name}.{node.id}"
            elif isinstance(node, ast.Attribute) and (place := dotted(node.value, aliases)) in known:
                yield f"{place}.{node.attr}"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value.replace(":", ".")  # a place by its name, as in gateway/queue/jobs.py


def dotted(node: ast.expr, aliases: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return aliases.get(node.id)
    if isinstance(node, ast.Attribute) and (before := dotted(node.value, aliases)):
        return f"{before}.{node.attr}"
    return None


def unused(trees: dict[str, ast.Module]) -> set[str]:
    known = set(trees)
    uses = {one for name, tree in trees.items() for one in used(name, tree, known)}
    names = {f"{name}.{each}" for name, tree in trees.items() for each in defined(tree) if each not in REGISTERED}
    return {one for one in names - uses if not one.startswith("gateway.store.tables.")}  # the schema is read as a whole


def test_nobody_stands_there_for_tests_alone() -> None:
    assert unused(modules()) == FOR_TESTS


def test_what_is_left_over_is_found() -> None:
    trees = {
        "one": ast.parse("import two\nfrom two import taken\nLEFT = 1\ndef here(): taken(); two.named()\nhere()"),
        "two": ast.parse("def taken(): ...\ndef named(): ...\ndef left(): left()\n@command\ndef registered(): ..."),
    }
    assert unused(trees) == {"one.LEFT", "two.left"}
