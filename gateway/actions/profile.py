"""What people set about themselves: their name, the line beside it, their language, whether updates are confirmed, the
daily mail. Everyone sees that line, so words that were private are confirmed first, as in an update."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import OK, ConfirmationRequired
from gateway.actions.model.private_words import confirm_repeat
from gateway.actions.model.undo_result import Undone
from gateway.i18n.language_tags import language
from gateway.i18n.refusals import refusal
from gateway.language.words.normalize import clean
from gateway.network.mail import daily_mail
from gateway.network.people import accounts, statuses
from gateway.network.people.statuses import LONGEST, SetStatus
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Account, Effect


@dataclass(frozen=True, slots=True)
class StatusChange:
    """`status`: as it is now, None when there is none. `already`: it was so before."""

    status: SetStatus | None
    already: bool = False


def rename(session: Session, actor: Actor, written: str) -> tuple[str, bool]:
    """The name as it is now, and whether it was another one before. Everyone sees it, so it is confirmed first."""
    wanted = accounts.clean_name(written)
    if wanted == actor.account.name:
        return wanted, False
    if OK not in actor.confirmed:
        raise ConfirmationRequired("name", OK, name=wanted)
    actor.did("name", actor.account.id, before=actor.account.name)
    actor.account.name = wanted
    return wanted, True


def set_language(session: Session, actor: Actor, tag: str) -> bool:
    """`tag`: BCP 47, of a known language. False when it is that already."""
    if language(tag) != tag:
        raise refusal("bad_language")
    if tag == actor.account.language:
        return False
    actor.did("lang", actor.account.id, before=actor.account.language)
    actor.account.language = tag
    return True


def set_acknowledged(session: Session, actor: Actor, on: bool) -> bool:
    """Whether each update is answered; False when it is so already."""
    if on == actor.account.ack:
        return False
    actor.did("ack", actor.account.id, before=actor.account.ack)
    actor.account.ack = on
    return True


def set_daily_mail(session: Session, actor: Actor, wanted: bool) -> bool:
    """Whether the daily mail comes while they follow nobody; False when it is so already."""
    if not daily_mail.subscribe(session, actor.account.id, wanted):
        return False
    actor.did("daily", actor.account.id, wanted=wanted)
    return True


def set_status(session: Session, actor: Actor, words: str, until: datetime | None = None) -> StatusChange:
    """`until`: when it ends by itself. Raises Refused for no words, for too many, and for an end that is over."""
    line = " ".join(clean(words).split())
    if not line:
        raise refusal("status_empty")
    if len(line) > LONGEST:
        raise refusal("status_too_long", most=LONGEST)
    if until and until <= datetime.now(UTC):
        raise refusal("status_over")
    confirm_repeat(session, actor, NewPost(actor.account, line, "company", actor.door))
    return _change(session, actor, SetStatus(line, until))


def end_status(session: Session, actor: Actor) -> StatusChange:
    return _change(session, actor, None)


def _change(session: Session, actor: Actor, wanted: SetStatus | None) -> StatusChange:
    was = statuses.find(session, actor.account.id)
    if was == wanted:
        return StatusChange(was, already=True)
    statuses.put(session, actor.account.id, wanted)
    actor.did("status", actor.account.id, before=was.pack() if was else None)
    return StatusChange(wanted)


def undo_name(session: Session, actor: Actor, effect: Effect) -> Undone:
    former = str(effect.detail["before"])
    session.get_one(Account, actor.account.id).name = former
    return Undone("name", {"name": former})


def undo_language(session: Session, actor: Actor, effect: Effect) -> Undone:
    actor.account.language = str(effect.detail["before"])
    return Undone("language", {"language": actor.account.language})


def undo_acknowledged(session: Session, actor: Actor, effect: Effect) -> Undone:
    actor.account.ack = bool(effect.detail["before"])
    return Undone("acknowledged" if actor.account.ack else "not_acknowledged")


def undo_daily_mail(session: Session, actor: Actor, effect: Effect) -> Undone:
    before = not effect.detail["wanted"]
    daily_mail.subscribe(session, actor.account.id, before)
    return Undone("daily_mail_on" if before else "daily_mail_off")


def undo_status(session: Session, actor: Actor, effect: Effect) -> Undone:
    """One that would have ended meanwhile does not come back."""
    before = SetStatus.unpack(effect.detail["before"])
    if before and before.until and before.until <= datetime.now(UTC):
        before = None
    statuses.put(session, actor.account.id, before)
    return Undone("status", {"before": before.pack() if before else None, "timezone": actor.account.zone_now})
