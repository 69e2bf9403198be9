"""Every process of Critter by name: what the Procfile, `critter NAME` and `critter up` start."""

import importlib
from collections.abc import Callable

from gateway.channels import CHANNELS
from gateway.settings import Settings

Serve = Callable[[Settings], None]

# `critter up` imports them once before it forks; a single process imports what it needs when it starts.
SHARED = (
    "critter.processes.app",
    "critter.processes.stream",
    "critter.processes.workers",
    "critter.processes.simulator",
    "critter.demo.tour",
    "critter.processes.fallback",
)


def web(settings: Settings) -> None:
    """With the tour while simulated."""
    from critter.processes.app import Tour, serve_web

    _starts(settings, "web")
    if settings.mode == "live":
        return serve_web(settings)
    from critter.demo import tour

    return serve_web(settings, Tour(tour.serve_pages, tour.PEOPLE))


def stream(settings: Settings) -> None:
    """Tells open pages what is new."""
    from critter.processes.stream import serve

    serve(settings)


def fallback(settings: Settings) -> None:
    """The fallback door for texts: it only stores."""
    from critter.processes.fallback import serve

    serve(settings)


def mail(settings: Settings) -> None:
    from critter.processes.app import serve_mail

    _starts(settings, "mail")
    serve_mail(settings)


def worker(queue: str) -> Serve:
    def serve(settings: Settings) -> None:
        from critter.processes.workers import serve_worker

        _starts(settings, f"worker-{queue}")
        serve_worker(settings, queue)

    return serve


def _starts(settings: Settings, name: str) -> None:
    """Logs what an operator should correct."""
    from critter.doctor import startup_warnings
    from critter.processes import logs

    logs.configure()
    startup_warnings.tell(settings, name)


def clock(settings: Settings) -> None:
    from critter.processes.workers import serve_clock

    serve_clock(settings)


def simulator(settings: Settings) -> None:
    from critter.processes.simulator import serve

    serve(settings)


def of(settings: Settings) -> dict[str, Serve]:
    """The processes that these settings need: none for a channel that is off, the simulator only while simulated."""
    sending = dict.fromkeys(CHANNELS[name].queue for name in settings.channels)
    queues = ("inbound", *(("proving",) if settings.mail else ()), "fanout", *sending)
    found: dict[str, Serve] = {"web": web, "stream": stream}
    if settings.sms and settings.fallback_url and settings.sms_intake == "webhook":
        found["fallback"] = fallback
    if settings.mail:
        found["mail"] = mail
    if settings.mode == "simulated":
        found["simulator"] = simulator
    return found | {f"worker-{queue}": worker(queue) for queue in queues} | {"clock": clock}


def import_shared() -> None:
    for name in SHARED:
        importlib.import_module(name)
