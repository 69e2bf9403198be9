"""What people set about themselves: their name, their language, whether updates are confirmed, the daily mail."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import OK, ConfirmationRequired
from gateway.actions.model.undo_result import Undone
from gateway.i18n.language_tags import language
from gateway.i18n.refusals import refusal
from gateway.network.mail import daily_mail
from gateway.network.people import accounts
from gateway.store.tables import Account, Effect


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
