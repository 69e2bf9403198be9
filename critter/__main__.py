"""`python -m critter` and the critter command: a user's error is one line and exit 2, never a traceback."""

import gc
import os
import signal
import sys

OLDEST_PYTHON = (3, 11)  # as in pyproject.toml; older ones parse mail addresses differently

if sys.version_info < OLDEST_PYTHON:
    sys.exit(f"Critter needs Python 3.11 or newer, this is {sys.version.split()[0]}")

# Imports make many objects and free none: with fewer collections everything starts a tenth sooner.
gc.set_threshold(50_000, 20, 50)

from critter.cli import app  # noqa: E402
from critter.console import help_request  # noqa: E402
from gateway.errors import Refused, SettingsError  # noqa: E402
from gateway.typed_input import show_escaped  # noqa: E402


def main() -> None:
    _listen_to_interrupts()
    help_request.begin(sys.argv[1:])
    try:
        _refuse_bytes(sys.argv[1:])
        _run()
    except (Refused, SettingsError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains again at exit
        sys.exit(1)


def _listen_to_interrupts() -> None:
    """A shell starts background commands of a script with SIGINT ignored, and Python leaves it so; this undoes that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _refuse_bytes(arguments: list[str]) -> None:
    """Refuses arguments that are no text. They can be file names at most: the database would refuse them halfway
    through."""
    for argument in arguments:
        bytes_in_it = any("\ud800" <= one <= "\udfff" for one in argument)
        if bytes_in_it and not os.path.exists(argument):
            raise Refused(f"“{show_escaped(argument)}” is not UTF-8: look at the locale of this terminal.")


def _run() -> None:
    try:
        app(prog_name="critter")
    except help_request.WorkWanted:
        help_request.work_after_all()
        app(prog_name="critter")


if __name__ == "__main__":
    main()
