"""The facts of gateway/channels as SQL, written into statements when they are built: nothing is bound or looked up.

Each function takes the SQL of a column that holds the name of a channel. The names are our own, so they are safe to
quote.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, case

from gateway.channels import CHANNELS, Channel

ALL = tuple(CHANNELS.values())


def rank(column: str, channels: Iterable[Channel] = ALL) -> str:
    """The channel's rank; order by it descending to get the preferred channel first."""
    return _case(column, channels, lambda each: str(each.rank))


def gives_up_after(column: str, channels: Iterable[Channel] = ALL) -> str:
    """The interval after which a delivery that has not left has failed."""
    return _case(column, channels, lambda each: f"interval '{each.gives_up_after.total_seconds():.0f} seconds'")


def such(column: str, fact: Callable[[Channel], bool], channels: Iterable[Channel] = ALL) -> str:
    """As a condition: the channel is one for which the fact is true."""
    return f"{column} IN ({names(each for each in channels if fact(each))})"


def reached(channel: str, state: str, channels: Iterable[Channel] = ALL) -> str:
    """As a condition on a delivery: its reader counts as reached. One list of states serves while it is the same for
    all channels."""
    channels = tuple(channels)
    if len({each.reached_by for each in channels}) == 1:
        return f"{state} IN ({_quoted(sorted(channels[0].reached_by))})"
    pairs = (f"{channel} = '{each.name}' AND {state} IN ({_quoted(sorted(each.reached_by))})" for each in channels)
    return f"({' OR '.join(pairs)})"


def names(channels: Iterable[Channel] = ALL) -> str:
    """Their names as a list of SQL strings, NULL when there are none."""
    return _quoted(each.name for each in channels) or "NULL"


def rank_of(column: Any) -> ColumnElement[int]:
    """The channel's rank for statements that SQLAlchemy builds."""
    return case({each.name: each.rank for each in ALL}, value=column, else_=0)


def _case(column: str, channels: Iterable[Channel], value: Callable[[Channel], str]) -> str:
    cases = " ".join(f"WHEN '{each.name}' THEN {value(each)}" for each in channels)
    return f"CASE {column} {cases} END"


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
