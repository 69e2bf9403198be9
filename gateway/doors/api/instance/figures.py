"""The public figures, counted every ten minutes at most: anybody may ask, and as often as they like."""

import threading
import time
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from gateway.doors.api.frame.call import ApiCall
from gateway.network.inspect import public_figures
from gateway.network.inspect.public_figures import PublicFigures

GOOD_FOR: Final = 600.0  # seconds

_kept: WeakKeyDictionary[Engine, tuple[float, PublicFigures]] = WeakKeyDictionary()
_counting = threading.Lock()


def current(call: ApiCall) -> PublicFigures:
    with _counting:  # who asks meanwhile waits for the one count
        counted = _kept.get(call.api.engine)
        if counted is None or time.monotonic() - counted[0] > GOOD_FOR:
            counted = time.monotonic(), public_figures.count(call.session)
            _kept[call.api.engine] = counted
    return counted[1]
