"""Whether a command is to run, or only to show its help: `--help` needs its signature and nothing else.

Importing what commands need (SQLAlchemy, our tables, the carriers) takes most of a second. So each module of
critter/commands imports that under `if working():`. critter/__main__ decides before the first of them is imported.
"""

import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

_state = {"working": True}


class WorkWanted(Exception):
    """The --help was a value (`--reason --help`): the command is to run after all."""


def working() -> bool:
    return _state["working"]


def begin(arguments: Sequence[str]) -> None:
    """Switches the imports off when the arguments ask for help, or when there are none."""
    options = takewhile(lambda argument: argument != "--", arguments)
    _state["working"] = bool(arguments) and "--help" not in options


def work_after_all() -> None:
    """Forgets the modules that were imported for their signatures alone."""
    _state["working"] = True
    for name in [name for name in sys.modules if name.startswith("critter.")]:
        if getattr(sys.modules[name], "working", None) is working:
            del sys.modules[name]


def without_work(command: Any) -> Any:
    """A command, or a group of them, that can only show its help."""
    if working():
        return command
    for each in getattr(command, "commands", {}).values():
        without_work(each)
    if not hasattr(command, "commands"):
        command.callback = _wanted
    return command


def _wanted(**_values: Any) -> None:
    raise WorkWanted
