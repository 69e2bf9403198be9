"""Answers to a digest: a number gives one of its updates whole."""

from sqlalchemy.orm import Session

from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, meaning
from gateway.ledger.outbox import held
from gateway.network.audience import visibility
from gateway.network.posts import rendering
from gateway.store.tables import Account, Post


@meaning("digest_item")
def digest_item(session: Session, context: CommandContext) -> str:
    """From now on it is the last item: what answers it is about it alone."""
    post_id = context.reading.post or 0
    if not visibility.may_read(session, context.account.id, post_id):
        raise refusal("updates_gone")
    post = session.get_one(Post, post_id)
    author = session.get_one(Account, post.author_id)
    group = session.get(Account, post.group_id) if post.group_id else None
    context.quotes |= {post_id}
    held.show_again(session, post_id, context.address.id)
    return f"{rendering.signature(author, group, post)}: {post.text}"
