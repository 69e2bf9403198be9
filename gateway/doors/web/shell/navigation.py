"""What the frame of each page shows: what is new for this person, and their groups. One statement."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from gateway.doors.web.visits.visit import Visit
from gateway.network.feeds import unread
from gateway.network.feeds.conditions import silenced, waits

MOST_GROUPS: Final = 12


@dataclass(frozen=True, slots=True)
class GroupLink:
    id: int
    handle: str
    name: str
    new: int


@dataclass(frozen=True, slots=True)
class Navigation:
    """`to_you`: what named, answered or followed them since they looked; `private`: private messages since. `leaving`:
    an update of theirs can still be taken back. `newest`: the highest id that an update can have now; what the page
    hears of is newer."""

    newest: int
    leaving: bool
    to_you: int
    private: int
    groups: tuple[GroupLink, ...]


def load(visit: Visit) -> Navigation:
    hold = timedelta(seconds=visit.settings.hold_seconds)
    given = {"me": visit.account.id, "groups": MOST_GROUPS, "most": unread.MOST, "hold": hold}
    row = visit.session.execute(NEWS, given).one()
    groups = tuple(GroupLink(each["id"], each["handle"], each["name"], each["new"]) for each in row.groups or ())
    return Navigation(row.newest, row.leaving, row.to_you, row.private, groups)


NEWS: Final = text(f"""
    WITH marks AS (SELECT place, upto FROM read_marks WHERE account_id = :me)
    SELECT id_at(now()) AS newest,
        EXISTS (SELECT FROM posts WHERE author_id = :me AND id >= id_at(now() - :hold) AND via = 'web') AS leaving,
        {unread.to_you(":me")} AS to_you, {unread.private(":me")} AS private,
        (SELECT json_agg(mine) FROM (
            SELECT a.id, a.handle, a.name, (
                SELECT count(*) FROM (
                    SELECT FROM posts p WHERE p.group_id = a.id AND p.deleted_at IS NULL AND p.visibility = 'group'
                      AND p.author_id <> :me AND NOT {waits("p.id")} AND NOT {silenced(":me", "p.author_id")}
                      AND p.id > coalesce((SELECT upto FROM marks WHERE place = 'group:' || a.id),
                                          id_at(greatest(f.created_at, now() - interval '7 days')))
                    LIMIT :most) AS fresh) AS new
            FROM follows_in_force f JOIN accounts a ON a.id = f.account_id
            WHERE f.follower_id = :me AND a.kind = 'group' AND a.state = 'active'
            ORDER BY a.plain_name LIMIT :groups) AS mine) AS groups
""")  # noqa: S608 - put together from constants
