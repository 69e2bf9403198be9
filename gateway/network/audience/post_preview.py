"""What a post would do before it is sent: how many people get it now, later, in a digest or not at all, and on how many
phones. Few people are all looked at; of many about a thousand are drawn, and decided about as if it had been sent.

gateway/actions/reach_estimate.py asks, for what it costs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gateway.attention import facts
from gateway.attention.decide import decide
from gateway.attention.decision import SEND, Decision, Drop
from gateway.attention.facts import Facts, PlannedPost
from gateway.attention.text_limit import text_limit
from gateway.channels import SMS
from gateway.ledger.money import budgets
from gateway.ledger.money.budgets import ReaderDay
from gateway.ledger.outbox.held import FOR_DIGEST, Hold
from gateway.network.audience.recipients import ADDRESS
from gateway.sms import destinations
from gateway.store.arrays import numbers

SAMPLE: Final = 1_000  # people who are looked at
BY_TEXT: Final = 300  # of them those who asked for texts, at least, if there are so many: each text costs money
REST: Final = "5550100"  # makes a number of its first digits
_HASHES: Final = 2**31


@dataclass(slots=True)
class PostPreview:
    """How many people get it `now`, `later`, in a `digest`, or `nowhere`. `until`: when the first of those who wait are
    due. `phones`: phones that get it by text, now or later, by country. `exact`: everybody was looked at."""

    now: float = 0
    later: float = 0
    digest: float = 0
    nowhere: float = 0
    until: datetime | None = None
    phones: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    exact: bool = True

    def count(self, decision: Decision, channel: str, start: str, weight: float) -> None:
        if isinstance(decision, Drop):
            self.nowhere += weight
        elif isinstance(decision, Hold) and decision.reason in FOR_DIGEST:
            self.digest += weight
        elif isinstance(decision, Hold):
            self.later += weight
            self.until = min(decision.until, self.until or decision.until)
        else:
            self.now += weight
        if channel == SMS and (decision == SEND or _is_later(decision)):
            self.phones[destinations.country(start + REST)] += weight


class _Stratum(NamedTuple):
    """Those who asked for texts, or the others: how many follows there are, and about how many of these are drawn."""

    by_text: bool
    follows: int
    drawn: int


def preview(session: Session, post: PlannedPost) -> PostPreview:
    """People whom several sources bring it count once, as far as they are among those who are looked at."""
    strata = _strata(session, post.sources)
    named = {*(person for person, _ in post.people), *post.mentioned}
    weights = _drawn(session, post.sources, strata) | dict.fromkeys(named, 1.0)
    found = PostPreview(exact=all(each.follows == each.drawn for each in strata))
    reached = _reached(session, post, [*(weights.keys() - named)], [*named])
    decided = _decided(session, post, {row.address_id: row.source_id for row in reached if row.address_id})
    for row in reached:
        decision = decided.get(row.address_id, SEND) if row.address_id else Drop("nowhere")
        found.count(decision, row.channel or "", row.start or "", weights[row.account_id])
    return found


def _is_later(decision: Decision) -> bool:
    return isinstance(decision, Hold) and decision.reason not in FOR_DIGEST


def _strata(session: Session, sources: Sequence[int]) -> list[_Stratum]:
    """Those by text come last: whoever asked one of several sources for texts is one of them."""
    counted = {bool(row.by_text): row.follows for row in session.execute(COUNT, {"sources": numbers(sources)})}
    texts, others = counted.get(True, 0), counted.get(False, 0)
    if texts + others <= SAMPLE:
        return [_Stratum(False, others, others), _Stratum(True, texts, texts)]
    drawn = min(texts, max(BY_TEXT, SAMPLE * texts // (texts + others)))
    return [_Stratum(False, others, min(others, SAMPLE - drawn)), _Stratum(True, texts, drawn)]


def _drawn(session: Session, sources: Sequence[int], strata: Iterable[_Stratum]) -> dict[int, float]:
    """Followers, each with how many it stands for."""
    weights: dict[int, float] = {}
    for each in strata:
        below = _HASHES * each.drawn // max(1, each.follows)
        given = {"sources": numbers(sources), "by_text": each.by_text, "below": below}
        rows = session.scalars(DRAW, given).all() if below else []
        weights |= dict.fromkeys(rows, each.follows / max(1, len(rows)))
    return weights


def _reached(session: Session, post: PlannedPost, people: Sequence[int], named: Sequence[int]) -> Sequence[Row[Any]]:
    given = {
        "sources": numbers(post.sources),
        "people": numbers(people),
        "named": numbers(named),
        "author": post.author_id,
        "group": post.group_id,
        "readers": numbers(person for person, _ in post.people),
        "named_as": numbers(one for _, one in post.people),
    }
    return session.execute(REACHED, given).all()


def _decided(session: Session, post: PlannedPost, addresses: Mapping[int, int | None]) -> dict[int, Decision]:
    """By address; those that are sent at once, as most are, are left out."""
    found = facts.find_planned(session, post, addresses) if addresses else []
    decided = {one.address_id: decide(known) for known, rows in found for one in rows}
    return decided | _over(session, [(known, one) for known, rows in found for one in rows], decided)


def _over(
    session: Session, found: Iterable[tuple[Facts, facts.UnusualDelivery]], decided: Mapping[int, Decision]
) -> dict[int, Decision]:  # fmt: skip
    """Those whose readers have had the texts of their day."""
    limits = {one.address_id: text_limit(known, one.reader_id) for known, one in found if known.limited}
    waits = {address: limit for address, limit in limits.items() if limit and limit.over and decided[address] == SEND}
    days = {ReaderDay(one.reader_id, one.day, one.most, False).key: one.day for one in waits.values()}
    used = budgets.used_now(session, list(days), days) if days else {}
    return {
        address: one.over
        for address, one in waits.items()
        if one.over and used["reader", str(one.reader_id)] >= one.most
    }


_HEARD: Final = """
        SELECT follower_id, by_text FROM follows_in_force
        WHERE account_id = ANY (CAST(:sources AS bigint[])){also}
        UNION ALL SELECT follower_id, by_text FROM topic_follows_in_force
        WHERE topic_id = ANY (CAST(:sources AS bigint[])){also}
        UNION ALL SELECT follower_id, by_text FROM trackers_in_force
        WHERE track_id = ANY (CAST(:sources AS bigint[])){also}
