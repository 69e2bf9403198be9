"""Reads texts that begin with `@name` or `#group`: public replies, and posts to a group. grammar.py calls it."""

from gateway.i18n.phrases import say
from gateway.language.model.reading import Context, NamedAccount, Privacy, Reading, Resolver
from gateway.language.replies import WINDOW
from gateway.language.usage.arguments import LONGEST_WORD
from gateway.language.words.normalize import first_token, fold_case, name_of


def leading_name(text: str, resolver: Resolver, context: Context) -> Reading | None:
    """Reads a cleaned text that begins with a known name; "@ 5pm" and unknown names address nobody."""
    mark = fold_case(text[0])
    if mark not in ("@", "#"):
        return None
    token, rest = first_token(text)
    if len(token) > LONGEST_WORD or not (name := name_of(token)):
        return None
    found = resolver(name)
    if mark == "#":
        groups = tuple(each for each in found.exact if each.kind == "group")
        return _group(text, rest, groups[0]) if len(groups) == 1 else _nearly_closed(text, token, rest, found.near)
    if len(found.exact) != 1:
        return None
    return (
        _group(text, rest, found.exact[0])
        if found.exact[0].kind == "group"
        else _reply(text, rest, found.exact[0], context)
    )


def unknown_name(text: str, resolver: Resolver, context: Context) -> Reading | None:
    """Asks about a text that begins with @ or # and an unknown name, because it may be meant for a few people. A #tag
    that somebody follows is no slip, and "@5pm" or "#1" is no name."""
    mark = fold_case(text[0])
    if mark not in ("@", "#"):
        return None
    token, rest = first_token(text)
    name = name_of(token)
    if not name or len(token) > LONGEST_WORD or not name[0].isalpha():
        return None
    found = resolver(name)
    wanted = "group" if mark == "#" else "person"
    near = tuple(each for each in (*found.exact, *found.near) if each.kind == wanted or each.kind == "group")[:3]
    if mark == "#" and context.known_tag(name):
        return None
    reason = say("no group is called {word}", word=name) if mark == "#" else say("no one is called {word}", word=name)
    if mark == "@" and len(found.exact) > 1:
        reason = say("more than one is called {word}", word=name)
    privacy: Privacy = "group" if mark == "#" else "company"
    return Reading("ask", (name, rest), privacy, reason, None, (), text, near if rest else ())


def _group(text: str, rest: str, group: NamedAccount) -> Reading:
    if not rest:
        return Reading(
            "error",
            (group.handle,),
            "group",
            say("a post needs a text"),
            names=(group,),
            text=text,
            form=f"#{group.handle} text",
        )
    return Reading("group", (group.handle, rest), "group", f"to the group {group.handle}", None, (group,), rest)


def _reply(text: str, rest: str, name: NamedAccount, context: Context) -> Reading | None:
    if not rest:
        return Reading(
            "error",
            (name.handle,),
            reason=say("a reply needs a text"),
            names=(name,),
            text=text,
            form=f"@{name.handle} text",
        )
    last = context.last_by.get(name.handle)
    if last is not None and last.private and last.age <= WINDOW:
        reason = f"the last item from {name.handle} was private: privately, or to everyone?"
        return Reading("ask", (name.handle, rest), "direct", reason, None, (name,), text, (name,), last.post)
    return Reading("reply", (name.handle, rest), "company", f"a public reply to {name.handle}", None, (name,), rest)


def _nearly_closed(text: str, token: str, rest: str, near: tuple[NamedAccount, ...]) -> Reading | None:
    """A slip in the name of a closed group must not make its post public."""
    closed = tuple(each for each in near if each.kind == "group" and each.group == "closed")
    if not closed or not rest:
        return None
    return Reading(
        "ask",
        (name_of(token), rest),
        "group",
        say("no group is called {word}", word=name_of(token)),
        None,
        (),
        text,
        closed[:3],
    )
