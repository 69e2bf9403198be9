"""A numbered list of updates in a mail: whoever answers it names a number, or writes to the address under an update."""

from dataclasses import dataclass

from gateway.mail.compose.compose import headline
from gateway.security.signed_tokens import Signer

SNIPPET = 280  # characters of one update


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
