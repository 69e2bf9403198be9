"""A mail that came to us, for all who look at it: parsed and decoded once, when somebody first asks.

Those who prove its sender hand one down (network/mail/sender_verdicts), and those who read it (inbound/inbound_mail).
Nobody may change its message.
"""

from email.message import Message
from functools import cached_property
from typing import Any

from gateway.errors import Refused
from gateway.mail.decode import mime
from gateway.mail.history.known_words import KnownWords
from gateway.mail.parse import author, own_words
from gateway.mail.parse.own_words import DecodedBody, OwnWords


class ReceivedMail:
    """`octets`: the mail as it was sent to us, without what our door put above it."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    @cached_property
    def refused(self) -> str | None:
        """Why the mail cannot be read at all; None for nearly every mail."""
        return str(self._parsed) if isinstance(self._parsed, Refused) else None

    @property
    def message(self) -> "Message[Any, Any]":
        """The parsed mail. Raises Refused."""
        if isinstance(self._parsed, Refused):
            raise Refused(str(self._parsed))
        return self._parsed

    @cached_property
    def _parsed(self) -> "Message[Any, Any] | Refused":
        try:
            return mime.parse(self.octets)
        except Refused as refused:
            return refused

    @cached_property
    def sender(self) -> str:
        """The one mailbox in From. Raises Refused when there is not exactly one."""
        return author.sender(self.message)

    def machine(self, *, null_sender: bool) -> str | None:
        """Why a machine wrote it, or why it cannot be read; None when a person may have written it. `null_sender`: its
        envelope sender was `<>`."""
        return self.refused or author.machine(self.message, null_sender)

    @cached_property
    def body(self) -> DecodedBody:
        """Its body, decoded, with everything that its thread had before. Raises Refused."""
        return own_words.decode(self.message)

    @cached_property
    def words(self) -> OwnWords:
        """Its writer's own words, as far as the mail alone tells. Raises Refused."""
        return own_words.trim(self.body)

    def words_after(self, known: KnownWords | None) -> OwnWords:
        """Its writer's own words, given what its thread had before. Raises Refused."""
        return own_words.trim(self.body, known) if known else self.words
