"""Who does something, by which door, and what they have confirmed. Every action gets one, and
notes its effects there."""

from dataclasses import dataclass, field
from typing import Any, Final

from gateway.channels import SMS
from gateway.i18n.refusals import refusal
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.tables import Account, Address

WEB: Final = "web"  # the door of pages
SCREENS: Final = (WEB, "api")


@dataclass(slots=True)
class NewEffect:
    """What an action made or changed. `detail` has what `undo` needs; action_log writes it in the same transaction."""

    kind: str
    subject_id: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Actor:
    """`door`: sms, email, cli, web, api. `address`: the phone or mailbox that speaks, None on a page. `inbound_id`:
    the text or mail that the action comes from, None on a page. `said`: the whole of it. `confirmed`: what the person
    has said yes to (confirmation.py). `upload_id`: the files that a post shows, when they are not those that
    came with the inbound; `uploads`: what they uploaded by themselves for this post, in its order."""

    account: Account
    door: str
    settings: Settings
    signer: Signer
    address: Address | None = None
    inbound_id: int | None = None
    said: str = ""
    confirmed: frozenset[str] = frozenset()
    upload_id: int | None = None
    uploads: tuple[int, ...] = ()
    effects: list[NewEffect] = field(default_factory=list)
    queues: set[str] = field(default_factory=set)  # the queues to wake after the commit, besides those of posts

    @property
    def by_text(self) -> bool:
        """Whether what they follow now comes to them as texts: only when a phone asked for it."""
        return self.address is not None and self.address.channel == SMS

    @property
    def on_screen(self) -> bool:
        """Whether they act on a page or by an app: there one sees what one answers, and chooses an audience with a
        finger, not with a word that the grammar reads."""
        return self.door in SCREENS

    def check_own(self, address: Address) -> None:
        """Raises Refused for the phone or mailbox of somebody else."""
        if address.account_id != self.account.id:
            raise refusal("address_gone")

    def did(self, kind: str, subject_id: int | None = None, **detail: Any) -> None:
        """Notes an effect; it commits with the action, and `undo` reads it."""
        self.effects.append(NewEffect(kind, subject_id, detail))

    def media_url(self, post_id: int, address_id: int) -> str:
        """The link under which the owner of that address sees the files of a post."""
        return f"{self.settings.public_url}/m/{self.signer.sign('media', post_id, address_id)}"
