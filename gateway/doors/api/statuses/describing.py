"""Makes what apps are told of updates, for a whole list at once: every list, search and notification comes here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from werkzeug.exceptions import NotFound

from gateway.channels import EMAIL, SMS
from gateway.doors.api.accounts.entities import Account, accounts_of
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.statuses.attachments import attachment
from gateway.doors.api.statuses.content import html
from gateway.doors.api.statuses.entities import Mention, Status, StatusApplication, TagLink, Visibility
from gateway.i18n.phrases import Phrase, say, translated
from gateway.language import nanoformats
from gateway.network.feeds import feed_items, post_details
from gateway.network.feeds.feed_items import FeedItem
from gateway.network.feeds.post_details import Named, PostDetails
from gateway.store.tables import Post

DOORS: Final[Mapping[str, Phrase]] = {
    SMS: say("SMS"), EMAIL: say("e-mail"), "web": say("the web"), "cli": say("the command line"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Described:
    """What the updates of one list share: their details by the id of the post, and the accounts by theirs."""

    call: ApiCall
    details: Mapping[int, PostDetails]
    accounts: Mapping[int, Account]


def statuses(call: ApiCall, items: Sequence[FeedItem], *, by_groups: bool = False) -> list[Status]:
    """`by_groups`: what was written in an open group that the reader is in, by somebody whom they do not follow, is
    passed on by the group, so that they see why they have it."""
    passing = _passing_groups(call, items) if by_groups else {}
    wanted = {person for item in items for person in _people(item)} | set(passing.values())
    details = post_details.find(call.session, call.account.id, [item.shown for item in items])
    described = Described(call, details, accounts_of(call, wanted))
    found = (_status(described, item, passing.get(item.id)) for item in items)
    return [each for each in found if each is not None]


def of_posts(call: ApiCall, post_ids: Sequence[int]) -> list[Status]:
    """The same by ids, without those that the reader may not read."""
    return statuses(call, feed_items.load(call.session, call.account.id, post_ids, receipts=False))


def one(call: ApiCall, post_id: int) -> Status:
    """Raises NotFound for what the reader may not read."""
    return statuses(call, [item(call, post_id)])[0]


def item(call: ApiCall, post_id: int) -> FeedItem:
    """An update, or one that passes on another. Raises NotFound for what the reader may not read."""
    found = feed_items.load(call.session, call.account.id, [post_id], receipts=False)
    if not found:
        raise NotFound
    return found[0]


def _people(item: FeedItem) -> Collection[int]:
    return {item.author.id, item.repeated_by.id if item.repeated_by else item.author.id}


def _passing_groups(call: ApiCall, items: Sequence[FeedItem]) -> dict[int, int]:
    """The id of a post → the group that passes it on to this reader."""
    placed = {item.id: item for item in items if item.group and item.group.access != "closed"}
    sources = {source for item in placed.values() if item.group for source in (item.author.id, item.group.id)}
    followed = post_details.followed(call.session, call.account.id, sources) | {call.account.id}
    return {
        item.id: item.group.id
        for item in placed.values()
        if item.group and item.repeated_by is None and item.group.id in followed and item.author.id not in followed
    }


def _status(of: Described, item: FeedItem, passing: int | None) -> Status | None:
    """None when its writer may not be known of any more."""
    if not set(_people(item)) <= set(of.accounts):
        return None
    original = _original(of, item)
    if item.repeated_by is not None:
        return _passed_on(of, item.post, of.accounts[item.repeated_by.id], original)
    if passing is not None:
        return _passed_on(of, item.post, of.accounts[passing], original)
    return original


def _passed_on(of: Described, post: Post, by: Account, original: Status) -> Status:
    """A group passes an update on under its own id: whatever an app does with it is done to the update."""
    url = _url(of, post)
    kept: dict[str, object] = {"id": post.id, "uri": url, "url": url, "created_at": post.created_at}
    return original.model_copy(update=kept | {"account": by, "reblog": original, "pinned": False})


def _original(of: Described, item: FeedItem) -> Status:
    post, details, counts = item.shown, of.details.get(item.shown.id, PostDetails()), item.counts
    return Status(
        id=post.id, uri=_url(of, post), url=_url(of, post), created_at=post.created_at,
        account=of.accounts[item.author.id], content=_content(of, post, details),
        visibility=visibility_of(post, closed=details.closed), application=_application(of, post),
        media_attachments=[attachment(of.call, post.id, post.upload_id or 0, file) for file in item.files],
        mentions=[_mention(of, each) for each in _mentioned(details)],
        tags=[TagLink(name=tag, url=of.call.url(f"/tags/{tag}")) for tag in details.tags],
        in_reply_to_id=details.answers, in_reply_to_account_id=details.answered, language=post.lang,
        replies_count=counts.replies, reblogs_count=counts.repeats, favourites_count=counts.likes,
        favourited=counts.liked, reblogged=counts.repeated, bookmarked=details.bookmarked, pinned=details.pinned,
    )  # fmt: skip


def visibility_of(post: Post, *, closed: bool) -> Visibility:
    """As clients know it. Apps must never take what is in a closed group for public: they offer to pass that on."""
    if post.visibility == "direct":
        return "direct"
    return "private" if closed else "public"


def words(post: Post, details: PostDetails) -> str:
    """What was written, with those in front to whom it is, as a client writes it: whoever answers from there answers
    to the same people."""
    said = nanoformats.parse(post.text).mentions
    before = [f"@{each.handle}" for each in details.addressed if each.handle not in said]
    return " ".join([*before, post.text])


def _content(of: Described, post: Post, details: PostDetails) -> str:
    handles = {each.handle for each in _mentioned(details)}
    return html(words(post, details), handles, of.call.settings.public_url)


def _mentioned(details: PostDetails) -> list[Named]:
    return list({each.id: each for each in (*details.addressed, *details.named)}.values())


def _mention(of: Described, named: Named) -> Mention:
    url = of.call.url(f"/@{named.handle}")
    return Mention(id=named.id, username=named.handle, acct=named.handle, url=url)


def _application(of: Described, post: Post) -> StatusApplication | None:
    """None for what came by an app: which one is nobody else's business."""
    door = DOORS.get(post.via)
    return StatusApplication(name=translated(door, of.call.language)) if door else None


def _url(of: Described, post: Post) -> str:
    return of.call.url(f"/updates/{post.id}")
