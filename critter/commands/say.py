"""`critter say HANDLE TEXT`: says something as somebody, without a phone, and prints what they would be answered."""

from __future__ import annotations

import time
import uuid
from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from critter.console import worker_wakeup
    from critter.console.console import database, show_json
    from gateway.ledger.inbox import inbox
    from gateway.ledger.inbox.inbox import Incoming
    from gateway.network.follows import reachability
    from gateway.network.inspect.inbound_result import InboundResult, ending
    from gateway.network.people import accounts
    from gateway.settings import load
    from gateway.store.database import transaction

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
LOOK = 0.05  # seconds between two looks
READERS = ("inbound",)


@app.command()
def run(
    handle: Annotated[str, typer.Argument(help="Who says it.")],
    text: Annotated[str, typer.Argument(help="What they say: an update or a command.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the answer.")] = True,
    seconds: Annotated[float, typer.Option(min=0, help="How long to wait.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say something as somebody: it is read and done as if it came from their phone.

    Exit 3: it is kept, and no worker is alive that would read it."""
    settings = load()
    with database(settings) as engine:
        with transaction(engine) as session:
            inbound_id = _accept(session, handle, text)
            missing = worker_wakeup.find_missing(session, READERS)
        worker_wakeup.notify(settings, READERS)
        ended = _wait(engine, inbound_id, seconds if wait else 0)
    _show_plain(inbound_id, ended) if as_json else _show(inbound_id, ended, wait, seconds)
    if not ended.reached:
        worker_wakeup.exit_if_missing(missing)


def _accept(session: Session, handle: str, text: str) -> int:
    person = accounts.by_handle(session, handle)
    if person is None or person.kind != "person":
        raise Refused(f"Nobody is @{handle.lstrip('@')[:40]}. critter people list shows who there is.")
    if reachability.own_address(session, person.id) is None:
        raise Refused(f"@{person.handle} has neither a phone nor a mailbox, so no talk with them is kept.")
    words = text.encode(errors="surrogateescape").decode(errors="replace").replace("\0", "")
    incoming = Incoming("cli", uuid.uuid4().bytes, person.handle, (), words.encode(), True, text=words)
    return next(iter(inbox.accept(session, inbox.hash_key(session), [incoming]).values()))


def _wait(engine: Engine, inbound_id: int, seconds: float) -> InboundResult:
    """The result, or how far it is when the time is up."""
    end = time.monotonic() + seconds
    while True:
        with transaction(engine) as session:
            ended = ending(session, inbound_id)
        if ended.reached or time.monotonic() >= end:
            return ended
        time.sleep(LOOK)


def _show(inbound_id: int, ended: InboundResult, waited: bool, seconds: float) -> None:
    if not waited and not ended.reached:
        typer.echo(f"Accepted: critter trace {inbound_id} shows what becomes of it.")
    elif not ended.reached:
        typer.echo(
            f"Accepted, but nobody has read it in {seconds:g} s: is critter up running, or critter worker inbound? "
            f"It is kept and will be read. critter trace {inbound_id}"
        )
    else:
        typer.echo(ended.answer or ("Posted." if ended.posted else f"{ended.state.capitalize()}: {ended.reason}."))


def _show_plain(inbound_id: int, ended: InboundResult) -> None:
    plain = {"id": str(inbound_id), "state": ended.state, "intent": ended.intent, "reason": ended.reason}
    show_json({**plain, "posted": ended.posted, "answer": ended.answer})
