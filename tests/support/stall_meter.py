"""How long this machine kept a process waiting that only wanted to go on, for tests that promise seconds.

A promise of one second is about our code. On a machine that others use, any process may stand still for a while:
`Stalls` measures that beside the test, in a process of its own that does nothing else, so that a limit can be
lengthened by just as much and no more.
"""

import subprocess
import sys
from typing import Self

MEASURE = """
import select, sys, time
longest, step = 0.0, 0.01
while True:
    began = time.monotonic()
    if select.select([sys.stdin], [], [], step)[0]:
        break
    longest = max(longest, time.monotonic() - began - step)
print(longest)
"""


class StallMeter:
    """Measures until the block ends; `longest` is what the worst look came late, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0

    def __enter__(self) -> Self:
        command = [sys.executable, "-S", "-c", MEASURE]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        said, _ = self._process.communicate(timeout=30)
        self.longest = float(said)
