"""A claimed row as the mail that leaves: composed once per message and source, filled for each mailbox."""

from functools import lru_cache
from typing import Final

from gateway.carriers import Letter
from gateway.language import mails
from gateway.language.mails import Template
from gateway.ledger.claims import Claimed, Content
from gateway.network import dailies
from gateway.settings import Settings
from gateway.tokens import Signer
from workers.road import Load

KEPT: Final = 64  # templates; a fan-out needs one or two at a time


class Mailing:
    """Renders mails. Addresses that we may be answered at are signed for this recipient alone."""

    def __init__(self, settings: Settings, signer: Signer) -> None:
        self._sign = signer.sign
        self._domain = settings.mail_domain
        self._page = f"{settings.public_url}/u/"
        self._template = lru_cache(maxsize=KEPT)(self._compose)

    def load(self, claimed: Claimed, content: Content) -> tuple[Load[Letter], str]:
        """What leaves; a mail is whole, so that there is never a rest."""
        address_id = claimed.address_id
        bounces = f"b+{self._sign('bounce', claimed.message_id, address_id)}@{self._domain}"
        source_id = dailies.SOURCE if content.kind == "daily" else claimed.source_id
        ending = "" if source_id is None else self._sign("unsubscribe", source_id, address_id)
        mail = self._template(content, dailies.LIST if content.kind == "daily" else claimed.source).fill(
            claimed.address,
            self._reply_to(content, address_id),
            mails.message_id(claimed.message_id, address_id, self._domain),
            self._page + ending,
            f"u+{ending}@{self._domain}",
        )
        return Load(claimed, Letter(claimed.attempt_id, bounces, claimed.address, mail)), ""

    def _reply_to(self, content: Content, address_id: int) -> str:
        item = content.message_id if content.kind == "daily" else content.post_id
        return f"post@{self._domain}" if item is None else f"r+{self._sign('reply', item, address_id)}@{self._domain}"

    def _compose(self, content: Content, source: str | None) -> Template:
        """A subscription's mail has the headers of its list; an answer to a mail says that a machine wrote it."""
        return mails.compose(
            f"{content.author_name} via Critter" if content.author_name else "Critter",
            f"post@{self._domain}",
            mails.headline(content.subject),
            content.body,
            date=content.created_at,
            critter_id=self._domain,
            in_reply_to=self._in_reply_to(content),
            references=self._thread(content),
            list_id=f"{source}.{self._domain}" if source else None,
            list_post=f"{source}@{self._domain}" if source and source == content.group else None,
            bulk=source is not None,
            automatic=content.kind == "answer",
            unsubscribe=source is not None,
        )

    def _in_reply_to(self, content: Content) -> str | None:
        return self._post(content.parents[-1]) if content.parents else content.answers

    def _thread(self, content: Content) -> tuple[str, ...]:
        """The posts above it and itself. Every copy of a post has a Message-ID of its own, so a thread is held together
        by ids that stand for the posts; mail programs need not have seen them as mails."""
        own = (content.post_id,) if content.post_id else ()
        return tuple(self._post(post) for post in (*content.parents, *own))

    def _post(self, post_id: int) -> str:
        return f"<critter.post.{post_id}@{self._domain}>"
