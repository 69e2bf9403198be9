"""Takes back what one did last, by whatever door: a post, also a private one that still waits, or any other effect that
says how."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.actions import (
    following,
    group_questions,
    offers,
    pausing,
    posting,
    profile,
    reacting,
    reporting,
    silencing,
    subscribing,
    urgent_calls,
)
from gateway.actions.groups import group_creation, group_renaming, membership
from gateway.actions.model.actor import Actor
from gateway.actions.model.last_effect import last_effect
from gateway.actions.model.undo_result import Undoing, Undone
from gateway.actions.preferences import digests, quiet_hours, text_limit, tracking, unseen, ways, zone
from gateway.i18n.refusals import refusal
from gateway.store.tables import Action, Effect

REACH: Final = timedelta(hours=24)
NEAR: Final = 3_600_000 << 16  # an hour, as ids count time
UNDOINGS: Final[Mapping[str, Undoing]] = {
    "post": urgent_calls.undo_post,
    "answer": group_questions.undo_answer,
    "appended": posting.undo_post,
    "follow": following.undo_follow,
    "unfollow": following.undo_unfollow,
    "follow_topic": following.undo_follow_tag,
    "unfollow_topic": following.undo_unfollow_tag,
    "track": subscribing.undo_track,
    "untrack": tracking.undo_untrack,
    "off": pausing.undo_switch,
    "on": pausing.undo_switch,
    "quiet": quiet_hours.undo_hours,
    "zone": zone.undo_zone,
    "digest": digests.undo_time,
    "digest_source": digests.undo_source,
    "digest_end": digests.undo_end,
    "limit": text_limit.undo_limit,
    "prefer": ways.undo_prefer,
    "unseen": unseen.undo_unseen,
    "cause_way": ways.undo_cause_way,
    "source_way": ways.undo_source_way,
    "connect": offers.undo_connecting,
    "ask_offered": offers.undo_ask_offered,
    "silence": silencing.undo_silence,
    "lift": silencing.undo_lift,
    "add": membership.undo_change,
    "remove": membership.undo_change,
    "owner": membership.undo_change,
    "group": group_creation.undo_group,
    "group_name": group_renaming.undo_rename,
    "reaction": reacting.undo_reaction,
    "report": reporting.undo_report,
    "name": profile.undo_name,
    "status": profile.undo_status,
    "lang": profile.undo_language,
    "ack": profile.undo_acknowledged,
    "daily": profile.undo_daily_mail,
}


def undo(
    session: Session, actor: Actor, undoings: Mapping[str, Undoing] = UNDOINGS, passed_by: Collection[str] = ("asked",)
) -> Undone:  # fmt: skip
    """`undoings`: how effects of each kind are undone. `passed_by`: kinds that do not count as done; a question that a
    phone or a mailbox was asked is taken back only there."""
    last = last_effect(session, actor.account.id, REACH, passed_by)
    if last is None:
        raise refusal("nothing_to_undo")
    return _undo(session, actor, last, undoings)


def undo_action(session: Session, actor: Actor, key: str) -> Undone:
    """Takes back what was done with this idempotency key, whatever was done since by another door."""
    mine = select(Effect).join(Action, Action.id == Effect.action_id)
    mine = mine.where(Action.account_id == actor.account.id, Action.key == key, Effect.kind != "undo")
    newest = session.scalars(mine.order_by(Effect.number.desc()).limit(1).with_for_update(of=Effect)).first()
    if newest is None:
        raise refusal("nothing_to_undo")
    return _undo(session, actor, newest, UNDOINGS)


def take_back(session: Session, actor: Actor, post_id: int) -> Undone:
    """Takes back one post of theirs, however long ago it was written."""
    mine = select(Effect).where(Effect.account_id == actor.account.id, Effect.kind == "post")
    near = Effect.action_id.between(post_id - NEAR, post_id + NEAR)  # the action and its post were made together
    effect = session.scalars(mine.where(Effect.subject_id == post_id, near).with_for_update()).first()
    if effect is None:
        raise refusal("nothing_to_undo")
    return _undo(session, actor, effect, UNDOINGS)


def _undo(session: Session, actor: Actor, last: Effect, undoings: Mapping[str, Undoing]) -> Undone:
    if last.undone_at:
        raise refusal("undone_already")
    undoing = undoings.get(last.kind)
    if undoing is None:
        raise refusal("not_undoable")
    undone = undoing(session, actor, last)
    last.undone_at = func.now()
    actor.did("undo", last.subject_id)
    return undone
