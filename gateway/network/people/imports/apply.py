"""Carries out the plan of `critter people import`: a few statements for thousands of rows."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.orm import Session

from gateway.channels import EMAIL, SMS
from gateway.network.people import addresses, aliases
from gateway.network.people.handles import canonical_handle
from gateway.network.people.imports.csv_file import Row
from gateway.network.people.imports.plan import ImportPlan, chunks
from gateway.store.tables import Address

Fields = dict[str, Any]  # one row of a statement
Ids = dict[str, int]  # the ids of all that the file names, by handle


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed; the same file changes nothing the second time."""

    people: int
    added: int
    changed: int
    groups: int
    phones_and_mailboxes: int
    consents: int
    follows: int
    aliases: int = 0
    primaries: int = 0


def carry_out(session: Session, plan: ImportPlan, progress: Callable[[int], None] = lambda rows: None) -> Imported:
    """Carries the plan out; the caller commits. The plan was made in this transaction and has no problems. `progress`
    is called with the number of further rows that are done."""
    if plan.problems:
        raise ValueError("a plan with problems is not carried out")
    added, changed = plan.added, plan.changed
    for address_id in plan.recycled:
        addresses.retire(session, session.get_one(Address, address_id))
    ids = {handle: known.id for handle, known in plan.known.items()} | _add_groups(session, plan.new_groups)
    for chunk in chunks(added):
        ids |= _add_people(session, chunk)
    for chunk in chunks(changed):
        _change_people(session, chunk)
    _revive(session, [ids[row.handle] for row in plan.revived])
    counts = []
    for number, chunk in enumerate(chunks(plan.rows), 1):
        counts.append(_enrol(session, chunk, ids))
        if number & (number - 1) == 0:  # each time there is twice as much
            session.execute(_ANALYZE)
        progress(len(chunk))
    groups = len(plan.new_groups)
    return Imported(
        len(plan.rows), len(added), len(changed), groups, *(sum(each) for each in zip(*counts, strict=True))
    )


# PostgreSQL plans for a table that grows inside a transaction as if it were empty, until this runs.
_ANALYZE = text("SELECT analyze_people()")


def _enrol(session: Session, rows: Sequence[Row], ids: Ids) -> tuple[int, int, int, int, int]:
    """Adds what belongs to these people: (addresses, consents, follows, aliases) that are new, and addresses that are
    the primary ones now."""
    given = _give_addresses(session, rows, ids)
    primaries = _set_primaries(session, rows, ids)
    consented = _keep_consents(session, rows)
    called = {alias: (ids[row.handle], kind) for row in rows for alias, kind in row.called.items()}
    followed = _add_follows(session, rows, ids, consented)
    return given, len(consented), followed, aliases.keep(session, called), primaries


def _run(session: Session, statement: TextClause, rows: Iterable[Fields]) -> CursorResult[Any]:
    """Passes the rows as one JSON parameter: that takes a tenth of the time of arrays, which are written value by
    value."""
    return cast("CursorResult[Any]", session.execute(statement, {"rows": json.dumps(list(rows))}))


_ADD_GROUPS = text("""
    INSERT INTO accounts (kind, handle, name, access)
    SELECT 'group', handle, name, 'open'
    FROM json_to_recordset(CAST(:rows AS json)) AS g (handle text, name text)
    RETURNING handle, id
""")


def _add_groups(session: Session, groups: Mapping[str, str]) -> Ids:
    rows = ({"handle": handle, "name": name} for handle, name in groups.items())
    return {row.handle: row.id for row in _run(session, _ADD_GROUPS, rows)}


