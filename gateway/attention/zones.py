"""The time zone that is kept for a person, and the zone of their clock now."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

log = logging.getLogger(__name__)

LONGEST_SHOWN = 64


@dataclass(frozen=True, slots=True)
class ZoneNow:
    """The zone of somebody's clock now; `until`: when they are home again, in the zone `home`. IANA names, as kept."""

    name: str
    until: datetime | None = None
    home: str = "UTC"


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of a name that is kept; UTC for one that is unknown, or known no more. That is logged once by each
    process and never an error: one person's zone must not end a batch for all."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder's name is an OSError
        log.warning("no time zone is called %r, UTC is taken for it: %s", name[:LONGEST_SHOWN], type(error).__name__)
        return ZoneInfo("UTC")


def known(name: str) -> str:
    """The name of that zone, for whoever looks it up by name."""
    return zone(name).key
