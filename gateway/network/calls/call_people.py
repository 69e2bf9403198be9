"""Who is asked by a call, and at which address each of them is told: a phone where there is consent, else a mailbox."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.attention.quiet_hours import quiet_until
from gateway.channels import EMAIL, SMS
from gateway.sms import destinations

DAYTIME: Final = range(7, 22)  # the hours of a day that are not night


class AskedPerson(NamedTuple):
    """Somebody who would be asked. `gone`: why nothing can reach them; `address`: of the phone, if it is one."""

    account_id: int
    name: str
    gone: str | None
    channel: str | None
    address: str | None
    local_hour: int
    quiet: str | None
    zone: str


def find(session: Session, group_id: int, asker_id: int) -> Sequence[AskedPerson]:
    """Everybody who follows the group now, but the asker, by name."""
    return [AskedPerson(*row) for row in session.execute(FIND, {"group": group_id, "asker": asker_id})]


def phones(people: Sequence[AskedPerson]) -> Counter[str]:
    """How many of them are told by text, by country."""
    return Counter(destinations.country(one.address or "") for one in people if one.channel == SMS and not one.gone)


def asleep(session: Session, people: Sequence[AskedPerson]) -> int:
    """For how many of them it is night, or in their quiet hours."""
    now = session.execute(text("SELECT now()")).scalar_one()
    reached = (one for one in people if not one.gone)
    return sum(
        one.local_hour not in DAYTIME
        or bool(one.quiet and quiet_until(one.quiet, zones.zone(one.zone), now))
        for one in reached
    )  # fmt: skip


# Whoever opted out of texts is not mailed instead, and a block looks like no address at all. Who muted the asker is
# asked like anybody else, and what goes to them ends when it is about to leave: so nobody learns of it. Whoever wants
# posts of that group in no way has said so, and no other preference counts.
_EVERYBODY: Final = f"""
    FROM follows_in_force f
    JOIN accounts reader ON reader.id = f.follower_id AND reader.state = 'active'
    JOIN zones_now z ON z.account_id = reader.id
    JOIN accounts place ON place.id = f.account_id
    LEFT JOIN attention w ON w.account_id = reader.id
    LEFT JOIN addresses phone ON phone.account_id = reader.id AND phone.is_primary AND phone.channel = '{SMS}'
    LEFT JOIN addresses_now box ON box.account_id = reader.id AND box.is_primary AND box.channel = '{EMAIL}'
         AND box.state = 'verified' AND box.bouncing_since IS NULL
    CROSS JOIN LATERAL (
        SELECT CASE WHEN EXISTS (
                    SELECT FROM silences_in_force s WHERE s.kind = 'block'
                      AND (s.account_id, s.other_id) IN ((reader.id, :asker), (:asker, reader.id))) THEN 'unreached'
                WHEN phone.state = 'stopped' THEN 'opted_out'
                WHEN f.off_now THEN 'off'
                WHEN coalesce(f.way, CASE place.access WHEN 'broadcast' THEN w.broadcast ELSE w."group" END) = 'nothing'
                     THEN 'off'
                WHEN phone.state IS DISTINCT FROM 'verified' AND box.id IS NULL THEN 'unreached' END AS gone,
            coalesce(phone.state = 'verified', false) AS by_text
    ) AS way
    WHERE f.account_id = :group AND f.follower_id <> :asker
"""  # noqa: S608 - put together from constants

FIND: Final = text(f"""
    SELECT reader.id, reader.name, way.gone,
           CASE WHEN way.by_text THEN '{SMS}' WHEN box.id IS NOT NULL THEN '{EMAIL}' END,
           CASE WHEN way.by_text THEN phone.address END,
           CAST(date_part('hour', now() AT TIME ZONE coalesce(
               (SELECT name FROM pg_timezone_names WHERE name = z.zone), 'UTC')) AS int),
           phone.quiet, z.zone
    {_EVERYBODY} ORDER BY reader.name, reader.id
""")  # noqa: S608

# Whoever is told by mail at first is one step ahead: no mail is left that could remind them.
PUT: Final = text(f"""
    INSERT INTO call_people (post_id, account_id, gone, step, next_at)
    SELECT :post, reader.id, way.gone, CASE WHEN way.by_text OR way.gone IS NOT NULL THEN 0 ELSE 1 END,
           CASE WHEN way.gone IS NULL THEN now() + CAST(:step_after AS interval) END
    {_EVERYBODY}
""")

# For call_messages.tell_all.
RECIPIENTS: Final = f"""
    SELECT way.id AS address_id, way.channel, way.sender_id, CAST(:source AS bigint) AS source_id
    FROM call_people p
    CROSS JOIN LATERAL (
        SELECT a.id, a.channel, a.sender_id FROM addresses_now a
        WHERE a.account_id = p.account_id AND a.is_primary AND a.state = 'verified'
          AND (a.channel = '{SMS}' OR a.channel = '{EMAIL}' AND a.bouncing_since IS NULL)
        ORDER BY a.channel = '{SMS}' DESC, a.id LIMIT 1
    ) AS way
    WHERE p.post_id = :post AND p.gone IS NULL
"""  # noqa: S608