"""
COUNT: Final = text(f"SELECT by_text, count(*) AS follows FROM ({_HEARD.format(also='')}) AS heard GROUP BY by_text")  # noqa: S608

# A person is drawn from every source or from none.
_ALSO: Final = " AND by_text = :by_text AND (hashint8(follower_id)::bigint & 2147483647) < :below"
DRAW: Final = text(f"SELECT follower_id FROM ({_HEARD.format(also=_ALSO)}) AS heard")  # noqa: S608

# As recipients.py makes the deliveries; but nobody has it yet, and whoever has no address is shown, too. What names
# somebody comes to them without a source.
REACHED: Final = text(f"""
WITH drawn AS (
    SELECT id FROM unnest(CAST(:people AS bigint[])) AS row (id)
), reach AS (
    SELECT follower_id AS account_id, min(source_id) AS source_id, bool_or(by_text) AS by_text FROM (
        SELECT follower_id, account_id AS source_id, by_text FROM drawn
        JOIN follows_in_force ON follower_id = drawn.id AND account_id = ANY (CAST(:sources AS bigint[]))
        UNION ALL SELECT follower_id, topic_id, by_text FROM drawn
        JOIN topic_follows_in_force ON follower_id = drawn.id AND topic_id = ANY (CAST(:sources AS bigint[]))
        UNION ALL SELECT follower_id, track_id, by_text FROM drawn
        JOIN trackers_in_force ON follower_id = drawn.id AND track_id = ANY (CAST(:sources AS bigint[]))
    ) AS heard
    WHERE NOT EXISTS (SELECT FROM silences_in_force s WHERE s.account_id = follower_id AND s.other_id = source_id)
    GROUP BY follower_id
), deaf AS MATERIALIZED (
    SELECT account_id FROM silences_in_force WHERE other_id = ANY (ARRAY[:author, CAST(:group AS bigint)])
    UNION ALL SELECT other_id FROM silences_in_force WHERE account_id = :author AND kind = 'block'
    UNION ALL SELECT r.account_id
    FROM unnest(CAST(:readers AS bigint[]), CAST(:named_as AS bigint[])) AS r (account_id, named_id)
    JOIN silences_in_force s ON s.account_id = r.account_id AND s.other_id = r.named_id
), asked AS (
    SELECT account_id, source_id, by_text, false AS named FROM reach
    UNION ALL SELECT id, NULL, false, true FROM unnest(CAST(:named AS bigint[])) AS row (id)
)
SELECT asked.account_id, asked.source_id, way.id AS address_id, way.channel, left(way.address, 5) AS start
FROM asked
JOIN accounts reader ON reader.id = asked.account_id AND reader.state = 'active' AND reader.id <> :author
LEFT JOIN LATERAL ({ADDRESS}) AS way ON true
WHERE asked.account_id NOT IN (SELECT account_id FROM deaf)
""")  # noqa: S608
