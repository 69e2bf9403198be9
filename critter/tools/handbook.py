"""Makes the tables of docs/commands.md from the commands that handlers/ declare; `make docs` updates them."""

from collections.abc import Iterable
from pathlib import Path

import handlers
from gateway.inbound.commands import TABLE
from gateway.language.usage.verbs import Verb

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
END = "<!-- end -->"


def refresh(page: str) -> str:
    """The page with its two tables made anew; everything outside of their marks stays as it was written."""
    assert handlers.MODULES  # importing them filled the table
    for mark, ready in (("<!-- commands -->", True), ("<!-- not yet -->", False)):
        before, _, rest = page.partition(mark)
        after = rest.partition(END)[2]
        verbs = [verb for verb in TABLE.verbs if verb.ready is ready]
        page = f"{before}{mark}\n{_table(verbs)}{END}{after}"
    return page


def _table(verbs: Iterable[Verb]) -> str:
    rows = [("say", "or", "in Spanish", "what happens"), ("---",) * 4, *map(_row, verbs)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _row(verb: Verb) -> tuple[str, ...]:
    words = (verb.usages, verb.aliases, verb.abroad.get("es", ()))
    return *(", ".join(map(_code, each)) for each in words), verb.about


def _code(words: str) -> str:
    return f"`{words}`".replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(refresh(PAGE.read_text()))
