"""What a group's owner does about its members: add, remove, make an owner. Others are told of it, so each must be
proved first."""

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import PROOF, ConfirmationRequired
from gateway.actions.model.undo_result import Undone, active_account
from gateway.i18n.phrases import Phrase, say
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.ledger.audit import audit_log
from gateway.network.conversation import notices
from gateway.network.follows import follow_snapshot, follows, group_owners
from gateway.network.follows.follow_snapshot import FollowSnapshot
from gateway.store.tables import Effect

READS: Final = "follower"
POSTS: Final = "poster"


@dataclass(frozen=True, slots=True)
class MemberChange:
    """`state`: nothing was changed when it is "already", "absent", or "which_role"; else the person has been told."""

    person: str
    group: str
    state: Literal["added", "removed", "owner", "already", "absent", "which_role"]


def add(
    session: Session, actor: Actor, person: NamedAccount, group: NamedAccount, role: str | None = None
) -> MemberChange:
    """Texts are sent only when asked for from the phone itself: who is added gets the group by mail. `role`: READS or
    POSTS in a broadcast group, where it must be said."""
    _check_person(session, actor, person, group)
    now = follows.role_in(session, person.id, group.id)
    if now == "owner" or (now and group.group != "broadcast"):
        return MemberChange(person.name, group.name, "already")
    if group.group != "broadcast":
        role = "member"
    elif role not in (READS, POSTS):
        return MemberChange(person.name, group.name, "which_role")
    if now == role:
        return MemberChange(person.name, group.name, "already")
    _prove(actor, "add_member", person, group)
    was = follow_snapshot.take_snapshot(session, person.id, group.id)
    follows.follow(session, person.id, group.id, by_text=False, role=role)
    did(session, actor, "add", person, group, was)
    tell(session, actor, person, _added(actor, group, was))
    return MemberChange(person.name, group.name, "added")


def remove(session: Session, actor: Actor, person: NamedAccount, group: NamedAccount) -> MemberChange:
    """Also for somebody who only asks to join."""
    group_owners.check_owner(session, actor.account.id, group)
    was = follow_snapshot.take_snapshot(session, person.id, group.id)
    if was is None:
        return MemberChange(person.name, group.name, "absent")
    _prove(actor, "remove_member", person, group)
    follow_snapshot.restore(session, person.id, group.id, None)
    did(session, actor, "remove", person, group, was)
    tell(session, actor, person, describe_removal(actor, group, was))
    return MemberChange(person.name, group.name, "removed")


def make_owner(session: Session, actor: Actor, person: NamedAccount, group: NamedAccount) -> MemberChange:
    _check_person(session, actor, person, group)
    if follows.role_in(session, person.id, group.id) == "owner":
        return MemberChange(person.name, group.name, "already")
    _prove(actor, "make_owner", person, group)
    was = follow_snapshot.take_snapshot(session, person.id, group.id)
    follows.follow(session, person.id, group.id, by_text=False, role="owner")
    did(session, actor, "owner", person, group, was)
    notice = say(
        "{name} made you an owner of {group}. You can: add NAME {handle}, remove NAME {handle}. "
        "To stop: LEAVE {handle!u}",
        name=actor.account.name,
        group=group.name,
        handle=group.handle,
    )
    tell(session, actor, person, notice)
    return MemberChange(person.name, group.name, "owner")


def _check_person(session: Session, actor: Actor, person: NamedAccount, group: NamedAccount) -> None:
    """Raises Refused unless the actor is an owner, and the new member is a person."""
    group_owners.check_owner(session, actor.account.id, group)
    if person.kind == "group":
        raise refusal("member_is_group", name=person.name)


def _prove(actor: Actor, kind: str, person: NamedAccount, group: NamedAccount) -> None:
    if PROOF not in actor.confirmed:
        raise ConfirmationRequired(kind, PROOF, person=person.name, group=group.name)


def did(
    session: Session,
    actor: Actor,
    kind: str,
    person: NamedAccount,
    group: NamedAccount,
    was: FollowSnapshot | None,
) -> None:
    """Records the effect for `undo`, and for whoever asks later why somebody was in or out."""
    actor.did(kind, group.id, person=person.id, was=was)
    audit_log.record(session, f"@{actor.account.handle}", f"groups.{kind}", person.id, {"group": group.handle})


def tell(session: Session, actor: Actor, person: NamedAccount, words: Phrase) -> None:
    actor.queues |= notices.tell(session, [person.id], words, inbound_id=actor.inbound_id)


def _added(actor: Actor, group: NamedAccount, was: FollowSnapshot | None) -> Phrase:
    values = {"name": actor.account.name, "group": group.name, "handle": group.handle}
    if was and was["by_text"]:
        return say("{name} added you to {group}. To stop: LEAVE {handle!u}", **values)
    return say(
        "{name} added you to {group}, by mail. For texts: FOLLOW {handle!u}. To stop: LEAVE {handle!u}", **values
    )


def describe_removal(actor: Actor, group: NamedAccount, was: FollowSnapshot) -> Phrase:
    """What a person is told who is no longer in the group, or was not let in."""
    if was["state"] == "requested":
        return say("Sorry, you were not let into {group}. Ask {name} why.", group=group.name, name=actor.account.name)
    values = {"name": actor.account.name, "group": group.name, "handle": group.handle}
    return say("{name} removed you from {group}. To ask to join: JOIN {handle!u}", **values)


def undo_change(session: Session, actor: Actor, effect: Effect) -> Undone:
    """Restores what was before; the person is told that, too."""
    if PROOF not in actor.confirmed:
        raise ConfirmationRequired("undo_member", PROOF)
    person, group = active_account(session, effect.detail["person"]), active_account(session, effect.subject_id)
    group_owners.check_owner(session, actor.account.id, group)
    was: FollowSnapshot | None = effect.detail["was"]
    values = {"name": person.name, "group": group.name}
    left = effect.kind != "remove" and follow_snapshot.take_snapshot(session, person.id, group.id) is None
    if left:
        raise refusal("member_left", **values)
    follow_snapshot.restore(session, person.id, group.id, was)
    audit_log.record(session, f"@{actor.account.handle}", "groups.undo", person.id, {"group": group.handle})
    outcome, notice = _restored(actor, group, was)
    tell(session, actor, person, notice)
    return Undone(outcome, values)


def _restored(actor: Actor, group: NamedAccount, was: FollowSnapshot | None) -> tuple[str, Phrase]:
    """How it is now, and what the person is told."""
    doer = {"name": actor.account.name, "group": group.name}
    if was is None:
        return "member_removed", describe_removal(actor, group, {"state": "active"})
    if was["state"] == "requested":
        return "member_asks", say("{name} undid that: you still ask to join {group}.", **doer)
    return "member_restored", say("{name} undid that: you are in {group} as before.", **doer)
