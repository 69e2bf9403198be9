"""Asking before acting, and acting on the answer. A digit chooses and never publishes; only POST makes an update."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from gateway.commands import Turn, meaning
from gateway.errors import Refused
from gateway.language.named import Named, Reading
from gateway.network import accounts, conversations, follows
from gateway.network.conversations import Asked
from gateway.network.directory import named
from handlers.direct import people, send
from handlers.groups import wanted
from handlers.undoing import undo
from handlers.updates import group_post, post_update

CHOICES = 3
RUN_OUT = "That question has run out. Nothing was changed."


@meaning("ask")
def ask(session: Session, turn: Turn) -> str:
    """Keeps the words and asks; whatever is not answered within 30 minutes is forgotten."""
    reading = turn.reading
    if reading.privacy == "direct":
        return _ask_private(session, turn) if reading.verb else _ask_thread(session, turn)
    if reading.verb and turn.world.verbs[reading.verb].asks:
        return _ask_new(session, turn)
    kind = "verb" if reading.verb else "group"
    kept = "Kept, not posted." if kind == "group" else "Nothing done."
    return _put(session, turn, kind, f"{_sentence(reading.reason)} {kept}", reading.near, ("POST", "DROP"))


def _ask_private(session: Session, turn: Turn) -> str:
    """Somebody in the list is unknown or several: nobody gets it."""
    reading = turn.reading
    unknown = len(reading.args[0].split(",")) - len(reading.names)
    choices = reading.near if unknown <= 1 and reading.args[1] else ()
    return _put(session, turn, "private", f"{_sentence(reading.reason)} Kept private.", choices, ("POST", "DROP"))


def _ask_thread(session: Session, turn: Turn) -> str:
    author = turn.names[0]
    opening = f"{author.name}'s message was private. Kept."
    return _put(session, turn, "thread", opening, (author,), ("POST", "DROP"), label="privately")


def _ask_new(session: Session, turn: Turn) -> str:
    verb = turn.reading.verb or ""
    if verb != "new":
        return turn.world.handlers[verb](session, turn) or ""
    handle, access = wanted(turn.reading.args)
    accounts.check_handle(session, handle, set(turn.world.verbs))
    opening = f"Make {access} group {handle}? OK makes it."
    return _put(session, turn, "verb", opening, (), ("OK", "POST", "DROP"))


def _put(
    session: Session,
    turn: Turn,
    kind: str,
    opening: str,
    near: Sequence[Named],
    words: Sequence[str],
    label: str = "",
) -> str:
    choices = [{"label": each.name, "id": each.id} for each in near[:CHOICES]]
    draft = conversations.keep_draft(session, turn.account.id, turn.reading.text)
    about = {
        "draft": draft,
        "verb": turn.reading.verb,
        "args": list(turn.reading.args),
        "names": [each.id for each in turn.names],
        "word": turn.reading.unknown,
        "post": turn.reading.post,
    }
    conversations.ask(session, turn.address.id, Asked(kind, choices, words, about))
    turn.did("asked", draft)
    lines = [f"{number} {_choice(session, each, label)}." for number, each in enumerate(near[:CHOICES], 1)]
    return " ".join([opening, *lines, "POST makes it an update, DROP forgets."])


def _choice(session: Session, each: Named, label: str) -> str:
    if label:
        return f"{each.name} {label}"
    if each.kind == "person":
        return f"{each.name} (@{each.handle})" if each.name.casefold() != each.handle else each.name
    if each.group == "closed":
        return f"{each.name} (closed group)"
    count = follows.followers(session, each.id, 1)[0]
    return f"{each.name} (group, {people(count)})"


def _sentence(reason: str) -> str:
    said = reason.split(": ")[0]
    return said[:1].upper() + said[1:].rstrip(".") + "."


@meaning("choice")
def choice(session: Session, turn: Turn) -> str | None:
    asked = conversations.open_question(session, turn.address.id)
    if asked is None:
        raise Refused(RUN_OUT)
    conversations.close(session, turn.address.id)
    word = turn.reading.args[0]
    if word == "UNDO":
        return undo(session, turn)
    text = conversations.draft(session, turn.account.id, asked.about["draft"])
    if text is None:
        raise Refused(RUN_OUT)
    conversations.forget_draft(session, asked.about["draft"])
    if word == "DROP":
        return "Forgotten."
    if word == "POST":
        return post_update(session, turn, text) or "Posted to everyone who follows you."
    return _carry_out(session, turn, asked, None if word == "OK" else asked.choices[int(word) - 1])


def _carry_out(session: Session, turn: Turn, asked: Asked, chosen: dict[str, Any] | None) -> str | None:
    """What was asked, with the chosen name in the place of the unknown one."""
    names = _names(session, asked.about["names"])
    picked = _names(session, [chosen["id"]]) if chosen else []
    args = tuple(asked.about["args"])
    if asked.kind == "private":
        return send(session, turn, list(dict.fromkeys([*names, *picked])), args[-1])
    if asked.kind == "thread":
        return _in_thread(session, turn, picked[0], args[-1], asked.about["post"])
    if asked.kind == "group":
        reading = Reading("group", (picked[0].handle, args[-1]), "group", "chosen", None, tuple(picked), args[-1])
        return group_post(session, turn.as_read(reading)) or f"Posted to #{picked[0].handle}."
    return _as_command(session, turn, asked.about, args, picked)


def _in_thread(session: Session, turn: Turn, author: Named, text: str, post_id: int) -> str:
    """The choice holds for this thread: further bare texts go the same way for a while."""
    conversations.keep_thread(session, turn.address.id, post_id)
    return send(session, turn, [author], text, post_id)


def _as_command(
    session: Session, turn: Turn, about: dict[str, Any], args: tuple[str, ...], picked: Sequence[Named]
) -> str | None:
    verb = turn.world.verbs[about["verb"]]
    if picked:
        args = tuple(picked[0].handle if arg == about["word"] else arg for arg in args)
    reading = Reading(verb.intent, args, "company", "chosen", verb.name, tuple(picked), "")
    return turn.world.handlers[verb.name](session, turn.as_read(reading))


def _names(session: Session, ids: Sequence[int]) -> list[Named]:
    found = [accounts.by_id(session, account_id) for account_id in ids]
    if any(account is None or account.state != "active" for account in found):
        raise Refused("Whoever that was is gone. Nothing was sent.")
    return [named(account) for account in found if account]


@meaning("error")
def error(session: Session, turn: Turn) -> str:
    """What is wrong, and the form or the nearest names with it."""
    reading = turn.reading
    near = ", ".join(each.handle for each in reading.near[:CHOICES])
    what, _, form = reading.reason.partition(": ")
    parts = [f"{what[:1].upper()}{what[1:]}.", f"Nearest: {near}." if near else "", f"Write: {form}" if form else ""]
    return " ".join(part for part in parts if part)
