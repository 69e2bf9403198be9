"""The page of a post, as the recipient of a short link may see it; gateway/doors/web/pages shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from gateway.attention.zones import zone
from gateway.language.nanoformats import LINK, untrailed
from gateway.network.audience import visibility
from gateway.network.posts import posts, rendering
from gateway.store.tables import Account, Address, Post
from gateway.store.views import ZONES


@dataclass(frozen=True, slots=True)
class PostPage:
    """What may be shown, to a reader of this language and zone. `private`: a link alone never shows its text;
    `retracted`: its author took it back."""

    kind: Literal["shown", "private", "retracted"]
    author: str
    handle: str
    group: str | None
    at: datetime
    language: str
    zone_name: str
    text: str = ""
    attached: str | None = None
    reactions: Mapping[str, int] = field(default_factory=dict)

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Yields the text in pieces: (words, whether they are a link)."""
        return pieces(self.text)


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yields a text in pieces: (words, whether they are a link)."""
    end = 0
    for found in LINK.finditer(text):
        link = untrailed(found[0])
        yield text[end : found.start()], False
        yield link, True
        end = found.start() + len(link)
    yield text[end:], False


def page(session: Session, post_id: int, address_id: int) -> PostPage | None:
    """Returns the page; None when nothing may be shown to the person who has this address now."""
    author, group = aliased(Account), aliased(Account)
    found = session.execute(
        select(Post, author, group.handle, ZONES.c.zone, Account.language)
        .join(author, author.id == Post.author_id)
        .outerjoin(group, group.id == Post.group_id)
        .join(Address, Address.id == address_id)
        .join(Account, Account.id == Address.account_id)
        .join(ZONES, ZONES.c.account_id == Account.id)
        .where(Post.id == post_id)
    ).one_or_none()
    state = visibility.open_link(session, post_id, address_id)
    if found is None or state is None:
        return None
    post, writer, group_handle, timezone, language = found
    about = post.created_at.astimezone(zone(timezone)), language, timezone
    if state == "retracted":
        return PostPage("retracted", writer.name, writer.handle, group_handle, *about)
    if post.visibility == "direct":
        return PostPage("private", writer.name, writer.handle, group_handle, *about)
    original = posts.original(post)
    reactions = posts.reaction_counts(session, [original]).get(original, {})
    first = session.get(Post, post.repeat_of) if post.repeat_of else None
    by = rendering.signature(writer, None, post, posts.origin(session, first))
    return PostPage("shown", by, writer.handle, group_handle, *about, post.text, post.attached, reactions)
