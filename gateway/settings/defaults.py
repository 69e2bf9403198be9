"""Defaults of the settings: by mode, derived from other settings, or generated once and stored; used by load()."""

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal, DecimalException
from functools import partial
from pathlib import Path

from gateway.carriers.descriptors import registry
from gateway.carriers.descriptors.descriptor import CarrierDescriptor
from gateway.carriers.descriptors.registry import CARRIERS
from gateway.errors import SettingsError
from gateway.security import push_keys
from gateway.setting_types.values import comma_list, dialled, listen, netloc, switch
from gateway.settings import embedded, prices
from gateway.sms import destinations

ALWAYS = {
    "CRITTER_VAR": "var",
    "CRITTER_UNSAFE": "off",
    "CRITTER_CRASH_AT": "0",
    "CRITTER_API_CONFORMANCE": "off",
    "CRITTER_REDIS_NO_PASSWORD": "off",
    "CRITTER_WEB_LISTEN": "127.0.0.1:8000",
    "CRITTER_SMTP_LISTEN": "127.0.0.1:2525",
    "CRITTER_SIMULATOR_LISTEN": "127.0.0.1:8001",
    "CRITTER_SMS": "on",
    "CRITTER_MAIL": "on",
    "CRITTER_MAIL_LARGEST": "10485760",  # 10 MiB
    "CRITTER_SMS_INTAKE": "webhook",
    "CRITTER_SMS_REGION": "US",
    "CRITTER_HOLD_SECONDS": "10",
    "CRITTER_DAILY_MAIL_HOUR": "9",
    "CRITTER_ASK_PHONES": "50",
    "CRITTER_SILENT_DAYS": "90",
    "CRITTER_KEEP_RAW_DAYS": "30",
    "CRITTER_KEEP_DELIVERIES_DAYS": "90",
    "CRITTER_KEEP_CONSENT_DAYS": "1826",  # five years
    "CRITTER_MAIL_AUTHSERV_FROM": "127.0.0.0/8,::1/128",
    "CRITTER_MEDIA_LARGEST": str(10 << 20),  # octets
    "CRITTER_MEDIA_MOST": "10",
}
SIMULATED = {
    "CRITTER_COMPANY": "Critter Demo Co",
    "CRITTER_MAIL_DOMAIN": "mail.example",
    "CRITTER_INVITE_DOMAINS": "demo.example",
    "CRITTER_MAIL_TRUST": "127.0.0.0/8,::1/128",
    "CRITTER_SMS_NUMBERS": "+15005550006",
    "CRITTER_SMS_RATE": "1000",
    "CRITTER_SENDER_LIMITS": "off",  # drills and benchmarks write hundreds of texts a minute from one phone
    "CRITTER_LEASE_SECONDS": "5",  # short, because whoever kills a worker in a simulation wants to see what happens
}
LIVE = {
    "CRITTER_MAIL_TRUST": "",
    "CRITTER_SMS_RATE": "1",
    "CRITTER_SENDER_LIMITS": "on",
    "CRITTER_LEASE_SECONDS": "20",
}
MONTHLY_PARTS = {"live": 4_000, "simulated": 10_000_000}  # the budget pays for so many; simulated texts are free
INTAKE_SECONDS = {  # how often Twilio's list of texts to us is read: beside web hooks, and instead of them
    ("live", "webhook"): "120",
    ("live", "poll"): "5",
    ("simulated", "webhook"): "10",
    ("simulated", "poll"): "1",
}
FALLBACK_AFTER_WEB = 24  # the fallback door listens at the port of the pages and 24: 8000 and 8024
STREAM_AFTER_WEB = 26  # the stream listens at the port of the pages and 26: 8000 and 8026
SINK_AFTER_SIMULATOR = 24  # the simulator takes mail at its own port and 24: 8001 and 8025


