"""schema.sql as SQLAlchemy classes; schema.sql explains each column, and a test checks that the two agree."""

from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    and_,
    column,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column

NEW_ID = text("new_id()")
NOW = func.now()
ZERO = text("0")
FALSE = text("false")
TRUE = text("true")


class Table(DeclarativeBase):
    """Every table; maps the plain Python types to PostgreSQL's."""

    type_annotation_map: ClassVar = {
        int: BigInteger,
        str: Text,
        bytes: LargeBinary,
        datetime: DateTime(timezone=True),
        timedelta: Interval,
        list[str]: ARRAY(Text),
        list[int]: ARRAY(BigInteger),
        dict[str, Any]: JSONB,
    }


def _cascade(column: str) -> ForeignKey:
    return ForeignKey(column, ondelete="CASCADE")


def _forget(column: str) -> ForeignKey:
    return ForeignKey(column, ondelete="SET NULL")


class Installation(Table):
    __tablename__ = "installation"
    only_row: Mapped[bool] = mapped_column(primary_key=True, server_default=TRUE)
    mode: Mapped[str]
    hash_key: Mapped[bytes] = mapped_column(server_default=text("sha256(gen_random_uuid()::text::bytea)"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    draining_since: Mapped[datetime | None]
    draining_until: Mapped[datetime | None]
    mail_paused_until: Mapped[datetime | None]
    mail_pause_reason: Mapped[str | None]
    restored_at: Mapped[datetime | None]
    drained_at: Mapped[datetime | None]


class TaskFailure(Table):
    __tablename__ = "task_failures"
    task: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str]
    since: Mapped[datetime] = mapped_column(server_default=NOW)
    failed_at: Mapped[datetime] = mapped_column(server_default=NOW)


class OptedOut(Table):
    __tablename__ = "opted_out"
    hash: Mapped[str] = mapped_column(primary_key=True)
    stopped_at: Mapped[datetime]


class Retention(Table):
    __tablename__ = "retention"
    what: Mapped[str] = mapped_column(primary_key=True)
    upto: Mapped[int] = mapped_column(server_default=ZERO)
    done_at: Mapped[datetime | None]


class Redaction(Table):
    __tablename__ = "redactions"
    carrier_id: Mapped[str] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    not_before: Mapped[datetime] = mapped_column(server_default=NOW)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


Index("redactions_due", Redaction.not_before)


class Account(Table):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    kind: Mapped[str]
    handle: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    title: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="active")
    role: Mapped[str] = mapped_column(server_default="member")
    access: Mapped[str | None]
    answer_window: Mapped[timedelta] = mapped_column(server_default="30 minutes")
    language: Mapped[str] = mapped_column(server_default="en")
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    pin: Mapped[str] = mapped_column(server_default="none")
    ack: Mapped[bool] = mapped_column(server_default=FALSE)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    deactivated_at: Mapped[datetime | None]
    plain_name: Mapped[str] = mapped_column(Text(collation="C"), Computed("plain_name(name)", persisted=True))
    daily: Mapped[bool] = mapped_column(server_default=TRUE)
    daily_on: Mapped[date | None]
    daily_upto: Mapped[int] = mapped_column(server_default=ZERO)
    zone_since: Mapped[datetime | None]
    chooses: Mapped[bool] = mapped_column(server_default=FALSE)
    may_urge: Mapped[bool] = mapped_column(server_default=FALSE)
    zone_now: Mapped[str] = column_property(
        select(column("zone", Text))
        .select_from(table("zones_now"))
        .where(column("account_id", BigInteger) == id)  # noqa: A003
        .scalar_subquery(),
        deferred=True,  # few ask: what names a time by the person's clock
    )
    __table_args__ = (Index("accounts_by_name", "plain_name"),)


class Attention(Table):
    __tablename__ = "attention"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    digest_every: Mapped[str | None]
    digest_at: Mapped[time] = mapped_column(server_default=text("'08:00'"))
    digest_weekday: Mapped[int | None] = mapped_column(SmallInteger)
    zone: Mapped[str | None]
    zone_until: Mapped[datetime | None]
    out_of_office_until: Mapped[datetime | None]
    digest_back: Mapped[bool] = mapped_column(server_default=FALSE)
    connects: Mapped[bool] = mapped_column(server_default=TRUE)
    texts_a_day: Mapped[int | None] = mapped_column(SmallInteger)
    prefer: Mapped[str | None]
    private: Mapped[str | None]
    mention: Mapped[str | None]
    reply: Mapped[str | None]
    tracked: Mapped[str | None]
    group: Mapped[str | None]
    person: Mapped[str | None]
    tag: Mapped[str | None]
    broadcast: Mapped[str | None]
    unseen_after: Mapped[timedelta | None]


