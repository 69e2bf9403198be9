"""Keeps the catalogs of what Critter says in step with the code; `make translations` runs this, a test checks it."""

import ast
import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from gateway.i18n.phrases import LOCALES

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "handlers", "workers", "critter")
PAGES = "gateway/doors/web"
TEMPLATES = {"say": 1, "count": 2, "template": 1}  # how many of the first arguments are templates
Template = tuple[str, ...]  # the sentence, or its singular and plural


def templates() -> dict[Template, str]:
    """Every sentence that the code says → the file where it is first said."""
    found: dict[Template, str] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            for node in ast.walk(ast.parse(path.read_text())):
                for template in _said(node):
                    found.setdefault(template, place)
    for path in sorted((ROOT / PAGES).rglob("*.html")):
        for template in _said_on_page(path.read_text()):
            found.setdefault(template, str(path.relative_to(ROOT)))
    return found


def _said_on_page(source: str) -> Iterator[Template]:
    """What the template of a page says: it calls `say` and `count` as Python does."""
    for call in Environment(autoescape=True).parse(source).find_all(nodes.Call):
        wanted = TEMPLATES.get(call.node.name, 0) if isinstance(call.node, nodes.Name) else 0
        words = tuple(str(each.value) for each in call.args[:wanted] if isinstance(each, nodes.Const))
        if wanted and len(words) == wanted:
            yield words


def _said(node: ast.AST) -> Iterator[Template]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    wanted = TEMPLATES.get(node.func.id, 0)
    words = tuple(each.value for each in node.args[:wanted] if isinstance(each, ast.Constant))
    if wanted and len(words) == wanted:
        yield tuple(map(str, words))
    if node.func.id == "command":
        yield from (
            (str(each.value.value),)
            for each in node.keywords
            if each.arg == "about" and isinstance(each.value, ast.Constant)
        )


def refresh(path: Path) -> Catalog:
    """A catalog with the new templates, untranslated, and without those that the code no longer has."""
    with path.open("rb") as file:
        old = read_po(file, locale=path.stem)
    new = Catalog(locale=path.stem, charset="utf-8", fuzzy=False)
    for template, place in sorted(templates().items(), key=lambda each: (each[1], each[0])):
        message = old.get(template[0])
        new.add(template if len(template) > 1 else template[0], message.string if message else "", [(place, 0)])
    return new


def write(catalog: Catalog) -> bytes:
    """Writes it as it is in the file: without a header, whose dates would change with every run."""
    file = io.BytesIO()
    write_po(file, catalog, width=110, omit_header=True, include_lineno=False)
    return file.getvalue()


def main() -> None:
    for path in sorted(LOCALES.glob("*.po")):
        path.write_bytes(write(refresh(path)))


if __name__ == "__main__":
    main()
