"""`critter posts`: one post by its id, and taking it back for everybody. What is private is never shown."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from critter.console.help_request import working
from gateway.errors import Refused

if working():
    from sqlalchemy import select
    from sqlalchemy.orm import Session

    from critter.commands.trace import receipts
    from critter.console import prompts
    from critter.console.console import format_count, open_session, operator_name, show_json
    from gateway.ledger.audit import audit_log
    from gateway.network.inspect.id_lookup import look_up
    from gateway.network.inspect.trace import REMOVED, taken_back_by
    from gateway.network.people import accounts
    from gateway.network.posts import posts
    from gateway.network.receipts import receipts as ways
    from gateway.settings import load
    from gateway.store.tables import Post

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help="One post: look, or take it back."
)
Id = Annotated[str, typer.Argument(metavar="ID", help="Of the post, its text or mail, or one of its deliveries.")]


@app.command()
def show(post_id: Id, as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Who wrote it, to whom, how it went out; its words when it was no private message. That you looked is kept."""
    with open_session(load()) as session:
        post = _post(session, post_id)
        found = _plain(session, post)
        audit_log.record(session, operator_name(), "posts.show", post.id, {"whom": found["author"]})
    show_json(found) if as_json else _show(found)


@app.command()
def remove(post_id: Id, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Take a post and its repeats back for everybody: what has not left does not leave, what has shows as retracted."""
    settings = load()
    with open_session(settings) as session:
        post = _post(session, post_id)
        _refuse_gone(session, post)
        question = f"Take back post {post.id} {_headline(_plain(session, post))}?"
    if not yes:
        prompts.confirm(question)
    with open_session(settings) as session:
        post = _post(session, post_id)
        _refuse_gone(session, post)
        stopped, gone = posts.retract(session, post)
        author = accounts.by_id(session, post.author_id)
        audit_log.record(session, operator_name(), REMOVED, post.id, {"whom": author.handle if author else None})
    typer.echo(f"Taken back: {format_count(stopped, 'delivery')} stopped, {gone:,} had gone out and show as retracted.")


def _post(session: Session, given: str) -> Post:
    found = look_up(session, given)
    made = Post.id == found.post_id if found.post_id else Post.inbound_id == found.inbound_id
    post = session.scalars(select(Post).where(made).order_by(Post.id).limit(1)).one_or_none()
    if post is None:
        raise Refused(f"{given[:80]} is of no post: critter trace {given[:80]} shows what it is.")
    return post


def _refuse_gone(session: Session, post: Post) -> None:
    if post.deleted_at is not None:
        by = taken_back_by(session, post)
        raise Refused(f"It was taken back already{f' by {by}' if by else ''}, {post.deleted_at:%Y-%m-%d %H:%M} UTC.")


def _plain(session: Session, post: Post) -> dict[str, Any]:
    author, group = (accounts.by_id(session, one) if one else None for one in (post.author_id, post.group_id))
    private = post.visibility == "direct"
    return {
        "id": str(post.id),
        "author": author.handle if author else None,
        "group": group.handle if group else None,
        "visibility": post.visibility,
        "at": post.created_at.isoformat(),
        "in_reply_to": str(post.in_reply_to) if post.in_reply_to else None,
        "repeat_of": str(post.repeat_of) if post.repeat_of else None,
        "reactions": posts.reaction_counts(session, [post.id]).get(post.id, {}),
        "receipts": ways.tally(session, post.id).plain(),
        "deleted_at": post.deleted_at.isoformat() if post.deleted_at else None,
        "deleted_by": taken_back_by(session, post) if post.deleted_at else None,
        "text": None if private else post.text,
    }


def _headline(post: dict[str, Any]) -> str:
    to = {"company": "to everyone", "group": f"to #{post['group']}", "direct": "privately"}[post["visibility"]]
    return f"by @{post['author']} {to}, {post['at'][:16].replace('T', ' ')} UTC"


def _show(post: dict[str, Any]) -> None:
    typer.echo(f"post {post['id']} {_headline(post)}")
    for what, other in (("answers", post["in_reply_to"]), ("passes on", post["repeat_of"])):
        if other:
            typer.echo(f"    {what} post {other}")
    for line in receipts(post["receipts"]):
        typer.echo(f"    {line}")
    for kind, count in post["reactions"].items():
        typer.echo(f"    {kind}: {count:,}")
    if post["deleted_at"]:
        by = f" by {post['deleted_by']}" if post["deleted_by"] else ""
        typer.echo(f"    taken back{by}, {post['deleted_at'][:16].replace('T', ' ')} UTC")
    words = "Its words are private: they are shown to nobody here." if post["text"] is None else post["text"]
    typer.echo(words)
