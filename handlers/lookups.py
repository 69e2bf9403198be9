"""Looking things up: what somebody wrote, who they are, who follows whom. Nothing here changes anything."""

from datetime import timedelta

from sqlalchemy.orm import Session

from gateway.actions.lookups import accounts_and_posts
from gateway.actions.lookups.accounts_and_posts import Accounts
from gateway.i18n.phrases import Phrase, count, joined, listed, say
from gateway.inbound.commands import CommandContext, command
from gateway.network.people.statuses import SetStatus
from gateway.network.posts import rendering, timelines
from handlers.confirmation_questions import describe_people
from handlers.follows import local_in
from handlers.who_about import find_people

SHOWN = {"sms": 10, "email": 100}  # names in one answer
MOST = {"sms": 10, "email": 50}  # updates in one answer


@command(
    "get [COUNT] NAME",
    "get [COUNT] #TAG",
    aliases=("last",),
    about="the latest updates of someone, a group or a #tag",
    spanish="ver, leer",
)
def get(session: Session, context: CommandContext) -> str:
    *count, what = context.reading.args
    limit = min(int(count[0]), MOST[context.address.channel]) if count else 1
    if context.names:
        called, entries = (
            context.names[0].name,
            accounts_and_posts.latest(session, context.actor, context.names[0], limit),
        )
    else:
        called, entries = what, accounts_and_posts.latest_tagged(session, context.actor, what.lstrip("#"), limit)
    if not entries:
        return say("Nothing from {name} yet.", name=called)
    context.quotes |= {entry.post.id for entry in entries}
    return joined([_entry(context, entry) for entry in entries], "\n")


def _entry(context: CommandContext, entry: timelines.TimelineEntry) -> Phrase:
    post, by = entry.post, rendering.signature(entry.author, entry.group, entry.post, entry.origin)
    link = context.actor.media_url(post.id, context.address.id) if post.attached else ""
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


@command("whois NAME", aliases=("w",), about="name, title, followers, how to reach them", spanish="quién es, quien es")
def whois(session: Session, context: CommandContext) -> str:
    found = accounts_and_posts.profile(session, context.actor, context.names[0])
    account = found.account
    if found.apart:
        return f"{account.name} (@{account.handle})."
    called = f"{account.name} ({'#' if account.kind == 'group' else '@'}{account.handle})"
    if account.kind == "group":
        counted = "" if found.followers is None else describe_people(found.followers)
        kind = joined([KINDS[account.access or "open"], counted], ", ")
        return say("{name}: {kind}. To join: JOIN {handle!u}", name=called, kind=kind, handle=account.handle)
    known = say(
        "{about}: {followers}, {follows}. {ways}",
        about=joined([called, account.title or ""], ", "),
        followers=_followers(found.followers or 0),
        follows=say("follows {number}", number=found.following),
        ways=WAYS[found.ways],
    )
    return joined([known, _status(context, found.status)]) if found.status else known


def _status(context: CommandContext, status: SetStatus) -> Phrase:
    if status.until is None:
        return say("Now: {words}.", words=status.words)
    time = local_in(status.until, context.account.zone_now)
    return say("Now: {words}, till {time}.", words=status.words, time=time)


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
def stats(session: Session, context: CommandContext) -> str:
    found = accounts_and_posts.statistics(session, context.actor, context.names[0] if context.names else None)
    written = count("{count} update", "{count} updates", found.updates)
    followed = say("following {number}", number=found.following) if found.account.kind == "person" else ""
    counts = joined([_followers(found.followers or 0), followed, written], ", ")
    return say("{name}: {counts}.", name=found.account.name, counts=counts)


@command("who NAME", "who about TOPIC", about="who follows them, or is in the group; who wrote about it")
def who(session: Session, context: CommandContext) -> str:
    if not context.names:
        return find_people(session, context, context.reading.args[-1])
    found = accounts_and_posts.followers(session, context.actor, SHOWN[context.address.channel], context.names[0])
    name = context.names[0].name
    if not found.number:
        return say("Nobody follows {name} yet.", name=name)
    return say("{name} has {followers}: {names}", name=name, followers=_followers(found.number), names=_handles(found))


def _handles(found: Accounts, mark: str = "@") -> str:
    shown: list[str] = [f"{mark}{row.handle}" for row in found.first]
    if found.number == len(shown):
        return ", ".join(shown)
    return listed([", ".join(shown), count("{count} more", "{count} more", found.number - len(shown))])


@command("followers", about="who follows me", spanish="seguidores")
def followers(session: Session, context: CommandContext) -> str:
    found = accounts_and_posts.followers(session, context.actor, SHOWN[context.address.channel])
    if not found.number:
        return say("Nobody follows you yet.")
    return say("{followers}: {names}", followers=_followers(found.number), names=_handles(found))


@command("following", about="who I follow", spanish="siguiendo")
def following(session: Session, context: CommandContext) -> str:
    found, followed = accounts_and_posts.following(session, context.actor, SHOWN[context.address.channel])
    tags = ", ".join(f"#{tag}" for tag in followed[: SHOWN[context.address.channel]])
    if not found.number:
        return say("You follow {names}.", names=tags) if tags else say("You follow nobody yet. Try: follow NAME")
    names = _handles(found)
    return say("You follow {number}: {names}", number=found.number, names=listed([names, tags]) if tags else names)


@command("groups", about="my groups", spanish="grupos")
def groups(session: Session, context: CommandContext) -> str:
    found = accounts_and_posts.groups(session, context.actor, SHOWN[context.address.channel])
    if not found.number:
        return say("You are in no group yet. Try: join GROUP")
    counted = count("{count} group", "{count} groups", found.number)
    return say("You are in {groups}: {names}", groups=counted, names=_handles(found, mark="#"))
