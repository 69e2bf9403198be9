"""Plain updates: many at once become posts, messages, deliveries and effects, and their inputs end, in one statement.

What would make anybody be asked or answered is looked for by the same statement, and leaves a text out: process.py then
reads it alone. tests/inbound/test_plain_updates.py holds both ways against each other.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from gateway.inbound.plain_texts import PlainText
from gateway.language import nanoformats, track_phrases
from gateway.language.words.normalize import clean
from gateway.ledger.inbox import batches
from gateway.ledger.outbox import deliveries, publications
from gateway.network.audience import plain_audience, private_repeats
from gateway.network.conversation import offer_words
from gateway.network.follows import trackers
from gateway.network.posts import posts, rendering
from gateway.store.arrays import numbers
from gateway.store.direct import NOT_WAITING, DirectConnection, Statement


class PlainUpdate(NamedTuple):
    """An update to everyone that answers nothing, names nobody and asks nothing."""

    inbound_id: int
    attempt: int
    account_id: int
    address_id: int
    words: str
    lang: str | None
    rendered: rendering.Rendered
    reason: str
    runs: list[str]  # by which it is compared with what was private
    phrases: list[str]  # by which it may be tracked


class Published(NamedTuple):
    """One of them, with how many texts and mails were made of it."""

    inbound_id: int
    texts: int
    mails: int


def of(one: PlainText) -> PlainUpdate | None:
    """The plain update that a text is, if it is one."""
    if one.reading.intent != "update" or one.reading.post:
        return None
    words = clean(one.reading.text)
    found = nanoformats.parse(words)
    if found.mentions or found.tags or not found.text.strip() or len(found.text) > posts.LONGEST:
        return None
    if offer_words.asks(found.text):
        return None
    row = one.row
    assert row.account_id is not None  # a plain text has all three
    assert row.address_id is not None
    assert row.text is not None
    rendered = rendering.of_update(row.name, found.text)
    runs, phrases = private_repeats.runs_of(words, row.text), list(track_phrases.phrases(found.text))
    known = (row.id, row.attempt, row.account_id, row.address_id)
    return PlainUpdate(*known, found.text, found.lang, rendered, str(one.reading.reason), runs, phrases)


def publish(connection: DirectConnection, updates: Sequence[PlainUpdate], most: int) -> list[Published]:
    """Publishes those that stay plain, each with all that follows from it. `most`: followers; a post with more of them
    is left to the general way."""
    rows = connection.run(PUBLISH, _columns(updates) | {"most": most})
    return [Published(*row[:3]) for row in rows]


def _columns(updates: Sequence[PlainUpdate]) -> dict[str, Any]:
    runs = [(place, run) for place, one in enumerate(updates) for run in one.runs]
    phrases = [(place, phrase) for place, one in enumerate(updates) for phrase in one.phrases]
    return {
        "places": numbers(range(len(updates))),
        "inbounds": numbers(one.inbound_id for one in updates),
        "attempts": numbers(one.attempt for one in updates),
        "accounts": numbers(one.account_id for one in updates),
        "addresses": numbers(one.address_id for one in updates),
        "words": [one.words for one in updates],
        "langs": [one.lang for one in updates],
        "texts": [one.rendered.text for one in updates],
        "subjects": [one.rendered.subject for one in updates],
        "bodies": [one.rendered.body for one in updates],
        "reasons": [one.reason for one in updates],
        "run_places": numbers(place for place, _ in runs),
        "runs": [run for _, run in runs],
        "phrase_places": numbers(place for place, _ in phrases),
        "phrases": [phrase for _, phrase in phrases],
    }


PUBLISH: Final = Statement(f"""
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(:places AS integer[]), CAST(:inbounds AS bigint[]), CAST(:attempts AS smallint[]),
        CAST(:accounts AS bigint[]), CAST(:addresses AS bigint[]), CAST(:words AS text[]), CAST(:langs AS text[]),
        CAST(:texts AS text[]), CAST(:subjects AS text[]), CAST(:bodies AS text[]), CAST(:reasons AS text[])
    ) AS given (place, inbound_id, attempt, account_id, address_id, words, lang, text, subject, body, reason)
), heard_of AS (
    {private_repeats.HITS_OF_MANY}
    UNION ALL {trackers.HEARD_OF_MANY}
), followers AS MATERIALIZED ({plain_audience.FOLLOWERS}
), reached AS MATERIALIZED ({plain_audience.PLACES}
), plain AS MATERIALIZED (
    SELECT given.*, new_id() AS post_id, new_id() AS message_id
    FROM given JOIN inbound i ON {batches.STILL_OURS}
    WHERE place IN ({plain_audience.PLAIN}) AND place NOT IN (SELECT place FROM heard_of)
    ORDER BY i.id FOR UPDATE OF i
), post AS (
    INSERT INTO posts (id, author_id, visibility, text, lang, via, inbound_id)
    SELECT post_id, account_id, 'company', words, lang, 'sms', inbound_id FROM plain
), message AS ({publications.MESSAGES_OF_MANY}
), recipients AS (
    SELECT reached.*, plain.message_id FROM plain JOIN reached USING (place)
), delivery AS ({deliveries.insert_for("recipients", "message_id", "author_id", "5", "message_id, channel")}
), made AS (
    SELECT message_id, count(*) FILTER (WHERE channel = 'sms') AS texts,
           count(*) FILTER (WHERE channel = 'email') AS mails
    FROM delivery GROUP BY message_id
), spread AS ({publications.FANOUTS_OF_MANY}
), action AS (
    INSERT INTO actions (account_id, door, inbound_id)
    SELECT account_id, 'sms', inbound_id FROM plain RETURNING id, inbound_id
), effect AS (
    INSERT INTO effects (action_id, inbound_id, number, kind, subject_id, account_id)
    SELECT action.id, inbound_id, 0, 'post', post_id, account_id FROM action JOIN plain USING (inbound_id)
), seen AS (
    UPDATE addresses a SET seen_at = now(), sender_id = coalesce(a.sender_id, (
        SELECT s.id FROM inbound i JOIN senders s ON s.number = i.recipients[1] AND s.state = 'active'
        WHERE i.id = plain.inbound_id AND a.sender_id IS NULL))
    FROM plain WHERE a.id = plain.address_id
), ended AS ({batches.ending("plain", "update")}
)
SELECT plain.inbound_id, coalesce(made.texts, 0), coalesce(made.mails, 0), {NOT_WAITING}
FROM plain LEFT JOIN made USING (message_id)
""")  # noqa: S608 - put together from constants
