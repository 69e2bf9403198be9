"""Updates as apps know them. Clients take most keys for granted, so lists are there when they are empty."""

from collections.abc import Sequence
from typing import Literal

from gateway.doors.api.accounts.entities import Account, Emoji
from gateway.doors.api.frame.fields import Entity, Id, Moment

Visibility = Literal["public", "private", "direct"]
MediaKind = Literal["image", "video", "audio", "unknown"]


class Size(Entity):
    """Of a picture, in pixels. `size`: width and height as 640x480; `aspect`: one by the other."""

    width: int
    height: int
    size: str
    aspect: float


class MediaMeta(Entity):
    """Empty for what is no picture. `small`: of the copy that is shown first."""

    original: Size | None = None
    small: Size | None = None


class Attachment(Entity):
    """A file of an update. Its addresses are for this reader, and dead once they may not read the update."""

    id: Id
    type: MediaKind
    url: str
    preview_url: str
    remote_url: str | None = None
    preview_remote_url: str | None = None
    text_url: str | None = None
    meta: MediaMeta
    description: str | None
    blurhash: str | None


class Mention(Entity):
    """Somebody whom an update names, or to whom it is."""

    id: Id
    username: str
    acct: str
    url: str


class TagLink(Entity):
    """A #tag in an update; `name` without the #."""

    name: str
    url: str


class StatusApplication(Entity):
    """By which door it came: SMS, e-mail. Clients show it as "via SMS"."""

    name: str
    website: str | None = None


class Status(Entity):
    """An update as this reader sees it. `content` is HTML. `reblog`: what it passes on; `text`: its words as they were
    written, for who has just deleted it."""

    id: Id
    uri: str
    url: str
    created_at: Moment
    edited_at: Moment | None = None
    account: Account
    content: str
    visibility: Visibility
    sensitive: bool = False
    spoiler_text: str = ""
    media_attachments: Sequence[Attachment] = ()
    application: StatusApplication | None = None
    mentions: Sequence[Mention] = ()
    tags: Sequence[TagLink] = ()
    emojis: Sequence[Emoji] = ()
    reblogs_count: int = 0
    favourites_count: int = 0
    replies_count: int = 0
    quotes_count: int = 0
    in_reply_to_id: Id | None = None
    in_reply_to_account_id: Id | None = None
    reblog: "Status | None" = None
    poll: None = None
    card: None = None
    language: str | None = None
    text: str | None = None
    favourited: bool = False
    reblogged: bool = False
    muted: bool = False
    bookmarked: bool = False
    pinned: bool = False
    filtered: Sequence[str] = ()


class StatusContext(Entity):
    """What an update answers, and what answers it."""

    ancestors: Sequence[Status]
    descendants: Sequence[Status]


class StatusSource(Entity):
    """The words of an update as they were written."""

    id: Id
    text: str
    spoiler_text: str = ""


class StatusEdit(Entity):
    """One version of an update. There is only the first, for what has left is not changed."""

    content: str
    spoiler_text: str = ""
    sensitive: bool = False
    created_at: Moment
    account: Account
    media_attachments: Sequence[Attachment] = ()
    emojis: Sequence[Emoji] = ()
    poll: None = None
