"""Proves to a push service who sends: a signed token for each service (VAPID, RFC 8292), made anew before it ends."""

import time
from typing import Final
from urllib.parse import urlsplit

from py_vapid import Vapid02

from gateway.settings import Settings

LIFE: Final = 12 * 3600  # seconds; push services take up to a day
RENEWED: Final = 3600  # seconds before its end
MOST: Final = 200  # services; there are a handful, unless somebody makes some up


class VapidSigner:
    def __init__(self, settings: Settings) -> None:
        self._key = Vapid02.from_raw(settings.push_key.encode())
        self._subject = _subject(settings)
        self._made: dict[str, tuple[str, float]] = {}

    def sign(self, endpoint: str) -> str:
        """The header Authorization for the service of this endpoint."""
        where = urlsplit(endpoint)
        origin, now = f"{where.scheme}://{where.netloc}", time.time()
        header, until = self._made.get(origin, ("", 0.0))
        if now > until - RENEWED:
            header, until = self._make(origin, int(now) + LIFE), now + LIFE
            if len(self._made) >= MOST:
                self._made.clear()
            self._made[origin] = header, until
        return header

    def _make(self, origin: str, until: int) -> str:
        signed: str = self._key.sign({"sub": self._subject, "aud": origin, "exp": until})["Authorization"]
        return signed


def _subject(settings: Settings) -> str:
    """Whom a push service may ask about us. Apple's refuses what is neither https: nor mailto:."""
    if settings.public_url.startswith("https:"):
        return settings.public_url
    return f"mailto:post@{settings.mail_domain or 'critter.invalid'}"