_chosen = (Attention.tracked, Attention.group, Attention.person, Attention.tag, Attention.broadcast)
Index("attention_texts", Attention.account_id, postgresql_where=literal("text").in_(_chosen))
Index("attention_limited", Attention.account_id, postgresql_where=Attention.texts_a_day.is_not(None))


class Presence(Table):
    __tablename__ = "presence"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 - as SQLAlchemy declares it
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    active_at: Mapped[datetime]


class Alias(Table):
    __tablename__ = "aliases"
    alias: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    kind: Mapped[str] = mapped_column(server_default="alias")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("aliases_by_account", "account_id"),)


class Pin(Table):
    __tablename__ = "pins"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    salt: Mapped[bytes]
    digest: Mapped[bytes]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    locked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Lockout(Table):
    __tablename__ = "lockouts"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    wrong: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    wrong_at: Mapped[datetime | None]
    locks: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    locked_until: Mapped[datetime | None]


class Sender(Table):
    __tablename__ = "senders"
    id: Mapped[int] = mapped_column(SmallInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    carrier: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="active")
    paused_until: Mapped[datetime | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Address(Table):
    __tablename__ = "addresses"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[int | None] = mapped_column(_cascade("accounts.id"))
    channel: Mapped[str]
    address: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="verified")
    is_primary: Mapped[bool] = mapped_column(server_default=FALSE)
    receiving: Mapped[bool] = mapped_column(server_default=TRUE)
    off_until: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    introduced_at: Mapped[datetime | None]
    sender_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("senders.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    bouncing_since: Mapped[datetime | None]
    quiet: Mapped[str | None]
    quiet_since: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("channel", "address"),
        Index("addresses_by_account", "account_id"),
        Index("addresses_bouncing", "bouncing_since", postgresql_where=text("bouncing_since IS NOT NULL")),
    )


Index("addresses_primary", Address.account_id, Address.channel, unique=True, postgresql_where=Address.is_primary)


class Follow(Table):
    __tablename__ = "follows"
    follower_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    role: Mapped[str] = mapped_column(server_default="follower")
    state: Mapped[str] = mapped_column(server_default="active")
    by_text: Mapped[bool] = mapped_column(server_default=FALSE)
    off: Mapped[bool] = mapped_column(server_default=FALSE)
    off_until: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    way: Mapped[str | None]
    __table_args__ = (
        CheckConstraint("follower_id <> account_id"),
        Index("follows_by_account", "account_id", "follower_id"),
    )


# Phones are counted before each post, and an author with a million readers by mail must not wait for that. Previews
# count here and draw the first in an order by chance, without looking at the table.
Index(
    "follows_by_way",
    Follow.account_id,
    Follow.by_text,
    func.hashint8(Follow.follower_id),
    Follow.follower_id,
    postgresql_include=["expires_at"],
    postgresql_where=Follow.state == "active",
)
Index("follows_texts", Follow.account_id, postgresql_where=Follow.way == "text")


class Topic(Table):
    __tablename__ = "topics"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    tag: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class TopicFollow(Table):
    __tablename__ = "topic_follows"
    follower_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(_cascade("topics.id"), primary_key=True)
    by_text: Mapped[bool] = mapped_column(server_default=FALSE)
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    way: Mapped[str | None]
    __table_args__ = (Index("topic_follows_by_topic", "topic_id", "follower_id"),)


class Track(Table):
    __tablename__ = "tracks"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    phrase: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    shown: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Tracker(Table):
    __tablename__ = "trackers"
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"), primary_key=True)
    follower_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    by_text: Mapped[bool] = mapped_column(server_default=FALSE)
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    way: Mapped[str | None]
    __table_args__ = (Index("trackers_by_follower", "follower_id"),)


class Silence(Table):
    __tablename__ = "silences"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    kind: Mapped[str]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        CheckConstraint("account_id <> other_id"),
        Index("silences_by_other", "other_id", "account_id"),
    )


class Nudge(Table):
    __tablename__ = "nudges"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Invitation(Table):
    __tablename__ = "invitations"
    address_id: Mapped[int] = mapped_column(_cascade("addresses.id"), primary_key=True)
    inviter_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    accepted_at: Mapped[datetime | None]
    __table_args__ = (Index("invitations_by_inviter", "inviter_id", "created_at"),)


