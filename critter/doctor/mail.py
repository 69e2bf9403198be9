"""`critter check mail`: DNS, the relay, our door, and a mail on a round trip. Each is a line with its state and fix."""

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from urllib.parse import urlsplit

from critter.console.console import show_json
from critter.console.database import open_database
from critter.doctor import mail_dns, mail_probe
from critter.doctor.mail_dns import Ask, Record
from gateway.carriers.smtp import check
from gateway.carriers.smtp.provider_profiles import provider_terms
from gateway.errors import Refused
from gateway.setting_types.values import dialled
from gateway.settings import Settings
from gateway.settings.defaults import SINK_AFTER_SIMULATOR

TIMEOUT = 5.0  # seconds
Step = Callable[[], str]  # what is fine; raises Refused with the fix


def run(
    settings: Settings,
    *,
    send_to: str | None = None,
    selectors: Sequence[str] = (),
    patience: float = 60.0,
    as_json: bool = False,
    ask: Ask | None = None,
) -> int:
    """Prints a line for each; returns 1 when one is wrong or missing. `ask`: how DNS is asked; while simulated it is
    not asked unless this is given."""
    if not settings.mail:
        raise Refused("CRITTER_MAIL is off: there is nothing to check")
    asked = ask or (mail_dns.ask_dns if settings.mode == "live" else None)
    rows = []
    for row in _rows(settings, asked, selectors, send_to, patience):
        rows.append(row)
        if not as_json:
            _show(row)
    if as_json:
        show_json([asdict(row) for row in rows])
    return 1 if any(row.state in ("wrong", "missing") for row in rows) else 0


def _show(row: Record) -> None:
    print(f"{row.state:<10} {row.type:<10} {row.name}", flush=True)
    if row.value:
        print(f"{'':<21} {row.value}", flush=True)
    print(f"{'':<21} {row.note}", flush=True)


def _rows(
    settings: Settings, ask: Ask | None, selectors: Sequence[str], send_to: str | None, patience: float
) -> Iterator[Record]:
    yield Record(settings.smtp_profile, "profile", "", "ok", _terms(settings))
    yield from _dns(settings, ask, selectors)
    relay = urlsplit(settings.smtp_relay).hostname or ""
    yield _looked(relay, "relay", lambda: check.greets(settings))
    yield _looked("{}:{}".format(*dialled(settings.smtp_listen)), "door", lambda: _door(settings))
    yield _looked(settings.mail_domain, "round trip", lambda: _round(settings, patience))
    if send_to:
        yield _looked(send_to, "test mail", lambda: _mailed(settings, send_to))


def _terms(settings: Settings) -> str:
    terms = provider_terms(settings)
    sender = f"all mails leave as {terms.sender}" if terms.sender else "each mail has an envelope sender of its own"
    rate = f"{terms.rate * 60:,.0f} mails a minute" if terms.rate else "no limit a minute"
    daily = f"{terms.daily:,} a day" if terms.daily else "no limit a day"
    return f"{sender}; {terms.connections} connections, {rate}, {daily}; EHLO {terms.hello}"


def _dns(settings: Settings, ask: Ask | None, selectors: Sequence[str]) -> Iterator[Record]:
    """When a resolver does not answer that is one line, and the rest is checked all the same."""
    try:
        yield from mail_dns.records(settings, ask, selectors or settings.dkim_selectors)
    except Refused as refused:
        yield Record(settings.mail_domain, "DNS", "", "wrong", refused.text)


def _looked(name: str, what: str, step: Step) -> Record:
    try:
        return Record(name, what, "", "ok", step())
    except Refused as refused:
        return Record(name, what, "", "wrong", refused.text)


def _door(settings: Settings) -> str:
    """Looks on this machine; the door may run on another one as well."""
    try:
        with socket.create_connection(dialled(settings.smtp_listen), TIMEOUT) as door:
            door.settimeout(TIMEOUT)
            greeting = door.recv(100)
    except OSError as problem:
        raise Refused(
            f"nobody listens there ({problem.strerror or problem}): start critter mail, or look at CRITTER_SMTP_LISTEN"
        ) from None
    if not greeting.startswith(b"220"):
        raise Refused("who listens there does not greet as a mail server: look at CRITTER_SMTP_LISTEN")
    return "it greets"


def _round(settings: Settings, patience: float) -> str:
    if _is_simulator(settings):
        taken = mail_probe.send(settings, mail_probe.own_address(settings))
        return f"the simulator took a mail in {taken.seconds:.1f} s; it hands none back to our door"
    engine = open_database(settings)
    try:
        seconds = mail_probe.round_trip(settings, engine, patience, lambda _: None)
    finally:
        engine.dispose()
    return f"a mail through the relay was back at our door after {seconds:.1f} s"


def _is_simulator(settings: Settings) -> bool:
    """Whether the relay is the simulator, whose sink keeps what it gets."""
    url, (host, port) = urlsplit(settings.smtp_relay), dialled(settings.simulator_listen)
    return settings.mode == "simulated" and (url.hostname, url.port) == (host, port + SINK_AFTER_SIMULATOR)


def _mailed(settings: Settings, address: str) -> str:
    taken = mail_probe.send(settings, address)
    known = f" as {taken.carrier_id}" if taken.carrier_id else ""
    return (
        f"the relay took it{known}, {taken.message_id}: look whether it is in the inbox and not in junk, and what its "
        "source says of SPF, DKIM and DMARC (Authentication-Results)"
    )
