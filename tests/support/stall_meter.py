"""How long this machine kept a process waiting that only wanted to go on, for tests that promise seconds.

A promise of one second is about our code. On a machine that others use, any process may stand still for a while:
`StallMeter` measures that beside the test, in a process of its own that does nothing else, so that a limit can be
lengthened by just as much and no more. All of its short waits count: work of ours has as many of them.
"""

import subprocess
import sys
from typing import Self

MEASURE = """
import select, sys, time
together, step = 0.0, 0.01
while True:
    began = time.monotonic()
    if select.select([sys.stdin], [], [], step)[0]:
        break
    together += max(0.0, time.monotonic() - began - step)
print(together)
"""


class StallMeter:
    """Measures until the block ends; `together` is what all looks came late, in seconds."""

    def __init__(self) -> None:
        self.together = 0.0

    def __enter__(self) -> Self:
        command = [sys.executable, "-S", "-c", MEASURE]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        said, _ = self._process.communicate(timeout=30)
        self.together = float(said)