class Code(Table):
    __tablename__ = "codes"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    purpose: Mapped[str]
    address_id: Mapped[int | None] = mapped_column(_cascade("addresses.id"))
    digest: Mapped[bytes]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (Index("codes_by_account", "account_id", "id"),)


Index("codes_open", Code.digest, postgresql_where=Code.ended_at.is_(None))


class WebSession(Table):
    __tablename__ = "web_sessions"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    digest: Mapped[bytes] = mapped_column(unique=True)
    began_by: Mapped[str]
    device: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    seen_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    __table_args__ = (Index("web_sessions_by_account", "account_id"),)


class PushSubscription(Table):
    __tablename__ = "push_subscriptions"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    session_id: Mapped[int | None] = mapped_column(_cascade("web_sessions.id"))
    endpoint: Mapped[str] = mapped_column(unique=True)
    p256dh: Mapped[str]
    auth: Mapped[str]
    encoding: Mapped[str] = mapped_column(server_default="standard")
    device: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    used_at: Mapped[datetime | None]
    __table_args__ = (
        Index("push_subscriptions_by_account", "account_id"),
        Index("push_subscriptions_by_session", "session_id"),
    )


class ReadMark(Table):
    __tablename__ = "read_marks"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    upto: Mapped[int]
    read_at: Mapped[datetime] = mapped_column(server_default=NOW)


class WebDraft(Table):
    __tablename__ = "web_drafts"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    words: Mapped[str]
    written_at: Mapped[datetime] = mapped_column(server_default=NOW)


class WebSettings(Table):
    __tablename__ = "web_settings"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    look: Mapped[str | None]
    keys: Mapped[bool] = mapped_column(server_default=TRUE)


class Status(Table):
    __tablename__ = "statuses"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    words: Mapped[str]
    until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Passkey(Table):
    __tablename__ = "passkeys"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(server_default=ZERO)
    name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    used_at: Mapped[datetime | None]
    __table_args__ = (Index("passkeys_by_account", "account_id"),)


class CompanyAccount(Table):
    __tablename__ = "company_accounts"
    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("company_accounts_by_account", "account_id"),)


class App(Table):
    __tablename__ = "apps"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    client_id: Mapped[str] = mapped_column(unique=True)
    secret_digest: Mapped[bytes]
    name: Mapped[str]
    website: Mapped[str | None]
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(Text))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class AppCode(Table):
    __tablename__ = "app_codes"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    digest: Mapped[bytes] = mapped_column(unique=True)
    app_id: Mapped[int] = mapped_column(_cascade("apps.id"))
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    redirect_uri: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    challenge: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    __table_args__ = (Index("app_codes_by_app", "app_id"), Index("app_codes_by_account", "account_id"))


class AppToken(Table):
    __tablename__ = "app_tokens"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    app_id: Mapped[int] = mapped_column(_cascade("apps.id"))
    account_id: Mapped[int | None] = mapped_column(_cascade("accounts.id"))
    digest: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    code_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    seen_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    __table_args__ = (
        Index("app_tokens_by_app", "app_id"),
        Index("app_tokens_by_account", "account_id"),
        Index("app_tokens_by_code", "code_id"),
    )


class Inbound(Table):
    __tablename__ = "inbound"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    channel: Mapped[str]
    natural_key: Mapped[bytes]
    sender: Mapped[str]
    recipients: Mapped[list[str]]
    message_id: Mapped[str | None]
    text: Mapped[str | None]
    raw: Mapped[bytes | None]
    trusted: Mapped[bool]
    opt_out_type: Mapped[str | None]
    flagged: Mapped[bool] = mapped_column(server_default=FALSE)
    state: Mapped[str] = mapped_column(server_default="new")
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    lease_until: Mapped[datetime | None]
    lease_owner: Mapped[str | None]
    account_id: Mapped[int | None] = mapped_column(_forget("accounts.id"))
    intent: Mapped[str | None]
    reason: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(server_default=NOW)
    done_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    proof: Mapped[str | None]
    __table_args__ = (UniqueConstraint("channel", "natural_key"),)

    @property
    def heard_at(self) -> datetime:
        """When its writer wrote it, as well as we know."""
        return self.sent_at or self.received_at

    @property
    def late(self) -> datetime | None:
        """When it was written, for an input that came so late that its writer may have received much since."""
        waited = self.received_at - self.sent_at if self.sent_at else timedelta(0)
        return self.sent_at if waited > timedelta(seconds=30) else None


