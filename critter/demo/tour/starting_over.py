"""Resets the demo people to their first day, and the simulator with them; nobody else is changed."""

import urllib.request
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from critter.demo import company
from critter.demo.pretend_followers import refuse_live
from critter.demo.tour.troubles import describe
from gateway.ledger.operations import erasure
from gateway.store.database import transaction

TRIES: Final = 3  # a worker may use the same rows; PostgreSQL then ends one of the two


def start_over(engine: Engine, simulator: str) -> None:
    """Deletes what the demo people wrote, received, followed and opted out of; raises Trouble."""
    with describe():
        _reset(simulator)  # no callback may come any more for what is about to be deleted
        for further in range(TRIES - 1, -1, -1):
            try:
                with transaction(engine) as session:
                    put_back(session)
                break
            except OperationalError:
                if not further:
                    raise
        _reset(simulator)  # and what was on its way is not shown


def put_back(session: Session) -> None:
    """The database's part."""
    refuse_live(session)
    for statement in FORGET:
        session.execute(statement, {"people": HANDLES, "names": NAMES, "groups": GROUPS})
    session.execute(FOLLOW, [dict(zip(COLUMNS, row, strict=True)) for row in _follows()])


def _follows() -> Iterator[tuple[str, str, str, bool]]:
    """(follower, whom, role, by text), as the demo company is loaded."""
    for group in company.GROUPS:
        yield group.owner, group.handle, "owner", True
        role = "follower" if group.access == "broadcast" else "member"
        for handle in group.members.split():
            if handle != group.owner:
                yield handle, group.handle, role, group.handle != "hr"
    for by_text, heard in ((True, company.BY_TEXT), (False, company.BY_MAIL)):
        for follower, names in heard.items():
            for name in names.split():
                yield follower, name, "follower", by_text


def _reset(simulator: str) -> None:
    with urllib.request.urlopen(urllib.request.Request(f"{simulator}/reset", method="POST"), timeout=5):  # noqa: S310
        pass


COLUMNS: Final = ("follower", "whom", "role", "by_text")
HANDLES: Final = [person.handle for person in company.PEOPLE]
NAMES: Final = [person.name for person in company.PEOPLE]
GROUPS: Final = [group.handle for group in company.GROUPS]

PEOPLE: Final = "SELECT id FROM accounts WHERE kind = 'person' AND handle = ANY (CAST(:people AS text[]))"
PHONES: Final = f"SELECT id FROM addresses WHERE account_id IN ({PEOPLE})"  # noqa: S608
# By sender, too: the sender of what is still unread, or held, has not been identified.
SAID: Final = f"""
    SELECT id FROM inbound
    WHERE account_id IN ({PEOPLE}) OR sender IN (SELECT address FROM addresses WHERE account_id IN ({PEOPLE}))
"""  # noqa: S608
POSTS: Final = f"SELECT id FROM posts WHERE inbound_id IN ({SAID})"  # noqa: S608
# Their posts, the answers they got, and what was sent to them unasked.
MESSAGES: Final = f"""
    SELECT id FROM messages WHERE post_id IN ({POSTS}) OR inbound_id IN ({SAID})
       OR kind IN ('notice', 'code', 'welcome', 'daily', 'digest')
          AND id IN (SELECT message_id FROM deliveries WHERE address_id IN ({PHONES}))
"""  # noqa: S608
FORGET: Final = tuple(
    map(
        text,
        (
            *erasure.delete_messages(MESSAGES),
            f"DELETE FROM posts WHERE id IN ({POSTS})",  # noqa: S608
            erasure.delete_inputs(SAID),
            f"DELETE FROM conversations WHERE address_id IN ({PHONES})",  # noqa: S608
            f"DELETE FROM remainders WHERE address_id IN ({PHONES})",  # noqa: S608
            f"DELETE FROM drafts WHERE account_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM consent WHERE source <> 'demo' AND address_id IN ({PHONES})",  # noqa: S608
            "UPDATE addresses SET state = 'verified', receiving = true, off_until = NULL, stopped_at = NULL,"  # noqa: S608
            f" seen_at = NULL, bouncing_since = NULL, quiet = NULL, quiet_since = NULL WHERE account_id IN ({PEOPLE})",
            f"DELETE FROM attention WHERE account_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM accounts WHERE kind = 'group' AND handle <> ALL (CAST(:groups AS text[])) AND id IN"  # noqa: S608
            f" (SELECT account_id FROM follows WHERE role = 'owner' AND follower_id IN ({PEOPLE}))",
            f"DELETE FROM follows WHERE follower_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM topic_follows WHERE follower_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM trackers WHERE follower_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM silences WHERE account_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM nudges WHERE account_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM invitations WHERE inviter_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM reports WHERE reporter_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM codes WHERE account_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM pins WHERE account_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM lockouts WHERE account_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM reactions WHERE account_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM posting_addresses WHERE account_id IN ({PEOPLE})",  # noqa: S608
            f"DELETE FROM bouncing WHERE address_id IN ({PHONES})",  # noqa: S608
            f"UPDATE posts SET deleted_at = NULL WHERE author_id IN ({PEOPLE}) AND deleted_at IS NOT NULL",  # noqa: S608
            "UPDATE accounts a SET name = demo.name, language = 'en', ack = false, pin = 'none', state = 'active',"
            " deactivated_at = NULL, daily = true, daily_on = NULL, daily_upto = 0, zone_since = NULL"
            " FROM unnest(CAST(:people AS text[]), CAST(:names AS text[])) AS demo (handle, name)"
            " WHERE a.handle = demo.handle",
        ),
    )
)
FOLLOW: Final = text("""
    INSERT INTO follows (follower_id, account_id, role, by_text)
    SELECT f.id, a.id, :role, :by_text FROM accounts f, accounts a WHERE f.handle = :follower AND a.handle = :whom
""")
