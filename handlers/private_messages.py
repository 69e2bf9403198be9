"""Private messages: to people, to a group, to a broadcast group's posters. When in doubt they are not sent, and they
can be stopped."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, count, joined, listed, say
from gateway.inbound.commands import CommandContext, command, meaning, unanswerable
from gateway.language.model.reading import NamedAccount
from gateway.ledger.inbox import media
from gateway.network.audience import visibility
from gateway.network.conversation import conversations
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.follows import follows, mutes, reachability
from gateway.network.posts import split_texts, timelines
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Account, Post
from handlers.pin_confirmation import prove
from handlers.price_confirmation import price
from handlers.private_repeats import ask_if_private
from handlers.updates import publish

SHOWN = 3  # names in an answer
WIDE = 50  # people; a private message by text to more of them is proved first


@meaning("direct")
@command(
    "d NAME[,NAME…] text",
    aliases=("dm", "msg", "pm"),
    private=True,
    intent="direct",
    about="write privately to people or a group",
    spanish="privado, mensaje",
)
def direct(session: Session, turn: CommandContext) -> str:
    """A bare text after a broadcast comes here too, for that group's posters."""
    if turn.reading.verb is None and turn.names and turn.names[0].group == "broadcast":
        return tell_posters(session, turn, turn.names[0], turn.text)
    hangs = turn.reading.post and media.list_attached(session, turn.inbound_id)
    if turn.reading.post and not hangs:
        recipients = _recipients(session, turn.account, turn.names)
        ask_if_private(session, turn, NewPost(turn.account, turn.text, "direct", turn.via, recipients=recipients))
    if turn.reading.post and not hangs and split_texts.append(session, turn.account, turn.reading.post, turn.text):
        turn.did("appended", turn.reading.post)
        return say("Added to your private message.")
    return send(session, turn, turn.names, turn.text, turn.reading.post)


def send(
    session: Session, turn: CommandContext, names: Sequence[NamedAccount], text: str, in_reply_to: int | None = None
) -> str:
    """Sends to all of them or to nobody. A message to a group, and anyone's first private message, waits for `undo` a
    little."""
    recipients = _recipients(session, turn.account, names)
    _none_blocked(session, turn.account.id, names)
    unreached = _some_reached(session, turn.account, recipients)
    hold = _hold(session, turn, names, in_reply_to)
    words = NewPost(
        turn.account, text, "direct", turn.via, recipients=recipients, in_reply_to=in_reply_to,
        inbound_id=turn.inbound_id, hold=hold,
    )  # fmt: skip
    called = _called(names, recipients)
    _prove_if_wide(session, turn, words, called)
    publish(session, turn, words)
    answer = (
        say(
            "This goes privately to {names} in {seconds} s. To stop: UNDO",
            names=called,
            seconds=f"{hold.total_seconds():g}",
        )
        if hold
        else say("Sent privately to {names}.", names=called)
    )
    return joined([answer, not_reached(unreached, turn.account.timezone) if unreached else ""], "\n")


def _prove_if_wide(session: Session, turn: CommandContext, words: NewPost, called: str) -> None:
    """A forged sender number must not write to many in somebody's name: one question has the names and the price
    (R39)."""
    if turn.via == "sms" and len(words.recipients) > WIDE:
        what = joined([say("Send this privately to {names}?", names=called), price(session, turn, words) or ""])
        prove(session, turn, what, "secret price")


def tell_posters(session: Session, turn: CommandContext, group: NamedAccount, text: str) -> str:
    """Sends what a reader of a broadcast texts back to those who post there, and to nobody else."""
    recipients = _recipients(session, turn.account, [group])
    _some_reached(session, turn.account, recipients)
    asked_by = timelines.list_received(session, turn.address.id, 1, Post.group_id == group.id)
    in_reply_to = asked_by[0].post.id if asked_by else None
    words = NewPost(
        turn.account, text, "direct", turn.via, recipients=recipients, in_reply_to=in_reply_to,
        inbound_id=turn.inbound_id,
    )  # fmt: skip
    publish(session, turn, words)
    open_ = conversations.open_question(session, turn.address.id)
    if open_ and open_.kind != conversations.PASSING:  # an offer does not replace what was kept
        return say("Only {handle} got it.", handle=group.handle)
    if not unanswerable(session, turn):  # no offer without an answer; the words are sent all the same
        draft = conversations.keep_draft(session, turn.account.id, text)
        about = {"draft": draft, "pictures_of": turn.inbound_id}
        conversations.ask(session, turn.address.id, AskedQuestion("told", [], ["POST"], about))
    return say("Only {handle} got it. Reply POST to tell everyone.", handle=group.handle)


