"""`critter dkim`: keys in files that others cannot read, what DNS says of them, and what a worker makes of both."""

import re
import stat
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import dkim
import pytest
from click.testing import Result
from sqlalchemy import Engine
from typer.testing import CliRunner

from critter.cli import app
from critter.doctor.settings_lint import find_mistakes
from gateway.errors import Refused, SettingsError
from gateway.ledger.outbox.outbox import Target
from gateway.mail.compose import dkim_keys
from gateway.settings import Settings, load
from tests.support.delivering import Carrier, open_context, person, post
from workers import deliver
from workers.runtime.context import WorkerContext, enter


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRITTER_VAR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def emails() -> Carrier:
    return Carrier("email")


@pytest.fixture
def signing(var: Path, settings: Settings, emails: Carrier) -> Iterator[WorkerContext]:
    """A worker's context, after keys were made and named in the settings."""
    critter("make", "--selector", "spring")
    context = open_context(settings, None, emails)
    context.keys = dkim_keys.of(load({"CRITTER_VAR": str(var), "CRITTER_DKIM_SELECTORS": "spring-rsa,spring-ed"}))
    enter(context)
    yield context
    enter(None)
    context.close()


def critter(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dkim", *arguments])


def zone(output: str) -> dict[str, str]:
    """The records that it asks for, by name, as a DNS server answers them."""
    lines = re.findall(r"^\s*(\S+\._domainkey\.\S+) IN TXT (.*)$", output, re.MULTILINE)
    return {name: "".join(re.findall(r'"([^"]*)"', strings)) for name, strings in lines}


def test_keys_are_made_for_their_owner_alone(var: Path) -> None:
    made = critter("make", "--selector", "spring")
    assert made.exit_code == 0
    assert "CRITTER_DKIM_SELECTORS=spring-rsa,spring-ed" in made.output
    assert set(zone(made.output)) == {f"spring-{kind}._domainkey.mail.example." for kind in ("rsa", "ed")}
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (var / "dkim").iterdir()}
    assert modes == {"spring-rsa.pem": 0o600, "spring-ed.pem": 0o600}
    assert all(len(part) <= 255 for part in re.findall(r'"([^"]*)"', made.output))


def test_none_is_written_over(var: Path) -> None:
    critter("make", "--selector", "spring")
    before = (var / "dkim" / "spring-rsa.pem").read_bytes()
    again = critter("make", "--selector", "spring")
    assert isinstance(again.exception, Refused)
    assert "choose another --selector" in str(again.exception)
    assert (var / "dkim" / "spring-rsa.pem").read_bytes() == before
    first, second = critter("make"), critter("make")
    assert len(zone(first.output).keys() | zone(second.output).keys()) == 4


def test_changing_over_has_three_steps(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    critter("make", "--selector", "old")
    monkeypatch.setenv("CRITTER_DKIM_SELECTORS", "old-rsa,old-ed")
    made = critter("make", "--selector", "new").output
    assert "3. A week later" in made
    assert "take old-rsa, old-ed out of DNS" in made
    shown = critter("show").output
    assert re.findall(r"^(\S+)  \S+  (signs|does not sign)$", shown, re.MULTILINE) == [
        ("new-ed", "does not sign"),
        ("new-rsa", "does not sign"),
        ("old-ed", "signs"),
        ("old-rsa", "signs"),
    ]
    assert zone(shown).items() >= zone(made).items()


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        (None, 0o600, "cannot be read (No such file or directory): critter dkim make"),
        ("", 0o600, "holds no PEM key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600, "holds no PEM key"),
        ("right", 0o640, "others may read"),
    ],
)
def test_the_doctor_names_a_bad_key(var: Path, text: str | None, mode: int, says: str) -> None:
    settings = load({"CRITTER_VAR": str(var), "CRITTER_DKIM_SELECTORS": "spring-ed"})
    path = settings.dkim_folder / "spring-ed.pem"
    if text is not None:
        critter("make", "--selector", "spring")
        path.write_text(path.read_text() if text == "right" else text)
        path.chmod(mode)
    (said,) = [one for one in find_mistakes(settings) if one.startswith("CRITTER_DKIM_SELECTORS")]
    assert says in said
    assert str(path) in said
    with pytest.raises(SettingsError, match="CRITTER_DKIM_SELECTORS"):
        dkim_keys.of(settings)


def test_selectors_are_labels() -> None:
    with pytest.raises(SettingsError, match=r"^CRITTER_DKIM_SELECTORS: '../x' is no selector"):
        load({"CRITTER_DKIM_SELECTORS": "../x"})


def test_a_worker_signs_what_it_sends(signing: WorkerContext, engine: Engine, emails: Carrier) -> None:
    kim, mia = person(engine, "kim")[0], person(engine, "mia", mailbox="mia@demo.example")[1]
    post(engine, kim, "hello", [Target(mia, "email")])
    deliver.drain_email()
    raw, names = emails.taken[0].content, zone(critter("show").output)
    assert len(message_from_bytes(raw).get_all("DKIM-Signature", [])) == 2
    for at in range(2):
        assert dkim.DKIM(raw).verify(idx=at, dnsfunc=lambda name, timeout=5: names[name.decode()].encode())
