"""Keeps Python's garbage collector from taking a fifth of a worker's processor time.

What was loaded at the start lives as long as the process, and reading one text makes thousands of objects of which
nearly all are freed at once. By default the collector runs several times for each text. docs/decisions/0054 has the
figures.
"""

import gc
from typing import Final

YOUNG: Final = 50_000  # objects, some ten megabytes, between two runs; 700 by default


def calm() -> None:
    """Has the collector never look again at what is there now, and run seldom. It is called when all is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
