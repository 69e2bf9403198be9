"""What the language must know of one person to read their text: what they last heard, what they were last asked."""

from collections.abc import Iterable, Sequence
from functools import partial

from sqlalchemy.orm import Session

from gateway.language.named import Choice, Context, Item, Question, Resolver
from gateway.network import conversations, timelines
from gateway.network.conversations import Asked
from gateway.network.directory import find, named
from gateway.network.timelines import Heard
from gateway.store.tables import Address, Post

REACH = 30  # items back; older ones are reached by their author's name


def resolver(session: Session, viewer_id: int) -> Resolver:
    """Answers "who or what is called this" as this person sees the company."""
    return partial(find, session, viewer_id=viewer_id)


def context(session: Session, address: Address, machine: str | None = None) -> Context:
    items = timelines.heard(session, address.id, REACH)
    talk = conversations.standing(session, address.id)
    return Context(
        last=_item(items[0]) if items else None,
        last_by=_last_by(items),
        question=_question(talk.asked) if talk.asked else None,
        opted_out=address.state == "stopped",
        private_thread=_chosen_thread(session, talk.thread, items),
        machine=machine,
        tagged={heard.tag: _item(heard) for heard in reversed(items) if heard.tag},
    )


def _chosen_thread(session: Session, post_id: int | None, items: Sequence[Heard]) -> int | None:
    """The last item's id when it goes on with the private thread that this person chose to answer privately."""
    chosen = session.get(Post, post_id) if post_id else None
    goes_on = chosen and items and items[0].post.author_id == chosen.author_id
    return items[0].post.id if goes_on else None


def _item(heard: Heard) -> Item:
    return Item(
        post=heard.post.id,
        author=named(heard.author),
        group=named(heard.group) if heard.group else None,
        private=heard.post.visibility == "direct",
        broadcast=heard.broadcast,
        age=heard.age.total_seconds() / 60,
    )


def _last_by(items: Iterable[Heard]) -> dict[str, Item]:
    last: dict[str, Item] = {}
    for heard in items:
        last.setdefault(heard.author.handle, _item(heard))
    return last


def _question(asked: Asked) -> Question:
    choices = tuple(Choice(choice["label"]) for choice in asked.choices)
    return Question(asked.kind, choices, frozenset(asked.words))