def _recipients(session: Session, author: Account, names: Sequence[NamedAccount]) -> list[tuple[int, int]]:
    """(person, whom the writer named), everyone once, without the writer."""
    found: dict[int, int] = {}
    for named in names:
        for person in [named.id] if named.kind == "person" else _members(session, author, named):
            found.setdefault(person, named.id)
    found.pop(author.id, None)
    if not found:
        raise Refused(say("There is nobody in that but you. Nothing was sent or posted."))
    return list(found.items())


def _none_blocked(session: Session, author_id: int, names: Sequence[NamedAccount]) -> None:
    """Whoever blocked somebody is told that they did; whoever is blocked is not told."""
    for each in names:
        silence = mutes.find_mute(session, author_id, each.id)
        if silence and silence.kind == "block":
            raise Refused(
                say(
                    "Not sent, because you blocked {name}. To unblock: ON {handle!u}",
                    name=each.name,
                    handle=each.handle,
                )
            )


def _some_reached(
    session: Session, author: Account, recipients: Sequence[tuple[int, int]]
) -> Sequence[reachability.Unreached]:
    """Those whom nothing reaches now; raises Refused when nobody can be reached."""
    unreached = reachability.unreached(session, [person for person, _ in recipients], author.id)
    if len(unreached) == len(recipients):
        raise Refused(joined([say("Not sent."), not_reached(unreached, author.timezone)]))
    return unreached


def must_reach(session: Session, author: Account, person: NamedAccount) -> None:
    """Raises Refused when nothing of the author reaches that one person, in the same words as for a message that cannot
    be sent."""
    _none_blocked(session, author.id, [person])
    _some_reached(session, author, [(person.id, person.id)])


def _members(session: Session, author: Account, group: NamedAccount) -> Collection[int]:
    if group.group == "broadcast":
        return [account.id for account in follows.posters(session, group.id)]
    mine = select(visibility.following(author.id, group.id))
    if group.group == "closed" and not session.scalar(mine):
        raise Refused(
            say("{handle} is closed: only its members can write to it. Nothing was sent.", handle=group.handle)
        )
    return [account.id for account in follows.members(session, group.id)[1]]


def _hold(session: Session, turn: CommandContext, names: Sequence[NamedAccount], in_reply_to: int | None) -> timedelta:
    wide = any(named.kind == "group" for named in names)
    if wide or (in_reply_to is None and not _wrote_privately_before(session, turn.account.id)):
        return timedelta(seconds=turn.world.settings.hold_seconds)
    return timedelta(0)


def _wrote_privately_before(session: Session, account_id: int) -> bool:
    mine = exists().where(Post.author_id == account_id, Post.visibility == "direct")
    return bool(session.scalar(select(mine)))


def _called(names: Sequence[NamedAccount], recipients: Collection[tuple[int, int]]) -> str:
    """Kim Lee, ACME (14 people) and 2 more."""
    shown = [_counted(named, recipients) for named in names[:SHOWN]]
    if len(names) > SHOWN:
        shown.append(count("{count} more", "{count} more", len(names) - SHOWN))
    return listed(shown)


def _counted(named: NamedAccount, recipients: Collection[tuple[int, int]]) -> str:
    if named.kind == "person":
        return named.name
    number = sum(1 for _, whom in recipients if whom == named.id)
    return say("{name} ({people})", name=named.name, people=people(number))


def people(number: int) -> Phrase:
    return count("{count} person", "{count} people", number)


def not_reached(persons: Sequence[reachability.Unreached], timezone: str) -> str:
    """Why some of them cannot be reached, and when those who opted out did so; the sender may still call them."""
    days = {_day(person.stopped_at, timezone) if person.stopped_at else None for person in persons}
    day = days.pop() if len(days) == 1 else None
    shown = [person.name if day else _why(person, timezone) for person in persons[:SHOWN]]
    if len(persons) > SHOWN:
        shown.append(count("{count} more", "{count} more", len(persons) - SHOWN))
    if day:
        return say("{names} opted out of texts on {day}. Try calling.", names=listed(shown), day=day)
    return say("{names} cannot be reached by text or mail now. Try calling.", names=listed(shown))


def _why(person: reachability.Unreached, timezone: str) -> str:
    if person.stopped_at is None:
        return person.name
    why = say("opted out on {day}", day=_day(person.stopped_at, timezone))
    return say("{name} ({why})", name=person.name, why=why)


def _day(moment: datetime, timezone: str) -> date:
    return moment.astimezone(ZoneInfo(timezone)).date()