def fill_in(given: Mapping[str, str]) -> dict[str, str]:
    """The given settings with every default; raises SettingsError when one that live mode needs is missing."""
    mode = given.get("CRITTER_MODE", "simulated")
    if mode not in ("simulated", "live"):
        raise SettingsError(f"CRITTER_MODE: {mode!r} is neither simulated nor live")
    values = {"CRITTER_MODE": mode, **ALWAYS, **(LIVE if mode == "live" else SIMULATED), **given}
    values["CRITTER_VAR"] = str(Path(values["CRITTER_VAR"]).absolute())
    values.setdefault("CRITTER_SMS_INTAKE_SECONDS", INTAKE_SECONDS.get((mode, values["CRITTER_SMS_INTAKE"]), "120"))
    values.setdefault("CRITTER_FALLBACK_LISTEN", _beside_web(values, FALLBACK_AFTER_WEB))
    values.setdefault("CRITTER_STREAM_LISTEN", _beside_web(values, STREAM_AFTER_WEB))
    values.setdefault("CRITTER_DKIM_FOLDER", str(Path(values["CRITTER_VAR"]) / "dkim"))
    _read_push_key(values)
    for carrier in CARRIERS.values():
        values = {**carrier.defaults(values), **values}
    _refuse_missing(values) if mode == "live" else _make_up(values)
    values.setdefault("CRITTER_STREAM_URL", values["CRITTER_PUBLIC_URL"])
    _derive_money(values)
    _refuse_incomplete(values)
    _name_databases(values, Path(values["CRITTER_VAR"]))
    values.setdefault("CRITTER_REDIS_URL", embedded.redis_url(Path(values["CRITTER_VAR"])))
    return values


def _name_databases(values: dict[str, str], var: Path) -> None:
    """Sets the URLs of the processes' role and of the owner of the tables. Only of the embedded server do we know that
    it has an owner of its own; otherwise one URL serves for both."""
    ours = embedded.database_url(var)
    values.setdefault("CRITTER_DATABASE_URL", ours)
    owner = embedded.database_url(var, role=embedded.OWNER)
    url = values["CRITTER_DATABASE_URL"]
    values.setdefault("CRITTER_DATABASE_OWNER_URL", owner if url == ours else url)


def _refuse_missing(values: Mapping[str, str]) -> None:
    needed = ["CRITTER_COMPANY", "CRITTER_PUBLIC_URL", "CRITTER_SECRET_KEY"]
    if _on(values, "CRITTER_SMS"):
        needed += [name for carrier in _carriers(values) for name in carrier.needed] + ["CRITTER_SMS_NUMBERS"]
    if _on(values, "CRITTER_MAIL"):
        needed += ["CRITTER_MAIL_DOMAIN", *registry.for_mails(values).needed]
    missing = [name for name in needed if name not in values]
    if missing:
        off = " (or switch a channel off: CRITTER_SMS=off, CRITTER_MAIL=off)"
        channel = any(name not in needed[:3] for name in missing)
        raise SettingsError(f"{', '.join(missing)}: must be set in live mode{off if channel else ''}")


