"""Asks the person at the command line. Without a terminal nobody could answer: then a command ends with 2 and names the
option that replaces the answer, and never waits."""

import sys

import typer

from gateway.errors import Refused
from gateway.typed_input import strip_invisible


def at_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def confirm(question: str, option: str = "--yes") -> None:
    """Goes on after a yes; a no ends the command with 1."""
    if not at_terminal():
        raise Refused(f"{question} There is no terminal to ask at: {option} says yes.")
    typer.confirm(question, abort=True)


def secret(noun: str, *, piped: bool, twice: bool = True) -> str:
    """A code, PIN or password: typed without echo, or the first line of standard input. An argument would be visible in
    the list of processes."""
    if piped:
        found = strip_invisible(sys.stdin.readline())
        if not found:
            raise Refused(f"{noun}: standard input is empty.")
        return found
    if not at_terminal():
        raise Refused(f"{noun}: there is no terminal to ask at: --stdin reads it from standard input.")
    return strip_invisible(str(typer.prompt(noun, hide_input=True, confirmation_prompt=twice)))