_ADD_PEOPLE = text("""
    INSERT INTO accounts (kind, handle, name, language, timezone)
    SELECT 'person', handle, name, coalesce(language, 'en'), coalesce(timezone, 'UTC')
    FROM json_to_recordset(CAST(:rows AS json)) AS p (handle text, name text, language text, timezone text)
    RETURNING handle, id
""")
_CHANGE_PEOPLE = text("""
    UPDATE accounts a
    SET name = p.name, language = coalesce(p.language, a.language), timezone = coalesce(p.timezone, a.timezone),
        zone_since = CASE WHEN p.timezone <> a.timezone THEN now() ELSE a.zone_since END,
        state = CASE a.state WHEN 'deactivated' THEN 'active' ELSE a.state END, deactivated_at = NULL
    FROM json_to_recordset(CAST(:rows AS json)) AS p (handle text, name text, language text, timezone text)
    WHERE a.handle = p.handle
""")


def _person(row: Row) -> Fields:
    return {"handle": row.handle, "name": row.name, "language": row.language, "timezone": row.timezone}


def _add_people(session: Session, rows: Sequence[Row]) -> Ids:
    return {row.handle: row.id for row in _run(session, _ADD_PEOPLE, map(_person, rows))}


def _change_people(session: Session, rows: Sequence[Row]) -> None:
    _run(session, _CHANGE_PEOPLE, map(_person, rows))


# Those who come back are invited anew: what they verified before they left no longer counts.
_REVIVE = text("""
    UPDATE addresses SET state = CASE WHEN stopped_at IS NULL THEN 'invited' ELSE 'stopped' END
    WHERE account_id IN (SELECT id FROM json_to_recordset(CAST(:rows AS json)) AS r (id bigint)) AND state = 'suspended'
""")


def _revive(session: Session, account_ids: Iterable[int]) -> None:
    _run(session, _REVIVE, ({"id": account_id} for account_id in account_ids))


# An opt-out stays after every import, and so does the suspension of somebody who never left.
_GIVE_ADDRESSES = text("""
    INSERT INTO addresses AS a (account_id, channel, address, state, is_primary)
    SELECT account_id, channel, address, state,
           first AND NOT EXISTS (SELECT FROM addresses p WHERE p.account_id = given.account_id AND p.is_primary
                                 AND p.channel = given.channel)
    FROM json_to_recordset(CAST(:rows AS json))
         AS given (account_id bigint, channel text, address text, state text, first boolean)
    ON CONFLICT (channel, address) DO UPDATE
    SET account_id = excluded.account_id,
        state = CASE WHEN a.stopped_at IS NOT NULL THEN a.state ELSE excluded.state END
    WHERE a.account_id IS NULL
       OR (a.account_id = excluded.account_id AND a.state = 'invited' AND excluded.state = 'verified')
""")


def _give_addresses(session: Session, rows: Sequence[Row], ids: Ids) -> int:
    given = ({"account_id": ids[row.handle], **one} for row in rows for one in (*_phones(row), *_mailboxes(row)))
    return _run(session, _GIVE_ADDRESSES, given).rowcount


def _phones(row: Row) -> Iterator[Fields]:
    state = "verified" if row.consent else "invited"
    for place, phone in enumerate(row.phones):
        yield {"channel": SMS, "address": phone, "state": state, "first": place == 0}


def _mailboxes(row: Row) -> Iterator[Fields]:
    for place, mailbox in enumerate(row.mailboxes):
        yield {"channel": EMAIL, "address": mailbox, "state": "verified", "first": place == 0}


_NOT_FIRST = text("""
    UPDATE addresses a SET is_primary = false
    FROM json_to_recordset(CAST(:rows AS json)) AS f (account_id bigint, channel text, address text)
    WHERE a.account_id = f.account_id AND a.channel = f.channel AND a.is_primary AND a.address <> f.address
""")
_IS_FIRST = text("""
    UPDATE addresses a SET is_primary = true
    FROM json_to_recordset(CAST(:rows AS json)) AS f (account_id bigint, channel text, address text)
    WHERE a.account_id = f.account_id AND a.channel = f.channel AND a.address = f.address AND NOT a.is_primary
""")