_open_inbound = Inbound.state.in_(["new", "working"])
Index("inbound_open", Inbound.id, postgresql_where=_open_inbound)
Index("inbound_open_by_sender", Inbound.channel, Inbound.sender, Inbound.id, postgresql_where=_open_inbound)
Index("inbound_by_message_id", Inbound.message_id)
Index("inbound_held", Inbound.id, postgresql_where=Inbound.state.in_(["held", "quarantined"]))
Index(
    "inbound_read_by_sender",
    Inbound.channel,
    Inbound.sender,
    Inbound.id,
    postgresql_where=Inbound.state.not_in(["new", "working"]),
)
Index("inbound_wrong_codes", Inbound.id, postgresql_where=Inbound.reason == "a wrong code of a stranger")
Index(
    "inbound_later",
    Inbound.not_before,
    postgresql_where=(Inbound.state == "new") & Inbound.not_before.is_not(None),
)


Index("inbound_unproved", Inbound.channel, Inbound.sender, Inbound.id, postgresql_where=Inbound.state == "unproved")


class MailSignature(Table):
    __tablename__ = "mail_signatures"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    inbound_id: Mapped[int]


class PostingAddress(Table):
    __tablename__ = "posting_addresses"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    seed: Mapped[bytes]
    digest: Mapped[bytes] = mapped_column(unique=True)
    made_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Watermark(Table):
    __tablename__ = "watermarks"
    number: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(server_default=NOW)
    read_until: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    reason: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    lease_owner: Mapped[str | None]


class Upload(Table):
    __tablename__ = "uploads"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[int | None] = mapped_column(_cascade("accounts.id"))
    inbound_id: Mapped[int | None] = mapped_column(_cascade("inbound.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        CheckConstraint("(inbound_id IS NULL) = (account_id IS NOT NULL)", name="uploads_source"),
        Index("uploads_by_inbound", "inbound_id", unique=True),
    )


class Media(Table):
    __tablename__ = "media"
    upload_id: Mapped[int] = mapped_column(_cascade("uploads.id"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    url: Mapped[str | None]
    content_type: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default="new")
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    not_before: Mapped[datetime] = mapped_column(server_default=NOW)
    sha256: Mapped[bytes | None]
    size: Mapped[int | None]
    reason: Mapped[str | None]
    name: Mapped[str | None]
    small_sha256: Mapped[bytes | None]
    inbound_id: Mapped[int | None] = mapped_column(_cascade("inbound.id"))
    raw: Mapped[bytes | None]
    description: Mapped[str | None]
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    blurhash: Mapped[str | None]


Index("media_by_inbound", Media.inbound_id)
Index("media_open", Media.not_before, postgresql_where=Media.state == "new")
Index("media_by_file", Media.sha256, postgresql_where=Media.sha256.is_not(None))
Index("media_by_small_file", Media.small_sha256, postgresql_where=Media.small_sha256.is_not(None))


class Action(Table):
    __tablename__ = "actions"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[int | None] = mapped_column(_cascade("accounts.id"))
    door: Mapped[str]
    inbound_id: Mapped[int | None] = mapped_column(_cascade("inbound.id"))
    key: Mapped[str | None]
    request: Mapped[bytes | None]
    result: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        CheckConstraint("(inbound_id IS NULL) = (key IS NOT NULL)", name="actions_cause"),
        Index("actions_by_inbound", "inbound_id", unique=True),
        Index("actions_by_key", "account_id", "key", unique=True),
    )


class Effect(Table):
    __tablename__ = "effects"
    action_id: Mapped[int] = mapped_column(_cascade("actions.id"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    inbound_id: Mapped[int | None] = mapped_column(_cascade("inbound.id"))
    kind: Mapped[str]
    subject_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    account_id: Mapped[int | None] = mapped_column(_cascade("accounts.id"))
    undone_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


Index("effects_by_actor", Effect.account_id, Effect.action_id.desc(), Effect.number.desc())
Index("effects_by_account", Effect.account_id, Effect.inbound_id.desc(), Effect.number.desc())
Index("effects_by_inbound", Effect.inbound_id)


class Post(Table):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    author_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    group_id: Mapped[int | None] = mapped_column(_cascade("accounts.id"))
    in_reply_to: Mapped[int | None] = mapped_column(_forget("posts.id"))
    repeat_of: Mapped[int | None] = mapped_column(_cascade("posts.id"))
    visibility: Mapped[str]
    text: Mapped[str]
    lang: Mapped[str | None]
    via: Mapped[str]
    inbound_id: Mapped[int | None] = mapped_column(_forget("inbound.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    deleted_at: Mapped[datetime | None]
    pictures_of: Mapped[int | None] = mapped_column(_forget("inbound.id"))
    upload_id: Mapped[int | None] = mapped_column(_forget("uploads.id"))
    attached: Mapped[str | None]
    search: Mapped[str | None] = mapped_column(TSVECTOR, deferred=True)
    call: Mapped[str | None]


Index("posts_by_author", Post.author_id, Post.id.desc())
Index("posts_by_group", Post.group_id, Post.id.desc())
Index("posts_by_parent", Post.in_reply_to)
Index("posts_by_repeated", Post.repeat_of, postgresql_where=Post.repeat_of.is_not(None))
Index(
    "posts_by_search",
    Post.search,
    postgresql_using="gin",
    postgresql_with={"gin_pending_list_limit": 256},
    postgresql_where=Post.search.is_not(None),
)
Index("posts_by_upload", Post.upload_id, postgresql_where=Post.upload_id.is_not(None))
Index("posts_with_pictures", Post.pictures_of, postgresql_where=Post.pictures_of.is_not(None))


class PostRecipient(Table):
    __tablename__ = "post_recipients"
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    named_id: Mapped[int] = mapped_column(_cascade("accounts.id"))


Index("post_recipients_by_account", PostRecipient.account_id, PostRecipient.post_id.desc())


class PrivateFingerprint(Table):
    __tablename__ = "private_fingerprints"
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True, autoincrement=False)
    runs: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


Index(
    "private_fingerprints_by_run", PrivateFingerprint.runs, postgresql_using="gin",
    postgresql_with={"fastupdate": "off"},
)  # fmt: skip


class Mention(Table):
    __tablename__ = "mentions"
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)


Index("mentions_by_account", Mention.account_id, Mention.post_id.desc())


class Tag(Table):
    __tablename__ = "tags"
    tag: Mapped[str] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True)
    __table_args__ = (Index("tags_by_post", "post_id"),)


class Reaction(Table):
    __tablename__ = "reactions"
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


Index("reactions_by_account", Reaction.account_id, Reaction.post_id.desc())


class Bookmark(Table):
    __tablename__ = "bookmarks"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("bookmarks_by_post", "post_id"),)


class PinnedPost(Table):
    __tablename__ = "pinned_posts"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("pinned_posts_by_post", "post_id"),)


