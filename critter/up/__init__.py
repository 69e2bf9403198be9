"""`critter up`: starts embedded servers, the database and every process from nothing, and leaves nothing running."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from critter.processes import registry
from critter.servers import Servers
from critter.servers.spawn import die_with_parent
from critter.up import ports
from critter.up.forked import Forked
from critter.up.output import PipeReader
from critter.up.supervised_process import Start, SupervisedProcess
from critter.up.supervisor import Signals, end, keep_running
from gateway.setting_types.values import dialled, netloc
from gateway.settings import Settings, embedded


def run(settings: Settings, *, unsafe: bool = False, tied: bool = False) -> None:
    """Returns after Ctrl-C or SIGTERM; raises Refused when something is in the way.

    tied: end with the process that started this one (make), even when that is killed.
    """
    began = time.monotonic()
    signals = Signals()
    output = PipeReader()
    try:
        if tied:
            die_with_parent(os.getppid(), signal.SIGTERM)
        with _servers(settings) as servers:
            ports.refuse_taken(settings)
            first = _prepare_database(settings, unsafe or settings.unsafe, output)
            registry.import_shared()
            processes = _kept(settings, output)
            try:
                everything = _kept_servers(servers) + processes
                keep_running(everything, output, ports.answers(settings), lambda: _tell(settings, output, began, first))
            finally:
                output.say("Stopping …")
                end(processes, output, signals)  # the servers end last, when nobody needs them any more
    except KeyboardInterrupt:
        output.say("Stopped.")


def _servers(settings: Settings) -> Servers:
    """Embedded servers, except where the settings name others."""
    return Servers(
        settings.var,
        postgres=settings.database_url == embedded.database_url(settings.var),
        redis=settings.redis_url == embedded.redis_url(settings.var),
    )


def _prepare_database(settings: Settings, unsafe: bool, output: PipeReader) -> str | None:
    """Returns the link of the first start, while nobody runs this installation."""
    from sqlalchemy import text

    from critter.console.database import prepare
    from critter.console.first_admin_link import first_link

    engine = prepare(settings, unsafe, output.say)
    with engine.connect() as connection:
        empty = connection.scalar(text("SELECT NOT EXISTS (SELECT FROM accounts)"))
    if settings.mode == "simulated" and empty:
        from critter.demo import company

        company.load(engine)
    link = first_link(settings, engine)
    engine.dispose()
    return link


def _kept_servers(servers: Servers) -> list[SupervisedProcess]:
    return [SupervisedProcess(server.name, server.start, server.process) for server in servers.running]


def _kept(settings: Settings, output: PipeReader) -> list[SupervisedProcess]:
    """The processes; each is started at the first look."""
    pids = settings.var / "pids"
    shutil.rmtree(pids, ignore_errors=True)  # of an earlier run, perhaps as another user
    pids.mkdir()
    return [
        SupervisedProcess(name, _starter(name, partial(serve, settings), output, pids))
        for name, serve in registry.of(settings).items()
    ]


def _starter(name: str, serve: Callable[[], None], output: PipeReader, pids: Path) -> Start:
    """Forks the process, and writes its id into a file for anyone who wants to send it a signal."""

    def start() -> Forked:
        process = Forked(name.replace("-", " "), serve)
        output.add(name, process.stdout)
        (pids / name).write_text(f"{process.pid}\n")
        return process

    return start


def _tell(settings: Settings, output: PipeReader, began: float, first: str | None) -> None:
    places = (
        {"Mail": f"{netloc(dialled(settings.smtp_listen))} for post@{settings.mail_domain}"} if settings.mail else {}
    )
    if settings.mode == "simulated":
        places |= {"The simulator": f"http://{netloc(settings.simulator_listen)}/", "State": str(settings.var)}
        output.say("Critter is simulated: nothing leaves this machine.")
    front = "The tour" if settings.mode == "simulated" else "Web"
    for name, place in {front: f"http://{netloc(dialled(settings.web_listen))}/", **places}.items():
        output.say(f"  {name:<14} {place}")
    if first:
        output.say(first)
    output.say(f"ready in {time.monotonic() - began:.1f} s; Ctrl-C ends it")
