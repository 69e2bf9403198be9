"""What a post would do before it is sent: how many people get it now, later, in a digest or not at all, and on how many
phones. Few people are all looked at; of many about eight hundred are drawn, and decided about as if it had been sent.

gateway/actions/reach_estimate.py asks, for what it costs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gateway.attention import fact_lookup
from gateway.attention.decide import decide
from gateway.attention.decision import SEND, Decision, Drop, Redirect, Send
from gateway.attention.fact_lookup import UnusualDelivery
from gateway.attention.facts import Facts
from gateway.attention.planned_post import PLANNED, PlannedPost
from gateway.attention.text_limit import text_limit
from gateway.channels import SMS
from gateway.ledger.money import budgets
from gateway.ledger.money.budgets import ReaderDay
from gateway.ledger.outbox.held import FOR_DIGEST, Hold
from gateway.network.audience.recipients import ADDRESS
from gateway.sms import destinations
from gateway.store.arrays import numbers

SAMPLE: Final = 800  # people who are looked at
BY_TEXT: Final = 400  # of them those who asked for texts, at least, if there are so many: each text costs money
REST: Final = "5550100"  # makes a number of its first digits
ON_WEB: Final = Drop("on_web")
_HASHES: Final = 2**32  # the half of them negative


@dataclass(slots=True)
class PostPreview:
    """How many people get it `now`, `later`, in a `digest`, on the `web` alone, or `nowhere`. `until`: when the first
    of those who wait are due. `phones`: phones that get it by text, now or later, by country. `exact`: everybody was
    looked at; `phones_exact`: everybody who asked for texts was."""

    now: float = 0
    later: float = 0
    digest: float = 0
    web: float = 0
    nowhere: float = 0
    until: datetime | None = None
    phones: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    exact: bool = True
    phones_exact: bool = True

    def count(self, decision: Decision, start: str | None, weight: float) -> None:
        """`start`: the first digits of a phone; None for a mailbox. A text that waits because its reader is on the web
        counts as now; one that leaves if it is not seen there counts among the phones, for it may cost money."""
        if decision == ON_WEB or (isinstance(decision, Hold) and decision.reason == "unseen"):
            self.web += weight
        elif isinstance(decision, Drop):
            self.nowhere += weight
        elif isinstance(decision, Hold) and decision.reason in FOR_DIGEST:
            self.digest += weight
        elif isinstance(decision, Hold) and decision.reason != "online":
            self.later += weight
            self.until = min(decision.until, self.until or decision.until)
        else:
            self.now += weight
        if start and (isinstance(decision, Send) or _is_later(decision)):
            self.phones[destinations.country(start + REST)] += weight
            self.phones_exact = self.phones_exact and weight == 1


class _Follow(NamedTuple):
    """One follow that would bring it to somebody who is looked at."""

    person: int
    source: int
    by_text: bool


class _Shares(NamedTuple):
    """How many follows there are, by text and others, and which parts of them are looked at."""

    texts: int
    others: int
    texts_share: float
    others_share: float

    @property
    def exact(self) -> bool:
        return self.texts_share == self.others_share == 1


def preview(session: Session, post: PlannedPost) -> PostPreview:
    """People whom several sources bring it count once."""
    shares = _shares(session, post.sources)
    follows = _drawn(session, post.sources, shares)
    named = {*(person for person, _ in post.people), *post.mentioned}
    weights = _weights(follows, shares) | dict.fromkeys(named, 1.0)
    reached = _reached(session, post, [each for each in follows if each.person not in named], [*named])
    decided = _decided(session, post, {row.address_id: row.source_id for row in reached if row.address_id})
    found = PostPreview(exact=shares.exact, phones_exact=shares.texts_share == 1)
    moved = _moved(session, post, reached, decided)
    for row in reached:
        decision = decided.get(row.address_id, SEND) if row.address_id else Drop("nowhere")
        start = row.start if row.channel == SMS and not isinstance(decision, Redirect) else None
        found.count(moved.get(row.address_id, decision), start, weights[row.account_id])
    return found


class NextDecision(NamedTuple):
    """What would become of the next update of a source for one reader. `channel`: by which it would come, None when
    nothing receives."""

    decision: Decision
    channel: str | None


def decide_next(session: Session, reader_id: int, source_id: int, by_text: bool) -> NextDecision | None:
    """As if somebody wrote there now; None while there is nobody who could."""
    post = _written_now(session, reader_id, source_id)
    if post is None:
        return None
    rows = _reached(session, post, [_Follow(reader_id, source_id, by_text)], [])
    row = next((each for each in rows if each.account_id == reader_id and each.address_id), None)
    if row is None:
        return NextDecision(Drop("off" if not rows else "nowhere"), None)
    decided = _decided(session, post, {row.address_id: row.source_id})
    decision = _moved(session, post, rows, decided).get(row.address_id, decided.get(row.address_id, SEND))
    first = decided.get(row.address_id)
    return NextDecision(decision, first.channel if isinstance(first, Redirect) else row.channel)


def _written_now(session: Session, reader_id: int, source_id: int) -> PlannedPost | None:
    """By the person who is followed, or by anybody else who may write to the group, under the tag or with the words."""
    row = session.execute(WRITER, {"reader": reader_id, "source": source_id}).one_or_none()
    if row is None:
        return None
    return PlannedPost(row.id, "group" if row.group_id else "company", [source_id], row.group_id)


def _moved(
    session: Session, post: PlannedPost, reached: Sequence[Row[Any]], decided: Mapping[int, Decision]
) -> dict[int, Decision]:  # fmt: skip
    """What is decided at the mailbox about a text that goes there instead, by the phone's address."""
    to = {address: one.address_id for address, one in decided.items() if isinstance(one, Redirect)}
    sources = {row.address_id: row.source_id for row in reached}
    again = _decided(session, post, {box: sources[phone] for phone, box in to.items()})
    return {phone: again.get(box, SEND) for phone, box in to.items()}


