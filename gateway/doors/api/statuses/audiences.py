"""To whom an app's words go. A client says a visibility and names people and groups in the words; here that becomes one
action, and never one that more people hear than the client said.

What is in front of the words to name those to whom they are is left out, as in a text: phones see "Kim (private)"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.language import nanoformats
from gateway.network.audience import visibility
from gateway.network.people import accounts
from gateway.store.tables import Account, Post

Said = Literal["public", "unlisted", "private", "direct"]


@dataclass(frozen=True, slots=True)
class StatusAudience:
    """`people`: to whom it is sent privately, persons and groups; `groups`: where it is posted; neither: everyone.
    `answers`: it is heard by those who hear what it answers."""

    words: str
    people: Sequence[Account] = ()
    groups: Sequence[Account] = ()
    answers: bool = False


def read(session: Session, actor: Actor, words: str, said: Said, answered: Post | None) -> StatusAudience:
    """Raises Refused for words that would go further than the client said, or privately to nobody."""
    named = _named(session, words)
    if said == "direct" or (answered is not None and answered.visibility == "direct"):
        return _privately(words, named, answered)
    groups = [each for each in named.values() if each is not None and _posts_in(session, actor, each)]
    if answered is not None:
        return _answer(session, words, said, answered)
    if said == "private" and not (groups and all(group.access == "closed" for group in groups)):
        raise refusal("no_followers_only")
    return StatusAudience(_without(words, groups), groups=groups)


def _named(session: Session, words: str) -> dict[str, Account | None]:
    """The handles in the words → whose they are."""
    return {handle: accounts.by_handle(session, handle) for handle in nanoformats.parse(words).mentions}


def _posts_in(session: Session, actor: Actor, account: Account) -> bool:
    return account.kind == "group" and visibility.may_post(session, actor.account.id, account)


def _privately(words: str, named: dict[str, Account | None], answered: Post | None) -> StatusAudience:
    """A private message that names nobody goes to nobody, unless it answers one: then to who wrote that. A name that
    nobody has may be a slip, so nothing is sent to the others either."""
    unknown = next((handle for handle, account in named.items() if account is None), None)
    if unknown:
        raise refusal("nobody_called", name=unknown)
    people = [account for account in named.values() if account is not None]
    if people:
        return StatusAudience(_without(words, people), people)
    if answered is None or answered.visibility != "direct":
        raise refusal("private_to_nobody")
    return StatusAudience(words, answers=True)


def _answer(session: Session, words: str, said: Said, answered: Post) -> StatusAudience:
    """Who hears what it answers hears the answer: never more than the client said. To a call one says yes or a word,
    without the name that clients put in front."""
    if said == "private" and visibility.open_to_all(session, answered.id):
        raise refusal("no_followers_only")
    asker = accounts.by_id(session, answered.author_id) if answered.call else None
    return StatusAudience(_without(words, [asker]) if asker else words, answers=True)


def _without(words: str, addressed: Sequence[Account]) -> str:
    """The words without the names in front of them to whom they are sent anyway."""
    handles, rest = {account.handle for account in addressed}, words.lstrip()
    while True:
        name, _, behind = rest.partition(" ")
        if name[:1] != "@" or name[1:].rstrip(":,").lower() not in handles or not behind.strip():
            return rest
        rest = behind.lstrip()
