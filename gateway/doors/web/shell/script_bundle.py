"""Makes one script of a module and all that it imports, when the process starts: a phone asks once instead of a dozen
times, and small files that are packed together are smaller. assets.py asks.

Each module becomes a function of its own, so that its names stay its own. Only the forms of `import` and `export` that
our scripts have are known; any other is an error at the start, and so in every test."""

import re
from collections.abc import Callable
from typing import Final

IMPORT: Final = re.compile(r'^import (?:\{ (?P<names>[\w, ]+) \} from )?"\./(?P<module>[\w-]+\.js)";$', re.MULTILINE)
EXPORT: Final = re.compile(r"^export (?P<kind>async function|function|const) (?P<name>\w+)", re.MULTILINE)
LEFT_OVER: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def bundle(name: str, read: Callable[[str], str]) -> str:
    """`read`: gives the text of a module."""
    made: dict[str, str] = {}
    _add(name, read, made)
    return "\n".join(made.values())


def _add(name: str, read: Callable[[str], str], made: dict[str, str]) -> None:
    """What a module imports stands before it; each stands there once."""
    if name in made:
        return
    text = read(name)
    for found in IMPORT.finditer(text):
        _add(found["module"], read, made)
    exported = [found["name"] for found in EXPORT.finditer(text)]
    body = EXPORT.sub(r"\g<kind> \g<name>", IMPORT.sub(_take, text))
    if left := LEFT_OVER.search(body):
        raise ValueError(f"{name}: {left[0]}")
    made[name] = f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"


def _take(found: re.Match[str]) -> str:
    return f"const {{ {found['names']} }} = {_variable(found['module'])};" if found["names"] else ""


def _variable(module: str) -> str:
    return "$" + module.removesuffix(".js").replace("-", "_")
