"""The check of `critter check` for the relay; it sends no mail."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

from gateway.carriers.descriptors.smtp import RELAY
from gateway.carriers.smtp import provider_profiles
from gateway.carriers.smtp.handshake import open_link, place_of
from gateway.errors import CarrierError, Refused, SettingsError
from gateway.settings import Settings

TIMEOUT: Final = 10.0  # seconds


def greets(settings: Settings) -> str:
    """Says EHLO, starts TLS and signs in as sending does, and sends nothing."""
    host = urlsplit(settings.smtp_relay).hostname or ""
    try:
        how = asyncio.run(_greeted(settings))
    except SettingsError as wrong:
        raise Refused(str(wrong)) from None
    except CarrierError as problem:
        raise Refused(_unserved(host, problem.reason)) from None
    return f"{host} takes our mail ({how})"


async def _greeted(settings: Settings) -> str:
    """The result: TLS, login, and the name we said."""
    oauth, place = provider_profiles.oauth(settings), place_of(settings.smtp_relay)
    try:
        hello, context = provider_profiles.provider_terms(settings).hello, provider_profiles.context(settings)
        link = await open_link(place, hello, TIMEOUT, context, oauth)
        secure = link.transport.get_extra_info("ssl_object")
        link.quit()
        await asyncio.sleep(0)  # lets the QUIT out
        login = "by a token" if oauth else "by a password" if place.user else "no login"
        return f"{secure.version() if secure else 'no TLS'}, {login}, EHLO {hello}"
    finally:
        if oauth:
            await oauth.tokens.close()


def _unserved(host: str, reason: str) -> str:
    if reason == "535":
        return f"{host} refuses our user or password: look at CRITTER_SMTP_RELAY"
    return f"{host} does not serve us ({reason}): {RELAY.advice.get(reason) or 'look at CRITTER_SMTP_RELAY'}"
