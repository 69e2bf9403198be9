"""Following, joining and tracking with the way in which it comes, in one act: `undo` takes both back. A page has a
button for each way; by text it is `follow kim` and then `prefer digest for kim`."""

from datetime import datetime

from sqlalchemy.orm import Session

from gateway.actions import following
from gateway.actions.following import Followed
from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.actions.preferences import digests, tracking, ways
from gateway.actions.preferences.tracking import Tracked
from gateway.language.model.reading import NamedAccount
from gateway.language.track_phrases import track_phrase
from gateway.network.follows import follow_snapshot, subscriptions, tag_follows, trackers
from gateway.store.tables import Effect


def follow(
    session: Session, actor: Actor, source: NamedAccount, way: str | None, until: datetime | None = None
) -> Followed:  # fmt: skip
    """`way`: text, mail, digest, nothing; None: as usual. The owners of a closed group are asked."""
    ways.check_place(session, actor, way)
    was = follow_snapshot.take_snapshot(session, actor.account.id, source.id)
    done = following.follow(session, actor, source, until)
    first = ways.give_way(session, actor, source.id, way)
    if follow_snapshot.take_snapshot(session, actor.account.id, source.id) != was:
        _instead(actor, "follow", source.id, was=was, first=first)
    else:
        _drop(actor, "follow")
    return done


def follow_tag(
    session: Session, actor: Actor, tag: str, way: str | None, until: datetime | None = None
) -> Followed:  # fmt: skip
    """`tag`: with its #."""
    ways.check_place(session, actor, way)
    was = tag_follows.standing(session, actor.account.id, tag)
    done = following.follow_tag(session, actor, tag, until)
    found = tag_follows.standing(session, actor.account.id, tag)
    assert found
    if was is not None and (was.way, was.expires_at) == (way, until):
        subscriptions.set_way(session, actor.account.id, found.topic_id, way)
        _drop(actor, "follow_topic")
        return done
    first = ways.give_way(session, actor, found.topic_id, way)
    packed = {"was": following.pack(was)} if was else {}
    _instead(actor, "follow_topic", found.topic_id, tag=tag, first=first, **packed)
    return done


def track(session: Session, actor: Actor, words: str, way: str | None) -> Tracked:
    ways.check_place(session, actor, way)
    folded = track_phrase(words).folded
    was = trackers.standing(session, actor.account.id, folded)
    done = tracking.track(session, actor, words)
    track_id = trackers.id_of(session, folded)
    assert track_id
    if was is not None and was["way"] == way and was["until"] is None:
        subscriptions.set_way(session, actor.account.id, track_id, way)
        _drop(actor, "track")
        return done
    first = ways.give_way(session, actor, track_id, way)
    _instead(actor, "track", track_id, phrase=folded, shown=done.phrase, was=was, first=first)
    return done


def undo_track(session: Session, actor: Actor, effect: Effect) -> Undone:
    undone = tracking.undo_track(session, actor, effect)
    digests.end_first(session, actor, effect)
    return undone


def _instead(actor: Actor, kind: str, subject_id: int, **detail: object) -> None:
    """One effect for both parts, in the place of the first part's own."""
    _drop(actor, kind)
    actor.did(kind, subject_id, **detail)


def _drop(actor: Actor, kind: str) -> None:
    actor.effects = [each for each in actor.effects if each.kind != kind]
