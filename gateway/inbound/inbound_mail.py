"""An accepted mail while it is read: its row, the mail decoded once, and what its recipients mean, read once. The
worker makes one, and everything in this folder is handed it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from gateway.mail.auth import trace_headers
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.network.mail import mail_addresses
from gateway.network.mail.mail_addresses import Kind, Recipient
from gateway.security.signed_tokens import Signer
from gateway.store.tables import Inbound

NULL_SENDER: Final = b"Return-Path: <>"


def decode(inbound: Inbound) -> ReceivedMail:
    """The mail of a row, as it was sent to us."""
    return ReceivedMail(trace_headers.read(inbound.raw or b"").mail)


class InboundMail:
    """One accepted mail. What is expensive is computed when it is first asked for. `mail`: the mail itself, when the
    caller has decoded it already."""

    def __init__(self, inbound: Inbound, signer: Signer, mail: ReceivedMail | None = None) -> None:
        self.inbound, self._signer = inbound, signer
        self.mail = mail or decode(inbound)

    @cached_property
    def null_sender(self) -> bool:
        """Whether its envelope sender was `<>`, as of bounces and other mails of machines."""
        return (self.inbound.raw or b"").startswith(NULL_SENDER)

    @cached_property
    def machine(self) -> str | None:
        """Why a machine wrote it, or why it cannot be read; None when a person may have written it."""
        return self.mail.machine(null_sender=self.null_sender)

    @cached_property
    def addressed(self) -> Sequence[tuple[str, Recipient | None]]:
        """Each of our addresses that it came to: what stands before the @, and what that means, if anything."""
        locals_ = [address.rpartition("@")[0] for address in self.inbound.recipients]
        return [(local, mail_addresses.read(local, self._signer)) for local in locals_]

    @cached_property
    def recipients(self) -> Sequence[Recipient]:
        """What its addresses mean, of those that mean something."""
        return [meaning for _, meaning in self.addressed if meaning]

    def came_to(self, *kinds: Kind) -> Sequence[Recipient]:
        """Those of its recipients that are of these kinds."""
        return [each for each in self.recipients if each.kind in kinds]
