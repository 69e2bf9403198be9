"""One way to break each rule of the ledger by SQL, and the id of the row that the audit must then name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RuleViolation:
    """`named` selects the id; it is asked before the row is broken when breaking removes what it asks for."""

    what: str
    invariant: str
    breaking: str
    named: str
    asked_before: bool = False


def primary(handle: str) -> str:
    owner = f"(SELECT id FROM accounts WHERE handle = '{handle}')"
    return f"(SELECT id FROM addresses WHERE account_id = {owner} AND is_primary ORDER BY channel DESC LIMIT 1)"


def copy_of(condition: str) -> str:
    """The first message that carries such a post and went somewhere."""
    return (
        "(SELECT min(d.message_id) FROM deliveries d JOIN messages m ON m.id = d.message_id"
        f" JOIN posts p ON p.id = m.post_id LEFT JOIN accounts g ON g.id = p.group_id WHERE {condition})"
    )


def intrude(handle: str, message: str) -> str:
    """Sends a copy of a message to somebody."""
    return f"""
        INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, state, give_up_at,
                                sent_at, ended_at)
        SELECT message_id, {primary(handle)}, author_id, source_id, 'sms', 5, 'sent', now(), now(), now()
        FROM deliveries WHERE message_id = {message} LIMIT 1
    """


def delivery_to(handle: str, message: str) -> str:
    return f"SELECT {KEY} FROM deliveries WHERE message_id = {message} AND address_id = {primary(handle)}"


KEY = "message_id || ':' || address_id"
PUBLIC, PRIVATE = copy_of("p.visibility = 'company'"), copy_of("p.visibility = 'direct'")
CLOSED = copy_of("g.handle = 'board'")
LAST = "a.state = 'sent'"
AUDITED = "(SELECT max(id) FROM audit)"
SENT = "(SELECT min(message_id) FROM attempts WHERE state = 'sent')"

BREACHES = [
    RuleViolation(
        "a post that shows pictures of nobody",
        "I10",
        "UPDATE posts SET attached = 'photo' WHERE id = (SELECT min(id) FROM posts)",
        "SELECT min(id) FROM posts",
    ),
    RuleViolation(
        "a kept file without its hash",
        "I10",
        "INSERT INTO media (inbound_id, number, state) SELECT min(id), 0, 'fetched' FROM inbound",
        "SELECT min(id) || '.0' FROM inbound",
    ),
    RuleViolation(
        "a kept file that is not there",
        "I10",
        """INSERT INTO media (inbound_id, number, state, sha256, size, content_type)
           SELECT min(id), 1, 'fetched', sha256('gone'), 4, 'image/png' FROM inbound""",
        "SELECT min(id) || '.1' FROM inbound",
    ),
    RuleViolation(
        "an input nobody reads",
        "I1",
        """UPDATE inbound SET state = 'new', received_at = now() - interval '2 minutes'
           WHERE id = (SELECT min(id) FROM inbound)""",
        "SELECT min(id) FROM inbound",
    ),
    RuleViolation(
        "an update without its post",
        "I1",
        """WITH gone AS (DELETE FROM posts WHERE id = (SELECT min(id) FROM posts))
           DELETE FROM effects WHERE subject_id = (SELECT min(id) FROM posts)""",
        "SELECT min(id) FROM inbound WHERE intent = 'update'",
    ),
    RuleViolation(
        "an effect whose post is gone",
        "I1",
        "DELETE FROM posts WHERE id = (SELECT min(id) FROM posts)",
        "SELECT min(inbound_id) FROM effects WHERE kind = 'post'",
        asked_before=True,
    ),
    RuleViolation("an end without a time", "I1", "UPDATE inbound SET done_at = NULL", "SELECT min(id) FROM inbound"),
    RuleViolation("a post that is not spread", "I1", "DELETE FROM fanouts", "SELECT min(id) FROM posts"),
    RuleViolation(
        "a delivery that was lost",
        "I1",
        f"DELETE FROM deliveries WHERE message_id = {PUBLIC}",
        "SELECT min(message_id) FROM fanouts",
        asked_before=True,
    ),
    RuleViolation(
        "a text accepted twice",
        "I2",
        """INSERT INTO inbound (channel, natural_key, sender, recipients, message_id, text, trusted, state, done_at)
           SELECT channel, 'again', sender, recipients, message_id, text, true, 'done', now()
           FROM inbound ORDER BY id LIMIT 1""",
        "SELECT max(id) FROM inbound",
    ),
    RuleViolation(
        "a second post of one text",
        "I2",
        """INSERT INTO posts (author_id, visibility, text, via, inbound_id)
           SELECT author_id, visibility, text, via, inbound_id FROM posts ORDER BY id LIMIT 1""",
        "SELECT inbound_id FROM posts ORDER BY id LIMIT 1",
    ),
    RuleViolation(
        "an answer that goes to two",
        "I2",
        f"""INSERT INTO deliveries (message_id, address_id, channel, priority, give_up_at, state, ended_at)
            SELECT min(id), {primary("priya")}, 'email', 2, now(), 'sent', now() FROM messages WHERE kind = 'answer'""",
        "SELECT inbound_id FROM messages WHERE kind = 'answer' ORDER BY id LIMIT 1",
    ),
    RuleViolation(
        "two answers",
        "I2",
        """DROP INDEX messages_one_answer;
           INSERT INTO messages (kind, inbound_id, text, subject, body)
           SELECT kind, inbound_id, text, subject, body FROM messages WHERE kind = 'answer' ORDER BY id LIMIT 1""",
        "SELECT inbound_id FROM messages WHERE kind = 'answer' ORDER BY id LIMIT 1",
    ),
    RuleViolation(
        "a second copy of one post",
        "I2",
        """INSERT INTO messages (kind, author_id, post_id, text, subject, body)
           SELECT kind, author_id, post_id, text, subject, body FROM messages
           WHERE kind = 'update' ORDER BY id LIMIT 1""",
        "SELECT min(post_id) FROM messages",
    ),
    RuleViolation(
        "a text sent twice",
        "I3",
        f"""INSERT INTO attempts (message_id, address_id, number, state)
            SELECT message_id, address_id, 2, 'delivered' FROM attempts WHERE message_id = {SENT} LIMIT 1""",
        f"SELECT {KEY} FROM attempts WHERE number = 2",
    ),
    RuleViolation(
        "a delivery of nothing",
        "I1",
        f"UPDATE deliveries SET message_id = message_id + 1 WHERE message_id = {SENT}",
        f"SELECT {KEY} FROM deliveries WHERE message_id NOT IN (SELECT id FROM messages)",
    ),
    RuleViolation(
        "a delivery past its end",
        "I4",
        f"""UPDATE deliveries SET state = 'queued', ended_at = NULL, give_up_at = now() - interval '1 minute'
            WHERE message_id = {SENT}""",
        f"SELECT {KEY} FROM deliveries WHERE state = 'queued'",
    ),
    RuleViolation(
        "a lease long over",
        "I4",
        f"""UPDATE deliveries SET state = 'sending', ended_at = NULL, lease_until = now() - interval '5 minutes'
            WHERE message_id = {SENT}""",
        f"SELECT {KEY} FROM deliveries WHERE state = 'sending'",
    ),
    RuleViolation(
        "a doubt too old",
        "I4",
        f"""WITH old AS (UPDATE attempts SET started_at = now() - interval '20 minutes' WHERE message_id = {SENT})
            UPDATE deliveries SET state = 'unknown', ended_at = NULL WHERE message_id = {SENT}""",
        f"SELECT {KEY} FROM deliveries WHERE state = 'unknown'",
    ),
    RuleViolation(
        "sent, and yet open",
        "I4",
        f"UPDATE deliveries SET ended_at = NULL WHERE message_id = {SENT}",
        f"SELECT {KEY} FROM deliveries WHERE ended_at IS NULL",
    ),
    RuleViolation(
        "a fan-out that does not end",
        "I4",
        """UPDATE fanouts SET state = 'waiting', not_before = now() - interval '2 minutes'
           WHERE message_id = (SELECT min(message_id) FROM fanouts)""",
        "SELECT min(message_id) FROM fanouts",
    ),
    RuleViolation("an author who hears themselves", "I5", intrude("kim", PUBLIC), delivery_to("kim", PUBLIC)),
    RuleViolation("a private message to somebody else", "I5", intrude("bob", PRIVATE), delivery_to("bob", PRIVATE)),
    RuleViolation("a closed group's post to an outsider", "I5", intrude("sam", CLOSED), delivery_to("sam", CLOSED)),
    RuleViolation(
        "a post to somebody who never asked",
        "I5",
        f"UPDATE deliveries SET source_id = NULL WHERE message_id = {PUBLIC}",
        f"SELECT {KEY} FROM deliveries WHERE message_id = {PUBLIC}",
    ),
    RuleViolation(
        "a private post that is spread by a word of it",
        "I5",
        f"""WITH track AS (INSERT INTO tracks (phrase, shown) VALUES ('margin', 'margin') RETURNING id)
            INSERT INTO fanouts (message_id, source_id, post_id, author_id, state, done_at)
            SELECT message_id, track.id, post_id, author_id, 'done', now() FROM fanouts, track
            WHERE message_id = {PRIVATE}""",
        f"SELECT {PRIVATE}",
    ),
    RuleViolation(
        "a post to somebody deactivated",
        "I5",
        """UPDATE accounts SET state = 'deactivated', deactivated_at = now() - interval '1 hour'
           WHERE id = (SELECT account_id FROM addresses WHERE id = (SELECT min(address_id) FROM attempts))""",
        f"SELECT {KEY} FROM deliveries WHERE address_id = (SELECT min(address_id) FROM attempts) AND author_id <> 0",
    ),
    RuleViolation(
        "a post to somebody who had muted its author",
        "I5",
        f"""INSERT INTO silences (account_id, other_id, kind, created_at)
            SELECT a.account_id, d.author_id, 'mute', now() - interval '1 hour'
            FROM deliveries d JOIN addresses a ON a.id = d.address_id WHERE d.message_id = {PUBLIC}""",
        f"SELECT {KEY} FROM deliveries WHERE message_id = {PUBLIC}",
    ),
    RuleViolation(
        "a post at two of one's addresses",
        "I5",
        f"""INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, priority, give_up_at)
            SELECT d.message_id, other.id, d.author_id, d.source_id, 'email', 5, now() + interval '1 day'
            FROM deliveries d JOIN addresses a ON a.id = d.address_id
            JOIN addresses other ON other.account_id = a.account_id AND other.id <> a.id
            WHERE d.message_id = {PRIVATE}""",
        f"SELECT {PRIVATE}",
    ),
    RuleViolation(
        "a budget overdrawn",
        "I6",
        "UPDATE budgets SET allowed = used - 1 WHERE scope = 'company_day'",
        "SELECT concat_ws(chr(58), day, scope) FROM budgets WHERE scope = 'company_day'",
    ),
    RuleViolation(
        "a text that its budgets do not know of",
        "I6",
        "UPDATE budgets SET used = used - 1 WHERE scope = 'company_month'",
        "SELECT concat_ws(chr(58), day, scope) FROM budgets WHERE scope = 'company_month'",
    ),
    RuleViolation(
        "a text that left unpaid",
        "I6",
        f"""DELETE FROM charges WHERE attempt_id = (SELECT max(a.id) FROM attempts a JOIN deliveries d
            ON d.message_id = a.message_id AND d.address_id = a.address_id WHERE d.channel = 'sms' AND {LAST})""",
        f"""SELECT max(a.id) FROM attempts a JOIN deliveries d
            ON d.message_id = a.message_id AND d.address_id = a.address_id WHERE d.channel = 'sms' AND {LAST}""",
    ),
    RuleViolation(
        "a try after the opt-out",
        "I7",
        f"""INSERT INTO consent (address_id, kind, wording, source, created_at)
            SELECT address_id, 'opt_out', 'stop', 'text', started_at - interval '3 seconds'
            FROM attempts WHERE message_id = {SENT}""",
        f"SELECT min(id) FROM attempts WHERE message_id = {SENT}",
    ),
    RuleViolation(
        "a try at a stopped phone of which no words are kept",
        "I7",
        f"""UPDATE addresses SET stopped_at = now() - interval '1 hour', state = 'stopped'
            WHERE id = (SELECT min(address_id) FROM attempts WHERE message_id = {SENT})""",
        f"SELECT min(id) FROM attempts WHERE message_id = {SENT}",
    ),
    RuleViolation(
        "words of a text in somebody else's mailbox",
        "I5",
        f"""INSERT INTO fallbacks (message_id, address_id, mail_id, mailbox_id, reason)
            SELECT message_id, address_id, message_id, (SELECT id FROM addresses WHERE address = 'dave@demo.example'),
                   '30003' FROM deliveries WHERE message_id = {PUBLIC} AND channel = 'sms' LIMIT 1""",
        f"SELECT {KEY} FROM fallbacks",
    ),
    RuleViolation(
        "a row of the audit that somebody changed",
        "I9",
        f"""ALTER TABLE audit DISABLE TRIGGER audit_stays;
            UPDATE audit SET actor = 'nobody' WHERE id = {AUDITED}""",
        f"SELECT {AUDITED}",
    ),
    RuleViolation(
        "a row of the audit that somebody took away",
        "I9",
        f"""INSERT INTO audit (actor, action) VALUES ('root', 'people.role');
            ALTER TABLE audit DISABLE TRIGGER audit_stays;
            DELETE FROM audit WHERE id < {AUDITED}""",
        f"SELECT {AUDITED}",
    ),
]
