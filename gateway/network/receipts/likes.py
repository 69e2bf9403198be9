"""How authors are told of reactions: with the next answer, never in a text of its own.

gateway/actions/reacting stores them, gateway/inbound/process adds the line, `who got` counts them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import distinct, func, select, text
from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, count, listed, say
from gateway.network.receipts.receipt_text import shorten
from gateway.store.channel_sql import such
from gateway.store.tables import Reaction

SHOWN: Final = 2  # names in the line
KEPT: Final = 20  # posts whose reactions wait to be told


def note(session: Session, reader_id: int, post_id: int) -> None:
    """Notes that somebody reacted to a post; its author is told with the next answer on their phone or mailbox."""
    session.execute(NOTE, {"post": post_id, "reader": reader_id, "kept": KEPT})


_ONLY_IF_CHOSEN: Final = such("a.channel", lambda channel: channel.only_if_chosen)
NOTE: Final = text(f"""
    INSERT INTO conversations (address_id, liked)
    SELECT a.id, ARRAY[p.id] FROM posts p JOIN addresses a ON a.account_id = p.author_id
    WHERE p.id = :post AND p.author_id <> :reader AND a.is_primary AND a.state = 'verified'
      AND NOT ({_ONLY_IF_CHOSEN})
      AND NOT EXISTS (SELECT FROM silences_in_force s WHERE s.account_id = p.author_id AND s.other_id = :reader)
    ORDER BY a.id
    ON CONFLICT (address_id) DO UPDATE
    SET liked = (array_remove(conversations.liked, excluded.liked[1]) || excluded.liked)[1:CAST(:kept AS int)]
""")  # noqa: S608 - put together from constants


def describe(session: Session, author_id: int, post_ids: Sequence[int]) -> Phrase | str:
    """Who reacted to these posts of theirs, in a sentence, without reactions that were taken back since."""
    rows = session.execute(WHO, {"author": author_id, "posts": list(post_ids)}).all()
    names, posts = list(dict.fromkeys(row.name for row in rows)), list(dict.fromkeys(row.words for row in rows))
    if not names:
        return ""
    more = [count("{count} more", "{count} more", len(names) - SHOWN)] if len(names) > SHOWN else []
    who, words = listed([*names[:SHOWN], *more]), shorten(posts[0])
    if len({row.post_id for row in rows}) > 1:
        return say("{names} reacted to your updates.", names=who)
    if all(row.kind == "like" for row in rows):
        return say('{names} liked "{words}".', names=who, words=words)
    return say('{names} reacted to "{words}".', names=who, words=words)


WHO: Final = text("""
    SELECT a.name, r.kind, p.id AS post_id, p.text AS words
    FROM reactions r JOIN posts p ON p.id = r.post_id JOIN accounts a ON a.id = r.account_id AND a.state = 'active'
    WHERE p.id = ANY (:posts) AND p.author_id = :author AND p.deleted_at IS NULL AND r.account_id <> :author
      AND NOT EXISTS (SELECT FROM silences_in_force s WHERE s.account_id = :author AND s.other_id = r.account_id)
    ORDER BY r.created_at DESC LIMIT 100
""")


def forget(session: Session, author_id: int) -> None:
    """Marks all of them as told, for all of the author's phones and mailboxes."""
    session.execute(FORGET, {"author": author_id})


FORGET: Final = text("""
    UPDATE conversations SET liked = '{}'
    WHERE liked <> '{}' AND address_id IN (SELECT id FROM addresses WHERE account_id = :author)
""")


def people(session: Session, post_id: int) -> int:
    """How many people reacted to a post."""
    many = select(func.count(distinct(Reaction.account_id))).where(Reaction.post_id == post_id)
    return session.scalar(many) or 0
