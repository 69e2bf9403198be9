"""How much of what one sender writes is read (R43). workers/inbound asks about each input before it is read.

Everything is stored first; only then do we decide whether it is read now. Up to 100 texts an hour nothing is lost, only
slowed: who types faster than ten a minute is read at ten a minute, in order, and needs no answer about it. No person
writes more than that. A phone or a mail rule that runs wild would otherwise be read for days, and each of its updates
sent to all its followers. So the rest ends unread, is kept for an operator to let in, and costs at most one answer in
that hour. What counts is when rows were sent, not when they are read: a backlog after an outage is no flood.

STOP, START and HELP are read at once, ahead of whatever was put off.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import EMAIL, SMS
from gateway.language.opt_out.keywords import carrier_word
from gateway.store.tables import Inbound

INTENT: Final = "limited"
REASON: Final = "its sender wrote more within an hour than is read"
MINUTE, MINUTES, HOUR = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many inputs of one sender are read within a minute and within five minutes; beyond `hour` in an hour the rest
    is not read at all."""

    minute: int
    minutes: int
    hour: int


@dataclass(frozen=True, slots=True)
class LimitDecision:
    """What becomes of an input. `later`: when it is read. `keep_only`: it is not read, only kept. Without either it is
    read now."""

    later: datetime | None = None
    keep_only: bool = False


READ: Final = LimitDecision()
LIMITS: Final = {SMS: Limit(10, 100, 100), EMAIL: Limit(50, 120, 600)}  # the mail ones are Zulip's


def decide(session: Session, inbound: Inbound) -> LimitDecision:
    """Decides about this input. An input that was put off before, or that an operator let in, is read."""
    limit = LIMITS.get(inbound.channel)
    if limit is None or inbound.not_before or is_of_the_carriers(inbound):
        return READ
    who = {"channel": inbound.channel, "sender": inbound.sender, "id": inbound.id, "at": inbound.heard_at}
    found = session.execute(LAST, who | {"most": limit.hour}).one()
    if found.hour >= limit.hour:
        return LimitDecision(keep_only=True)
    waits = (found.minute // limit.minute * MINUTE, found.minutes // limit.minutes * MINUTES)
    due = inbound.heard_at + max(waits)
    return LimitDecision(later=due) if due > found.now else READ


def was_told(session: Session, inbound: Inbound) -> bool:
    """Whether its sender heard of the limit within the last hour."""
    who = {"channel": inbound.channel, "sender": inbound.sender, "id": inbound.id, "intent": INTENT}
    return bool(session.scalar(TOLD, who))


def is_of_the_carriers(inbound: Inbound) -> bool:
    """Whether it is STOP, START or HELP, which are read ahead of whatever was put off."""
    return inbound.channel == SMS and bool(inbound.opt_out_type or carrier_word(inbound.text or ""))


# The last inputs of this sender before this one, at most as many as are read in an hour: the rest does not matter.
_COLUMNS: Final = "id, coalesce(sent_at, received_at) AS at"
_OF_SENDER: Final = "channel = :channel AND sender = :sender AND id < :id AND id >= id_at(:at - interval '1 hour')"
# Mails that were not proved to be theirs, or that need no proved writer, do not count against the sender they name.
_THEIRS: Final = "trusted AND coalesce(proof, '') NOT LIKE 'nobody%'"
LAST: Final = text(f"""
    SELECT count(*) FILTER (WHERE at > :at - interval '1 minute') AS minute,
           count(*) FILTER (WHERE at > :at - interval '5 minutes') AS minutes,
           count(*) FILTER (WHERE at > :at - interval '1 hour') AS hour,
           clock_timestamp() AS now
    FROM (SELECT * FROM (
              (SELECT {_COLUMNS} FROM inbound
               WHERE {_OF_SENDER} AND {_THEIRS} AND state IN ('new', 'working') ORDER BY id DESC LIMIT :most)
              UNION ALL
              (SELECT {_COLUMNS} FROM inbound
               WHERE {_OF_SENDER} AND {_THEIRS} AND state NOT IN ('new', 'working') ORDER BY id DESC LIMIT :most)
          ) AS either ORDER BY id DESC LIMIT :most) AS last
""")  # noqa: S608 (nothing of it comes from outside)
TOLD: Final = text("""
    SELECT EXISTS (SELECT FROM inbound WHERE channel = :channel AND sender = :sender AND id < :id
                   AND id >= id_at(now() - interval '1 hour') AND state NOT IN ('new', 'working') AND intent = :intent)
""")