class DismissedNotice(Table):
    __tablename__ = "dismissed_notices"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    __table_args__ = (Index("dismissed_notices_by_account", "account_id"),)


class ReachQuestion(Table):
    __tablename__ = "reach_questions"
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    request: Mapped[bytes] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(server_default=NOW)


class AccountList(Table):
    __tablename__ = "lists"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("lists_by_account", "account_id"),)


class ListAccount(Table):
    __tablename__ = "list_accounts"
    list_id: Mapped[int] = mapped_column(_cascade("lists.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    __table_args__ = (Index("list_accounts_by_account", "account_id"),)


class Message(Table):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    kind: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(_cascade("accounts.id"))
    post_id: Mapped[int | None] = mapped_column(_cascade("posts.id"))
    inbound_id: Mapped[int | None] = mapped_column(_cascade("inbound.id"))
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("5"))
    must_arrive: Mapped[bool] = mapped_column(server_default=FALSE)
    text: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    instead_of: Mapped[int | None] = mapped_column(_cascade("messages.id"))
    note: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    quotes: Mapped[list[int] | None]


Index(
    "messages_instead",
    Message.instead_of,
    Message.note,
    unique=True,
    postgresql_where=Message.instead_of.is_not(None),
)
Index("messages_one_answer", Message.inbound_id, unique=True, postgresql_where=Message.kind == "answer")
Index("messages_by_post", Message.post_id)


class DailyMail(Table):
    __tablename__ = "daily_mails"
    message_id: Mapped[int] = mapped_column(_cascade("messages.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    posts: Mapped[list[int]]
    __table_args__ = (Index("daily_mails_by_account", "account_id"),)


class Delivery(Table):
    __tablename__ = "deliveries"
    message_id: Mapped[int] = mapped_column(primary_key=True)
    address_id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(server_default=ZERO)
    source_id: Mapped[int | None]
    channel: Mapped[str]
    sender_id: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    priority: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(server_default="queued")
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    not_before: Mapped[datetime] = mapped_column(server_default=NOW)
    give_up_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    lease_owner: Mapped[str | None]
    reason: Mapped[str | None]
    segments: Mapped[int | None] = mapped_column(SmallInteger)
    tag: Mapped[str | None]
    introduces: Mapped[bool] = mapped_column(server_default=FALSE)
    possible_duplicate: Mapped[bool] = mapped_column(server_default=FALSE)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    __table_args__ = ({"postgresql_partition_by": "RANGE (message_id)"},)


_open_delivery = Delivery.ended_at.is_(None)
Index(
    "deliveries_due",
    Delivery.channel,
    Delivery.sender_id,
    Delivery.priority,
    Delivery.message_id,
    postgresql_where=_open_delivery,
)
Index("deliveries_lanes", Delivery.address_id, Delivery.author_id, Delivery.message_id, postgresql_where=_open_delivery)
Index(
    "deliveries_later",
    Delivery.not_before,
    postgresql_where=_open_delivery & (Delivery.not_before != Delivery.created_at),
)
Index("deliveries_by_address", Delivery.address_id, Delivery.message_id.desc())
Index(
    "deliveries_dead",
    Delivery.message_id,
    Delivery.address_id,
    postgresql_where=Delivery.ended_at.is_not(None) & Delivery.reason.is_not(None),
)


class Held(Table):
    __tablename__ = "held"
    message_id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(primary_key=True)
    address_id: Mapped[int]
    author_id: Mapped[int] = mapped_column(server_default=ZERO)
    source_id: Mapped[int | None]
    cause: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str]
    until: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="waiting")
    why: Mapped[str | None]
    digest_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    slot: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    delayed_until: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]


