"""Following people, groups and tags, and leaving them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from gateway.actions.groups import join_requests
from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import confirm_end
from gateway.actions.model.undo_result import Undone, active_account
from gateway.actions.preferences import digests
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.language.nanoformats import is_tag
from gateway.network.follows import follow_snapshot, follows, group_owners, mutes, subscriptions, tag_follows
from gateway.network.follows.follow_snapshot import FollowSnapshot
from gateway.store.tables import Effect, TopicFollow

ASKED_FIRST = ("closed", "broadcast")  # groups that need an owner


@dataclass(frozen=True, slots=True)
class Followed:
    """`state`: "requested" in a closed group; "already" when at most its end changed. `until`: its end, None without
    one; `had_end`: it had one before. `per_day`: items a day to expect. `way`: how it comes to a person who chose ways,
    None when it is as it was asked for."""

    name: str
    handle: str
    state: Literal["followed", "already", "requested"]
    until: datetime | None = None
    had_end: bool = False
    per_day: float = 0.0
    way: str | None = None


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """`state`: "none" when there was nothing to leave, "withdrawn" when it was a request to join."""

    name: str
    handle: str
    state: Literal["left", "withdrawn", "none"]


def follow(session: Session, actor: Actor, source: NamedAccount, until: datetime | None = None) -> Followed:
    """Follows a person or joins a group, by text when a phone asks for it. The owners of a closed group are asked."""
    if source.id == actor.account.id:
        raise refusal("self")
    was = follow_snapshot.take_snapshot(session, actor.account.id, source.id)
    if until and source.group in ASKED_FIRST:
        group_owners.check_not_last_owner(session, actor.account.id, source)
    if was and until and was["state"] == "active" and not was["expires_at"]:
        confirm_end(actor, "follow", source.name, until)
    result = follows.follow(session, actor.account.id, source.id, actor.by_text, expires_at=until)
    if follow_snapshot.take_snapshot(session, actor.account.id, source.id) != was:
        actor.did("follow", source.id, was=was)
    if result == "requested":
        if was is None or was["state"] != "requested":
            join_requests.ask_owners(session, actor, source)
        return Followed(source.name, source.handle, "requested")
    daily = follows.per_day(session, source.id)
    way = subscriptions.chosen_way(session, actor.account.id, source.id)
    return Followed(source.name, source.handle, result, until, bool(was and was["expires_at"]), daily, way)


def follow_tag(session: Session, actor: Actor, tag: str, until: datetime | None = None) -> Followed:
    """`tag`: with its #, as people read it. Raises Refused when posts cannot have such a tag."""
    if not is_tag(tag):
        raise refusal("bad_tag")
    was = tag_follows.standing(session, actor.account.id, tag)
    if was and until and was.expires_at is None:
        confirm_end(actor, "follow", tag, until)
    topic_id, result = tag_follows.follow(session, actor.account.id, tag, actor.by_text, until)
    if was is None:
        actor.did("follow_topic", topic_id, tag=tag)
    elif result == "followed" or was.expires_at != until:
        actor.did("follow_topic", topic_id, tag=tag, was=pack(was))
    had_end = bool(was and was.expires_at)
    way = subscriptions.chosen_way(session, actor.account.id, topic_id)
    return Followed(tag, tag, result, until, had_end, tag_follows.per_day(session, tag), way)


def unfollow(session: Session, actor: Actor, source: NamedAccount) -> Unfollowed:
    """Ends a follow, a membership or a request to join. Raises Refused for a group's only owner."""
    was = follow_snapshot.take_snapshot(session, actor.account.id, source.id)
    if source.group in ASKED_FIRST:
        group_owners.check_not_last_owner(session, actor.account.id, source)
    if not follows.unfollow(session, actor.account.id, source.id):
        return Unfollowed(source.name, source.handle, "none")
    actor.did("unfollow", source.id, was=was)
    withdrawn = was is not None and was["state"] == "requested"
    return Unfollowed(source.name, source.handle, "withdrawn" if withdrawn else "left")


def unfollow_tag(session: Session, actor: Actor, tag: str) -> Unfollowed:
    gone = tag_follows.unfollow(session, actor.account.id, tag)
    if gone is None:
        return Unfollowed(tag, tag, "none")
    actor.did("unfollow_topic", gone.topic_id, tag=tag, **pack(gone))
    return Unfollowed(tag, tag, "left")


def pack(row: TopicFollow) -> dict[str, Any]:
    until = row.expires_at.isoformat() if row.expires_at else None
    return {"by_text": row.by_text, "until": until, "way": row.way}


def undo_follow(session: Session, actor: Actor, effect: Effect) -> Undone:
    source, was = active_account(session, effect.subject_id), effect.detail["was"]
    now = follow_snapshot.take_snapshot(session, actor.account.id, source.id)
    if was is not None:
        _check_not_apart(session, actor, source)
        amend(session, actor, source, was, follow_snapshot.RENEWED)
        digests.end_first(session, actor, effect)
        return Undone("follow_restored", {"name": source.name})
    group_owners.check_not_last_owner(session, actor.account.id, source)
    follow_snapshot.restore(session, actor.account.id, source.id, None)
    digests.end_first(session, actor, effect)
    asked = now is not None and now["state"] == "requested"
    return Undone("request_withdrawn" if asked else "follow_ended", {"name": source.name})


def undo_unfollow(session: Session, actor: Actor, effect: Effect) -> Undone:
    source, was = active_account(session, effect.subject_id), effect.detail["was"]
    _check_not_apart(session, actor, source)
    follow_snapshot.restore(session, actor.account.id, source.id, was)
    asked = was["state"] == "requested"
    return Undone("request_restored" if asked else "follow_restored", {"name": source.name})


def undo_follow_tag(session: Session, actor: Actor, effect: Effect) -> Undone:
    tag = effect.detail["tag"]
    if was := effect.detail.get("was"):
        _put_tag(session, actor, effect, was)
        digests.end_first(session, actor, effect)
        return Undone("follow_restored", {"name": tag})
    tag_follows.unfollow(session, actor.account.id, tag)
    digests.end_first(session, actor, effect)
    return Undone("tag_left", {"tag": tag})


def undo_unfollow_tag(session: Session, actor: Actor, effect: Effect) -> Undone:
    _put_tag(session, actor, effect, effect.detail)
    return Undone("tag_followed", {"tag": effect.detail["tag"]})


def _put_tag(session: Session, actor: Actor, effect: Effect, was: dict[str, Any]) -> None:
    """An effect of the version before has no `way`."""
    assert effect.subject_id is not None
    until = _moment(was["until"])
    tag_follows.put(session, actor.account.id, effect.subject_id, was["by_text"], until, was.get("way"))


def amend(
    session: Session, actor: Actor, source: NamedAccount, was: FollowSnapshot, columns: Sequence[str]
) -> None:  # fmt: skip
    """Restores some columns of a follow, but does not undo an owner's decision to remove somebody or to give them
    another role."""
    if not follow_snapshot.amend(session, actor.account.id, source.id, was, columns):
        raise refusal("follow_gone", name=source.name)


def _check_not_apart(session: Session, actor: Actor, source: NamedAccount) -> None:
    """Refused when there is a block since: `undo` must not bypass it."""
    if source.kind == "person" and mutes.are_apart(session, actor.account.id, source.id):
        raise refusal("apart", name=source.name)


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None
