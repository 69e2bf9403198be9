"""What a process logs when it starts: operators' mistakes, one line each, with the setting's name and the fix.

It starts all the same: a mistake may be corrected meanwhile, and what comes in must not be lost. A thread checks the
outside world, in live mode alone: while simulated the simulator may still be starting.
"""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from critter.doctor import probes
from critter.doctor.settings_lint import find_mistakes
from gateway.carriers import parts
from gateway.errors import Refused
from gateway.settings import Settings

Look = Callable[[Settings], str]
LOOKS: Final[dict[str, tuple[Look, ...]]] = {
    "web": (probes.web_address,),
    "mail": (),
    "worker-sms": (),  # the workers that send look at their carriers, too
    "worker-email": (),
}
DELAY: Final = 3.0  # seconds, in which the process itself can begin to answer

log = structlog.get_logger()


def tell(settings: Settings, name: str) -> threading.Timer | None:
    """For the processes that talk to the outside world; the others have nothing to add."""
    if name not in LOOKS:
        return None
    for mistake in find_mistakes(settings):
        log.error("wrong setting", what=mistake)
    if settings.mode != "live":
        return None
    later = threading.Timer(DELAY, look, (settings, name))
    later.daemon = True
    later.start()
    return later


def look(settings: Settings, name: str) -> None:
    carriers = settings.carriers_for(name.removeprefix("worker-"))
    for each in (*LOOKS[name], *(check for carrier in carriers for _, check in parts.list_checks(carrier))):
        try:
            each(settings)
        except Refused as refused:
            log.error("wrong setting", what=refused.text)
