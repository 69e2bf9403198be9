"""A numbered list of updates in a mail: whoever answers it names a number, or writes to the address under an update."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from gateway.mail.compose.compose import headline
from gateway.security.signed_tokens import Signer
from gateway.store.tables import DailyMail, Digest

SNIPPET: Final = 280  # characters of one update


@dataclass(frozen=True, slots=True)
class ListedUpdate:
    """One update in the list. `place`: #sales, or that it is private; empty for everyone."""

    post_id: int
    name: str
    handle: str
    place: str
    text: str


def line(number: int, update: ListedUpdate, answer: str, address_id: int, signer: Signer, domain: str) -> str:
    """The number to answer with, the writer and the words; and the address to which an answer may be written. `answer`:
    what stands before it, in the reader's language."""
    by = f"{update.name} (@{update.handle})" + (f" {update.place}" if update.place else "")
    reply = f"r+{signer.sign('reply', update.post_id, address_id)}@{domain}"
    return f"{number}. {by}: {headline(update.text, SNIPPET)}\n   {answer} {reply}"


def list_items(session: Session, message_id: int) -> tuple[int, ...]:
    """The posts of one daily mail or digest in the order of their numbers; none when it is another message."""
    lists = (select(each.posts).where(each.message_id == message_id) for each in (DailyMail, Digest))
    return tuple(session.scalar(union_all(*lists)) or ())
