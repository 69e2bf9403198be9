"""The certificate of the mail door, which is read again while the door runs. gateway/doors/smtp/protocol takes the
current context for each handshake."""

import asyncio
import logging
import ssl
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from gateway.errors import SettingsError
from gateway.settings import Settings

MINUTE = 60.0  # seconds between two looks at the files
HOUR = 3600.0
PEERS = 10_000  # whose certificates are remembered
QUIET = 10.0  # seconds between two log lines about failed handshakes

log = logging.getLogger(__name__)


class Certificates:
    """A certificate and its key as PEM files, and optionally the authority of our own relays' certificates. Broken
    files at the start raise SettingsError; files that are broken later leave the last good certificate in use."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None = None, period: float = MINUTE) -> None:
        self._certificate, self._key, self._client_ca = certificate, key, client_ca
        self._period = period
        self._asked = asyncio.Event()
        self._failed, self._complained = 0, -QUIET
        self._seen = self._stamps()
        self._strangers: OrderedDict[str, float] = OrderedDict()
        try:
            self._context, self._unasking = self._read()
        except (OSError, ValueError) as error:
            raise SettingsError(f"CRITTER_TLS_CERT, CRITTER_TLS_KEY: {self._told(error)}") from None

    def context(self, home: str) -> ssl.SSLContext:
        """Returns the context for a handshake with this peer. A peer that showed a certificate of another authority is
        not asked for one again for an hour: some mail servers show theirs to everybody, and would never connect."""
        return self._unasking if time.monotonic() - self._strangers.get(home, -HOUR) < HOUR else self._context

    def look_again(self) -> None:
        """Reads the files now and not at the next minute: whoever renewed them sends SIGHUP."""
        self._asked.set()

    def complain(self, error: Exception | None, home: str) -> None:
        """Logs a handshake that failed, because we may be at fault: our certificate has expired, or a relay trusts
        another one. The log is limited, so that clients that send garbage cannot fill it."""
        if isinstance(error, ssl.SSLCertVerificationError):
            self._strangers[home] = time.monotonic()
            if len(self._strangers) > PEERS:
                self._strangers.popitem(last=False)
        self._failed += 1
        if time.monotonic() - self._complained > QUIET:
            reason = getattr(error, "reason", None) or type(error).__name__
            log.warning("TLS handshakes failed: %d since this was last said, this one by %s", self._failed, reason)
            self._complained, self._failed = time.monotonic(), 0

    async def watch(self) -> None:
        """Looks for new files again and again; it runs until it is cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), self._period)
            self._look(whatever=self._asked.is_set())
            self._asked.clear()

    def _look(self, *, whatever: bool) -> None:
        """Reads the files if they have changed. A new certificate that was written before its key does not fit yet: the
        key then changes the stamps once more."""
        stamps = self._stamps()
        if stamps == self._seen and not whatever:
            return
        self._seen = stamps
        try:
            self._context, self._unasking = self._read()
        except (OSError, ValueError) as error:
            log.error("the new certificate cannot be used, the old one stays: %s", self._told(error))
        else:
            self._strangers.clear()
            log.info("the certificate was read anew")

    def _stamps(self) -> list[tuple[int, int, int] | None]:
        return [_stamp(path) for path in (self._certificate, self._key, self._client_ca) if path is not None]

    def _read(self) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        """Returns one context that asks for our relays' certificates, and one that asks for none."""
        asking, unasking = self._new(), self._new()
        if self._client_ca is not None:
            asking.load_verify_locations(self._client_ca)
            asking.verify_mode = ssl.CERT_OPTIONAL
        return asking, unasking

    def _new(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.load_cert_chain(self._certificate, self._key, password="")  # a key with a password would ask for it
        return context

    def _told(self, error: Exception) -> str:
        """Says which file the error is about, without the file's content."""
        if isinstance(error, OSError) and error.filename:
            return f"{error.filename}: {error.strerror}"
        files = (self._certificate, self._key, self._client_ca)
        missing = [str(path) for path in files if path is not None and not path.is_file()]
        if missing:
            return f"{', '.join(missing)} cannot be found"
        reason = getattr(error, "reason", None) or type(error).__name__
        return f"{self._certificate} and {self._key} are no PEM files that belong together ({reason})"


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def of(settings: Settings) -> Certificates | None:
    """Returns the certificates of the settings; None without any: then the door offers no TLS."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Certificates(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