def _is_later(decision: Decision) -> bool:
    return isinstance(decision, Hold) and decision.reason not in FOR_DIGEST


def _shares(session: Session, sources: Sequence[int]) -> _Shares:
    """Of those by text never a smaller part than of the others: then whoever is drawn as one of the others has no
    follow by text that was not drawn."""
    texts, others = session.execute(COUNT, {"sources": numbers(sources)}).one()
    share = min(1.0, SAMPLE / max(1, texts + others))
    of_texts = min(1.0, max(share, BY_TEXT / max(1, texts)))
    of_others = min(share, max(0.0, SAMPLE - of_texts * texts) / max(1, others)) if share < 1 else 1.0
    return _Shares(texts, others, of_texts, of_others)


def _drawn(session: Session, sources: Sequence[int], shares: _Shares) -> list[_Follow]:
    below = {"texts": _below(shares.texts_share), "others": _below(shares.others_share)}
    return [_Follow(*row) for row in session.execute(DRAW, {"sources": numbers(sources), **below})]


def _below(share: float) -> int:
    """The hash below which that share of all is."""
    return int(_HASHES * share) - _HASHES // 2


def _weights(follows: Iterable[_Follow], shares: _Shares) -> dict[int, float]:
    """For how many each person stands. Whoever asked one of several sources for texts is one of those who did."""
    rows = sorted(follows, key=lambda each: each.by_text)
    texts = sum(each.by_text for each in rows)
    weight = {True: shares.texts / max(1, texts), False: shares.others / max(1, len(rows) - texts)}
    return {each.person: weight[each.by_text] for each in rows}


def _reached(
    session: Session, post: PlannedPost, follows: Sequence[_Follow], named: Sequence[int]
) -> Sequence[Row[Any]]:  # fmt: skip
    given = {
        "people": numbers(each.person for each in follows),
        "sources": numbers(each.source for each in follows),
        "all_sources": numbers(post.sources),
        "by_text": [each.by_text for each in follows],
        "named": numbers(named),
        "author": post.author_id,
        "group": post.group_id,
        "readers": numbers(person for person, _ in post.people),
        "named_as": numbers(one for _, one in post.people),
    }
    return session.execute(REACHED, given).all()


def _decided(session: Session, post: PlannedPost, addresses: Mapping[int, int | None]) -> dict[int, Decision]:
    """By address; those that are sent at once, as most are, are left out."""
    found = fact_lookup.find_planned(session, post, addresses) if addresses else []
    decided = {one.address_id: decide(known) for known, rows in found for one in rows}
    return decided | _over(session, [(known, one) for known, rows in found for one in rows], decided)


