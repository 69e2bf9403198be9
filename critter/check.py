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
from sqlalchemy.orm import Session

from critter.database import opened, undurable
from gateway.errors import Refused
from gateway.ledger import budgets, spending
from gateway.settings import Settings

TIMEOUT = 10.0  # seconds
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
        yield "twilio", _twilio
        yield "money", _money
    if settings.mail:
        yield "relay", _relay
    if settings.mode == "live":
        yield "web address", _web_address


def moneyless(settings: Settings) -> str | None:
    """Why no text can leave at all; said at start, too."""
    empty = ["CRITTER_MONTHLY_SMS_BUDGET is"] if not settings.monthly_sms_budget else []
    empty += ["CRITTER_DAILY_SMS_BUDGET is"] if not settings.daily_sms_budget else []
    return f"{' and '.join(empty)} 0: no text can be sent" if settings.sms and empty else None


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


def _money(settings: Settings) -> str:
    """Whether anything may be sent at all, and is being sent."""
    if stuck := moneyless(settings):
        raise Refused(stuck)
    engine = opened(settings)
    with Session(engine) as session:
        stands = spending.standing(session, budgets.limits(settings))
    engine.dispose()
    if stands.breaker.tripped_at:
        raise Refused("updates wait, because far more than usual was sent: look at critter costs, then --resume")
    if not (stands.month.left and stands.day.left):
        raise Refused("a budget for texts is used up: look at critter costs")
    month = stands.month.left / budgets.MICROS
    return f"${month:,.2f} of the month and {stands.day.left:,} parts of the day are left"


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
