"""What an erasure (R52) changes in the ledger's tables; network/people/erase does the rest, and says in which order.
The tour's fresh start deletes with the same module."""

# ruff: noqa: S608 - the statements are put together from constants

from typing import Final

Steps = tuple[tuple[str, str], ...]  # (what is changed, the statement)

_MINE: Final = "(SELECT id FROM addresses WHERE account_id = :account)"
INPUTS: Final = """(i.account_id = :account OR (i.channel, i.sender) IN (
    SELECT channel, address FROM addresses WHERE account_id = :account))"""
_OPEN: Final = "EXISTS (SELECT FROM deliveries o WHERE o.message_id = m.id AND o.ended_at IS NULL)"
_WROTE: Final = "(SELECT id FROM posts WHERE author_id = :account)"

# What is theirs. Parameters: account, and bare (a pattern of their names).
THEIRS: Final[Steps] = (
    (
        "texts at the carrier",
        f"""INSERT INTO redactions (carrier_id)
            SELECT i.message_id FROM inbound i WHERE {INPUTS} AND i.message_id ~ '^(SM|MM)[0-9a-f]{{32}}$'
            UNION SELECT t.carrier_id FROM attempts t JOIN messages m ON m.id = t.message_id
            WHERE t.carrier_id ~ '^(SM|MM)[0-9a-f]{{32}}$' AND (m.author_id = :account OR t.address_id IN {_MINE})
            ON CONFLICT DO NOTHING""",
    ),
    (
        "pictures",
        f"""DELETE FROM uploads WHERE account_id = :account
            OR id IN (SELECT u.id FROM uploads u JOIN inbound i ON i.id = u.inbound_id WHERE {INPUTS})""",
    ),
    (
        "inputs",
        f"""UPDATE inbound i
            SET sender = hashed_address(channel, sender), text = CASE WHEN text IS NOT NULL THEN '' END, raw = NULL,
                message_id = CASE channel WHEN 'sms' THEN message_id END, reason = NULL, recipients = '{{}}',
                state = CASE WHEN state IN ('done', 'dropped') THEN state ELSE 'dropped' END,
                lease_until = NULL, lease_owner = NULL
            WHERE {INPUTS}""",
    ),
    (
        "hashes of texts",
        f"""UPDATE attempts t SET body_hash = NULL FROM messages m
            WHERE m.id = t.message_id AND t.body_hash IS NOT NULL
              AND (m.author_id = :account OR t.address_id IN {_MINE})""",
    ),
    (
        "deliveries on the road",  # they are looked for by their words, which are gone: they could be sent again
        f"""UPDATE deliveries SET state = 'unknown', reason = 'erased', ended_at = now(), lease_until = NULL,
                lease_owner = NULL
            WHERE state IN ('sending', 'unknown') AND ended_at IS NULL
              AND (author_id = :account OR address_id IN {_MINE})""",
    ),
    (
        "deliveries in digests on the road",
        """UPDATE deliveries d SET state = 'unknown', reason = 'erased', ended_at = now() FROM held h
           WHERE h.account_id = :account AND h.message_id = d.message_id AND h.address_id = d.address_id
             AND d.state = 'held'""",
    ),
    ("waiting items", "DELETE FROM held WHERE account_id = :account"),
    ("texts of their days", "UPDATE charges SET reader_id = NULL, reader_day = NULL WHERE reader_id = :account"),
    ("days", "DELETE FROM budgets WHERE scope = 'reader' AND subject = CAST(CAST(:account AS bigint) AS text)"),
    (
        "messages",
        f"""UPDATE messages m SET text = '', subject = '', body = '' FROM (
                SELECT id FROM messages WHERE author_id = :account
                UNION SELECT d.message_id FROM deliveries d JOIN messages t ON t.id = d.message_id
                WHERE d.address_id IN {_MINE} AND t.kind <> 'update'
                UNION SELECT t.id FROM messages t JOIN inbound i ON i.id = t.inbound_id
                WHERE i.account_id = :account
                UNION SELECT d.message_id FROM daily_mails d
                WHERE d.posts && (SELECT array_agg(id) FROM posts WHERE author_id = :account)
                UNION SELECT m.id FROM messages m JOIN posts p ON p.id = m.post_id
                WHERE (p.repeat_of IN {_WROTE} OR p.in_reply_to IN {_WROTE}) AND NOT {_OPEN}
                UNION SELECT m.id FROM messages m
                WHERE m.kind <> 'update' AND (m.text ~* :bare OR m.body ~* :bare) AND NOT {_OPEN}) mine
            WHERE m.id = mine.id AND (m.text, m.subject, m.body) <> ('', '', '')""",
    ),
)

# Where others named them. Parameters: bare and raw (patterns of their names), and gone (the handle instead).
NAMING_THEM: Final[Steps] = (
    ("others' files", "UPDATE media SET name = regexp_replace(name, :bare, :gone, 'gi') WHERE name ~* :bare"),
    (
        "others' inputs",
        """UPDATE inbound SET text = regexp_replace(text, :bare, '@' || :gone, 'gi'),
               raw = CASE WHEN encode(raw, 'escape') ~* :raw OR text ~* :bare THEN NULL ELSE raw END,
               recipients = string_to_array(
                   regexp_replace(array_to_string(recipients, E'\\n'), :bare, :gone, 'gi'), E'\\n'),
               reason = regexp_replace(reason, :bare, '@' || :gone, 'gi')
           WHERE text ~* :bare OR encode(raw, 'escape') ~* :raw OR array_to_string(recipients, ' ') ~* :bare
              OR reason ~* :bare""",
    ),
    (
        "others' messages",
        """UPDATE messages SET text = regexp_replace(text, :bare, '@' || :gone, 'gi'),
               subject = regexp_replace(subject, :bare, '@' || :gone, 'gi'),
               body = regexp_replace(body, :bare, '@' || :gone, 'gi')
           WHERE text ~* :bare OR subject ~* :bare OR body ~* :bare""",
    ),
    ("notes", "UPDATE messages SET note = NULL WHERE note ~* :bare"),
)


def delete_messages(messages: str) -> tuple[str, ...]:
    """The statements that delete what a SELECT of message ids names, with everything that came of it. Deliveries go
    with their message."""
    return (
        f"CREATE TEMPORARY TABLE forgotten ON COMMIT DROP AS {messages}",
        "DELETE FROM callbacks WHERE attempt_id IN"
        " (SELECT id FROM attempts WHERE message_id IN (SELECT id FROM forgotten))",
        "DELETE FROM attempts WHERE message_id IN (SELECT id FROM forgotten)",
        "DELETE FROM messages WHERE id IN (SELECT id FROM forgotten)",
    )


def delete_inputs(inputs: str) -> str:
    """The statement that deletes what a SELECT of inbound ids names."""
    return f"DELETE FROM inbound WHERE id IN ({inputs})"
