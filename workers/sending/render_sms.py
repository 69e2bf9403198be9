"""Renders a claimed row as a text: fitted, tagged, with the link to the rest or the word that asks for it.

workers/sending/number_pool renders with it. Each text has the hash by which workers/reconcile finds it in the carrier's
list.
"""

from functools import lru_cache
from typing import Final

from gateway.carriers.common.protocol import Text
from gateway.channels import TEXTS
from gateway.ledger.outbox.claims import ClaimedDelivery, MessageContent
from gateway.network.posts import rendering
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.sms import body_hash, fit
from gateway.sms.first_contact import introduction
from gateway.sms.fit import FittedText
from workers.sending.send_loop import OutboundItem

REST: Final = "text MORE for the rest"


class Texting:
    """Renders texts. A text that is the same for many recipients is fitted once."""

    def __init__(self, settings: Settings, signer: Signer, sender: str) -> None:
        """`sender`: our number that the texts leave from, or a Messaging Service SID."""
        self._signer, self._sender = signer, sender
        self._company = settings.company
        self._callback = f"{settings.public_url}/sms/status/"
        self._page = f"{settings.public_url}/p/"
        self._media = f"{settings.public_url}/m/"
        self._blank = "x" * len(signer.sign("page", 0, 0))  # stands for a recipient's token while the text is fitted
        self._fitted = lru_cache(maxsize=256)(self._fit)

    def load(self, claimed: ClaimedDelivery, content: MessageContent) -> tuple[OutboundItem[Text], str]:
        """Returns what leaves, and the rest that `more` gives next: "" when nothing was cut."""
        most = 3 if claimed.introduces and content.kind == "answer" else 2  # parts; an answer's rest is kept already
        media_line = rendering.link_media(content.attached, content.text, self._media + self._blank)
        media_line += claimed.after
        gives_rest = self._gives_rest(content)
        fitted = self._fitted(
            content.message_id,
            claimed.before + content.text,
            media_line,
            claimed.tag,
            gives_rest,
            claimed.introduces,
            most,
        )
        parcel = Text(
            attempt=claimed.attempt_id,
            sender=self._sender,
            recipient=claimed.address,
            body=self._addressed(fitted, claimed, content),
            callback=self._callback + self._signer.sign("status", claimed.attempt_id),
            validity=int(TEXTS.gives_up_after.total_seconds()),
        )
        return OutboundItem(claimed, parcel, fitted.segments, body_hash.digest(parcel.body)), fitted.rest

    def _fit(
        self,
        _message_id: int,
        text: str,
        media_line: str,
        tag: str | None,
        gives_rest: str | None,
        introduces: str | None,
        most: int,
    ) -> FittedText:
        who = introduction(text, self._company, introduces) if introduces else ""
        return fit.fit(text, media_line + who + (f" ({tag})" if tag else ""), gives_rest, most)

    def _gives_rest(self, content: MessageContent) -> str | None:
        """Returns the link to the post's page, or the word that asks for the rest. A post with media needs neither: its
        media link leads to its words as well."""
        if not self._linked(content):
            return REST
        return None if content.attached else self._page + self._blank

    def _linked(self, content: MessageContent) -> bool:
        return content.post_id is not None and not content.private

    def _addressed(self, fitted: FittedText, claimed: ClaimedDelivery, content: MessageContent) -> str:
        if content.post_id is None or not (content.attached or (fitted.rest and self._linked(content))):
            return fitted.text
        kind = "media" if content.attached else "page"
        return fitted.text.replace(self._blank, self._signer.sign(kind, content.post_id, claimed.address_id))
