"""The critter command: the processes and the supervisor here, everything else in critter/commands/.

Imports wait until a command runs: each loads only what it needs, and help next to nothing
(critter/console/help_request).
"""

from __future__ import annotations

import importlib
import pkgutil
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from critter import commands
from critter.console.help_request import without_work
from critter.version import version
from gateway.channels import EMAIL, SMS
from gateway.errors import SettingsError

if TYPE_CHECKING:
    from types import ModuleType

    from gateway.settings import Settings


class Commands(TyperGroup):
    """The commands of this file and one for each module of critter/commands/, which is imported when it is called."""

    def list_commands(self, context: Any) -> list[str]:
        return [*super().list_commands(context), *_elsewhere()]

    def get_command(self, context: Any, name: str) -> Any:
        if name in _elsewhere():
            return without_work(_made(name, importlib.import_module(f"{commands.__name__}.{name.replace('-', '_')}")))
        return super().get_command(context, name)


@cache
def _made(name: str, module: ModuleType) -> Any:
    """To read the signatures again for each command of a process that runs many, such as a test, takes its time."""
    found = get_command(module.app)
    found.name = name
    return found


@cache
def _elsewhere() -> list[str]:
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__))


class Queue(StrEnum):
    INBOUND = "inbound"
    PROVING = "proving"
    FANOUT = "fanout"
    SMS = SMS
    EMAIL = EMAIL


class Doctor(StrEnum):
    MAIL = "mail"


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"critter {version()}")
        raise typer.Exit


@app.callback()
def critter(
    asked: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say which Critter this is.")
    ] = False,
) -> None:
    """Critter: a company's own microblog that needs nothing but a phone."""


Unsafe = Annotated[bool, typer.Option("--unsafe", help="Start although PostgreSQL may lose what it confirmed.")]


@app.command()
def up(
    unsafe: Unsafe = False,
    tied: Annotated[
        bool, typer.Option("--tied", hidden=True, help="End when the process that started this ends.")
    ] = False,
) -> None:
    """Run everything, with embedded servers where none are set, until Ctrl-C."""
    from critter.up import run
    from gateway.settings import load

    run(load(), unsafe=unsafe, tied=tied)


def _was_interrupted(problem: BaseException | None) -> bool:
    """Ctrl-C, or what followed from it: in the middle of a statement the driver cannot roll back, and says that."""
    while problem is not None and not isinstance(problem, KeyboardInterrupt):
        problem = problem.__cause__ or problem.__context__
    return problem is not None


@app.command()
def migrate(unsafe: Unsafe = False) -> None:
    """Bring the database to the newest schema, while everything runs on; may be interrupted and run again."""
    from critter.administration.accounts import hidden_names
    from critter.console.database import prepare
    from gateway.settings import load

    settings = load()
    try:
        engine = prepare(settings, unsafe or settings.unsafe, report=lambda line: print(line, flush=True))
    except BaseException as problem:
        if not _was_interrupted(problem):
            raise
        print("Stopped. What is done is remembered: run critter migrate again to go on.")
        raise typer.Exit(130) from None
    for line in hidden_names(engine):
        print(line)
    engine.dispose()
    print("The database is up to date.")


@app.command()
def check(
    what: Annotated[Doctor | None, typer.Argument(help="mail: DNS, the relay, and a mail that goes round.")] = None,
    send_to: Annotated[
        str | None, typer.Option("--send-to", metavar="ADDRESS", help="mail: a test mail there, too.")
    ] = None,
    dkim: Annotated[
        list[str] | None, typer.Option("--dkim", metavar="SELECTOR", help="mail: the selector of a key that signs.")
    ] = None,
    wait: Annotated[float, typer.Option("--wait", min=0, max=3600, help="mail: seconds to wait for it.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """Are the settings, the servers, durability, Twilio and the relay in order?"""
    from critter.doctor import check
    from critter.doctor import mail as checking_mail
    from gateway.settings import load

    if what is None:
        raise typer.Exit(check.run(load(), as_json))
    found = checking_mail.run(load(), send_to=send_to, selectors=dkim or (), patience=wait, as_json=as_json)
    raise typer.Exit(found)


@app.command()
def web(
    accept_only: Annotated[
        bool,
        typer.Option("--accept-only", help="Only store texts and receipts: the fallback door, on its own address."),
    ] = False,
    listen: Annotated[
        str | None, typer.Option("--listen", metavar="HOST:PORT", help="Listen here, not where the settings say.")
    ] = None,
) -> None:
    """Serve the SMS door, the pages and the API."""
    from critter.console.first_admin_link import find_first_link
    from critter.processes import registry

    settings = _durable()
    if listen is not None:
        settings = _listening(settings, "fallback_listen" if accept_only else "web_listen", listen)
    if not accept_only and (link := find_first_link(settings)):
        typer.echo(link)
    (registry.fallback if accept_only else registry.web)(settings)


@app.command()
def stream() -> None:
    """Tell open pages that there is something new."""
    from critter.processes import registry

    registry.stream(_durable())


def _listening(settings: Settings, name: str, where: str) -> Settings:
    from gateway.setting_types import values

    try:
        return settings.model_copy(update={name: values.listen(where)})
    except ValueError as wrong:
        raise SettingsError(f"--listen: {wrong}") from None


@app.command()
def mail() -> None:
    """Serve the mail door."""
    from critter.processes import registry

    registry.mail(_durable())


@app.command()
def worker(queue: Queue) -> None:
    """Run one worker, for one queue."""
    from critter.processes import registry

    registry.worker(queue.value)(_durable())


@app.command()
def clock() -> None:
    """Wake the workers for whatever is due, and do what is due each hour and day."""
    from critter.processes import registry

    registry.clock(_durable())


@app.command()
def simulator() -> None:
    """Stand in for Twilio and the mail relay (simulated mode only)."""
    from critter.processes import registry
    from gateway.settings import load

    registry.simulator(load())


def _durable() -> Settings:
    from critter.console.database import refuse_unsafe_start
    from gateway.settings import load

    settings = load()
    refuse_unsafe_start(settings)
    return settings
