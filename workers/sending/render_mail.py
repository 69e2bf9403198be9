"""Renders a claimed row as a mail: composed once per message, source and language, and filled for each mailbox."""

from functools import lru_cache
from typing import Final

from gateway.carriers.common.protocol import OutboundEmail
from gateway.carriers.smtp.provider_profiles import provider_terms
from gateway.i18n.phrases import ENGLISH
from gateway.ledger.outbox.claims import ClaimedDelivery, MessageContent
from gateway.mail.compose import compose, headers
from gateway.mail.compose.compose import ListHeaders, Template
from gateway.mail.compose.dkim_signer import DkimKey
from gateway.mail.compose.layout import MailLayout, lay_out
from gateway.network.mail import mailing_lists
from gateway.network.posts import rendering
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from workers.sending.send_loop import OutboundItem

RETURNED: Final = "X-Critter-Token"  # identifies a bounced mail where no envelope sender can: a bounce has our header
KEPT: Final = 64  # templates; a fan-out needs one or two at a time
LISTS: Final = ("daily", "digest")  # kinds of messages that are answered by the number of an update
LONGEST_NAME: Final = 60  # characters of an author's name in From


def _asks(content: MessageContent) -> bool:
    """Tells whether it asks somebody if a mail in their name was theirs; the answer goes to an address of its own."""
    return content.kind == "code" and content.inbound_id is not None


class Mailing:
    """Renders mails. The addresses for answers to us are signed for each recipient alone."""

    def __init__(self, settings: Settings, signer: Signer, keys: tuple[DkimKey, ...] = ()) -> None:
        self._sign = signer.sign
        self._domain = settings.mail_domain
        self._company = settings.company
        self._fixed = provider_terms(settings).sender  # the one sender of a relay that takes no other
        self._page = f"{settings.public_url}/u/"
        self._media = f"{settings.public_url}/m/"
        self._keys = keys
        self._template = lru_cache(maxsize=KEPT)(self._compose)

    def load(self, claimed: ClaimedDelivery, content: MessageContent) -> tuple[OutboundItem[OutboundEmail], str]:
        """Returns what leaves and "": a mail is never cut, so there is no rest."""
        address_id = claimed.address_id
        token = self._sign("bounce", claimed.message_id, address_id)
        own = mailing_lists.of_message(content.kind, content.digest)
        source_id = mailing_lists.NUMBERS[own] if own else claimed.source_id
        ending = "" if source_id is None else self._sign("unsubscribe", source_id, address_id)
        source = content.kind if own else claimed.source
        reader = claimed.language or ENGLISH, claimed.prefers_mails
        template = self._template(content, source, claimed.follows or "", *reader, claimed.before, claimed.after)
        mail = template.fill(
            claimed.address,
            self._reply_to(content, address_id),
            compose.message_id(claimed.message_id, address_id, self._domain),
            self._page + ending,
            f"u+{ending}@{self._domain}",
            self._hanging(content, address_id),
        )
        sender = self._fixed or f"b+{token}@{self._domain}"
        letter = f"{RETURNED}: {token}\r\n".encode() + mail if self._fixed else mail
        return OutboundItem(claimed, OutboundEmail(claimed.attempt_id, sender, claimed.address, letter)), ""

    def _hanging(self, content: MessageContent, address_id: int) -> str:
        if content.post_id is None or content.attached is None:
            return ""
        return self._media + self._sign("media", content.post_id, address_id)

    def _reply_to(self, content: MessageContent, address_id: int) -> str:
        if _asks(content):
            return f"c+{self._sign('confirm', content.inbound_id or 0, address_id)}@{self._domain}"
        item = content.message_id if content.kind in LISTS else content.post_id
        return f"post@{self._domain}" if item is None else f"r+{self._sign('reply', item, address_id)}@{self._domain}"

    def _compose(
        self,
        content: MessageContent,
        source: str | None,
        follows: str,
        language: str,
        prefers_mails: bool,
        before: str,
        after: str,
    ) -> Template:
        """A subscription's mail has the fields of its list; an answer to a mail says that a machine wrote it."""
        author = compose.headline(content.author_name or "", LONGEST_NAME)
        return compose.compose(
            f"{author} via Critter" if author else "Critter",
            self._fixed or f"post@{self._domain}",
            compose.headline(before + (rendering.subject(content.text) if content.alone else content.subject)),
            content.body + after + _enclosed(content),
            date=content.created_at,
            critter_id=self._domain,
            frame=self._frame(content, author, compose.headline(follows), language, prefers_mails),
            in_reply_to=self._in_reply_to(content),
            references=self._thread(content),
            lists=self._lists(content, source) if source else None,
            automatic=content.kind == "answer" or _asks(content),
            with_files=content.attached is not None,
            keys=self._keys,
        )

    def _frame(
        self, content: MessageContent, author: str, follows: str, language: str, prefers_mails: bool
    ) -> MailLayout:
        return lay_out(
            self._company,
            language,
            kind=content.kind,
            author=author,
            handle=content.author or "",
            group=content.group or "",
            broadcast=content.access == "broadcast",
            direct=content.direct,
            follows=follows,
            digest=content.digest or "",
            prefers_mails=prefers_mails,
            words_language=content.lang or "",
            call=content.call,
        )

    def _lists(self, content: MessageContent, source: str) -> ListHeaders:
        """Returns the list headers. A group can be posted to, unless it is a broadcast. A person's updates can be
        answered, but only the person posts them."""
        help_ = f"help@{self._domain}"
        if source != content.group:
            return ListHeaders(f"{source}.{self._domain}", help=help_)
        post = "NO" if content.access == "broadcast" else f"{source}@{self._domain}"
        return ListHeaders(f"{source}.{self._domain}", post, f"{source}+join@{self._domain}", help_)

    def _in_reply_to(self, content: MessageContent) -> str | None:
        """Returns the Message-ID for In-Reply-To. It may come from outside: one that hides the end of a line is left
        out."""
        if content.parents:
            return self._post(content.parents[-1])
        return None if content.answers and headers.breaks_out(content.answers) else content.answers

    def _thread(self, content: MessageContent) -> tuple[str, ...]:
        """Returns the ids of the posts above this one and its own. Every copy of a post has a Message-ID of its own, so
        a thread is held together by ids of the posts; mail programs need not have seen them as mails."""
        own = (content.post_id,) if content.post_id else ()
        return tuple(self._post(post) for post in (*content.parents, *own))

    def _post(self, post_id: int) -> str:
        return f"<critter.post.{post_id}@{self._domain}>"


def _enclosed(content: MessageContent) -> str:
    """Lists the files by name and size; the link below them, made for each reader, leads to all of them."""
    if not content.attached:
        return ""
    lines = [f"{name}{f' ({_size(size)})' if size else ''}" for name, size in content.files if name]
    return "\n\n" + "\n".join(["Attached:", *(lines or [content.attached])])


def _size(octets: int) -> str:
    return f"{octets / 1e6:.1f} MB" if octets >= 1e6 else f"{max(1, round(octets / 1e3))} kB"
