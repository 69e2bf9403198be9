"""The words of a digest, put together when it is about to leave: what was taken back, blocked or left meanwhile is not
in it, and what is in it may be answered by its number."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from gateway.attention.decision import Drop
from gateway.i18n.phrases import Phrase, count, joined, listed, say, translated
from gateway.ledger.outbox import digest_items, held
from gateway.ledger.outbox.claims import Key
from gateway.ledger.outbox.held import HeldItem
from gateway.mail.compose.compose import headline
from gateway.network.audience import delivery_decisions
from gateway.network.digests import digest_order, update_list
from gateway.network.digests.update_list import ListedUpdate
from gateway.security.signed_tokens import Signer
from gateway.store.arrays import numbers

MOST: Final = 30  # entries of a mail; the others are counted
SHORT: Final = 60  # characters of an entry in a text
PRIVATE: Final = "(private)"  # as in the text of a private update


@dataclass(frozen=True, slots=True)
class DigestWords:
    """What one digest says now. `kind`: as in the table of digests; `posts`: those whose words are in it, in the order
    of their numbers."""

    kind: str
    text: str
    subject: str
    body: str
    posts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DigestPreview:
    """What would be in somebody's next digest now. `entries`: in the order of their numbers."""

    subject: str
    text: str
    entries: tuple[ListedUpdate, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    item: HeldItem
    update: ListedUpdate
    line: str  # as a text has it: Kim Lee #sales: we meet at nine


def compose(session: Session, digest_ids: Collection[int], signer: Signer, domain: str) -> dict[int, DigestWords]:
    """The words of each digest that still has any; the numbers of its posts are written down with it. Items that must
    not be sent any more end here, and those that a late report of the carrier has settled meanwhile."""
    digest_items.reopen(session, digest_ids)
    rows = digest_order.by_importance(session, session.execute(FOLDED, {"digests": list(digest_ids)}).all())
    held.close(session, [_entry(row).item for row in rows if row.state != "held"])
    entries = [(row, _entry(row)) for row in rows if row.state == "held"]
    items = [entry.item for _, entry in entries]
    refused = _refused(session, items)
    held.cancel(session, items, refused)
    left: dict[int, list[_Entry]] = defaultdict(list)
    for row, entry in entries:
        if entry.item.key not in refused:
            left[row.digest_id].append(entry)
    reader = {row.digest_id: row for row in rows}
    written = {each: _words(reader[each], found, signer, domain) for each, found in left.items()}
    _number(session, written)
    return written


def preview(session: Session, account_id: int) -> DigestPreview | None:
    """The next digest as it would be now; None when nothing waits for it. Nothing is written down."""
    rows = digest_order.by_importance(session, session.execute(WAITING, {"account": account_id}).all())
    refused = _refused(session, [_item(row) for row in rows])
    left = [(row, _entry(row)) for row in rows if _item(row).key not in refused]
    if not left:
        return None
    entries, language = [entry for _, entry in left], left[0][0].language
    kind = "over" if all(row.reason == "over" for row, _ in left) else "day"
    opening = _opening(kind, len(entries))
    return DigestPreview(
        translated(_subject(opening, entries), language),
        translated(_text(opening, entries), language),
        tuple(entry.update for entry in entries),
    )


def changed(session: Session, digest_ids: Collection[int]) -> set[int]:
    """Those of these digests of which an item must not be sent any more: they must be composed anew."""
    rows = session.execute(FOLDED, {"digests": list(digest_ids)}).all()
    items = [(row.digest_id, _item(row)) for row in rows]
    refused = _refused(session, [item for _, item in items])
    return {digest for digest, item in items if item.key in refused}


def _refused(session: Session, items: Sequence[HeldItem]) -> dict[Key, str]:
    decided = delivery_decisions.find_waiting(session, items).items()
    return {key: one.reason for key, one in decided if isinstance(one, Drop)}


def _item(row: Row[Any]) -> HeldItem:
    return HeldItem._make(row[1:14])


def _entry(row: Row[Any]) -> _Entry:
    item = _item(row)
    place = f"#{row.in_group}" if row.in_group else PRIVATE if row.direct else ""
    return _Entry(item, ListedUpdate(row.post_id, row.name, row.handle, place, row.body), row.text)


def _words(row: Row[Any], entries: Sequence[_Entry], signer: Signer, domain: str) -> DigestWords:
    opening, language = _opening(row.kind, len(entries)), row.language
    return DigestWords(
        row.kind,
        translated(_text(opening, entries), language),
        translated(_subject(opening, entries), language),
        _mail(opening, entries, row, signer, domain),
        tuple(entry.update.post_id for entry in entries),
    )


def _subject(opening: Phrase, entries: Sequence[_Entry]) -> Phrase:
    names = list(dict.fromkeys(entry.update.name for entry in entries))
    return say("{opening} {names}", opening=opening, names=_names(names))


def _text(opening: Phrase, entries: Sequence[_Entry]) -> Phrase:
    lines = [f"{number} {headline(entry.line, SHORT)}" for number, entry in enumerate(entries, 1)]
    return joined([opening, *lines, say("A digit gives it whole.")], "\n")


def _mail(opening: Phrase, entries: Sequence[_Entry], row: Row[Any], signer: Signer, domain: str) -> str:
    answer = translated(say("Answer:"), row.language)
    lines = [
        update_list.line(number, entry.update, answer, row.to_id, signer, domain)
        for number, entry in enumerate(entries[:MOST], 1)
    ]
    more = len(entries) - MOST
    rest = [count("And {count} more.", "And {count} more.", more)] if more > 0 else []
    how = say("Reply to this mail with a number and your words, like: 1 I can help")
    said = [translated(each, row.language) for each in (opening, *rest, how)]
    return "\n\n".join([said[0], *lines, *said[1:]])


def _opening(kind: str, number: int) -> Phrase:
    if kind in ("day", "week", "now"):
        return count("Your digest, {count} update:", "Your digest, {count} updates:", number)
    if kind == "over":
        return count("Over your texts of a day, {count} update:", "Over your texts of a day, {count} updates:", number)
    if kind == "return":
        return count("While you were away, {count} update:", "While you were away, {count} updates:", number)
    if kind == "back":
        return count("While it was off, {count} update came:", "While it was off, {count} updates came:", number)
    return count("While you were quiet, {count} update came:", "While you were quiet, {count} updates came:", number)


def _names(names: Sequence[str]) -> Phrase | str:
    first, more = list(names[:2]), len(names) - 2
    return listed([*first, count("{count} more", "{count} more", more)]) if more > 0 else listed(first)


def _number(session: Session, written: Mapping[int, DigestWords]) -> None:
    """Writes down what the numbers stand for: one row for each number of each digest."""
    pairs = [(digest, post) for digest, words in written.items() for post in words.posts]
    if pairs:
        session.execute(
            NUMBER, {"digests": numbers(each for each, _ in pairs), "posts": numbers(post for _, post in pairs)}
        )


_COLUMNS: Final = """h.digest_id, h.message_id, h.account_id, h.address_id, h.author_id, h.cause, h.reason, h.until,
           d.channel, d.state, h.digest_id, h.slot, z.zone, z.until"""
_ITEMS: Final = """
    JOIN deliveries d ON d.message_id = h.message_id AND d.address_id = h.address_id
    JOIN accounts reader ON reader.id = h.account_id
    JOIN zones_now z ON z.account_id = h.account_id
    JOIN messages m ON m.id = h.message_id
    JOIN posts p ON p.id = m.post_id
    JOIN accounts author ON author.id = p.author_id
    LEFT JOIN accounts target ON target.id = p.group_id"""
_WORDS: Final = """reader.language, m.text, m.body, m.post_id, author.name, author.handle, target.handle AS in_group,
           p.group_id, p.visibility = 'direct' AS direct"""
FOLDED: Final = text(f"""
    SELECT {_COLUMNS}, digest.kind, digest.address_id AS to_id, {_WORDS}
    FROM held h JOIN digests digest ON digest.message_id = h.digest_id {_ITEMS}
    WHERE h.digest_id = ANY (CAST(:digests AS bigint[])) AND h.state = 'folded'
""")  # noqa: S608
WAITING: Final = text(f"""
    SELECT {_COLUMNS}, {_WORDS}
    FROM held h {_ITEMS}
    WHERE h.account_id = :account AND h.state = 'waiting' AND h.reason IN {held.FOR_DIGEST}
""")  # noqa: S608
NUMBER: Final = text("""
    UPDATE digests d SET posts = given.posts FROM (
        SELECT digest, array_agg(post ORDER BY place) AS posts
        FROM unnest(CAST(:digests AS bigint[]), CAST(:posts AS bigint[])) WITH ORDINALITY AS row (digest, post, place)
        GROUP BY digest
    ) AS given WHERE d.message_id = given.digest
""")
