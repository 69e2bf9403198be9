"""Tracking words: what everyone may read and that has the phrase in it is delivered like the posts of a person one
follows. In fan-outs, deliveries and unsubscribe tokens a track's id is used like an account's or a topic's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import and_, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.language.track_phrases import TrackPhrase, has_phrase, phrases
from gateway.network.audience import visibility
from gateway.network.follows.follows import DAYS
from gateway.store.tables import Account, Post, Track, Tracker
from gateway.store.views import TrackerInForce

MOST: Final = 50  # phrases that one person may track
SAMPLE: Final = 2_000  # the newest open posts, in which a phrase is counted
TOO_MANY: Final = SAMPLE // 50  # 2 % of them: more is too much to be sent


class TrackerSnapshot(TypedDict):
    """What `undo` needs to track a phrase again as before; `until` is ISO 8601."""

    by_text: bool
    until: str | None
    way: str | None


@dataclass(frozen=True, slots=True)
class PhraseFrequency:
    """In how many of the newest open posts a phrase is, how many those are, and how many a week that makes of late."""

    hits: int
    posts: int
    per_week: float

    @property
    def too_frequent(self) -> bool:
        return self.hits > TOO_MANY


def put(
    session: Session,
    follower_id: int,
    phrase: TrackPhrase,
    by_text: bool,
    expires_at: datetime | None = None,
    way: str | None = None,
) -> int:
    """Has them track the phrase, in exactly this way; returns the track's id. The row of the track stays locked until
    the commit, so that the clock does not delete it meanwhile."""
    track = insert(Track).values(phrase=phrase.folded, shown=phrase.shown)
    kept = track.on_conflict_do_update(index_elements=["phrase"], set_={"changed_at": func.now()})
    track_id = session.scalars(kept.returning(Track.id)).one()
    wanted = {"by_text": by_text, "expires_at": expires_at, "way": way}
    row = insert(Tracker).values(track_id=track_id, follower_id=follower_id, **wanted)
    session.execute(row.on_conflict_do_update(index_elements=["track_id", "follower_id"], set_=wanted))
    return track_id


def standing(session: Session, follower_id: int, phrase: str) -> TrackerSnapshot | None:
    """How somebody tracks a folded phrase now; None when they do not."""
    mine = select(TrackerInForce.by_text, TrackerInForce.expires_at, TrackerInForce.way)
    mine = mine.join(Track, Track.id == TrackerInForce.track_id)
    row = session.execute(mine.where(TrackerInForce.follower_id == follower_id, Track.phrase == phrase)).first()
    return _pack(*row) if row else None


def _pack(by_text: bool, expires_at: datetime | None, way: str | None) -> TrackerSnapshot:
    return {"by_text": by_text, "until": expires_at.isoformat() if expires_at else None, "way": way}


def id_of(session: Session, phrase: str) -> int | None:
    """The track of a folded phrase, whoever tracks it."""
    return session.scalar(select(Track.id).where(Track.phrase == phrase))


def end(session: Session, follower_id: int, phrase: str) -> int | None:
    """Ends it by the folded phrase. Returns the track's id; None when there was nothing to end."""
    track_id = id_of(session, phrase)
    return track_id if track_id and leave(session, follower_id, track_id) else None


def leave(session: Session, follower_id: int, track_id: int) -> Tracker | None:
    """Ends it. Returns the row as it was; None when there was none. The track itself stays for a while (retention), so
    that the link in a mail can still bring it back."""
    gone = delete(Tracker).where(Tracker.follower_id == follower_id, Tracker.track_id == track_id)
    row = session.scalars(gone.returning(Tracker)).one_or_none()
    if row is not None:
        session.execute(update(Track).where(Track.id == track_id).values(changed_at=func.now()))
    return row


def tracked_by(session: Session, follower_id: int) -> Sequence[str]:
    """The phrases that somebody tracks, as they are shown."""
    mine = select(Track.shown).join(TrackerInForce, TrackerInForce.track_id == Track.id)
    return session.scalars(mine.where(TrackerInForce.follower_id == follower_id).order_by(Track.phrase)).all()


def has_room(session: Session, follower_id: int) -> bool:
    """Whether they may track one more. Their account stays locked until the commit, so that two doors at once do not
    both find room."""
    session.execute(select(Account.id).where(Account.id == follower_id).with_for_update(key_share=True))
    mine = select(func.count()).select_from(TrackerInForce).where(TrackerInForce.follower_id == follower_id)
    return (session.scalar(mine) or 0) < MOST


HEARD: Final = text("""
    SELECT id FROM tracks
    WHERE phrase = ANY (CAST(:phrases AS text[])) AND EXISTS (
        SELECT FROM trackers_in_force WHERE track_id = tracks.id AND follower_id <> :author)
    ORDER BY id
""")


# As part of a statement about many texts: the places of those with a phrase that somebody tracks, or has tracked.
HEARD_OF_MANY: Final = """
    SELECT given.place
    FROM unnest(CAST(:phrase_places AS integer[]), CAST(:phrases AS text[])) AS given (place, phrase)
    WHERE EXISTS (SELECT FROM tracks WHERE phrase = given.phrase OFFSET 0)"""


def heard(session: Session, author_id: int, words: str) -> list[int]:
    """Those tracks whose phrase is in these words and that anybody but their author has. One look-up of an index, and
    every post that everyone may read pays for it."""
    runs = phrases(words)
    return list(session.scalars(HEARD, {"phrases": list(runs), "author": author_id})) if runs else []


def since(session: Session, follower_id: int, track_id: int) -> datetime | None:
    """When somebody began to track it, while they do."""
    mine = TrackerInForce.follower_id == follower_id, TrackerInForce.track_id == track_id
    return session.scalar(select(TrackerInForce.created_at).where(*mine))


def phrase_of(session: Session, track_id: int) -> TrackPhrase | None:
    row = session.execute(select(Track.phrase, Track.shown).where(Track.id == track_id)).first()
    return TrackPhrase(*row) if row else None


def frequency(session: Session, phrase: str) -> PhraseFrequency:
    """Looks for a folded phrase in the newest posts that everyone may read."""
    age = func.extract("epoch", func.now() - Post.created_at) / 86_400
    open_to_all = and_(visibility.open_post(), Post.deleted_at.is_(None), Post.repeat_of.is_(None))
    newest = select(Post.text, age).where(open_to_all).order_by(Post.id.desc()).limit(SAMPLE)
    found = session.execute(newest).all()
    hits = [float(days) for words, days in found if has_phrase(words, phrase)]
    looked_back = min(DAYS, max(1.0, float(found[-1][1]))) if len(found) == SAMPLE else DAYS
    return PhraseFrequency(len(hits), len(found), 7 * sum(days <= looked_back for days in hits) / looked_back)
