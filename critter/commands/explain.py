"""`critter explain`: how a text or a mail would be read, why, who would get it and what would be answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from critter.console.help_request import working
from gateway.channels import EMAIL, SMS
from gateway.errors import Refused

if working():
    from sqlalchemy import Connection

    from critter.console.console import database, show_json
    from critter.explain.mail import MailExplained, explain_mail
    from critter.explain.text import Explained, build_registry, explain
    from gateway.inbound.commands import CommandRegistry
    from gateway.mail.auth.dmarc import Envelope
    from gateway.settings import load

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class ExplainedChannel(StrEnum):
    SMS = SMS
    EMAIL = EMAIL


@app.command()
def run(
    text: Annotated[
        str | None, typer.Argument(help='What somebody writes; "-": one a line from standard input.')
    ] = None,
    as_: Annotated[
        str | None, typer.Option("--as", metavar="HANDLE", help="Who writes, with what they last heard and were asked.")
    ] = None,
    channel: Annotated[ExplainedChannel, typer.Option(help="How it comes.")] = ExplainedChannel.SMS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    mail: Annotated[
        Path | None, typer.Option(metavar="FILE.eml", help="A whole mail instead: who wrote it, proved how, its words.")
    ] = None,
    peer: Annotated[str, typer.Option(metavar="IP", help="Where that mail came from.")] = "",
    helo: Annotated[str, typer.Option(metavar="NAME", help="How that server called itself.")] = "",
    envelope_from: Annotated[str, typer.Option(metavar="MAILBOX", help="Its envelope sender.")] = "",
    to: Annotated[list[str] | None, typer.Option(metavar="ADDRESS", help="Ours; else those in its header.")] = None,
) -> None:
    """What would this text be read as, and answered? Nothing is sent or kept.

    With "-" as TEXT: one text a line (\\n in it is a line break), one JSON object a line out.
    """
    settings = load()
    with database(settings) as engine, engine.connect() as connection:
        registry = build_registry(settings)
        if mail is not None:
            told = explain_mail(connection, registry, _read(mail), Envelope(peer, helo, envelope_from), tuple(to or ()))
            show_json(told.plain()) if as_json else _show_mail(told)
            return
        if text is None:
            raise Refused("Say what: critter explain TEXT, or critter explain --mail FILE.eml.")
        if text == "-":
            _each(connection, registry, channel, as_)
            return
        explained = explain(connection, registry, _words(text), channel.value, as_)
    show_json(explained.plain()) if as_json else _show(explained)


def _each(connection: Connection, registry: CommandRegistry, channel: ExplainedChannel, handle: str | None) -> None:
    for line in _lines(typer.get_binary_stream("stdin")):
        show_json(explain(connection, registry, line, channel.value, handle).plain())


def _lines(stream: BinaryIO) -> Iterator[str]:
    for line in stream:
        yield line.decode(errors="replace").rstrip("\r\n").replace("\\n", "\n")


def _words(argument: str) -> str:
    """The argument as text. Bytes that are not UTF-8 are replaced, because the database could not take them."""
    return argument.encode(errors="surrogateescape").decode(errors="replace").replace("\\n", "\n")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}.") from None


def _show_mail(explained: MailExplained) -> None:
    proved = f"rung {explained.rung} of 4: {explained.proof or 'not proved, so it would be held'}"
    rows = [
        ("from", explained.sender or "nobody"),
        ("to", ", ".join(explained.to)),
        ("proved", proved),
        ("because", explained.why),
        ("words", explained.words or "none"),
        ("trimmed", explained.trimmed or "nothing"),
        ("machine", explained.machine or "no"),
        ("read as", explained.intent or "nothing"),
        ("because", explained.reason),
        ("answer", explained.would_answer or "nothing"),
    ]
    _show_rows(rows)
    typer.echo(typer.style("So it would be read if it were proved. Nothing was sent.", dim=True))


def _show_rows(rows: Sequence[tuple[str, str]]) -> None:
    for title, words in rows:
        indented = words.replace("\n", "\n" + " " * 10)
        typer.echo(f"{typer.style(title.ljust(10), dim=True)}{indented}")


def _show(explained: Explained) -> None:
    reading = explained.reading
    intent = " ".join([explained.intent, *(f"[{arg}]" for arg in (reading.args if reading else ()))])
    answer = explained.would_answer or "nothing"
    rows = (("read as", intent), ("because", explained.reason), ("heard by", _hearers(explained)), ("answer", answer))
    _show_rows(rows)
    typer.echo(typer.style(f"As {explained.reader} (@{explained.handle}) would be read. Nothing was sent.", dim=True))


def _hearers(explained: Explained) -> str:
    reading = explained.reading
    names = ", ".join(f"{name.name} (@{name.handle})" for name in reading.names) if reading else ""
    match explained.intent:
        case "update":
            return f"everyone who follows {explained.reader}"
        case "direct":
            return f"{names}, privately"
        case "group":
            return f"the group {names}"
        case "reply":
            return f"{names or 'whoever wrote the last item'}; as privately as what it answers"
        case "ask":
            return "nobody before it is decided"
        case "reaction":
            return "nobody; it is kept with the item"
    return "nobody: it is no message"
