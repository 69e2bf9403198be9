"""`digest`: some follows come together, once a day or a week. And answers to one: a number gives one of its updates
whole."""

from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.preferences import digests
from gateway.actions.preferences.digests import DigestState
from gateway.channels import EMAIL, SMS
from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, command, meaning
from gateway.language.track_phrases import quoted, track_phrase
from gateway.language.words import digest_times
from gateway.ledger.outbox import digest_items
from gateway.network.audience import visibility
from gateway.network.people.digest_settings import DAILY, ON_RETURN, DigestSetting
from gateway.network.posts import posts, rendering
from gateway.store.tables import Account, Post
from handlers.follows import group_called
from handlers.pausing import describe_waited

DAYS: Final = (
    say("Monday"), say("Tuesday"), say("Wednesday"), say("Thursday"), say("Friday"), say("Saturday"), say("Sunday")
)  # fmt: skip
MARKS: Final = '#"'  # of a tag, and of a word or phrase that one tracks
FILL: Final = say("To put a follow into it: DIGEST NAME")
DAILY_AGAIN: Final = say("To make it daily: DIGEST 8AM")
BY: Final = {SMS: say("by text"), EMAIL: say("by mail")}


@command(
    "digest [TIME]",
    'digest NAME|#TAG|"WORDS"',
    "digest on|off",
    "digest now",
    "digest back",
    about="what comes together, once a day; alone, mine",
    spanish="resumen",
)
def digest(session: Session, context: CommandContext) -> str:
    said = context.reading.args[0] if context.reading.args else None
    if said is None:
        return _shown(context, digests.state_of(session, context.actor))
    if context.names or said[0] in MARKS:
        return _put_source(session, context, said)
    if said == "off":
        return _ended(context, digests.end_digests(session, context.actor))
    if said == "now":
        return _sent(context, digests.send_digest(session, context.actor))
    if said == "back":
        return _set(context, digests.set_digest_time(session, context.actor, ON_RETURN))
    time = digest_times.read(said) if said != "on" else None
    setting = DigestSetting("day" if time.weekday is None else "week", time.at, time.weekday) if time else DAILY
    return _set(context, digests.set_digest_time(session, context.actor, setting))


def _put_source(session: Session, context: CommandContext, said: str) -> Phrase:
    """A person or a group; what is marked as a tag or a phrase is one, but a group may be written with # too."""
    source = context.names[0] if context.names else group_called(session, said)
    if source is not None:
        state, name = digests.add_to_digest(session, context.actor, source), source.name
        back = say("To get it one by one again: FOLLOW {handle!u}", handle=source.handle)
    elif said[0] == "#":
        state, name = digests.add_tag_to_digest(session, context.actor, said), said
        back = say("To get it one by one again: FOLLOW {handle!u}", handle=said)
    else:
        state, name = digests.add_phrase_to_digest(session, context.actor, said), f'"{track_phrase(said).shown}"'
        back = say("To get it one by one again: TRACK {phrase!u}", phrase=quoted(track_phrase(said).shown))
    comes = say("{name} comes in your digest now:", name=name)
    return joined([comes, say("{when}, {by}.", when=_when(state), by=_by(state)), back])


def _set(context: CommandContext, state: DigestState) -> Phrase:
    comes = say("Your digest comes {when}, {by}.", when=_when(state), by=_by(state))
    if state.setting == ON_RETURN:
        waits = say("It waits till you write here, at most 14 days.")
        return joined([comes, waits, DAILY_AGAIN if state.follows or state.causes else FILL])
    if state.follows or state.causes:
        return joined([comes, say("To end it: DIGEST OFF")])
    return joined([comes, FILL])


def _ended(context: CommandContext, state: DigestState) -> Phrase:
    ended = count(
        "Digests are off: {count} follow comes one by one again.",
        "Digests are off: {count} follows come one by one again.",
        state.follows,
    )
    if not state.follows:
        ended = say("Digests are off: all comes one by one again.") if state.causes else say("Digests are off.")
    return joined([ended, describe_released(state, state.waiting)])


def describe_released(state: DigestState, number: int) -> Phrase | str:
    """What becomes of updates that need not wait for a digest any more."""
    if state.channel is None or not number:
        return ""
    if not state.quiet:
        return describe_waited(number)
    return count(
        "{count} update comes when your quiet hours end.", "{count} updates come when your quiet hours end.", number
    )


def _sent(context: CommandContext, state: DigestState) -> Phrase:
    if not state.waiting:
        return say("Nothing waits for your digest.")
    if state.channel is None:
        return say("Your digest has nowhere to come to: what you get is off. To turn it on: ON")
    if state.quiet:
        return count(
            "Your digest of {count} update comes when your quiet hours end.",
            "Your digest of {count} updates comes when your quiet hours end.",
            state.waiting,
        )
    return count("Your digest of {count} update comes now.", "Your digest of {count} updates comes now.", state.waiting)


def _shown(context: CommandContext, state: DigestState) -> Phrase:
    if state.setting.every is None and state.waiting:
        return joined([describe_next(state), say("To send it now: DIGEST NOW")])
    if state.setting.every is None:
        return say("You have no digest. To get a follow in one: DIGEST NAME. To set its time: DIGEST 8AM")
    comes = say("Your digest comes {when}, {by}.", when=_when(state), by=_by(state))
    if not state.follows and not state.causes and not state.waiting:
        return joined([comes, FILL])
    if state.setting == ON_RETURN:  # they have just written
        return joined([comes, describe_released(state, state.waiting), DAILY_AGAIN])
    waits = count("{count} update waits.", "{count} updates wait.", state.waiting) if state.waiting else ""
    return joined([comes, waits, say("To send it now: DIGEST NOW. To end it: DIGEST OFF")])


def describe_next(state: DigestState) -> Phrase | str:
    """When and where what waits comes; "" when nothing does. Who has no digest gets what was over their texts of a day
    at the usual time."""
    if not state.waiting:
        return ""
    waits = count("{count} update waits for your digest,", "{count} updates wait for your digest,", state.waiting)
    setting = DAILY if state.setting.every is None else state.setting
    return joined([waits, say("{when}, {by}.", when=describe_time(setting), by=_by(state))])


def _when(state: DigestState) -> Phrase:
    return describe_time(state.setting)


def describe_time(setting: DigestSetting) -> Phrase:
    if setting == ON_RETURN:
        return say("when you are back")
    at = f"{setting.at:%H:%M}"
    if setting.weekday is None:
        return say("every day at {time}", time=at)
    return say("every {day} at {time}", day=DAYS[setting.weekday], time=at)


def _by(state: DigestState) -> Phrase:
    return BY[state.channel or SMS]


@meaning("digest_item")
def digest_item(session: Session, context: CommandContext) -> str:
    """From now on it is the last item: what answers it is about it alone."""
    post_id = context.reading.post or 0
    if not visibility.may_read(session, context.account.id, post_id):
        raise refusal("updates_gone")
    post = session.get_one(Post, post_id)
    author = session.get_one(Account, post.author_id)
    group = session.get(Account, post.group_id) if post.group_id else None
    first = session.get(Post, post.repeat_of) if post.repeat_of else None
    by = rendering.signature(author, group, post, posts.origin(session, first))
    link = context.actor.media_url(post_id, context.address.id) if post.attached else ""
    context.quotes |= {post_id}
    digest_items.show_again(session, post_id, context.address.id)
    return f"{by}: {post.text}{rendering.link_media(post.attached, post.text, link)}"