_waiting = Held.state == "waiting"
Index("held_due", Held.until, postgresql_where=_waiting)
Index("held_by_person", Held.account_id, Held.until, postgresql_where=_waiting)
Index("held_folded", Held.digest_id, postgresql_where=Held.state == "folded")
Index("held_by_digest", Held.digest_id, postgresql_where=Held.digest_id.is_not(None))
Index("held_by_address", Held.address_id)
Index("held_online", Held.address_id, postgresql_where=and_(_waiting, Held.reason == "online"))


class Digest(Table):
    __tablename__ = "digests"
    message_id: Mapped[int] = mapped_column(_cascade("messages.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    address_id: Mapped[int] = mapped_column(_cascade("addresses.id"))
    kind: Mapped[str]
    slot: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    posts: Mapped[list[int]] = mapped_column(server_default=text("'{}'"))
    folded: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    __table_args__ = (UniqueConstraint("address_id", "kind", "slot"), Index("digests_by_account", "account_id"))


class Call(Table):
    __tablename__ = "calls"
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True)
    kind: Mapped[str]
    asker_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    group_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    step_after: Mapped[timedelta | None]
    next_at: Mapped[datetime | None]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ending: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ending IS NULL)"),
        Index("calls_by_asker", "asker_id"),
        Index("calls_by_group", "group_id"),
    )


Index("calls_due", Call.next_at, postgresql_where=Call.ended_at.is_(None))


class CallPerson(Table):
    __tablename__ = "call_people"
    post_id: Mapped[int] = mapped_column(_cascade("calls.post_id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    next_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    late: Mapped[bool] = mapped_column(server_default=FALSE)
    text: Mapped[str | None]
    inbound_id: Mapped[int | None] = mapped_column(_forget("inbound.id"))
    retracted_at: Mapped[datetime | None]
    gone: Mapped[str | None]


_unanswered = CallPerson.answered_at.is_(None) & CallPerson.next_at.is_not(None)
Index("call_people_due", CallPerson.next_at, postgresql_where=_unanswered)
Index("call_people_by_account", CallPerson.account_id, CallPerson.post_id)
Index("call_people_by_inbound", CallPerson.inbound_id, postgresql_where=CallPerson.inbound_id.is_not(None))


class Attempt(Table):
    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    message_id: Mapped[int]
    address_id: Mapped[int]
    number: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(server_default="sending")
    carrier_id: Mapped[str | None]
    status: Mapped[str | None]
    reason: Mapped[str | None]
    started_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]
    body_hash: Mapped[bytes | None]
    __table_args__ = (UniqueConstraint("message_id", "address_id", "number"),)


Index("attempts_by_carrier_id", Attempt.carrier_id, postgresql_where=Attempt.carrier_id.is_not(None))


Index("attempts_filtered", Attempt.id, postgresql_where=Attempt.reason.in_(["30004", "30007"]))


class Fallback(Table):
    __tablename__ = "fallbacks"
    message_id: Mapped[int] = mapped_column(_cascade("messages.id"), primary_key=True)
    address_id: Mapped[int] = mapped_column(_cascade("addresses.id"), primary_key=True)
    mail_id: Mapped[int] = mapped_column(_cascade("messages.id"))
    mailbox_id: Mapped[int] = mapped_column(_cascade("addresses.id"))
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("fallbacks_by_mail", "mail_id", "mailbox_id"),)


