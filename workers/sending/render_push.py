"""Renders a claimed row as a push: who wrote, and the words only where everyone may read them, for a locked screen
shows them to whoever holds the device. workers/deliver renders with it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from gateway.carriers.common.protocol import OutboundPush, PushNote
from gateway.channels import PUSHES
from gateway.i18n.phrases import ENGLISH, Phrase, say, translated
from gateway.ledger.outbox.claims import ClaimedDelivery, MessageContent
from gateway.mail.compose.compose import headline
from gateway.network.feeds import unread
from gateway.network.push import push_subscriptions
from gateway.network.push.push_subscriptions import PushDevice
from gateway.settings import Settings
from workers.sending.send_loop import OutboundItem

LONGEST: Final = 240  # characters of words; devices show about half of that
ADDRESSED: Final = timedelta(days=1)  # how long a push service may keep what was written to its reader
USUAL: Final = PUSHES.gives_up_after
DIGEST: Final = "digest"


class PushRendering:
    """`look_up` must have been called with the rows before, in the transaction that claims them."""

    def __init__(self, settings: Settings) -> None:
        self._company = settings.company
        self._devices: Mapping[int, tuple[PushDevice, ...]] = {}
        self._unread: Mapping[int, int] = {}

    def look_up(self, session: Session, rows: Sequence[ClaimedDelivery]) -> None:
        """Finds the devices of all readers at once, and how much is new for each."""
        places = {row.address_id for row in rows}
        self._devices = push_subscriptions.find(session, places)
        self._unread = unread.count_at(session, places)

    def load(self, claimed: ClaimedDelivery, content: MessageContent) -> tuple[OutboundItem[OutboundPush], str]:
        """Returns what leaves and "": the whole stands on the page that it opens."""
        addressed = content.kind == "update" and claimed.source_id is None
        push = OutboundPush(
            attempt=claimed.attempt_id,
            devices=self._devices.get(claimed.address_id, ()),
            note=self._note(claimed, content),
            ttl=int((ADDRESSED if addressed else USUAL).total_seconds()),
            urgency="high" if addressed else "low" if content.kind == DIGEST else "normal",
            topic=str(claimed.message_id),
        )
        return OutboundItem(claimed, push), ""

    def _note(self, claimed: ClaimedDelivery, content: MessageContent) -> PushNote:
        lang = claimed.language or ENGLISH
        return PushNote(
            title=self._title(content),
            body=translated(_body(content), lang),
            path=_path(content),
            tag=f"{content.kind}-{content.post_id or content.message_id}",
            lang=lang,
            unread=self._unread.get(claimed.address_id),
        )

    def _title(self, content: MessageContent) -> str:
        if content.kind == DIGEST:
            return content.subject
        if content.kind != "update" or not content.author_name:
            return self._company
        named = content.group if content.group and not content.private else None
        return f"{content.author_name} #{named}" if named else content.author_name


def _body(content: MessageContent) -> Phrase | str:
    """The only answer that goes by push is a test; any other word of ours may be about somebody, and stays on the
    page."""
    if content.kind == DIGEST:
        return ""
    if content.kind == "answer":
        return content.text
    if content.kind != "update":
        return say("There is something for you here.")
    if content.direct:
        return say("wrote to you privately.")
    if content.private:
        return say("wrote in a closed group of yours.")
    return headline(content.body, LONGEST)


def _path(content: MessageContent) -> str:
    if content.kind != "update":
        return "/to-you"
    return f"/private/{content.author}" if content.direct else f"/updates/{content.post_id}"
