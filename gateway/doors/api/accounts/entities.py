"""People and groups as apps know them: a group is an account with `group: true`, which is locked when it is closed.

No key may lack a value that a client takes for granted, so pictures are drawn where nobody has uploaded one."""

from collections.abc import Collection, Sequence
from datetime import date

from markupsafe import escape

from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Entity, Id, Moment
from gateway.doors.web import portraits
from gateway.i18n.phrases import say, translated
from gateway.network.follows import account_summaries
from gateway.network.follows.account_summaries import ALL, COUNTED, AccountSummary

CLOSED = "closed"


class Emoji(Entity):
    """A picture that stands for a word. Critter has none of its own; Unicode's are plain text."""

    shortcode: str
    url: str
    static_url: str
    visible_in_picker: bool


class AccountField(Entity):
    """A line about somebody. `verified_at`: never; nobody's links are looked at."""

    name: str
    value: str
    verified_at: Moment | None = None


class Account(Entity):
    """A person or a group as this reader sees it. `note` and the fields' values are HTML."""

    id: Id
    username: str
    acct: str
    display_name: str
    locked: bool
    bot: bool = False
    group: bool
    discoverable: bool = True
    indexable: bool = False
    noindex: bool = True
    created_at: Moment
    note: str
    url: str
    uri: str
    avatar: str
    avatar_static: str
    header: str
    header_static: str
    followers_count: int
    following_count: int
    statuses_count: int
    last_status_at: date | None
    emojis: Sequence[Emoji] = ()
    fields: Sequence[AccountField] = ()
    roles: Sequence["AccountRole"] = ()
    hide_collections: bool = False


class AccountRole(Entity):
    """What somebody may do to the installation; nobody's is shown to others."""

    id: Id
    name: str
    permissions: str = "0"
    color: str = ""
    highlighted: bool = False


def accounts_of(call: ApiCall, account_ids: Collection[int], most: int = COUNTED) -> dict[int, Account]:
    """The accounts by id, as the person sees them for whom the app asks: a few statements for all. Suspended people are
    left out; who has left is there, for their updates are. `most`: of followers and updates that are counted."""
    found = account_summaries.find(call.session, call.account.id, account_ids, most)
    return {account_id: describe(call, summary) for account_id, summary in found.items()}


def whole(call: ApiCall, account_id: int) -> Account:
    """One account by itself, with everything counted."""
    return accounts_of(call, [account_id], ALL)[account_id]


def listed(call: ApiCall, account_ids: Sequence[int]) -> list[Account]:
    """The same in this order."""
    found = accounts_of(call, account_ids)
    return [found[each] for each in account_ids if each in found]


def describe(call: ApiCall, summary: AccountSummary) -> Account:
    group = summary.kind == "group"
    page = call.url(f"/@{summary.handle}")
    portrait = call.url(portraits.portrait_path(summary.id, group=group))
    header = call.url(portraits.header_path(summary.id))
    last = summary.updates.last
    return Account(
        id=summary.id, username=summary.handle, acct=summary.handle, display_name=summary.name,
        locked=summary.access == CLOSED, group=group, created_at=summary.created_at, note=_note(summary), url=page,
        uri=page, avatar=portrait, avatar_static=portrait, header=header, header_static=header,
        followers_count=summary.followers, following_count=summary.following, statuses_count=summary.updates.count,
        last_status_at=last.date() if last else None, fields=fields(call, summary),
    )  # fmt: skip


def _note(summary: AccountSummary) -> str:
    """The line beside the name."""
    return f"<p>{escape(summary.status)}</p>" if summary.status else ""


def fields(call: ApiCall, summary: AccountSummary) -> list[AccountField]:
    """A person's title, in the reader's language."""
    if not summary.title:
        return []
    return [AccountField(name=translated(say("Title"), call.language), value=str(escape(summary.title)))]
