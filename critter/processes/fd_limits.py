"""How many connections a door may hold with the file descriptors that the system grants; critter/processes/app asks at
start."""

import resource
from typing import Final

OWN: Final = 40  # descriptors that a door needs besides: for its servers, logs and loops


def most_connections(wanted: int) -> int:
    """As many as wanted, or fewer where the system grants less. A process may raise its own soft limit up to the hard
    one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OWN
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - OWN))
