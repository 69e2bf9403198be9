"""How a post reads in a text and in a mail, before what differs by recipient is filled in. Called once per post."""

from dataclasses import dataclass

from gateway.sms import fit
from gateway.store.tables import Account, Post

MORE = "text MORE for the rest"
SUBJECT = 70  # characters of a subject that mailboxes show


@dataclass(frozen=True, slots=True)
class Rendered:
    text: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class RepeatOrigin:
    """Who wrote what a repeat passes on, and in which group."""

    author: Account
    group: Account | None


def of_post(
    author: Account, group: Account | None, post: Post, headline: str | None, origin: RepeatOrigin | None = None
) -> Rendered:
    """The author first, then the group or that it is private. `headline` is the thread's subject, if the post is a
    reply. The mail of a repeat begins with its author, because its From names who repeated it."""
    text = f"{signature(author, group, post, origin)}: {post.text}"
    body = f"rt {signature(origin.author, origin.group, post)}: {post.text}" if origin else post.text
    return Rendered(text, subject(text, headline), body)


def of_update(author: str, words: str) -> Rendered:
    """The same for words to everyone that answer nothing; `author` is the name of their writer."""
    text = f"{author}: {words}"
    return Rendered(text, subject(text), words)


def for_phone(
    author: Account, group: Account | None, post: Post, tag: str | None, page: str, pictures: str
) -> fit.FittedText:
    """The text message of a post for one phone. A private one has no link, because a token alone must never show its
    words. The page of a post's files shows its words too, so that there is never a second link."""
    whole = f"{signature(author, group, post)}: {post.text}"
    media_line = link_media(post.attached, post.text, pictures)
    private = post.visibility == "direct" or (group is not None and group.access == "closed")
    return fit.fit(whole, media_line + _tagged(tag), MORE if private else None if media_line else page)


def fit_for_phone(text: str, tag: str | None, page: str | None) -> fit.FittedText:
    """At most two parts with the tag; of longer words the beginning, and how to get the rest."""
    return fit.fit(text, _tagged(tag), page or MORE)


def _tagged(tag: str | None) -> str:
    return f" ({tag})" if tag else ""


def link_media(attached: str | None, text: str, url: str) -> str:
    """Adds to a text what its post has attached: " (2 photos) https://…". Words that consist of that name alone are not
    repeated."""
    if not attached:
        return ""
    return f" {url}" if text.endswith(f"({attached})") else f" ({attached}) {url}"


def signature(author: Account, group: Account | None, post: Post, origin: RepeatOrigin | None = None) -> str:
    if origin:
        return f"{author.name} rt {signature(origin.author, origin.group, post)}"
    if post.visibility == "direct":
        return f"{author.name} (private)"
    return f"{author.name} #{group.handle}" if group else author.name


def subject(text: str, headline: str | None = None) -> str:
    """The subject of the thread; else the beginning of the words."""
    if headline:
        return headline if headline.startswith("Re: ") else f"Re: {headline}"
    line = " ".join(text.split())
    return line if len(line) <= SUBJECT else line[: SUBJECT - 1].rstrip() + "…"
