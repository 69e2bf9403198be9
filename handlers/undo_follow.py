"""`undo` of follow, leave, off and on: restores what was before, with its end, its role and its channel."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, undoes
from gateway.language.model.reading import NamedAccount
from gateway.network.follows import follow_snapshot, group_owners, mutes
from gateway.network.follows.follow_snapshot import FollowSnapshot
from gateway.network.people import accounts, addresses
from gateway.network.people.directory import find_named
from gateway.store.tables import Effect
from handlers.follows import OFF, ON


@undoes("follow")
def _undo_follow(session: Session, turn: CommandContext, effect: Effect) -> str:
    source, was = _source(session, effect), effect.detail["was"]
    now = follow_snapshot.take_snapshot(session, turn.account.id, source.id)
    if was is not None:
        _check_apart(session, turn, source)
        _amend(session, turn, source, was, follow_snapshot.RENEWED)
        return say("You follow {name} as before.", name=source.name)
    group_owners.check_not_last_owner(session, turn.account.id, source)
    follow_snapshot.restore(session, turn.account.id, source.id, None)
    if now and now["state"] == "requested":
        return say("You no longer ask to join {name}.", name=source.name)
    return say("You do not follow {name} any more.", name=source.name)


@undoes("unfollow")
def _undo_leave(session: Session, turn: CommandContext, effect: Effect) -> str:
    source, was = _source(session, effect), effect.detail["was"]
    _check_apart(session, turn, source)
    follow_snapshot.restore(session, turn.account.id, source.id, was)
    if was["state"] == "requested":
        return say("You have asked to join {name} again.", name=source.name)
    return say("You follow {name} as before.", name=source.name)


@undoes("off", "on")
def _undo_switch(session: Session, turn: CommandContext, effect: Effect) -> str:
    """Restores the switch of one source, or of the whole phone or mailbox that the command came from."""
    if "was" not in effect.detail:
        return _undo_address(session, turn, effect)
    source, was = _source(session, effect), effect.detail["was"]
    _amend(session, turn, source, was, follow_snapshot.SWITCH)
    return say("{name} is off.", name=source.name) if was["off"] else say("{name} is on.", name=source.name)


def _amend(
    session: Session, turn: CommandContext, source: NamedAccount, was: FollowSnapshot, columns: Sequence[str]
) -> None:
    """Restores some columns of a follow, but does not undo an owner's decision to remove somebody or to give them
    another role."""
    if not follow_snapshot.amend(session, turn.account.id, source.id, was, columns):
        raise Refused(say("You no longer follow {name}. Nothing was changed.", name=source.name))


def _undo_address(session: Session, turn: CommandContext, effect: Effect) -> str:
    mine = addresses.of_account(session, turn.account.id)
    row = next((each for each in mine if each.id == effect.subject_id), None)
    if row is None:
        raise Refused(say("That phone or mailbox is not yours any more. Nothing was changed."))
    addresses.restore_receiving(session, row, effect.detail["receiving"], effect.detail["until"])
    return ON[row.channel] if row.receiving else OFF[row.channel]


def _source(session: Session, effect: Effect) -> NamedAccount:
    account = accounts.by_id(session, effect.subject_id or 0)
    if account is None or account.state != "active":
        raise Refused(say("That account is gone. Nothing was changed."))
    return find_named(account)


def _check_apart(session: Session, turn: CommandContext, source: NamedAccount) -> None:
    """Refused when there is a block since: `undo` must not bypass it."""
    if source.kind == "person" and mutes.are_apart(session, turn.account.id, source.id):
        raise Refused(say("You cannot follow {name} now. Nothing was changed.", name=source.name))
