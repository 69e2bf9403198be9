"""Looking around: what somebody wrote, who they are, who hears whom. Nothing here changes anything."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from gateway.commands import Turn, command
from gateway.errors import Refused
from gateway.network import accounts, follows, reach, renderings, timelines
from gateway.network.audience import OPEN_TO_ALL
from gateway.store.tables import Account
from handlers.direct import people
from handlers.later import NOT_YET

SHOWN = 10
MOST = 10  # updates in one answer


@command(
    "get [COUNT] NAME", "get [COUNT] #TAG", aliases=("last",), about="the latest updates of someone, a group or a #tag"
)
def get(session: Session, turn: Turn) -> str:
    *count, what = turn.reading.args
    limit = min(int(count[0]), MOST) if count else 1
    if turn.names:
        of, called = timelines.by_account(_account(session, turn, readable=True)), turn.names[0].name
    else:
        of, called = timelines.by_tag(what.lstrip("#")), what
    entries = timelines.latest(session, turn.account.id, of, limit)
    if not entries:
        return f"Nothing from {called} yet."
    return "\n".join(
        f"{renderings.signature(entry.author, entry.group, entry.post)}: {entry.post.text} ({_ago(entry.age)})"
        for entry in entries
    )


def _ago(age: timedelta) -> str:
    """How long ago, in one short word."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min ago" if minutes else "just now"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def _account(session: Session, turn: Turn, readable: bool = False) -> Account:
    """The account that was named. What a closed group says and who is in it is for its members."""
    account = accounts.by_id(session, turn.names[0].id)
    if account is None:
        raise Refused(f"{turn.names[0].name} is gone.")
    if readable and not _sees(session, turn, account):
        raise Refused(f"{account.name} is closed; only its members see that. To ask to join: join {account.handle}")
    return account


def _sees(session: Session, turn: Turn, account: Account) -> bool:
    """Whether the person may look into it: a closed group only as a member."""
    if account.access is None or account.access in OPEN_TO_ALL:
        return True
    return follows.role_in(session, turn.account.id, account.id) is not None


@command("whois NAME", aliases=("w",), about="name, title, followers, how to reach")
def whois(session: Session, turn: Turn) -> str:
    account = _account(session, turn)
    followers, following, _ = timelines.counts(session, account, turn.account.id)
    called = f"{account.name} ({'#' if account.kind == 'group' else '@'}{account.handle})"
    if account.kind == "group":
        counted = f", {people(followers)}" if _sees(session, turn, account) else ""
        return f"{called}: {account.access} group{counted}. To join: join {account.handle}"
    title = f", {account.title}" if account.title else ""
    ways = " or ".join(reach.channels(session, account.id)) or "nothing yet"
    return f"{called}{title}: {_followers(followers)}, follows {following:,}. Reached by {ways}."


def _followers(count: int) -> str:
    return "1 follower" if count == 1 else f"{count:,} followers"


@command("stats [NAME]", about="followers, following, updates")
def stats(session: Session, turn: Turn) -> str:
    account = _account(session, turn, readable=True) if turn.names else turn.account
    followers, following, updates = timelines.counts(session, account, turn.account.id)
    written = "1 update" if updates == 1 else f"{updates:,} updates"
    if account.kind == "group":
        return f"{account.name}: {_followers(followers)}, {written}."
    return f"{account.name}: {_followers(followers)}, following {following:,}, {written}."


@command("who NAME", "who about TOPIC", about="who follows them, or is in the group")
def who(session: Session, turn: Turn) -> str:
    if not turn.names:
        raise Refused(NOT_YET.format("who about"))
    account = _account(session, turn, readable=True)
    count, rows = follows.followers(session, account.id, SHOWN)
    if not count:
        return f"Nobody follows {account.name} yet."
    return f"{account.name} has {_followers(count)}: {_handles(rows, count)}"


def _handles(rows: Sequence[Account], count: int, mark: str = "@") -> str:
    shown = ", ".join(f"{mark}{row.handle}" for row in rows)
    return f"{shown} and {count - len(rows):,} more" if count > len(rows) else shown


@command("followers", about="who follows me")
def followers(session: Session, turn: Turn) -> str:
    count, rows = follows.followers(session, turn.account.id, SHOWN)
    return f"{_followers(count)}: {_handles(rows, count)}" if count else "Nobody follows you yet."


@command("following", about="whom I follow")
def following(session: Session, turn: Turn) -> str:
    count, rows = follows.following(session, turn.account.id, SHOWN)
    return f"You follow {count:,}: {_handles(rows, count)}" if count else "You follow nobody yet. Try: follow NAME"


@command("groups", about="my groups")
def groups(session: Session, turn: Turn) -> str:
    count, rows = follows.groups(session, turn.account.id, SHOWN)
    counted = "1 group" if count == 1 else f"{count:,} groups"
    return (
        f"You are in {counted}: {_handles(rows, count, mark='#')}"
        if count
        else "You are in no group yet. Try: join GROUP"
    )
