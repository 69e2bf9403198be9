"""Random states of a company, written straight into the tables: also such as no door would make, for the rules are to
be equal there, too."""

import json
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gateway.attention.fact_lookup import Key
from gateway.attention.facts import KINDS
from gateway.carriers.descriptors.registry import CARRIERS

Row = dict[str, Any]

PEOPLE: Final = range(1, 41)
GROUPS: Final = range(101, 109)
TOPICS: Final = range(201, 207)
TRACKS: Final = range(301, 307)
NOBODY: Final = 999  # an id that nothing has
POSTS: Final = range(1001, 1121)
INBOUND: Final = range(2001, 2061)
MESSAGES: Final = range(3001, 3301)
EACH: Final = 16  # addresses that a message goes to
STRANGERS: Final = 6


class RandomState:
    """`odds`: how often a thing is unusual, from 0 to 1. Few unusual things show the late rules, many show which of
    two rules counts."""

    def __init__(self, session: Session, seed: int, odds: float) -> None:
        self.session, self.dice, self.odds = session, random.Random(seed), odds
        self.now: datetime = session.scalars(select(func.now())).one()

    def make(self) -> list[Key]:
        """Writes the rows; returns the keys of all deliveries."""
        numbers = [f"+1415555{place:04}" for place, _ in enumerate(CARRIERS)]
        self._put("senders", ({"number": one, "carrier": name} for one, name in zip(numbers, CARRIERS, strict=True)))
        self._put("accounts", [*map(self._person, PEOPLE), *map(self._group, GROUPS)])
        self._put("topics", ({"id": one, "tag": f"tag{one}"} for one in TOPICS))
        self._put("tracks", ({"id": one, "phrase": f"word{one}", "shown": f"word{one}"} for one in TRACKS))
        self._follow()
        self._silence()
        addresses = list(self._addresses())
        self._put("addresses", addresses)
        self._put("inbound", [self._inbound(one, numbers) for one in INBOUND])
        posts = self._posts()
        messages = self._messages(posts)
        deliveries = [row for message in messages for row in self._deliveries(message, addresses)]
        self._put("deliveries", deliveries)
        self._test_mailboxes(addresses, deliveries)
        return [(row["message_id"], row["address_id"]) for row in deliveries]

    def _put(self, table: str, rows: Iterable[Row]) -> None:
        rows = list(rows)
        columns = ", ".join(rows[0]) if rows else ""
        statement = f"""
            INSERT INTO {table} ({columns})
            SELECT {columns} FROM json_populate_recordset(NULL::{table}, CAST(:rows AS json))
        """
        if rows:
            self.session.execute(text(statement), {"rows": json.dumps(rows, default=datetime.isoformat)})

    def _is(self, odds: float) -> bool:
        return self.dice.random() < odds

    def _rare(self, usual: Any, *unusual: Any) -> Any:
        return self.dice.choice(unusual) if self._is(self.odds) else usual

    def _moments(self) -> Sequence[datetime]:
        """Before, at and after the moment of the decision."""
        return [self.now + timedelta(hours=hours) for hours in (-1, 0, 1)]

    def _end(self) -> datetime | None:
        return self._rare(None, *self._moments())

    def _person(self, one: int) -> Row:
        state = self._rare("active", "suspended", "deactivated", "deactivated")
        known = {"id": one, "kind": "person", "handle": f"p{one}", "name": f"Person {one}", "state": state}
        return {**known, "access": None, "daily": self._rare(True, False)}

    def _group(self, one: int) -> Row:
        known = {"id": one, "kind": "group", "handle": f"g{one}", "name": f"Group {one}", "state": "active"}
        return {**known, "access": self.dice.choice(["open", "closed", "broadcast"]), "daily": True}

    def _follow(self) -> None:
        def pairs(of: Iterable[int]) -> list[tuple[int, int]]:
            return [(one, other) for one in PEOPLE for other in of if one != other and self._is(0.85)]

        def ends(name: str, row: tuple[int, int]) -> Row:
            return {"follower_id": row[0], name: row[1], "expires_at": self._end()}

        def follow(row: tuple[int, int]) -> Row:
            switched = {"off": self._rare(False, True), "off_until": self.dice.choice([None, *self._moments()])}
            return ends("account_id", row) | switched | {
                "role": "follower", "state": self._rare("active", "requested"), "by_text": False}  # fmt: skip

        self._put("follows", map(follow, pairs([*PEOPLE, *GROUPS])))
        self._put("topic_follows", (ends("topic_id", row) | {"by_text": False} for row in pairs(TOPICS)))
        self._put("trackers", (ends("track_id", row) | {"by_text": False} for row in pairs(TRACKS)))

    def _silence(self) -> None:
        pairs = [(one, other) for one in PEOPLE for other in [*PEOPLE, *GROUPS, *TOPICS] if one != other]
        self._put("silences", [
            {"account_id": one, "other_id": other, "kind": self.dice.choice(["block", "mute"]),
             "expires_at": self.dice.choice([None, *self._moments()])}
            for one, other in pairs if other not in TOPICS and self._is(self.odds / 6)
        ])  # fmt: skip

    def _addresses(self) -> Iterable[Row]:
        owners = [one for one in PEOPLE for _ in ("sms", "email")] + [None] * STRANGERS
        for place, owner in enumerate(owners):
            mailbox = place % 2
            yield {
                "id": 5001 + place,
                "account_id": owner,
                "channel": "email" if mailbox else "sms",
                "address": f"a{place}@demo.example" if mailbox else f"+1415556{place:04}",
                "state": self._rare("verified", "invited", "stopped", "stopped", "suspended"),
                "receiving": self._rare(True, False),
                "off_until": self.dice.choice([None, *self._moments()]),
                "bouncing_since": self._rare(None, self.now) if mailbox else None,
                "is_primary": False,
            }

    def _inbound(self, one: int, numbers: Sequence[str]) -> Row:
        to = self.dice.choice([[number] for number in numbers] + [["72345"], ["post@corp.example"], []])
        intent = self.dice.choice(["optout", "optout", "help", "update", None])
        known = {"id": one, "channel": "sms", "natural_key": f"\\x{one:08x}", "sender": "+14155550100", "trusted": True}
        said = {"recipients": to, "intent": intent, "opt_out_type": self.dice.choice([None, "STOP"])}
        return {**known, **said, "state": "done", "flagged": False, "attempt": 1}

    def _posts(self) -> list[Row]:
        posts: list[Row] = []
        for one in POSTS:
            visibility = self.dice.choice(["company", "group", "direct"])
            group = self.dice.choice(GROUPS) if visibility == "group" or self._is(0.1) else None
            first = self.dice.choice(posts)["id"] if posts and self._is(0.3) else None
            posts.append({
                "id": one, "author_id": self.dice.choice(PEOPLE), "group_id": group, "repeat_of": first,
                "visibility": visibility, "text": "hello", "via": "sms", "deleted_at": self._rare(None, self.now),
            })  # fmt: skip
        self._put("posts", posts)
        named = [post["id"] for post in posts if post["visibility"] == "direct" or self._is(0.1)]
        self._put("post_recipients", [
            {"post_id": post, "account_id": one, "named_id": self.dice.choice([one, *GROUPS])}
            for post in named for one in PEOPLE if self._is(0.85)
        ])  # fmt: skip
        return posts

    def _messages(self, posts: Sequence[Row]) -> list[Row]:
        unanswered = list(INBOUND)
        messages = [self._message(one, unanswered) for one in MESSAGES]
        self._put("messages", messages)
        open_ones = [post["id"] for post in posts if post["visibility"] == "company" and not post["deleted_at"]]
        self._put("daily_mails", [
            {"message_id": row["id"], "account_id": self.dice.choice(PEOPLE), "posts": self._shown(open_ones)}
            for row in messages if row["kind"] == "daily" or self._is(self.odds)
        ])  # fmt: skip
        return messages

    def _shown(self, open_ones: Sequence[int]) -> list[int]:
        return [self._rare(self.dice.choice(open_ones), *POSTS, NOBODY) for _ in range(2)]

    def _message(self, one: int, unanswered: list[int]) -> Row:
        kind = self.dice.choices(KINDS, [6, 3, 2, 2, 1, 3, 0])[0]
        inbound = unanswered.pop() if kind == "answer" and unanswered else None
        carries = self._is(0.9) if kind == "update" else self._is(0.2)
        quotes = [self.dice.choice([*POSTS, NOBODY]) for _ in range(self.dice.randrange(3))]
        return {
            "id": one, "kind": kind, "author_id": self.dice.choice([None, *PEOPLE]), "inbound_id": inbound,
            "post_id": self.dice.choice(POSTS) if carries else None, "text": "", "subject": "", "body": "",
            "quotes": quotes if kind in ("answer", "notice") and self._is(0.1) else None,
            "priority": 5, "must_arrive": False,
        }  # fmt: skip

    def _deliveries(self, message: Row, addresses: Sequence[Row]) -> Iterable[Row]:
        anybody = self.dice.choice([0, *PEOPLE])
        source = self.dice.choice([*PEOPLE[:8], *GROUPS, *TOPICS, *TRACKS, NOBODY])
        for address in self.dice.sample(addresses, EACH):
            yield {
                "message_id": message["id"], "address_id": address["id"], "channel": address["channel"],
                "author_id": self._rare(message["author_id"] or 0, anybody),
                "source_id": source if message["kind"] == "update" and self._is(0.8) else self._rare(None, source),
                "give_up_at": self._rare(self._moments()[2], *self._moments()),
                "sender_id": 0, "priority": 5, "state": "queued", "attempt": 0, "introduces": False,
                "possible_duplicate": False, "not_before": self.now, "created_at": self.now,
            }  # fmt: skip

    def _test_mailboxes(self, addresses: Sequence[Row], deliveries: Sequence[Row]) -> None:
        bouncing = [address["id"] for address in addresses if address["bouncing_since"]]
        sent_to = {row["address_id"]: row["message_id"] for row in deliveries}
        self._put("bouncing", [
            {"address_id": one, "score": 5, "status": "5.1.1", "bounced_at": self.now, "probes": 1,
             "probe_id": sent_to.get(one, MESSAGES[0])}
            for one in bouncing if self._is(0.8)
        ])  # fmt: skip
