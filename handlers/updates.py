"""Plain updates and posts to groups: what all followers get."""

from sqlalchemy.orm import Session

from gateway.actions import posting
from gateway.actions.posting import Posted
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, meaning
from handlers.preview_words import describe_posted

UNHEARD = say(
    "Posted, but nobody follows you yet, so nobody got it. To reach somebody: @NAME text, #GROUP text, or d NAME text"
)


@meaning("update")
def update(session: Session, context: CommandContext) -> str | None:
    """It is not answered, unless nobody gets it or its writer wants each update confirmed."""
    if _is_part(session, context):
        return None
    posted = posting.post_update(session, context.actor, context.text)
    return tell_posted(context, posted, UNHEARD, say("Posted. Nobody follows you yet."))


@meaning("group")
def group_post(session: Session, context: CommandContext) -> str | None:
    if _is_part(session, context):
        return None
    groups = [named.id for named in context.names if named.kind == "group"]
    to_followers = len(groups) < len(context.names)  # a mail that went to everyone, too: its writer stands for them
    posted = posting.post_to_groups(session, context.actor, groups, context.text, followers=to_followers)
    whole = say(
        "Posted to #{handle}, but nobody else gets it yet. Others join with: JOIN {handle!u}", handle=posted.group
    )
    return tell_posted(context, posted, whole, say("Posted to #{handle}.", handle=posted.group))


def _is_part(session: Session, context: CommandContext) -> bool:
    """Whether it is a later part of a text, and is in the post of the first one now."""
    return bool(
        context.reading.post and posting.append_part(session, context.actor, context.reading.post, context.text)
    )


def tell_posted(context: CommandContext, posted: Posted, whole: str, short: str) -> str | None:
    """That nobody gets it is said once a week, and in a short form after a choice or to a writer who wants each
    confirmed."""
    if posted.unheard == "first":
        return whole
    if posted.unheard:
        return short if context.account.ack or context.actor.upload_id else None
    return describe_posted(context, posted.reach) if posted.reach else None
