"""Everything about one person, as plain values (R52). `critter export` writes it into a file for them."""

# ruff: noqa: S608 - the statements are put together from constants of this file

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.store.tables import Account

Row = Mapping[str, Any]
Digests = Sequence[str]  # SHA-256, hex


def everything(session: Session, person: Account) -> dict[str, Sequence[Row]]:
    """By section; each row's values as JSON has them (ids are decimal strings, times ISO 8601). Other people's words
    are there only where they went to this person."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    session.execute(text("SET LOCAL statement_timeout = '10min'"))
    return {name: _rows(session, query, person.id) for name, query in SECTIONS.items()}


def pictures(session: Session, person: Account) -> Digests:
    """Of the files that they sent."""
    return session.scalars(
        text("""SELECT DISTINCT encode(sha256, 'hex') FROM media m JOIN uploads u ON u.id = m.upload_id
                LEFT JOIN inbound i ON i.id = u.inbound_id
                WHERE sha256 IS NOT NULL AND (u.account_id = :account OR i.account_id = :account)"""),
        {"account": person.id},
    ).all()


def as_json(sections: Mapping[str, Sequence[Row]]) -> bytes:
    return json.dumps(sections, ensure_ascii=False, indent=1, default=str).encode("utf-8", "replace")


def as_text(handle: str, sections: Mapping[str, Sequence[Row]]) -> bytes:
    """To read."""
    lines = [f"Everything that Critter keeps about @{handle}", ""]
    for name, rows in sections.items():
        lines += [f"{name.replace('_', ' ').upper()} ({len(rows)})", ""]
        for row in rows:
            lines += [f"  {field}: {value}" for field, value in row.items()] + [""]
    return "\n".join(lines).encode("utf-8", "replace")


def _rows(session: Session, query: str, account_id: int) -> list[Row]:
    found = session.execute(text(query), {"account": account_id}).mappings()
    return [{name: _plain(name, value) for name, value in row.items() if value is not None} for row in found]


def _plain(name: str, value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and (name == "id" or name.endswith("_id")):
        return str(value)
    return value


_MINE: Final = "(SELECT id FROM addresses WHERE account_id = :account)"

SECTIONS: Final = {
    "account": """
        SELECT id, handle, name, title, state, role, language, timezone, pin, ack, zone_since, created_at,
               deactivated_at
        FROM accounts WHERE id = :account""",
    "attention": """
        SELECT digest_every, digest_at, digest_weekday, digest_back, zone, zone_until, out_of_office_until, connects,
               texts_a_day, prefer, private, mention, reply, tracked, "group", person, tag, broadcast,
               CAST(unseen_after AS text) AS unseen_after
        FROM attention WHERE account_id = :account""",
    "on_the_web": "SELECT active_at FROM presence WHERE account_id = :account",
    "texts_a_day": """
        SELECT day, used, allowed FROM budgets WHERE scope = 'reader' AND subject = CAST(:account AS text)
        ORDER BY day""",
    "aliases": "SELECT alias, kind, created_at FROM aliases WHERE account_id = :account ORDER BY alias",
    "addresses": """
        SELECT id, channel, address, state, is_primary, receiving, off_until, quiet, quiet_since, stopped_at,
               seen_at, created_at
        FROM addresses WHERE account_id = :account ORDER BY id""",
    "follows": """
        SELECT a.handle, a.name, f.role, f.state, f.by_text, f.off, f.off_until, f.expires_at, f.way,
               f.created_at
        FROM follows f JOIN accounts a ON a.id = f.account_id WHERE f.follower_id = :account ORDER BY a.handle""",
    "followers": """
        SELECT a.handle, f.created_at FROM follows f JOIN accounts a ON a.id = f.follower_id
        WHERE f.account_id = :account AND f.state = 'active' ORDER BY a.handle""",
    "topics": """
        SELECT t.tag, f.by_text, f.expires_at, f.way, f.created_at FROM topic_follows f
        JOIN topics t ON t.id = f.topic_id
        WHERE f.follower_id = :account ORDER BY t.tag""",
    "tracked": """
        SELECT t.shown, f.by_text, f.expires_at, f.way, f.created_at FROM trackers f
        JOIN tracks t ON t.id = f.track_id
        WHERE f.follower_id = :account ORDER BY t.phrase""",
    "silences": """
        SELECT a.handle, s.kind, s.expires_at, s.created_at FROM silences s JOIN accounts a ON a.id = s.other_id
        WHERE s.account_id = :account ORDER BY a.handle""",
    "nudges": """
        SELECT a.handle, n.created_at FROM nudges n JOIN accounts a ON a.id = n.other_id
        WHERE n.account_id = :account ORDER BY a.handle""",
    "web_sessions": """
        SELECT began_by, device, created_at, seen_at, ended_at FROM web_sessions WHERE account_id = :account
        ORDER BY id""",
    "apps": """
        SELECT p.name, p.website, t.scopes, t.created_at, t.seen_at, t.ended_at FROM app_tokens t
        JOIN apps p ON p.id = t.app_id WHERE t.account_id = :account ORDER BY t.id""",
    "push_subscriptions": """
        SELECT device, encoding, created_at, used_at FROM push_subscriptions WHERE account_id = :account ORDER BY id""",
    "bookmarks": "SELECT post_id, created_at FROM bookmarks WHERE account_id = :account ORDER BY post_id",
    "pinned_posts": "SELECT post_id, created_at FROM pinned_posts WHERE account_id = :account ORDER BY post_id",
    "lists": """
        SELECT l.title, l.created_at, (
                   SELECT string_agg(a.handle, ' ' ORDER BY a.handle) FROM list_accounts i
                   JOIN accounts a ON a.id = i.account_id WHERE i.list_id = l.id) AS accounts
        FROM lists l WHERE l.account_id = :account ORDER BY l.id""",
    "web_settings": "SELECT look, keys FROM web_settings WHERE account_id = :account",
    "read_marks": "SELECT place, upto, read_at FROM read_marks WHERE account_id = :account ORDER BY place",
    "web_drafts": "SELECT audience, words, written_at FROM web_drafts WHERE account_id = :account ORDER BY audience",
    "statuses": "SELECT words, until, created_at FROM statuses WHERE account_id = :account",
    "passkeys": "SELECT name, created_at, used_at FROM passkeys WHERE account_id = :account ORDER BY id",
    "company_accounts": """
        SELECT issuer, subject, created_at FROM company_accounts WHERE account_id = :account ORDER BY issuer""",
    "invitations": """
        SELECT a.channel, i.created_at, i.accepted_at FROM invitations i JOIN addresses a ON a.id = i.address_id
        WHERE i.inviter_id = :account ORDER BY i.created_at""",
    "posts": """
        SELECT p.id, p.created_at, p.visibility, g.handle AS "group", p.in_reply_to AS in_reply_to_id,
               p.repeat_of AS repeat_of_id, p.text, p.attached, p.upload_id AS upload_id,
               p.lang, p.via, p.deleted_at
        FROM posts p LEFT JOIN accounts g ON g.id = p.group_id WHERE p.author_id = :account ORDER BY p.id""",
    "private_posts_to_them": """
        SELECT p.id, p.created_at, a.handle AS author, p.text FROM post_recipients r JOIN posts p ON p.id = r.post_id
        JOIN accounts a ON a.id = p.author_id
        WHERE r.account_id = :account AND p.deleted_at IS NULL ORDER BY p.id""",
    "mentions": """
        SELECT p.id AS post_id, p.created_at, a.handle AS author FROM mentions m JOIN posts p ON p.id = m.post_id
        JOIN accounts a ON a.id = p.author_id WHERE m.account_id = :account ORDER BY p.id""",
    "reactions": """
        SELECT post_id, kind, created_at FROM reactions WHERE account_id = :account ORDER BY created_at""",
    "messages_to_them": f"""
        SELECT m.id, m.kind, d.channel, a.address, d.state, d.reason, d.sent_at, m.text, m.subject,
               CASE d.channel WHEN 'email' THEN m.body END AS body
        FROM deliveries d JOIN messages m ON m.id = d.message_id JOIN addresses a ON a.id = d.address_id
        WHERE d.address_id IN {_MINE} ORDER BY m.id""",
    "waiting": """
        SELECT h.message_id, a.channel, a.address, w.handle AS author, h.reason, h.until, h.state, h.why, h.digest_id,
               h.created_at, h.ended_at, h.delayed_until, h.seen_at
        FROM held h JOIN addresses a ON a.id = h.address_id LEFT JOIN accounts w ON w.id = h.author_id
        WHERE h.account_id = :account ORDER BY h.message_id""",
    "calls": """
        SELECT c.post_id, c.kind, g.handle AS "group", c.ends_at, c.ended_at, c.ending, c.created_at
        FROM calls c JOIN accounts g ON g.id = c.group_id WHERE c.asker_id = :account ORDER BY c.post_id""",
    "answers_to_calls": """
        SELECT p.post_id, a.handle AS asker, p.answered_at, p.late, p.text, p.retracted_at, p.gone
        FROM call_people p JOIN calls c ON c.post_id = p.post_id JOIN accounts a ON a.id = c.asker_id
        WHERE p.account_id = :account ORDER BY p.post_id""",
    "digests": """
        SELECT g.message_id, a.channel, a.address, g.kind, g.slot, g.posts FROM digests g
        JOIN addresses a ON a.id = g.address_id WHERE g.account_id = :account ORDER BY g.message_id""",
    "offers": """
        SELECT o.post_id, o.word, o.offered_at FROM offers o
        WHERE o.author_id = :account AND o.word IS NOT NULL ORDER BY o.post_id""",
    "asked_about": """
        SELECT p.asked_by AS post_id, w.handle AS author, o.word, p.asked_at FROM offer_people p
        JOIN offers o ON o.post_id = p.post_id JOIN accounts w ON w.id = o.author_id
        WHERE p.account_id = :account AND p.asked_at IS NOT NULL ORDER BY p.asked_at""",
    "inputs": """
        SELECT id, channel, sender, received_at, state, intent, reason, coalesce(text, CASE WHEN channel = 'email'
               THEN encode(raw, 'escape') END) AS text
        FROM inbound WHERE account_id = :account OR (channel, sender) IN (
            SELECT channel, address FROM addresses WHERE account_id = :account)
        ORDER BY id""",
    "pictures": """
        SELECT u.inbound_id, m.upload_id, m.number, m.name, m.content_type, m.size, m.state, m.reason,
               encode(m.sha256, 'hex') AS sha256
        FROM media m JOIN uploads u ON u.id = m.upload_id LEFT JOIN inbound i ON i.id = u.inbound_id
        WHERE u.account_id = :account OR i.account_id = :account ORDER BY m.upload_id, m.number""",
    "consent": f"""
        SELECT c.id, a.address, c.kind, c.wording, c.our_address, c.carrier_id, c.source, c.created_at
        FROM consent c JOIN addresses a ON a.id = c.address_id WHERE c.address_id IN {_MINE} ORDER BY c.id""",
    "reports": """
        SELECT r.id, r.post_id, r.created_at, r.closed_at, r.reason, a.handle AS about FROM reports r
        JOIN accounts a ON a.id = r.account_id WHERE r.reporter_id = :account ORDER BY r.id""",
    "talks": f"""
        SELECT a.address, c.question, c.half FROM conversations c
        JOIN addresses a ON a.id = c.address_id WHERE c.address_id IN {_MINE}""",
    "drafts": "SELECT id, text, created_at FROM drafts WHERE account_id = :account ORDER BY id",
    "audit": f"""
        SELECT id, created_at, actor, action, detail FROM audit
        WHERE subject_id = :account OR subject_id IN {_MINE} OR actor = 'account:' || :account ORDER BY id""",
}
