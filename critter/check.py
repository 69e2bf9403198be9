"""`critter check`, the doctor: each thing Critter stands on, ok or wrong, and what to do about it."""

import base64
import http.client
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlencode, urlsplit

import redis
from sqlalchemy import text

from critter import checking_carriers
from critter.database import opened, undurable
from gateway.errors import Refused
from gateway.settings import Settings

TIMEOUT = 10.0  # seconds
STALE = 60.0  # seconds beyond its period since Twilio's list of texts was last read
WATERMARKS = text("SELECT number, failures, reason, extract(epoch FROM now() - asked_at) AS asked FROM watermarks")
Look = Callable[[Settings], str]  # what is fine about it; raises Refused with what to do


def run(settings: Settings) -> int:
    """Prints a line for each look; 1 when one of them is wrong."""
    wrong = 0
    for name, look in _looks(settings):
        try:
            print(f"ok     {name:<11} {look(settings)}", flush=True)
        except Refused as refused:
            wrong += 1
            print(f"wrong  {name:<11} {refused}", flush=True)
    return 1 if wrong else 0


def _looks(settings: Settings) -> Iterator[tuple[str, Look]]:
    yield "settings", _settings
    yield "database", _database
    yield "durability", _durability
    yield "redis", _redis
    if settings.sms:
        looks = {"twilio": _twilio, "kannel": checking_carriers.kannel, "hook": checking_carriers.hook}
        yield from ((name, looks[name]) for name in settings.sms_carriers)
        if "twilio" in settings.sms_carriers:
            yield "texts in", _texts_in
    if settings.mail:
        yield "relay", _relay
    if settings.mode == "live":
        yield "web address", _web_address


def _settings(settings: Settings) -> str:
    channels = [name for name, on in (("SMS", settings.sms), ("mail", settings.mail)) if on]
    return f"{settings.mode}, {' and '.join(channels) or 'no channel'}, state in {settings.var}"


def _database(settings: Settings) -> str:
    engine = opened(settings)
    with engine.connect() as connection:
        version = str(connection.scalar(text("SHOW server_version"))).split()[0]
        if not connection.scalar(text("SELECT to_regclass('installation') IS NOT NULL")):
            raise Refused("it is empty: run critter migrate")
        mode = connection.scalar(text("SELECT mode FROM installation"))
        if mode not in (None, settings.mode):
            raise Refused(f"it was made in {mode} mode, this is {settings.mode}: set CRITTER_DATABASE_URL to another")
    engine.dispose()
    return f"PostgreSQL {version}"


def _durability(settings: Settings) -> str:
    engine = opened(settings)
    off = undurable(engine)
    engine.dispose()
    if off:
        raise Refused(f"{' and '.join(off)} off: PostgreSQL would lose what it confirmed; switch it on")
    return "fsync and synchronous_commit are on"


def _redis(settings: Settings) -> str:
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=TIMEOUT) as client:
            return f"Redis {client.info('server')['redis_version']}"
    except redis.RedisError as error:
        raise Refused(f"it does not answer: is critter up running? ({error})") from None


def _twilio(settings: Settings) -> str:
    """Lists one message: that needs the account, the token and the way there, and costs nothing."""
    base = urlsplit(settings.twilio_api_base)
    kind = http.client.HTTPSConnection if base.scheme == "https" else http.client.HTTPConnection
    connection = kind(base.hostname or "", base.port, timeout=TIMEOUT)
    login = f"{settings.twilio_account_sid}:{settings.twilio_auth_tokens[0]}".encode()
    path = f"{base.path}/2010-04-01/Accounts/{settings.twilio_account_sid}/Messages.json?{urlencode({'PageSize': 1})}"
    try:
        connection.request("GET", path, headers={"Authorization": f"Basic {base64.b64encode(login).decode()}"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise Refused(f"{base.netloc} does not answer ({error}): look at the network and TWILIO_API_BASE") from None
    finally:
        connection.close()
    if status == http.HTTPStatus.UNAUTHORIZED:
        raise Refused("the account is refused: look at TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")
    if status != http.HTTPStatus.OK:
        raise Refused(f"{base.netloc} answers {status}: look at the account in Twilio's console")
    return f"{base.netloc} takes our account"


def _texts_in(settings: Settings) -> str:
    """How texts reach us, and whether Twilio's list of them is being read to its end."""
    engine = opened(settings)
    with engine.connect() as connection:
        if not connection.scalar(text("SELECT to_regclass('watermarks') IS NOT NULL")):
            raise Refused("the database is of an older version: run critter migrate")
        read = {row.number: row for row in connection.execute(WATERMARKS)}
    engine.dispose()
    for number in settings.sms_numbers:
        if number not in read or read[number].asked is None:
            raise Refused("Twilio's list of texts was never read: is critter clock running?")
        if read[number].failures:
            raise Refused(
                f"Twilio's list of texts to ...{number[-2:]} was not complete {read[number].failures} times in a row "
                f"({read[number].reason}): look at the account in Twilio's console, and at the clock's log"
            )
    oldest = max(read[number].asked for number in settings.sms_numbers)
    if oldest > STALE + settings.sms_intake_seconds:
        raise Refused(f"Twilio's list of texts was last read {oldest:.0f} s ago: is critter clock running?")
    if settings.sms_intake == "poll":
        return f"by polling Twilio's list, last read {oldest:.0f} s ago; no web hook is needed"
    second = "" if settings.fallback_url else " (no CRITTER_FALLBACK_URL: what the door misses comes minutes later)"
    return f"by web hooks, and from Twilio's list, last read {oldest:.0f} s ago{second}"


def _relay(settings: Settings) -> str:
    """Says hello, starts TLS and signs in as sending does, and sends nothing."""
    url = urlsplit(settings.smtp_relay)
    host, secure = url.hostname or "", ssl.create_default_context()
    try:
        if url.scheme == "smtps":
            client: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT, context=secure)
        else:
            client = smtplib.SMTP(host, url.port or 25, timeout=TIMEOUT)
        with client:
            if url.scheme == "smtp+starttls":
                client.starttls(context=secure)
            if url.username:
                client.login(unquote(url.username), unquote(url.password or ""))
            client.noop()
    except smtplib.SMTPAuthenticationError:
        raise Refused(f"{host} refuses our user or password: look at CRITTER_SMTP_RELAY") from None
    except (OSError, smtplib.SMTPException) as error:
        raise Refused(f"{host} does not serve us ({error}): look at CRITTER_SMTP_RELAY") from None
    return f"{host} takes our mail"


def _web_address(settings: Settings) -> str:
    host = urlsplit(settings.public_url).hostname or ""
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        raise Refused(f"CRITTER_PUBLIC_URL: the name {host} is not found ({error.strerror})") from None
    return f"{host} is found"
