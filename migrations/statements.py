"""Splits the text of an SQL file into statements, for migrations/steps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

TOKEN: Final = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>'(?:[^']|'')*'|\"[^\"]*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"
    r"|(?P<end>;)|(?P<code>[^-/'\"$;]+|.)",
    re.DOTALL,
)
NOTE: Final = re.compile(r"--\s*(batch|allow):\s*(.*\S)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its comments. `notes` are the comments before it of the form `-- batch: …`."""

    sql: str
    notes: dict[str, str]

    @property
    def bare(self) -> str:
        """The statement in one line, its string literals emptied: for recognising what it does."""
        code = "".join(
            "''" if match["quoted"] and match[0][0] != '"' else match[0] for match in TOKEN.finditer(self.sql)
        )
        return " ".join(code.split())

    @property
    def short(self) -> str:
        """Its first 70 characters in one line, for people who watch it run."""
        line = " ".join(self.sql.split())
        return line if len(line) <= 70 else f"{line[:69]}…"


def split(text: str) -> Iterator[Statement]:
    """The statements of a file, in order."""
    code: list[str] = []
    notes: dict[str, str] = {}
    for match in TOKEN.finditer(text):
        if match["comment"]:
            if noted := NOTE.match(match[0]):
                notes[noted[1]] = noted[2]
            code.append(" ")
        elif match["end"]:
            if sql := "".join(code).strip():
                yield Statement(sql, notes)
            code, notes = [], {}
        else:
            code.append(match[0])
    if sql := "".join(code).strip():
        yield Statement(sql, notes)
