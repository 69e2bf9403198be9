"""All verbs of the command language as a table, and a small company, for the tests of the grammar alone."""

import re

from gateway.language.model.reading import Context, Item, NamedAccount, ResolvedName
from gateway.language.usage.verbs import table, verb

VERBS = table(
    [
        verb("d NAME[,NAME…] text", aliases=("dm", "msg", "pm"), private=True, intent="direct"),
        verb("r text", "r ITEM text", aliases=("re", "reply"), intent="reply"),
        verb("rt", "rt NAME", aliases=("repeat",), intent="repeat"),
        verb("like", "like NAME", aliases=("fav",)),
        verb("follow NAME [for]", "follow #TAG [for]", aliases=("f", "sub", "add")),
        verb("unfollow NAME", "unfollow #TAG", aliases=("leave", "unsub", "drop", "part", "remove")),
        verb("join GROUP", intent="follow"),
        verb("on [NAME]"),
        verb("off [NAME] [for]", "off #TAG"),
        verb("quiet RANGE", "quiet [for]", intent="off"),
        verb("get [COUNT] NAME", aliases=("last",)),
        verb("whois NAME", aliases=("w",)),
        verb("who NAME", "who about TOPIC"),
        verb("connect", "connect on|off", intent="setting"),
        verb("stats [NAME]"),
        verb("following"),
        verb("followers"),
        verb("groups"),
        verb("track", 'track [WORD | "a phrase"]'),
        verb("untrack", 'untrack [WORD | "a phrase"]'),
        verb("ask #GROUP text", intent="gather", english=True),
        verb("urgent #GROUP text", english=True),
        verb("nudge NAME"),
        verb("invite ADDRESS"),
        verb("block NAME", aliases=("lose",)),
        verb("mute NAME [for]"),
        verb("report [NAME]"),
        verb("undo", aliases=("oops",)),
        verb("new GROUP [open, closed, broadcast]", asks=True),
        verb("name FULLNAME", asks=True, intent="setting"),
        verb("lang LANG", intent="setting"),
        verb("prefer CHANNEL", intent="setting"),
        verb("digest TIME", "digest on|off", intent="setting"),
        verb("ack on|off", intent="setting"),
        verb("login"),
        verb("link CODE"),
        verb("why"),
        verb("who got [NAME]", "who got it", "who got #TAG", intent="receipts", english=True),
        verb("help [VERB]", aliases=("?",)),
        verb("more"),
    ]
)

KIM = NamedAccount(1, "kim", "person", "Kim Lee")
PAT = NamedAccount(2, "pat", "person", "Pat")
DAVE = NamedAccount(3, "dave", "person", "Dave")
SALES = NamedAccount(4, "sales", "group", "sales", "open")
ACME = NamedAccount(5, "acme", "group", "ACME", "open")
BOARD = NamedAccount(6, "board", "group", "board", "closed")
DISPATCH = NamedAccount(7, "dispatch", "group", "dispatch", "broadcast")
WORLD = (KIM, PAT, DAVE, SALES, ACME, BOARD, DISPATCH)

CONTEXT = Context(last=Item(100, KIM, age=120.0), last_by={"kim": Item(100, KIM, age=120.0)})
PRIVATE = Context(last=Item(101, KIM, private=True, age=5.0), last_by={"kim": Item(101, KIM, private=True, age=5.0)})
BROADCAST = Context(last=Item(102, PAT, group=DISPATCH, broadcast=True, age=5.0))


def resolver(word: str) -> ResolvedName:
    """Handles, first and full names; near are those within two edits."""
    exact = tuple(
        each for each in WORLD if word in (each.handle, each.name.casefold(), each.name.casefold().split()[0])
    )
    near = () if exact else tuple(each for each in WORLD if _distance(word, each.handle) <= 2)
    return ResolvedName(exact, near)


def _distance(a: str, b: str) -> int:
    if abs(len(a) - len(b)) > 2:
        return 9
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, before = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]


def unescaped(text: str) -> str:
    """A text of the tables in tests/data: `\\n` and `<U+XXXX>` stand for characters."""
    return re.sub(r"<U\+([0-9A-F]+)>", lambda match: chr(int(match[1], 16)), text.replace("\\n", "\n"))
