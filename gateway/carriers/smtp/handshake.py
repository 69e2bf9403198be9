"""Opens a connection to the relay until it is ready for mails: connect, greeting, EHLO, TLS, AUTH. Used by
gateway/carriers/smtp/relay."""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from gateway.carriers.smtp.connection import PendingReply, SmtpConnection, ask
from gateway.carriers.smtp.oauth_tokens import Tokens
from gateway.carriers.smtp.replies import find_pause
from gateway.errors import CarrierError, SettingsError

Tls = Literal["none", "starttls", "implicit"]
_SCHEMES: Final[dict[str, tuple[Tls, int]]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("implicit", 465),
}
REFUSALS: Final = frozenset({535, 538, 550, 554})  # codes that refuse a token …
REFUSED: Final = "535 oauth"  # … and our reason for them: operators need other advice than with a password


@dataclass(frozen=True, slots=True)
class RelayTarget:
    """Where the relay is, and how to connect to it."""

    host: str
    port: int
    tls: Tls
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth:
    """A mailbox, and where the tokens for it come from."""

    user: str
    tokens: Tokens


def place_of(url: str) -> RelayTarget:
    """Reads smtp://, smtps:// or smtp+starttls://user:password@host:port. The SettingsError never quotes it."""
    try:
        parts = urlsplit(url)
        tls, port = _SCHEMES[parts.scheme]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return RelayTarget(parts.hostname or "", parts.port or port, tls, user, password)
    except (KeyError, ValueError):
        raise SettingsError("CRITTER_SMTP_RELAY must be smtp://, smtps:// or smtp+starttls:// and a host") from None


async def open_link(
    place: RelayTarget, hello: str, patience: float, context: ssl.SSLContext, oauth: OAuth | None = None
) -> SmtpConnection:
    """Returns a connection after EHLO and login, within `patience` seconds; each later reply may take as long.

    Raises CarrierError: "permanent" when the relay refuses our login, has no TLS where it should, or says that our
    limit is reached.
    """
    try:
        async with asyncio.timeout(patience):
            greeting = PendingReply()
            link = await _connect(place, SmtpConnection(patience, greeting), context)
            try:
                _check(await greeting.reply, 220)
                await _introduce(link, place, hello, context, oauth)
            except BaseException:
                link.break_off("opening")
                raise
            return link
    except OSError as problem:
        raise CarrierError(_why(problem), "transient") from None


def _why(problem: OSError) -> str:
    if isinstance(problem, ssl.SSLError):
        return "tls"
    if isinstance(problem, socket.gaierror):
        return "dns"
    return "timeout" if isinstance(problem, TimeoutError) else "refused"


async def _connect(place: RelayTarget, link: SmtpConnection, context: ssl.SSLContext) -> SmtpConnection:
    secure = context if place.tls == "implicit" else None
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: link, place.host, place.port, ssl=secure)
    return link


async def _introduce(
    link: SmtpConnection, place: RelayTarget, hello: str, context: ssl.SSLContext, oauth: OAuth | None
) -> None:
    await _hello(link, hello)
    if place.tls == "starttls":
        await _start_tls(link, place, context)
        await _hello(link, hello)  # RFC 3207 4.2: what was offered before TLS does not count any more
    if oauth:
        await _show_token(link, oauth)
    elif place.user:
        await _login(link, place)


def _check(reply: tuple[int, bytes], wanted: int) -> None:
    if reply[0] != wanted:
        known = find_pause(*reply)
        raise CarrierError(known.reason if known else str(reply[0]), known.kind if known else "transient")


async def _hello(link: SmtpConnection, hello: str) -> None:
    code, reply = await ask(link, b"EHLO " + hello.encode())
    if code == 250:
        link.offers = offers_of(reply)
    else:
        _check(await ask(link, b"HELO " + hello.encode()), 250)
        link.offers = frozenset()


def offers_of(reply: bytes) -> frozenset[str]:
    """Returns the keywords of an EHLO reply; the parameters of AUTH become "AUTH PLAIN" and so on."""
    offers: set[str] = set()
    for line in reply.decode("ascii", "replace").upper().splitlines()[1:]:
        keyword, *parameters = line[4:].replace("=", " ").split() or [""]  # "AUTH=LOGIN" is an old spelling
        offers.add(keyword)
        offers.update(f"{keyword} {each}" for each in parameters if keyword == "AUTH")
    return frozenset(offers)


async def _start_tls(link: SmtpConnection, place: RelayTarget, context: ssl.SSLContext) -> None:
    if "STARTTLS" not in link.offers:
        raise CarrierError("tls", "permanent")  # removed by an attacker, or never offered: we do not send without TLS
    _check(await ask(link, b"STARTTLS"), 220)
    loop = asyncio.get_running_loop()
    link.use(await loop.start_tls(link.transport, link, context, server_hostname=place.host))


async def _login(link: SmtpConnection, place: RelayTarget) -> None:
    """Logs in (RFC 4954). Any permanent refusal is about us, not about one mail."""
    if "AUTH PLAIN" in link.offers:
        steps = [b"AUTH PLAIN " + _base64(f"\0{place.user}\0{place.password}")]
    elif "AUTH LOGIN" in link.offers:
        steps = [b"AUTH LOGIN", _base64(place.user), _base64(place.password)]
    else:
        raise CarrierError("auth", "permanent")
    for number, step in enumerate(steps, 1):
        code, _ = await ask(link, step)
        if code != (235 if number == len(steps) else 334):
            raise CarrierError(str(code), "permanent" if code >= 500 else "transient")


async def _show_token(link: SmtpConnection, oauth: OAuth) -> None:
    """Logs in with XOAUTH2, as Google and Microsoft have it: an error comes as a 334, and an empty line gets its code.

    A token that was valid until now may have been revoked: the next connection is opened with a new one."""
    if "AUTH XOAUTH2" not in link.offers:
        raise CarrierError("auth", "permanent")
    token = await oauth.tokens.token()
    reply = await ask(link, b"AUTH XOAUTH2 " + _base64(f"user={oauth.user}\1auth=Bearer {token}\1\1"))
    if reply[0] == 334:
        reply = await ask(link, b"")
    if reply[0] == 235:
        oauth.tokens.taken()
    elif reply[0] < 500 or reply[0] not in REFUSALS:
        _check(reply, 235)
    else:
        again = oauth.tokens.refused(token)
        raise CarrierError(REFUSED, "transient" if again else "permanent")


def _base64(text: str) -> bytes:
    return b64encode(text.encode())
