"""Appends the second half of a text to its post while nobody has got that yet. gateway/actions/messaging and
gateway/actions/posting call this."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.language import nanoformats
from gateway.language.fragments.part_marks import part
from gateway.ledger.outbox import publications
from gateway.network.audience import private_repeats, visibility
from gateway.network.posts import posts, rendering
from gateway.store.tables import Account, Post


def append(session: Session, author: Account, post_id: int, more: str) -> bool:
    """Adds words to a post of the author's own that still waits; False when it does not wait any more."""
    post = session.get(Post, post_id)
    if post is None or post.author_id != author.id or not _waits(session, post_id):
        return False
    found = nanoformats.parse(more)
    whole = f"{without_mark(post.text)} {found.text}".strip()
    if len(whole) > posts.LONGEST:
        return False
    post.text = whole
    _render_again(session, author, post)
    posts.name_and_tag(session, post, found)
    if visibility.open_to_all(session, post.id):
        publications.widen(session, post.id, posts.sources_by_words(session, author.id, whole))
    else:
        private_repeats.keep(session, post.id, post.text)
    return True


def without_mark(words: str) -> str:
    """A short text may begin with "1/2 " by itself; now that another part has come, that was a part's mark and is
    removed."""
    first = part(words, awaited=True)
    return first.text if first and first.first else words


def _waits(session: Session, post_id: int) -> bool:
    """Locks the fan-outs, so that no worker takes them meanwhile; False when a worker has one already."""
    return session.execute(WAITING, {"post": post_id}).first() is not None


WAITING: Final = text("""
    SELECT 1 FROM fanouts JOIN posts p ON p.id = fanouts.post_id AND p.deleted_at IS NULL
    WHERE fanouts.post_id = :post AND fanouts.state = 'waiting' AND fanouts.reached = 0
      AND fanouts.not_before > now()
    FOR UPDATE OF fanouts SKIP LOCKED
""")


def _render_again(session: Session, author: Account, post: Post) -> None:
    """Renders the one message of the post anew, with all the words."""
    group = session.get(Account, post.group_id) if post.group_id else None
    shown = rendering.of_post(author, group, post, None)
    publications.reword(session, post.id, shown.text, shown.body)
