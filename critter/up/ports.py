"""The ports of everything that `critter up` starts: free before the start, answering after it."""

import contextlib
import errno
import http.client
import socket
import time
from collections.abc import Callable, Iterator

from critter.processes import registry
from critter.processes.simulator import sink
from gateway.errors import Refused
from gateway.setting_types.values import dialled, netloc
from gateway.settings import Settings

PATIENCE = 3.0  # seconds: the children of a supervisor that was just killed may hold a port a moment longer
Address = tuple[str, int]


def list_wanted(settings: Settings) -> list[tuple[str, Address]]:
    """Every address that will be listened on, with the setting that changes it."""
    addresses = [("CRITTER_WEB_LISTEN", settings.web_listen)]
    addresses.append(("CRITTER_STREAM_LISTEN", settings.stream_listen))
    if "fallback" in registry.of(settings):
        addresses.append(("CRITTER_FALLBACK_LISTEN", settings.fallback_listen))
    if settings.mail:
        addresses.append(("CRITTER_SMTP_LISTEN", settings.smtp_listen))
        if settings.smtps_listen:
            addresses.append(("CRITTER_SMTPS_LISTEN", settings.smtps_listen))
        if isinstance(settings.lmtp_listen, tuple):
            addresses.append(("CRITTER_LMTP_LISTEN", settings.lmtp_listen))
    if settings.mode == "simulated":
        addresses += [
            ("CRITTER_SIMULATOR_LISTEN", settings.simulator_listen),
            ("CRITTER_SIMULATOR_LISTEN", sink(settings)),
        ]
    return addresses


def refuse_taken(settings: Settings, patience: float = PATIENCE) -> None:
    """Raises Refused, naming the setting, when one of the ports cannot be opened."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with contextlib.ExitStack() as held:
                for name, address in list_wanted(settings):
                    held.enter_context(_opened(name, address))
            return
        except Refused:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def _opened(name: str, address: Address) -> Iterator[None]:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            raise Refused(f"{name}: {netloc(address)} {_trouble(error)}") from None
        yield


def _trouble(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is taken by another program: end it, or set this to another address"
    if error.errno == errno.EACCES:
        return "may not be opened: ports below 1024 need root; set this to a higher one"
    return f"cannot be opened ({error.strerror})"


def answers(settings: Settings) -> dict[str, Callable[[], bool]]:
    """For each process that listens, whether it answers by now."""
    checks = {
        "web": lambda: web_answers(dialled(settings.web_listen)),
        "stream": lambda: web_answers(dialled(settings.stream_listen)),
    }
    if "fallback" in registry.of(settings):
        checks["fallback"] = lambda: web_answers(dialled(settings.fallback_listen))
    if settings.mail:
        checks["mail"] = lambda: mail_answers(dialled(settings.smtp_listen))
    if settings.mode == "simulated":
        checks["simulator"] = lambda: opens(settings.simulator_listen) and opens(sink(settings))
    return checks


def web_answers(address: Address) -> bool:
    connection = http.client.HTTPConnection(*address, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def mail_answers(address: Address) -> bool:
    try:
        with socket.create_connection(address, timeout=2) as client:
            return client.recv(3) == b"220"
    except OSError:
        return False


def opens(address: Address) -> bool:
    try:
        socket.create_connection(address, timeout=2).close()
    except OSError:
        return False
    return True