def _over(
    session: Session, found: Iterable[tuple[Facts, UnusualDelivery]], decided: Mapping[int, Decision]
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


WRITER: Final = text("""
    SELECT a.id, g.id AS group_id FROM accounts a LEFT JOIN accounts g ON g.id = :source AND g.kind = 'group'
    WHERE a.kind = 'person' AND a.state = 'active' AND a.id <> :reader
      AND CASE WHEN EXISTS (SELECT FROM accounts WHERE id = :source AND kind = 'person') THEN a.id = :source
               WHEN g.id IS NOT NULL THEN EXISTS (
                   SELECT FROM follows_in_force f WHERE f.account_id = g.id AND f.follower_id = a.id
                     AND (g.access <> 'broadcast' OR f.role <> 'follower'))
               ELSE true END
      AND NOT EXISTS (SELECT FROM silences_in_force s WHERE s.account_id = :reader AND s.other_id = a.id)
    ORDER BY a.id LIMIT 1
""")

# Each is asked for those by text and for the others: follows_by_way has each of them in an order by chance.
_VIEWS: Final = (
    ("follows_in_force", "account_id"),
    ("topic_follows_in_force", "topic_id"),
    ("trackers_in_force", "track_id"),
)
_OF: Final = "FROM {0} WHERE {1} = ANY (CAST(:sources AS bigint[]))"
_COUNTS: Final = " + ".join(f"(SELECT count(*) {_OF.format(*view)} AND {{which}})" for view in _VIEWS)
_DRAWS: Final = tuple(
    f"SELECT follower_id, {view[1]}, by_text {_OF.format(*view)} AND {which} AND hashint8(follower_id) < :{below}"
    for view in _VIEWS
    for which, below in (("by_text", "texts"), ("NOT by_text", "others"))
)
# One sum for each kind: PostgreSQL would start parallel workers for a single count, which costs more than they save.
COUNT: Final = text(f"SELECT {_COUNTS.format(which='by_text')}, {_COUNTS.format(which='NOT by_text')}")
# A person is drawn from every source or from none.
DRAW: Final = text(" UNION ALL ".join(_DRAWS))

# As recipients.py makes the deliveries; but nobody has it yet, and whoever has no address is shown, too. What names
# somebody comes to them without a source.
REACHED: Final = text(f"""
WITH reach AS (
    SELECT account_id, min(source_id) AS source_id, bool_or(by_text) AS by_text
    FROM unnest(CAST(:people AS bigint[]), CAST(:sources AS bigint[]), CAST(:by_text AS boolean[]))
         AS heard (account_id, source_id, by_text)
    WHERE NOT EXISTS (
        SELECT FROM silences_in_force s WHERE s.account_id = heard.account_id AND s.other_id = heard.source_id)
    GROUP BY account_id
), deaf AS MATERIALIZED (
    SELECT account_id FROM silences_in_force WHERE other_id = ANY (ARRAY[:author, CAST(:group AS bigint)])
    UNION ALL SELECT other_id FROM silences_in_force WHERE account_id = :author AND kind = 'block'
    UNION ALL SELECT r.account_id
    FROM unnest(CAST(:readers AS bigint[]), CAST(:named_as AS bigint[])) AS r (account_id, named_id)
    JOIN silences_in_force s ON s.account_id = r.account_id AND s.other_id = r.named_id
), everybody AS (
    SELECT account_id, source_id, by_text, false AS named FROM reach
    UNION ALL SELECT id, NULL, true, true FROM unnest(CAST(:named AS bigint[])) AS row (id)
), asked AS (
    SELECT account_id, source_id, named, CASE
        WHEN reader.chooses AND NOT named
        THEN chosen_way({PLANNED}, {PLANNED}, account_id, CAST(:all_sources AS bigint[]), false)
        WHEN by_text THEN 'text' ELSE 'mail' END AS way
    FROM everybody
    JOIN accounts reader ON reader.id = account_id AND reader.state = 'active' AND reader.id <> :author
    OFFSET 0
)
SELECT asked.account_id, asked.source_id, place.id AS address_id, place.channel, left(place.address, 5) AS start
FROM asked LEFT JOIN LATERAL ({ADDRESS}) AS place ON true
WHERE asked.account_id NOT IN (SELECT account_id FROM deaf)
""")  # noqa: S608
