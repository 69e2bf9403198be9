"""What the operators' pages borrow from the command line, which lies above the doors: critter/processes hands it in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from sqlalchemy import Engine

from gateway.network.people.erase import Erased
from gateway.settings import Settings


class Checked(Protocol):
    """One line of `critter check`: what was looked at, "ok" or "wrong", and what to do."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def note(self) -> str: ...


class ExplainedWords(NamedTuple):
    """How words are read for one person. `privacy`: company, group, direct; None for what is no message. `names`: of
    people and groups that it is for."""

    reader: str
    handle: str
    intent: str
    reason: str
    args: tuple[str, ...]
    privacy: str | None
    names: tuple[str, ...]
    answer: str | None


@dataclass(frozen=True, slots=True)
class OperatorTools:
    """`explain`: words, by which channel, by whose handle. `erase`: the folder of our files, whom, and who does it."""

    check: Callable[[Settings], Iterable[Checked]]
    explain: Callable[[Engine, str, str, str], ExplainedWords]
    erase: Callable[[Engine, Path, int, str], Erased]
