"""`critter up`: embedded servers, the database and every process, from nothing to ready, and nothing left after it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from critter.servers import Servers
from critter.servers.spawn import die_with_parent, spawn
from critter.up import ports
from critter.up.kept import Kept, Start
from critter.up.output import Output
from critter.up.supervisor import Signals, end, keep_running
from gateway.settings import Settings, embedded
from gateway.settings.values import dialled, netloc

ROOT = Path(__file__).parents[2]


def run(settings: Settings, *, unsafe: bool = False, tied: bool = False) -> None:
    """Returns after Ctrl-C or SIGTERM; raises Refused when something is in the way.

    tied: end with the process that started this one (make), even when that is killed.
    """
    began = time.monotonic()
    signals = Signals()
    output = Output()
    unsafe = unsafe or settings.unsafe
    try:
        if tied:
            die_with_parent(os.getppid(), signal.SIGTERM)
        with _servers(settings) as servers:
            ports.refuse_taken(settings)
            _prepare_database(settings, unsafe)
            kept = _kept(settings, servers, output, unsafe)
            try:
                keep_running(kept, output, ports.answers(settings), lambda: _tell(settings, output, began))
            finally:
                output.say("Stopping …")
                end(kept, output, signals)
    except KeyboardInterrupt:
        output.say("Stopped.")


def _servers(settings: Settings) -> Servers:
    """Embedded ones, except where the settings name others."""
    return Servers(
        settings.var,
        postgres=settings.database_url == embedded.database_url(settings.var),
        redis=settings.redis_url == embedded.redis_url(settings.var),
    )


def _prepare_database(settings: Settings, unsafe: bool) -> None:
    from sqlalchemy import text

    from critter.database import prepared

    engine = prepared(settings, unsafe)
    with engine.connect() as connection:
        empty = connection.scalar(text("SELECT NOT EXISTS (SELECT FROM accounts)"))
    if settings.mode == "simulated" and empty:
        from critter import demo

        demo.load(engine)
    engine.dispose()


def _kept(settings: Settings, servers: Servers, output: Output, unsafe: bool) -> list[Kept]:
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": _python_path()}
    if unsafe:
        environ["CRITTER_UNSAFE"] = "on"
    embedded_servers = [Kept(server.name, server.start, server.process) for server in servers.running]
    return embedded_servers + [
        Kept(name, _starter(name, command, environ, output)) for name, command in processes(settings).items()
    ]


def processes(settings: Settings) -> dict[str, list[str]]:
    """Every process by name with its arguments, as in the Procfile; the simulator only while simulated."""
    channels = {"sms": settings.sms, "email": settings.mail}
    queues = ["inbound", "fanout", *(queue for queue, on in channels.items() if on)]
    commands = {"web": ["web"], "mail": ["mail"], "simulator": ["simulator"]}
    commands |= {f"worker-{queue}": ["worker", queue] for queue in queues} | {"clock": ["clock"]}
    absent = {"mail": not settings.mail, "simulator": settings.mode == "live"}
    return {name: command for name, command in commands.items() if not absent.get(name)}


def _starter(name: str, arguments: list[str], environ: dict[str, str], output: Output) -> Start:
    def start() -> "subprocess.Popen[bytes]":
        process = spawn([sys.executable, "-m", "critter", *arguments], environ=environ, output=subprocess.PIPE)
        assert process.stdout is not None
        output.add(name, process.stdout)
        return process

    return start


def _python_path() -> str:
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def _tell(settings: Settings, output: Output, began: float) -> None:
    places = (
        {"Mail": f"{netloc(dialled(settings.smtp_listen))} for post@{settings.mail_domain}"} if settings.mail else {}
    )
    if settings.mode == "simulated":
        places |= {"The simulator": f"http://{netloc(settings.simulator_listen)}/", "State": str(settings.var)}
        output.say("Critter is simulated: nothing leaves this machine.")
    front = "The tour" if settings.mode == "simulated" else "Web"
    for name, place in {front: f"http://{netloc(dialled(settings.web_listen))}/", **places}.items():
        output.say(f"  {name:<14} {place}")
    output.say(f"ready in {time.monotonic() - began:.1f} s; Ctrl-C ends it")
