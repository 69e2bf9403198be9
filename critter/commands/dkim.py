"""`critter dkim`: the keys that sign our mails; makes them, shows their DNS records, and how to rotate them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from gateway.mail.compose import dkim_keys
    from gateway.mail.compose.dkim_signer import DkimKey
    from gateway.setting_types import values
    from gateway.settings import Settings, load

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="The keys that sign our mails, where the relay does not.",
)
Folder = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Not that of CRITTER_DKIM_FOLDER.")]


@app.command()
def make(
    folder: Folder = None,
    selector: Annotated[str | None, typer.Option(metavar="NAME", help="How the two begin; else today's date.")] = None,
) -> None:
    """Two new keys, RSA and Ed25519. They sign once the settings name them; until then nothing changes."""
    settings = load()
    where = folder or settings.dkim_folder
    privates = dkim_keys.pair(selector or _fresh(where))
    if wrong := [name for name in privates if not values.SELECTOR.fullmatch(name)]:
        raise Refused(f"--selector: {wrong[0]} cannot stand in DNS: take letters, digits and hyphens")
    for name, private in privates.items():
        try:
            typer.echo(f"made {dkim_keys.generate(where, name, private)}")
        except FileExistsError:
            raise Refused(f"{where / name}.pem is there already: choose another --selector") from None
        except OSError as error:
            raise Refused(f"{where / name}.pem cannot be written ({error.strerror}): choose another --folder") from None
    _explain(settings, where, privates)


def _explain(settings: Settings, where: Path, privates: dict[str, dkim_keys.Private]) -> None:
    typer.echo("\n1. Publish this in DNS (in a web form: the name, and the strings joined, without quotes):\n")
    for name, private in privates.items():
        typer.echo(dkim_keys.zone_line(_domain(settings), name, private))
    typer.echo("\n2. When it can be looked up, set this and restart worker-email:\n")
    if where != settings.dkim_folder:
        typer.echo(f"CRITTER_DKIM_FOLDER={where.absolute()}")
    typer.echo(f"CRITTER_DKIM_SELECTORS={','.join(privates)}")
    if old := ", ".join(settings.dkim_selectors):
        typer.echo(
            f"\n3. A week later, when no mail is under way any more, take {old} out of DNS and remove the files."
        )


@app.command()
def show(folder: Folder = None) -> None:
    """The keys that there are, which of them sign, and what DNS must say."""
    settings = load()
    where = folder or settings.dkim_folder
    paths = sorted(where.glob("*.pem"))
    missing = [name for name in settings.dkim_selectors if name not in {path.stem for path in paths}]
    for path in paths:
        key = DkimKey(_domain(settings), path.stem, dkim_keys.read(path))
        typer.echo(
            f"{path.stem}  {key.algorithm}  {'signs' if path.stem in settings.dkim_selectors else 'does not sign'}"
        )
        typer.echo(f"  {dkim_keys.zone_line(key.domain, key.selector, key.private)}")
    if missing:
        raise Refused(f"CRITTER_DKIM_SELECTORS: there is no {where / missing[0]}.pem: critter dkim make makes keys")
    if not paths:
        typer.echo(f"There are no keys in {where}: critter dkim make makes two.")


def _domain(settings: Settings) -> str:
    if not settings.mail_domain:
        raise Refused("CRITTER_MAIL_DOMAIN: must be set, for a key is of one domain")
    return settings.mail_domain


def _fresh(folder: Path) -> str:
    """A new selector: today's date, and a number when there are keys of today."""
    today = f"c{datetime.now(UTC):%Y%m%d}"
    names = (today if turn == 1 else f"{today}-{turn}" for turn in count(1))
    return next(name for name in names if not list(folder.glob(f"{name}-[re]*.pem")))