class Bounce(Table):
    __tablename__ = "bounces"
    message_id: Mapped[int] = mapped_column(_cascade("messages.id"), primary_key=True)
    address_id: Mapped[int] = mapped_column(_cascade("addresses.id"), primary_key=True)
    kind: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (Index("bounces_by_address", "address_id"), Index("bounces_by_time", "created_at"))


class Bouncing(Table):
    __tablename__ = "bouncing"
    address_id: Mapped[int] = mapped_column(_cascade("addresses.id"), primary_key=True)
    score: Mapped[float] = mapped_column(Double)
    status: Mapped[str]
    bounced_at: Mapped[datetime] = mapped_column(server_default=NOW)
    warned_at: Mapped[datetime | None]
    probes: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    probe_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"))
    probe_at: Mapped[datetime | None]
    __table_args__ = (
        Index("bouncing_due", "probe_at", postgresql_where=text("probe_at IS NOT NULL")),
        Index("bouncing_by_probe", "probe_id", postgresql_where=text("probe_id IS NOT NULL")),
    )


class Callback(Table):
    __tablename__ = "callbacks"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    attempt_id: Mapped[int]
    carrier_id: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(server_default=NOW)
    applied_at: Mapped[datetime | None]
    carrier: Mapped[str] = mapped_column(server_default="twilio")
    __table_args__ = (Index("callbacks_by_attempt", "attempt_id"),)


Index("callbacks_open", Callback.id, postgresql_where=Callback.applied_at.is_(None))


class Fanout(Table):
    __tablename__ = "fanouts"
    message_id: Mapped[int] = mapped_column(_cascade("messages.id"), primary_key=True)
    source_id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"))
    author_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    state: Mapped[str] = mapped_column(server_default="waiting")
    not_before: Mapped[datetime] = mapped_column(server_default=NOW)
    reached: Mapped[int] = mapped_column(server_default=ZERO)
    texts: Mapped[int] = mapped_column(server_default=ZERO)
    mails: Mapped[int] = mapped_column(server_default=ZERO)
    pushes: Mapped[int] = mapped_column(server_default=ZERO)
    attempt: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    done_at: Mapped[datetime | None]


Index("fanouts_open", Fanout.author_id, Fanout.message_id, Fanout.source_id, postgresql_where=Fanout.state == "waiting")
Index("fanouts_by_post", Fanout.post_id)


class Telling(Table):
    __tablename__ = "tellings"
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(server_default=NOW)
    told_at: Mapped[datetime | None]


Index("tellings_open", Telling.due_at, postgresql_where=Telling.told_at.is_(None))


class Offer(Table):
    __tablename__ = "offers"
    post_id: Mapped[int] = mapped_column(_cascade("posts.id"), primary_key=True)
    author_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    due_at: Mapped[datetime] = mapped_column(server_default=NOW)
    word: Mapped[str | None]
    offered_at: Mapped[datetime | None]


Index("offers_open", Offer.due_at, postgresql_where=Offer.offered_at.is_(None))
Index("offers_by_author", Offer.author_id, Offer.offered_at)


class OfferPerson(Table):
    __tablename__ = "offer_people"
    post_id: Mapped[int] = mapped_column(_cascade("offers.post_id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"), primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger)
    asked_by: Mapped[int | None] = mapped_column(_forget("posts.id"))
    asked_at: Mapped[datetime | None]


Index("offer_people_by_account", OfferPerson.account_id, OfferPerson.asked_at)
Index("offer_people_by_question", OfferPerson.asked_by, postgresql_where=OfferPerson.asked_by.is_not(None))


class Conversation(Table):
    __tablename__ = "conversations"
    address_id: Mapped[int] = mapped_column(_cascade("addresses.id"), primary_key=True)
    question: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    expires_at: Mapped[datetime | None]
    more: Mapped[str | None]
    more_at: Mapped[datetime | None]
    thread_id: Mapped[int | None] = mapped_column(_forget("posts.id"))
    thread_until: Mapped[datetime | None]
    half: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    half_at: Mapped[datetime | None]
    liked: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))


class Remainder(Table):
    __tablename__ = "remainders"
    address_id: Mapped[int] = mapped_column(_cascade("addresses.id"), primary_key=True)
    text: Mapped[str]
    posts: Mapped[list[int]]
    kept_at: Mapped[datetime] = mapped_column(server_default=NOW)
    __table_args__ = (CheckConstraint("text <> ''"),)


