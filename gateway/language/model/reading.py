"""The input and output of the language: a caller of `grammar.read` builds a Context and gets a Reading."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["person", "group"]
GroupKind = Literal["open", "closed", "broadcast"]
Privacy = Literal["company", "group", "direct"]
Channel = Literal["sms", "email"]


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """A person or a group that has a handle."""

    id: int
    handle: str
    kind: Kind
    name: str
    group: GroupKind | None = None


@dataclass(frozen=True, slots=True)
class ResolvedName:
    """What a resolver knows of a name. `exact`: nobody, the account, or several candidates; `near`: ranked choices.

    `also`: who else the word may mean when a handle or an alias decided `exact`: a private text then asks, everything
    else follows the handle. `oneself`: the name is that of the writer."""

    exact: tuple[NamedAccount, ...] = ()
    near: tuple[NamedAccount, ...] = ()
    also: tuple[NamedAccount, ...] = ()
    oneself: bool = False


Resolver = Callable[[str], ResolvedName]
# Whether these words are, or begin, an item on this phone: one that it was sent, or one that was written from it.
QuotesItem = Callable[[str], bool]
# Whether somebody follows this #tag.
KnownTag = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Item:
    """Something delivered to this phone. `age` is in minutes; `broadcast`: to a group where the reader cannot post."""

    post: int
    author: NamedAccount
    group: NamedAccount | None = None
    private: bool = False
    broadcast: bool = False
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class HeardCall:
    """An urgent call that went to this person. `age`: minutes since it last went to them; `answered`: they did;
    `ended`: its time is over, or it was taken back."""

    post: int
    asker: NamedAccount
    group: str
    age: float = 0.0
    answered: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class NumberedItems:
    """The digest that came last: those of its items that still count, in the order of their numbers. `message`
    identifies it."""

    message: int
    items: tuple[Item, ...]

    @property
    def guarded(self) -> bool:
        """Whether anything in it went to few people."""
        return any(item.private or item.broadcast for item in self.items)


@dataclass(frozen=True, slots=True)
class NumberedPosts:
    """The posts of one digest as it numbered them, also those that were taken back since. `message` identifies it."""

    message: int
    posts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One numbered line of a question, and what it stands for."""

    label: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """What this person was asked and has not answered: numbered choices, and which of OK, POST, DROP, UNDO it takes.

    `secret`: it is answered with a PIN or the code that it was sent with. `age` is in minutes. `with_others`: a choice
    stands for more people than its label names; `unseen`: it was asked after the text now read had been sent."""

    kind: str
    choices: tuple[Choice, ...] = ()
    words: frozenset[str] = frozenset()
    secret: bool = False
    age: float = 0.0
    with_others: bool = False
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class PendingFragment:
    """A recent text that a phone or a gateway may have cut in two: who got it, or the words still held. One in a closed
    group is private, too; one that anyone may read has a second half only when it is marked as a part.

    `total`: its number of parts, when they are marked; `missing`: the number of the first part that has not come;
    `parts`: the words of the parts that came; `drafts`: for each part that came early, the draft that its question is
    about; `draft`: the draft of `held`; `mixed`: parts of two such texts came, and nobody can tell them apart; `age` is
    in seconds."""

    names: tuple[NamedAccount, ...] = ()
    post: int | None = None
    held: str = ""
    privacy: Privacy = "direct"
    open: bool = False
    total: int = 0
    missing: int = 0
    parts: Mapping[int, str] = field(default_factory=dict)
    drafts: Mapping[int, int] = field(default_factory=dict)
    draft: int | None = None
    mixed: bool = False
    age: float = 0.0

    @property
    def joinable(self) -> bool:
        """Whether there is anything that a second half can join."""
        return bool(self.post or self.held)


def _quotes_nothing(words: str) -> bool:
    return False


def _no_numbers() -> None:
    return None


def _no_call() -> None:
    return None


def _no_tag(tag: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Context:
    """What this person was last sent and last asked. `tagged` maps item tags ("k7") to their items; `ran_out` is a
    question that nobody answered in time. `digest`: the last item came with others in one message. `numbered`: asks for
    the posts of the digest that came last, as it numbered them; others may have come since. `called`: asks for the
    urgent call of the last day that an OK would answer; `called_here`: one was among the last items of this phone."""

    last: Item | None = None
    digest: NumberedItems | None = None
    last_by: Mapping[str, Item] = field(default_factory=dict)
    question: OpenQuestion | None = None
    ran_out: OpenQuestion | None = None
    half: PendingFragment | None = None
    opted_out: bool = False
    private_thread: int | None = None
    machine: str | None = None
    tagged: Mapping[str, Item] = field(default_factory=dict)
    quotes_item: QuotesItem = _quotes_nothing
    numbered: Callable[[], NumberedPosts | None] = _no_numbers
    called: Callable[[], HeardCall | None] = _no_call
    called_here: bool = False
    known_tag: KnownTag = _no_tag


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text means.

    `args` are the intent's arguments with handles in their canonical form; for `ask` they are what a yes would do.
    `text` is the writer's words: the body of a message or post, and for `ask` and `error` the whole text as kept.
    `near` are the choices to offer when a name is unknown or stands for several; `post` is the item answered;
    `unknown` is the argument, as typed, that names nobody or several; `form` is the usage line that was not met."""

    intent: str
    args: tuple[str, ...] = ()
    privacy: Privacy = "company"
    reason: str = ""
    verb: str | None = None
    names: tuple[NamedAccount, ...] = ()
    text: str = ""
    near: tuple[NamedAccount, ...] = ()
    post: int | None = None
    unknown: str = ""
    form: str = ""
