"""What a group's owner does about its members: add, remove, owner. Others are told of it, so each must be proved
first."""

from dataclasses import replace

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, say
from gateway.inbound.commands import CommandContext, ask, command, question, undoes
from gateway.language.model.reading import NamedAccount
from gateway.language.model.reading_json import pack
from gateway.ledger.audit import audit_log
from gateway.network.conversation import notices
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.follows import follow_snapshot, follows, group_owners
from gateway.network.follows.follow_snapshot import FollowSnapshot
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.store.tables import Effect
from handlers.pin_confirmation import prove
from handlers.saved_question import as_confirmed

LISTENS, POSTS = "follower", "poster"


def add(session: Session, turn: CommandContext) -> str:
    """`add PERSON GROUP`. Texts are sent only when asked for from the phone itself: who is added gets the group by
    mail."""
    person, group = turn.names
    group_owners.check_owner(session, turn.account.id, group)
    now = follows.role_in(session, person.id, group.id)
    if now == "owner" or (now and group.group != "broadcast"):
        return say("{name} already is in {group}.", name=person.name, group=group.name)
    role = next(iter({LISTENS, POSTS} & turn.confirmed), None) if group.group == "broadcast" else "member"
    if role is None:
        return _ask_role(session, turn, person, group)
    if now == role:
        return say("{name} already is in {group}.", name=person.name, group=group.name)
    prove(session, turn, say("Add {name} to {group}?", name=person.name, group=group.name))
    was = follow_snapshot.take_snapshot(session, person.id, group.id)
    follows.follow(session, person.id, group.id, by_text=False, role=role)
    did(session, turn, "add", person, group, was)
    tell(session, turn, person, tell_added(turn, group, was))
    return say("{name} is in {group} now and has been told.", name=person.name, group=group.name)


def _ask_role(session: Session, turn: CommandContext, person: NamedAccount, group: NamedAccount) -> str:
    choices = [{"label": LISTENS}, {"label": POSTS}]
    ask(session, turn, AskedQuestion("role", choices, ("DROP",), {"reading": pack(turn.reading)}))
    turn.did("asked")
    return say(
        "What may {name} do in {group}? Reply 1 for reading only, 2 for posting too, DROP to cancel.",
        name=person.name,
        group=group.name,
    )


@question("role")
def _role(session: Session, turn: CommandContext, asked: AskedQuestion, word: str) -> str | None:
    role = asked.choices[int(word) - 1]["label"]
    return as_confirmed(session, turn, replace(asked, about={**asked.about, "confirmed": [role]}))


def remove(session: Session, turn: CommandContext) -> str:
    """`remove PERSON GROUP`, also for somebody who only asks to join."""
    person, group = turn.names
    group_owners.check_owner(session, turn.account.id, group)
    was = follow_snapshot.take_snapshot(session, person.id, group.id)
    if was is None:
        return say("{name} is not in {group}. Nothing was changed.", name=person.name, group=group.name)
    prove(session, turn, say("Remove {name} from {group}?", name=person.name, group=group.name))
    follow_snapshot.restore(session, person.id, group.id, None)
    did(session, turn, "remove", person, group, was)
    tell(session, turn, person, tell_gone(turn, group, was))
    return say("{name} is no longer in {group} and has been told.", name=person.name, group=group.name)


@command("owner PERSON GROUP", about="let somebody else run my group, too")
def owner(session: Session, turn: CommandContext) -> str:
    person, group = turn.names
    group_owners.check_owner(session, turn.account.id, group)
    if follows.role_in(session, person.id, group.id) == "owner":
        return say("{name} already is an owner of {group}.", name=person.name, group=group.name)
    prove(session, turn, say("Make {name} an owner of {group}?", name=person.name, group=group.name))
    was = follow_snapshot.take_snapshot(session, person.id, group.id)
    follows.follow(session, person.id, group.id, by_text=False, role="owner")
    did(session, turn, "owner", person, group, was)
    told = say(
        "{name} made you an owner of {group}. You can: add NAME {handle}, remove NAME {handle}. "
        "To stop: LEAVE {handle!u}",
        name=turn.account.name,
        group=group.name,
        handle=group.handle,
    )
    tell(session, turn, person, told)
    return say("{name} is an owner of {group} now and has been told.", name=person.name, group=group.name)


def did(
    session: Session,
    turn: CommandContext,
    kind: str,
    person: NamedAccount,
    group: NamedAccount,
    was: FollowSnapshot | None,
) -> None:
    """Records the effect for `undo`, and for whoever asks later why somebody was in or out."""
    turn.did(kind, group.id, person=person.id, was=was)
    audit_log.record(session, f"@{turn.account.handle}", f"groups.{kind}", person.id, {"group": group.handle})


def tell(session: Session, turn: CommandContext, person: NamedAccount, words: Phrase) -> None:
    turn.rings |= notices.tell(session, [person.id], words, inbound_id=turn.inbound_id)


def tell_added(turn: CommandContext, group: NamedAccount, was: FollowSnapshot | None) -> Phrase:
    values = {"name": turn.account.name, "group": group.name, "handle": group.handle}
    if was and was["by_text"]:
        return say("{name} added you to {group}. To stop: LEAVE {handle!u}", **values)
    return say(
        "{name} added you to {group}, by mail. For texts: FOLLOW {handle!u}. To stop: LEAVE {handle!u}", **values
    )


def tell_gone(turn: CommandContext, group: NamedAccount, was: FollowSnapshot) -> Phrase:
    if was["state"] == "requested":
        return say("Sorry, you were not let into {group}. Ask {name} why.", group=group.name, name=turn.account.name)
    values = {"name": turn.account.name, "group": group.name, "handle": group.handle}
    return say("{name} removed you from {group}. To ask to join: JOIN {handle!u}", **values)


@undoes("add", "remove", "owner")
def _undo(session: Session, turn: CommandContext, effect: Effect) -> str:
    """Restores what was before; the person is told that, too."""
    person, group = _there(session, effect.detail["person"]), _there(session, effect.subject_id or 0)
    group_owners.check_owner(session, turn.account.id, group)
    was: FollowSnapshot | None = effect.detail["was"]
    values = {"name": person.name, "group": group.name}
    if (
        effect.kind != "remove" and follow_snapshot.take_snapshot(session, person.id, group.id) is None
    ):  # they have left
        raise Refused(say("{name} is no longer in {group}. Nothing was changed.", **values))
    follow_snapshot.restore(session, person.id, group.id, was)
    audit_log.record(session, f"@{turn.account.handle}", "groups.undo", person.id, {"group": group.handle})
    if was is None:
        tell(session, turn, person, tell_gone(turn, group, {"state": "active"}))
        return say("{name} is no longer in {group} and has been told.", **values)
    doer = {"name": turn.account.name, "group": group.name}
    if was["state"] == "requested":
        tell(session, turn, person, say("{name} undid that: you still ask to join {group}.", **doer))
        return say("{name} still asks to join {group} and has been told.", **values)
    tell(session, turn, person, say("{name} undid that: you are in {group} as before.", **doer))
    return say("{name} is in {group} as before and has been told.", **values)


def _there(session: Session, account_id: int) -> NamedAccount:
    account = accounts.by_id(session, account_id)
    if account is None or account.state != "active":
        raise Refused(say("That account is gone. Nothing was changed."))
    return find_named(account)
