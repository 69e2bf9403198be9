"""The critter command: the processes and the supervisor here, everything else in critter/commands/.

Imports wait until a command runs: each loads only what it needs.
"""

import importlib
import pkgutil
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from critter import commands, processes
from gateway.errors import SettingsError
from gateway.settings import Settings, load, values


class Commands(TyperGroup):
    """The commands of this file and one for each module of critter/commands/, which is imported when it is called."""

    def list_commands(self, context: Any) -> list[str]:
        return [*super().list_commands(context), *_elsewhere()]

    def get_command(self, context: Any, name: str) -> Any:
        if name in _elsewhere():
            found = get_command(importlib.import_module(f"{commands.__name__}.{name.replace('-', '_')}").app)
            found.name = name
            return found
        return super().get_command(context, name)


def _elsewhere() -> list[str]:
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__))


class Queue(StrEnum):
    INBOUND = "inbound"
    PROVING = "proving"
    FANOUT = "fanout"
    SMS = "sms"
    EMAIL = "email"


class Doctor(StrEnum):
    MAIL = "mail"


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Critter: a company's own microblog that needs nothing but a phone.",
)

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

    run(load(), unsafe=unsafe, tied=tied)


@app.command()
def migrate(unsafe: Unsafe = False) -> None:
    """Bring the database to the newest schema."""
    from critter.company import hidden_names
    from critter.database import prepared

    settings = load()
    engine = prepared(settings, unsafe=unsafe or settings.unsafe)
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
    as_json: Annotated[bool, typer.Option("--json", help="mail: one JSON array.")] = False,
) -> None:
    """Are the settings, the servers, durability, Twilio and the relay in order?"""
    from critter import check, checking_mail

    if what is None:
        raise typer.Exit(check.run(load()))
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
    settings = _durable()
    if listen is not None:
        settings = _listening(settings, "fallback_listen" if accept_only else "web_listen", listen)
    (processes.fallback if accept_only else processes.web)(settings)


def _listening(settings: Settings, name: str, where: str) -> Settings:
    try:
        return settings.model_copy(update={name: values.listen(where)})
    except ValueError as wrong:
        raise SettingsError(f"--listen: {wrong}") from None


@app.command()
def mail() -> None:
    """Serve the mail door."""
    processes.mail(_durable())


@app.command()
def worker(queue: Queue) -> None:
    """Run one worker, for one queue."""
    processes.worker(queue.value)(_durable())


@app.command()
def clock() -> None:
    """Wake the workers for whatever is due, and do what is due each hour and day."""
    processes.clock(_durable())


@app.command()
def simulator() -> None:
    """Stand in for Twilio and the mail relay (simulated mode only)."""
    processes.simulator(load())


def _durable() -> Settings:
    from critter.database import refuse_unsafe_start

    settings = load()
    refuse_unsafe_start(settings)
    return settings