def _derive_money(values: dict[str, str]) -> None:
    """Derives the price at home from the table, the monthly budget from the price, the daily one from the monthly one,
    and the rest from the daily one. A given value that is no number counts as 0 here; Settings refuses it later."""
    region, own = values["CRITTER_SMS_REGION"], values.get("CRITTER_SMS_PRICES")
    if region not in destinations.COUNTRIES:
        region = "US"
    values.setdefault("CRITTER_SMS_COUNTRIES", ",".join(_home(values, region)))
    values.setdefault("CRITTER_SMS_PRICE", str(prices.read(Path(own) if own else None).to(region)))
    price, most = _number(values["CRITTER_SMS_PRICE"]), MONTHLY_PARTS[values["CRITTER_MODE"]]
    values.setdefault("CRITTER_MONTHLY_SMS_BUDGET", str(min(price * most, Decimal(1_000_000))))
    month = _number(values["CRITTER_MONTHLY_SMS_BUDGET"])
    parts = min(int(month / price), most * 1000) if price > 0 else most
    values.setdefault("CRITTER_DAILY_SMS_BUDGET", str(min(-(-parts // 4), 1_000_000_000)))
    day = int(_number(values["CRITTER_DAILY_SMS_BUDGET"]))
    for name, share in (("PERSON", 2), ("GROUP", 2), ("COUNTRY", 10)):
        values.setdefault(f"CRITTER_{name}_DAILY_PARTS", str(-(-day // share)))
    values.setdefault("CRITTER_BREAKER_PARTS", str(-(-day // 2)))


def _home(values: Mapping[str, str], region: str) -> dict[str, None]:
    """The default countries to which texts may go: the region, and the countries of our numbers."""
    numbers = [one.partition("@")[0] for one in comma_list(values.get("CRITTER_SMS_NUMBERS", ""))]
    found = {one: destinations.country(one) for one in numbers if one.startswith("+")}
    return dict.fromkeys([region, *(place for place in found.values() if place != destinations.NOWHERE)])


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except DecimalException:
        return Decimal(0)
    return found if found.is_finite() and found >= 0 else Decimal(0)


def _refuse_incomplete(values: Mapping[str, str]) -> None:
    for carrier in _carriers(values) if _on(values, "CRITTER_SMS") else ():
        missing = [name for name in carrier.needed if name not in values]
        if missing:
            raise SettingsError(
                f"{', '.join(missing)}: must be set, for a number of CRITTER_SMS_NUMBERS is @{carrier.name}"
            )


def _carriers(values: Mapping[str, str]) -> list[CarrierDescriptor]:
    """The carriers that the numbers name, the default one when there are no numbers. Settings refuses unknown names
    later."""
    numbers = comma_list(values.get("CRITTER_SMS_NUMBERS", "")) or ("",)
    named = [number.partition("@")[2] or registry.DEFAULT for number in numbers]
    return [carrier for name, carrier in registry.for_texts().items() if name in named]


def _make_up(values: dict[str, str]) -> None:
    """Generates what simulated mode needs: a secret, a Twilio account, and the addresses of the simulator."""
    if "CRITTER_SECRET_KEY" not in values:
        values["CRITTER_SECRET_KEY"] = keep_secret(
            Path(values["CRITTER_VAR"]) / "secret_key", partial(secrets.token_urlsafe, 32)
        )
    secret = values["CRITTER_SECRET_KEY"].split(",")[0].strip()
    values.setdefault("TWILIO_ACCOUNT_SID", f"AC{_digest('account', secret)}")
    values.setdefault("TWILIO_AUTH_TOKEN", _digest("token", secret))
    values.setdefault("CRITTER_PUBLIC_URL", f"http://{_seen_from_here(values, 'CRITTER_WEB_LISTEN')}")
    values.setdefault("CRITTER_STREAM_URL", f"http://{_seen_from_here(values, 'CRITTER_STREAM_LISTEN')}")
    values.setdefault("CRITTER_FALLBACK_URL", f"http://{_seen_from_here(values, 'CRITTER_FALLBACK_LISTEN')}")
    values.setdefault("TWILIO_API_BASE", f"http://{_seen_from_here(values, 'CRITTER_SIMULATOR_LISTEN')}")
    values.setdefault(
        "CRITTER_SMTP_RELAY", f"smtp://{_seen_from_here(values, 'CRITTER_SIMULATOR_LISTEN', SINK_AFTER_SIMULATOR)}"
    )


def push_key_file(var: Path) -> Path:
    """Where `critter push-keys` keeps the key by which push services know us."""
    return var / "push_key"


def _read_push_key(values: dict[str, str]) -> None:
    """Live, there is none until an operator makes one: without it pushes are not offered."""
    var = Path(values["CRITTER_VAR"])
    if "CRITTER_PUSH_KEY" not in values and (values["CRITTER_MODE"] == "simulated" or push_key_file(var).exists()):
        values["CRITTER_PUSH_KEY"] = keep_secret(push_key_file(var), push_keys.make_private)


def keep_secret(path: Path, make: Callable[[], str]) -> str:
    """A secret of the state folder, made when it is asked for first. It is hard-linked into place, so that two
    processes that start at once agree on one."""
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _place(path, make())
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
    """HOST:PORT at which this machine reaches what listens there, or `further` ports higher."""
    try:
        host, port = dialled(listen(values[name]))
    except ValueError as wrong:
        raise SettingsError(f"{name}: {wrong}") from None
    if port + further > 65535:
        raise SettingsError(
            f"{name}: the simulator takes mail {further} ports further up: give {65535 - further} at most"
        )
    return netloc((host, port + further))


def _beside_web(values: Mapping[str, str], further: int) -> str:
    """An address on the host of the web process, so many ports higher, or lower when there are no ports left above."""
    try:
        host, port = listen(values["CRITTER_WEB_LISTEN"])
    except ValueError as wrong:
        raise SettingsError(f"CRITTER_WEB_LISTEN: {wrong}") from None
    return netloc((host, port + (further if port + further <= 65535 else -further)))


def _on(values: Mapping[str, str], name: str) -> bool:
    try:
        return switch(values[name])
    except ValueError as wrong:
        raise SettingsError(f"{name}: {wrong}") from None


def _digest(purpose: str, secret: str) -> str:
    return hashlib.sha256(f"made-up twilio {purpose}:{secret}".encode()).hexdigest()[:32]
