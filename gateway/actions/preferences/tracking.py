"""Tracking a word or a phrase: whatever everyone may read and has it in it comes, whoever writes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.i18n.refusals import refusal
from gateway.language.track_phrases import LONGEST, MOST_WORDS, TrackPhrase, quoted, track_phrase
from gateway.network.follows import subscriptions, trackers
from gateway.network.follows.trackers import TrackerSnapshot
from gateway.network.receipts.receipt_text import shorten
from gateway.store.tables import Effect


@dataclass(frozen=True, slots=True)
class Tracked:
    """`phrase`: as people read it. `state`: "already" when nothing was changed. `per_week`: items a week to expect.
    `way`: how it comes to a person who chose ways."""

    phrase: str
    state: Literal["tracked", "already"]
    by_text: bool
    per_week: float
    way: str | None = None


@dataclass(frozen=True, slots=True)
class Untracked:
    """`state`: "none" when they did not track it."""

    phrase: str
    state: Literal["ended", "none"]


def track(session: Session, actor: Actor, words: str) -> Tracked:
    """Tracks it, by text when a phone asks for it. It never takes texts away."""
    phrase = _trackable(words)
    was = trackers.standing(session, actor.account.id, phrase.folded)
    counted = trackers.frequency(session, phrase.folded)
    by_text = actor.by_text or bool(was and was["by_text"])
    if was and was["by_text"] == by_text and was["until"] is None and was["way"] is None:
        way = subscriptions.chosen_way(session, actor.account.id, trackers.id_of(session, phrase.folded) or 0)
        return Tracked(phrase.shown, "already", by_text, counted.per_week, way)
    if counted.too_frequent:
        raise refusal("track_too_frequent", phrase=phrase.shown, count=counted.hits, number=counted.posts)
    if was is None and not trackers.has_room(session, actor.account.id):
        raise refusal("track_no_room", number=trackers.MOST)
    track_id = trackers.put(session, actor.account.id, phrase, by_text)
    actor.did("track", track_id, **_detail(phrase, was))
    way = subscriptions.chosen_way(session, actor.account.id, track_id)
    return Tracked(phrase.shown, "tracked", by_text, counted.per_week, way)


def untrack(session: Session, actor: Actor, words: str) -> Untracked:
    phrase = track_phrase(words)
    was = trackers.standing(session, actor.account.id, phrase.folded)
    if was is None:
        return Untracked(phrase.shown, "none")
    track_id = trackers.end(session, actor.account.id, phrase.folded)
    actor.did("untrack", track_id, **_detail(phrase, was))
    return Untracked(phrase.shown, "ended")


def tracked_id(session: Session, actor: Actor, words: str) -> int:
    """The track of a phrase that they track; raises Refused when they do not."""
    phrase = track_phrase(words)
    if trackers.standing(session, actor.account.id, phrase.folded) is None:
        raise refusal("phrase_not_tracked", phrase=shorten(phrase.shown), form=quoted(shorten(phrase.shown)))
    found = trackers.id_of(session, phrase.folded)
    assert found is not None
    return found


def _trackable(words: str) -> TrackPhrase:
    phrase = track_phrase(words)
    if phrase.too_short:
        raise refusal("track_too_short", words=shorten(phrase.shown))
    if phrase.too_long:
        raise refusal("track_too_long", words=MOST_WORDS, letters=LONGEST)
    return phrase


def _detail(phrase: TrackPhrase, was: TrackerSnapshot | None) -> dict[str, Any]:
    return {"phrase": phrase.folded, "shown": phrase.shown, "was": was}


def undo_track(session: Session, actor: Actor, effect: Effect) -> Undone:
    """Restores how it was tracked before, if it was."""
    if effect.detail["was"] is not None:
        return _restored(session, actor, effect)
    trackers.end(session, actor.account.id, effect.detail["phrase"])
    return Undone("track_ended", {"phrase": effect.detail["shown"]})


def undo_untrack(session: Session, actor: Actor, effect: Effect) -> Undone:
    return _restored(session, actor, effect)


def _restored(session: Session, actor: Actor, effect: Effect) -> Undone:
    phrase, was = TrackPhrase(effect.detail["phrase"], effect.detail["shown"]), effect.detail["was"]
    until = datetime.fromisoformat(was["until"]) if was["until"] else None
    trackers.put(session, actor.account.id, phrase, was["by_text"], until, was.get("way"))
    return Undone("tracked", {"phrase": phrase.shown})