class Draft(Table):
    __tablename__ = "drafts"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]


class Report(Table):
    __tablename__ = "reports"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    reporter_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    account_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    post_id: Mapped[int | None] = mapped_column(_cascade("posts.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    closed_at: Mapped[datetime | None]
    reason: Mapped[str | None]


Index("reports_open", Report.id, postgresql_where=Report.closed_at.is_(None))


class Refusal(Table):
    __tablename__ = "refusals"
    inbound_id: Mapped[int] = mapped_column(_cascade("inbound.id"), primary_key=True)
    address_id: Mapped[int] = mapped_column(_cascade("addresses.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    closed_at: Mapped[datetime | None]


Index("refusals_open", Refusal.inbound_id, postgresql_where=Refusal.closed_at.is_(None))


class Consent(Table):
    __tablename__ = "consent"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    address_id: Mapped[int] = mapped_column(_cascade("addresses.id"))
    kind: Mapped[str]
    wording: Mapped[str]
    our_address: Mapped[str | None]
    carrier_id: Mapped[str | None]
    source: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    audit_id: Mapped[int | None]
    __table_args__ = (Index("consent_by_address", "address_id", "id"),)


class Audit(Table):
    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True, server_default=NEW_ID)
    actor: Mapped[str]
    action: Mapped[str]
    subject_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    number: Mapped[int | None]
    prev: Mapped[bytes | None]
    hash: Mapped[bytes | None]
    key: Mapped[str | None]
    mac: Mapped[bytes | None]


class Budget(Table):
    __tablename__ = "budgets"
    day: Mapped[date] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True, server_default="")
    used: Mapped[int] = mapped_column(server_default=ZERO)
    allowed: Mapped[int] = mapped_column(server_default=ZERO)
    exhausted_at: Mapped[datetime | None]


class Charge(Table):
    __tablename__ = "charges"
    attempt_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    charged_at: Mapped[datetime] = mapped_column(server_default=NOW)
    author_id: Mapped[int] = mapped_column(server_default=ZERO)
    group_id: Mapped[int] = mapped_column(server_default=ZERO)
    country: Mapped[str]
    parts: Mapped[int] = mapped_column(SmallInteger)
    micros: Mapped[int]
    billed: Mapped[int | None]
    reader_id: Mapped[int | None]
    reader_day: Mapped[date | None]


Index("charges_unbilled", Charge.charged_at, postgresql_where=Charge.billed.is_(None))


class Hour(Table):
    __tablename__ = "hours"
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    parts: Mapped[int]


class Breaker(Table):
    __tablename__ = "breaker"
    only_row: Mapped[bool] = mapped_column(primary_key=True, server_default=TRUE)
    tripped_at: Mapped[datetime | None]
    parts: Mapped[int] = mapped_column(server_default=ZERO)
    usual: Mapped[int] = mapped_column(server_default=ZERO)
    quiet_until: Mapped[datetime | None]


class Shortfall(Table):
    __tablename__ = "shortfalls"
    message_id: Mapped[int] = mapped_column(_cascade("messages.id"), primary_key=True)
    author_id: Mapped[int] = mapped_column(_cascade("accounts.id"))
    scope: Mapped[str]
    phones: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    missed_at: Mapped[datetime] = mapped_column(server_default=NOW)
    told_at: Mapped[datetime | None]


Index("shortfalls_untold", Shortfall.author_id, postgresql_where=Shortfall.told_at.is_(None))


class PriceSweep(Table):
    __tablename__ = "price_sweeps"
    day: Mapped[date] = mapped_column(primary_key=True)
    next_page: Mapped[str | None]
    pages: Mapped[int] = mapped_column(server_default=ZERO)
    rounds: Mapped[int] = mapped_column(SmallInteger, server_default=ZERO)
    not_before: Mapped[datetime] = mapped_column(server_default=NOW)


class RelayDay(Table):
    __tablename__ = "relay_days"
    day: Mapped[date] = mapped_column(primary_key=True)
    mails: Mapped[int] = mapped_column(server_default=ZERO)


class Tally(Table):
    __tablename__ = "tallies"
    name: Mapped[str] = mapped_column(primary_key=True)
    labels: Mapped[str] = mapped_column(primary_key=True, server_default="")
    total: Mapped[float] = mapped_column(Double)


class Process(Table):
    __tablename__ = "processes"
    owner: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(server_default=NOW)
    seen_at: Mapped[datetime] = mapped_column(server_default=NOW)
    closed_until: Mapped[datetime | None]


Index("audit_in_order", Audit.number, unique=True)
