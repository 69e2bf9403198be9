"""Keeps a set of processes running until a signal, and leaves none running afterwards."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from critter.up.output import PipeReader
from critter.up.supervised_process import SupervisedProcess

TICK = 0.1  # seconds
GRACE = 20.0  # seconds for work in progress
IMPATIENCE = 1.0  # a second signal this long after the first means: now


class Signals:
    """Ctrl-C, SIGTERM and a closed terminal: the first ends everything by KeyboardInterrupt, a later one speeds it
    up."""

    def __init__(self) -> None:
        self._first: float | None = None
        self.hurry = False
        for number in (signal.SIGINT, signal.SIGTERM):  # also where a script's background process ignores the first
            signal.signal(number, self._heard)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._heard)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
            raise KeyboardInterrupt
        self.hurry = self.hurry or now - self._first > IMPATIENCE


def keep_running(
    processes: Sequence[SupervisedProcess],
    output: PipeReader,
    waiting: Mapping[str, Callable[[], bool]],
    ready: Callable[[], None],
) -> None:
    """Runs until KeyboardInterrupt, or until nobody reads the output. `ready` is called once every waiting check is
    true."""
    unready = dict(waiting)
    reported_ready = False
    while not output.broken:
        for each in processes:
            line = each.look(time.monotonic())
            if line:
                output.say(line)
        output.pump_for(TICK)
        unready = {name: check for name, check in unready.items() if not check()}
        if not unready and not reported_ready:
            reported_ready = True
            ready()


def end(processes: Sequence[SupervisedProcess], output: PipeReader, signals: Signals, grace: float = GRACE) -> None:
    """Sends SIGTERM to all, gives them time for work in progress, then kills the rest."""
    for each in processes:
        each.ask_to_end()
    deadline = time.monotonic() + grace
    while any(each.running() for each in processes) and time.monotonic() < deadline and not signals.hurry:
        output.pump_for(TICK)
    for each in processes:
        if each.running():
            output.say(f"{each.name} did not end in time and is killed")
        each.kill()
    output.pump(0)
