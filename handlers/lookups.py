"""Looking things up: what somebody wrote, who they are, who follows whom. Nothing here changes anything."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, count, joined, listed, say
from gateway.inbound.commands import CommandContext, command
from gateway.network.audience.visibility import OPEN_TO_ALL
from gateway.network.follows import follows, mutes, reachability, tag_follows
from gateway.network.people import accounts
from gateway.network.posts import rendering, timelines
from gateway.store.tables import Account
from handlers.not_implemented import NOT_YET
from handlers.private_messages import people

SHOWN = {"sms": 10, "email": 100}  # names in one answer
MOST = {"sms": 10, "email": 50}  # updates in one answer


@command(
    "get [COUNT] NAME",
    "get [COUNT] #TAG",
    aliases=("last",),
    about="the latest updates of someone, a group or a #tag",
    spanish="ver, leer",
)
def get(session: Session, turn: CommandContext) -> str:
    *count, what = turn.reading.args
    limit = min(int(count[0]), MOST[turn.address.channel]) if count else 1
    if turn.names:
        of, called = timelines.by_account(_account(session, turn, readable=True)), turn.names[0].name
    else:
        of, called = timelines.by_tag(what.lstrip("#")), what
    entries = timelines.latest(session, turn.account.id, of, limit)
    if not entries:
        return say("Nothing from {name} yet.", name=called)
    turn.quotes |= {entry.post.id for entry in entries}
    return joined([_entry(turn, entry) for entry in entries], "\n")


def _entry(turn: CommandContext, entry: timelines.TimelineEntry) -> Phrase:
    post, by = entry.post, rendering.signature(entry.author, entry.group, entry.post, entry.origin)
    link = turn.world.media_url(post.id, turn.address.id) if post.attached else ""
    shown = post.text + rendering.link_media(post.attached, post.text, link)
    return say("{by}: {text} ({ago})", by=by, text=shown, ago=_ago(entry.age))


def _ago(age: timedelta) -> Phrase:
    """The age in one short word."""
    minutes = int(age.total_seconds() // 60)
    if not minutes:
        return say("just now")
    if minutes < 60:
        return count("{count} min ago", "{count} min ago", minutes)
    if minutes < 48 * 60:
        return count("{count} h ago", "{count} h ago", minutes // 60)
    return count("{count} day ago", "{count} days ago", minutes // 1440)


def _account(session: Session, turn: CommandContext, readable: bool = False) -> Account:
    """The account that was named. What is in a closed group and who is in it is for its members."""
    account = accounts.by_id(session, turn.names[0].id)
    if account is None:
        raise Refused(say("{name} is gone.", name=turn.names[0].name))
    if readable and not _sees(session, turn, account):
        raise Refused(
            say(
                "{name} is closed, and only its members can see that. To ask to join: JOIN {handle!u}",
                name=account.name,
                handle=account.handle,
            )
        )
    return account


def _sees(session: Session, turn: CommandContext, account: Account) -> bool:
    """Whether the person may look into it: into a closed group only as a member."""
    if account.access is None or account.access in OPEN_TO_ALL:
        return True
    return follows.role_in(session, turn.account.id, account.id) is not None


@command("whois NAME", aliases=("w",), about="name, title, followers, how to reach them", spanish="quién es, quien es")
def whois(session: Session, turn: CommandContext) -> str:
    account = _account(session, turn)
    if mutes.are_apart(session, turn.account.id, account.id):
        return f"{account.name} (@{account.handle})."
    followers, following, _ = timelines.counts(session, account, turn.account.id)
    called = f"{account.name} ({'#' if account.kind == 'group' else '@'}{account.handle})"
    if account.kind == "group":
        counted = people(followers) if _sees(session, turn, account) else ""
        kind = joined([KINDS[account.access or "open"], counted], ", ")
        return say("{name}: {kind}. To join: JOIN {handle!u}", name=called, kind=kind, handle=account.handle)
    ways = WAYS[tuple(reachability.channels(session, account.id))]
    about = joined([called, account.title or ""], ", ")
    follows_ = say("follows {number}", number=following)
    return say(
        "{about}: {followers}, {follows}. {ways}",
        about=about,
        followers=_followers(followers),
        follows=follows_,
        ways=ways,
    )


KINDS = {"open": say("open group"), "closed": say("closed group"), "broadcast": say("broadcast group")}
WAYS = {
    (): say("Cannot be reached yet."),
    ("text",): say("Can be reached by text."),
    ("mail",): say("Can be reached by mail."),
    ("text", "mail"): say("Can be reached by text or mail."),
}


def _followers(number: int) -> Phrase:
    return count("{count} follower", "{count} followers", number)


@command("stats [NAME]", about="followers, following, updates", spanish="cifras")
def stats(session: Session, turn: CommandContext) -> str:
    account = _account(session, turn, readable=True) if turn.names else turn.account
    followers, following, updates = timelines.counts(session, account, turn.account.id)
    written = count("{count} update", "{count} updates", updates)
    followed = say("following {number}", number=following) if account.kind == "person" else ""
    counts = joined([_followers(followers), followed, written], ", ")
    return say("{name}: {counts}.", name=account.name, counts=counts)


@command("who NAME", "who about TOPIC", about="who follows them, or is in the group")
def who(session: Session, turn: CommandContext) -> str:
    if not turn.names:
        raise Refused(say(NOT_YET, verb="who about"))
    account = _account(session, turn, readable=True)
    number, rows = follows.followers(session, account.id, SHOWN[turn.address.channel], seen_by=turn.account.id)
    if not number or mutes.are_apart(session, turn.account.id, account.id):
        return say("Nobody follows {name} yet.", name=account.name)
    return say(
        "{name} has {followers}: {names}", name=account.name, followers=_followers(number), names=_handles(rows, number)
    )


def _handles(rows: Sequence[Account], number: int, mark: str = "@") -> str:
    shown: list[str] = [f"{mark}{row.handle}" for row in rows]
    if number == len(rows):
        return ", ".join(shown)
    return listed([", ".join(shown), count("{count} more", "{count} more", number - len(rows))])


@command("followers", about="who follows me", spanish="seguidores")
def followers(session: Session, turn: CommandContext) -> str:
    number, rows = follows.followers(session, turn.account.id, SHOWN[turn.address.channel])
    if not number:
        return say("Nobody follows you yet.")
    return say("{followers}: {names}", followers=_followers(number), names=_handles(rows, number))


@command("following", about="who I follow", spanish="siguiendo")
def following(session: Session, turn: CommandContext) -> str:
    shown = SHOWN[turn.address.channel]
    number, rows = follows.following(session, turn.account.id, shown)
    tags = ", ".join(f"#{tag}" for tag in tag_follows.following(session, turn.account.id)[:shown])
    if not number:
        return say("You follow {names}.", names=tags) if tags else say("You follow nobody yet. Try: follow NAME")
    names = _handles(rows, number)
    return say("You follow {number}: {names}", number=number, names=listed([names, tags]) if tags else names)


@command("groups", about="my groups", spanish="grupos")
def groups(session: Session, turn: CommandContext) -> str:
    number, rows = follows.groups(session, turn.account.id, SHOWN[turn.address.channel])
    if not number:
        return say("You are in no group yet. Try: join GROUP")
    counted = count("{count} group", "{count} groups", number)
    return say("You are in {groups}: {names}", groups=counted, names=_handles(rows, number, mark="#"))