def _set_primaries(session: Session, rows: Sequence[Row], ids: Ids) -> int:
    first = [
        {"account_id": ids[row.handle], **one}
        for row in rows
        for one in (*_phones(row), *_mailboxes(row))
        if one["first"]
    ]
    _run(session, _NOT_FIRST, first)
    return _run(session, _IS_FIRST, first).rowcount


_KEEP_CONSENTS = text("""
    INSERT INTO consent (address_id, kind, wording, source)
    SELECT a.id, 'opt_in', given.wording, 'import'
    FROM json_to_recordset(CAST(:rows AS json)) AS given (phone text, wording text)
    JOIN addresses a ON a.channel = 'sms' AND a.address = given.phone AND a.state = 'verified'
    WHERE NOT EXISTS (SELECT FROM consent c WHERE c.address_id = a.id AND c.kind = 'opt_in' AND c.source = 'import'
                      AND c.wording = given.wording)
    RETURNING (SELECT account_id FROM addresses WHERE id = address_id) AS account_id
""")


def _keep_consents(session: Session, rows: Sequence[Row]) -> list[int]:
    """The accounts whose phones had no consent before: one account for each phone."""
    given = ({"phone": phone, "wording": row.consent} for row in rows if row.consent for phone in row.phones)
    return [row.account_id for row in _run(session, _KEEP_CONSENTS, given)]


# A follow that exists stays as its owner set it; who is in a file becomes a member without asking.
_ADD_FOLLOWS = text("""
    INSERT INTO follows AS f (follower_id, account_id, role, by_text)
    SELECT wanted.follower_id, wanted.account_id,
           CASE WHEN wanted.joins OR source.access IN ('open', 'closed') THEN 'member' ELSE 'follower' END,
           wanted.by_text AND EXISTS (
        SELECT FROM addresses a
        WHERE a.account_id = wanted.follower_id AND a.is_primary AND a.channel = 'sms' AND a.state = 'verified')
    FROM json_to_recordset(CAST(:rows AS json))
         AS wanted (follower_id bigint, account_id bigint, joins boolean, by_text boolean)
    JOIN accounts source ON source.id = wanted.account_id
    ON CONFLICT (follower_id, account_id) DO UPDATE
    SET state = 'active', expires_at = CASE WHEN f.expires_at > now() THEN f.expires_at END,
        role = CASE f.role WHEN 'follower' THEN excluded.role ELSE f.role END
    WHERE f.state = 'requested' OR f.expires_at <= now() OR (f.role = 'follower' AND excluded.role = 'member')
""")
# A new consent also covers what its owner got by mail until now.
_NOW_BY_TEXT = text("""
    UPDATE follows f SET by_text = true
    FROM json_to_recordset(CAST(:rows AS json)) AS wanted (follower_id bigint, account_id bigint)
    WHERE f.follower_id = wanted.follower_id AND f.account_id = wanted.account_id AND NOT f.by_text AND EXISTS (
        SELECT FROM addresses a
        WHERE a.account_id = wanted.follower_id AND a.is_primary AND a.channel = 'sms' AND a.state = 'verified')
""")


def _add_follows(session: Session, rows: Sequence[Row], ids: Ids, consented: Sequence[int]) -> int:
    wanted = [
        {"follower_id": ids[row.handle], "account_id": ids[name], "joins": joins, "by_text": row.consent is not None}
        for row in rows
        for name, joins in _sources(row).items()
    ]
    added = _run(session, _ADD_FOLLOWS, wanted).rowcount
    covered = set(consented)
    return added + _run(session, _NOW_BY_TEXT, [one for one in wanted if one["follower_id"] in covered]).rowcount


def _sources(row: Row) -> dict[str, bool]:
    """Handles of those they follow, and whether as a member: a group in both columns makes a member."""
    return dict.fromkeys(row.follows, False) | {canonical_handle(group): True for group in row.groups}
