"""What a setting is when nobody set it: by mode, from other settings, or made up once and kept; used by load()."""

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from gateway.errors import SettingsError
from gateway.settings import embedded
from gateway.settings.values import dialled, listen, netloc, switch

ALWAYS = {
    "CRITTER_VAR": "var",
    "CRITTER_UNSAFE": "off",
    "CRITTER_CRASH_AT": "0",
    "CRITTER_WEB_LISTEN": "127.0.0.1:8000",
    "CRITTER_SMTP_LISTEN": "127.0.0.1:2525",
    "CRITTER_SIMULATOR_LISTEN": "127.0.0.1:8001",
    "CRITTER_SMS": "on",
    "CRITTER_MAIL": "on",
    "CRITTER_SMS_REGION": "US",
    "CRITTER_SMS_PRICE": "0.0083",
    "CRITTER_MONTHLY_SMS_BUDGET": "33.20",  # about 4,000 parts
    "CRITTER_HOLD_SECONDS": "10",
    "CRITTER_ASK_PHONES": "50",
}
SIMULATED = {
    "CRITTER_COMPANY": "Critter Demo Co",
    "CRITTER_MAIL_DOMAIN": "mail.example",
    "CRITTER_INVITE_DOMAINS": "demo.example",
    "CRITTER_MAIL_TRUST": "127.0.0.0/8,::1/128",
    "CRITTER_SMS_NUMBERS": "+15005550006",
    "CRITTER_SMS_RATE": "1000",
    "CRITTER_LEASE_SECONDS": "5",  # whoever kills a worker to see what happens is watching
}
LIVE = {
    "CRITTER_MAIL_TRUST": "",
    "CRITTER_SMS_RATE": "1",
    "CRITTER_LEASE_SECONDS": "20",
    "TWILIO_API_BASE": "https://api.twilio.com",
}
SINK_AFTER_SIMULATOR = 24  # the simulator takes mail at its own port and 24: 8001 and 8025


def filled(given: Mapping[str, str]) -> dict[str, str]:
    """The given settings with every default; raises SettingsError when one that live mode needs is missing."""
    mode = given.get("CRITTER_MODE", "simulated")
    if mode not in ("simulated", "live"):
        raise SettingsError(f"CRITTER_MODE: {mode!r} is neither simulated nor live")
    values = {"CRITTER_MODE": mode, **ALWAYS, **(LIVE if mode == "live" else SIMULATED), **given}
    values["CRITTER_VAR"] = str(Path(values["CRITTER_VAR"]).absolute())
    _refuse_missing(values) if mode == "live" else _make_up(values)
    values.setdefault("CRITTER_DATABASE_URL", embedded.database_url(Path(values["CRITTER_VAR"])))
    values.setdefault("CRITTER_REDIS_URL", embedded.redis_url(Path(values["CRITTER_VAR"])))
    return values


def _refuse_missing(values: Mapping[str, str]) -> None:
    needed = ["CRITTER_COMPANY", "CRITTER_PUBLIC_URL", "CRITTER_SECRET_KEY"]
    if _on(values, "CRITTER_SMS"):
        needed += ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "CRITTER_SMS_NUMBERS"]
    if _on(values, "CRITTER_MAIL"):
        needed += ["CRITTER_MAIL_DOMAIN", "CRITTER_SMTP_RELAY"]
    missing = [name for name in needed if name not in values]
    if missing:
        off = " (or switch a channel off: CRITTER_SMS=off, CRITTER_MAIL=off)"
        channel = any(name not in needed[:3] for name in missing)
        raise SettingsError(f"{', '.join(missing)}: must be set in live mode{off if channel else ''}")


def _make_up(values: dict[str, str]) -> None:
    """What a simulated Critter invents: a secret, a Twilio account, and where the simulator stands for the world."""
    if "CRITTER_SECRET_KEY" not in values:
        values["CRITTER_SECRET_KEY"] = _kept_secret(Path(values["CRITTER_VAR"]))
    secret = values["CRITTER_SECRET_KEY"].split(",")[0].strip()
    values.setdefault("TWILIO_ACCOUNT_SID", f"AC{_digest('account', secret)}")
    values.setdefault("TWILIO_AUTH_TOKEN", _digest("token", secret))
    values.setdefault("CRITTER_PUBLIC_URL", f"http://{_seen_from_here(values, 'CRITTER_WEB_LISTEN')}")
    values.setdefault("TWILIO_API_BASE", f"http://{_seen_from_here(values, 'CRITTER_SIMULATOR_LISTEN')}")
    values.setdefault(
        "CRITTER_SMTP_RELAY", f"smtp://{_seen_from_here(values, 'CRITTER_SIMULATOR_LISTEN', SINK_AFTER_SIMULATOR)}"
    )


def _kept_secret(var: Path) -> str:
    """The secret of this state folder, made at the first start; linked into place so that two starters agree."""
    path = var / "secret_key"
    try:
        if not path.exists():
            var.mkdir(parents=True, exist_ok=True)
            _place(path, secrets.token_urlsafe(32))
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(
            f"CRITTER_VAR: {path} cannot be kept ({error.strerror}): set CRITTER_VAR to a folder of your own"
        ) from None


def _place(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was first: its secret counts
    finally:
        draft.unlink()


def _seen_from_here(values: Mapping[str, str], name: str, further: int = 0) -> str:
    """HOST:PORT to reach what listens there, or on a port further up."""
    try:
        host, port = dialled(listen(values[name]))
    except ValueError as wrong:
        raise SettingsError(f"{name}: {wrong}") from None
    if port + further > 65535:
        raise SettingsError(
            f"{name}: the simulator takes mail {further} ports further up: give {65535 - further} at most"
        )
    return netloc((host, port + further))


def _on(values: Mapping[str, str], name: str) -> bool:
    try:
        return switch(values[name])
    except ValueError as wrong:
        raise SettingsError(f"{name}: {wrong}") from None


def _digest(purpose: str, secret: str) -> str:
    return hashlib.sha256(f"made-up twilio {purpose}:{secret}".encode()).hexdigest()[:32]
