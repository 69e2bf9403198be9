"""The lines around the words of a mail, in its reader's language: author, place, how to answer, why one gets it, and
how to stop it. workers/sending/render_mail fills them in; compose.py writes them as plain text, html_part.py as
HTML."""

from dataclasses import dataclass

from gateway.i18n.phrases import joined, say, translated, translator
from gateway.mail.history.reply_marker import MARKER, marker


@dataclass(frozen=True, slots=True)
class MailLayout:
    """Lines in one language; "" leaves a line out. `stop` is the text of the link that ends what `reason` names."""

    marker: str = MARKER
    author: str = ""
    place: str = ""  # @kim in #sales
    hint: str = ""
    reason: str = ""
    stop: str = ""
    sender: str = "Critter"  # with the company's name: who sends the mail
    language: str = "en"
    words_language: str = ""  # BCP 47, when the writer said so

    @property
    def by(self) -> str:
        """Author and place in one line."""
        return f"{self.author} ({self.place})" if self.author and self.place else self.author


def lay_out(
    company: str,
    language: str,
    *,
    kind: str,
    author: str = "",
    handle: str = "",
    group: str = "",
    broadcast: bool = False,
    direct: bool = False,
    follows: str = "",
    digest: str = "",
    prefers_mails: bool = False,
    words_language: str = "",
    call: str | None = None,
) -> MailLayout:
    """The layout of a message. `kind` is the message's kind; `follows` names what the reader follows (Kim Lee (@kim),
    #win) or tracks ("acme"); it is empty when the mail is addressed to the reader. `digest`: the kind of digest that it
    is. `prefers_mails`: the reader has mails instead of texts. A reply in a `broadcast` group goes to its posters.
    `call`: rollcall or ask, when it asks its readers to answer, whom only its author reads."""

    def said(phrase: str) -> str:
        return translated(phrase, language) if phrase else ""

    return MailLayout(
        marker=marker(language),
        author=author,
        place=said(_place(handle, group, direct)) if author else "",
        hint=said(_hint(kind, author, group, broadcast, direct, call)),
        reason=said(_with_preference(_reason(kind, author, direct, follows, digest), kind, prefers_mails)),
        stop=said(say("Stop")) if follows or digest else "",
        sender=f"Critter · {company}" if company else "Critter",
        language=translator(language).locale.language,
        words_language=words_language,
    )


def _place(handle: str, group: str, direct: bool) -> str:
    if direct:
        return say("@{handle}, private", handle=handle)
    if group:
        return say("@{handle} in #{group}", handle=handle, group=group)
    return f"@{handle}"


def _hint(kind: str, author: str, group: str, broadcast: bool, direct: bool, call: str | None) -> str:
    """Says who gets a reply. A reply to a mail from Critter itself goes to post@, where it is read like any mail."""
    if call == "rollcall":
        return say("Reply OK to this mail. Only {name} gets what you write.", name=author)
    if call == "ask":
        return say("Reply to this mail to answer {name}. Your answer is no post.", name=author)
    if kind == "update" and direct:
        return say("Reply to this mail to answer {name}. It stays private.", name=author)
    if kind == "update" and group and broadcast:
        return say("Reply to this mail to write to the people who post in #{group}.", group=group)
    if kind == "update" and group:
        return say("Reply to this mail to answer in #{group}.", group=group)
    if kind == "update" and author:
        return say("Reply to this mail to answer {name}. Everyone here can read it.", name=author)
    if kind in ("answer", "notice"):
        return say("You can reply to this mail with a command. To see them all: HELP")
    return ""


def _with_preference(reason: str, kind: str, prefers_mails: bool) -> str:
    if kind != "update" or not prefers_mails:
        return reason
    return joined([reason, say("You get mails instead of texts; PREFER TEXT brings texts back.")])


def _reason(kind: str, author: str, direct: bool, follows: str, digest: str) -> str:
    if digest == "over":
        return say("You get this in one mail because it was over your texts of a day.")
    if digest in ("wake", "back"):
        return say("You get this in one mail because it waited for you.")
    if digest:
        return say("You get this because you asked for a digest.")
    if follows.startswith('"') and follows.endswith('"'):  # a name is followed by its handle
        return say("You get this because it has {phrase} in it, which you track.", phrase=follows)
    if follows:
        return say("You get this because you follow {name}.", name=follows)
    if kind == "update" and author:
        if direct:
            return say("You get this because {name} sent it to you.", name=author)
        return say("You get this because it mentions you or answers you.")
    return say("You get this because you wrote to Critter.") if kind == "answer" else ""
