"""Makes the table of docs/commands.md from the commands that handlers/ declare; `make docs` updates it."""

from collections.abc import Iterable
from pathlib import Path

import handlers
from gateway.inbound.commands import TABLE
from gateway.language.usage.verbs import Verb

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
MARK, END = "<!-- commands -->", "<!-- end -->"


def refresh(page: str) -> str:
    """The page with its table made anew; everything outside of its marks stays as it was written."""
    assert handlers.MODULES  # importing them filled the table
    before, _, rest = page.partition(MARK)
    after = rest.partition(END)[2]
    return f"{before}{MARK}\n{_table(TABLE.verbs)}{END}{after}"


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
