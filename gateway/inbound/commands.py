"""The table of commands, and how one inbound is turned into effects and one answer.

handlers/ fill the table with `@command` and `@meaning`; process.py calls `perform`, also for `critter explain`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import ConfirmationRequired
from gateway.errors import Refused
from gateway.i18n.phrases import Phrase, fits, joined, languages, listed, say, translated
from gateway.language.model.reading import NamedAccount, Reading
from gateway.language.model.reading_json import pack
from gateway.language.usage import verbs as language
from gateway.language.usage.verbs import Verb
from gateway.language.words.normalize import clean
from gateway.network.conversation import conversations, notices, reply_limits
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.receipts.receipt_text import shorten
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.tables import Account, Address, Inbound

Handler = Callable[[Session, "CommandContext"], str | None]
# What an answered question does; `word` is OK, POST, a digit, or the secret that was asked for.
Answered = Callable[[Session, "CommandContext", AskedQuestion, str], str | None]
# Words the question about an action that must be confirmed first.
Questioner = Callable[[Session, "CommandContext", ConfirmationRequired], "QuestionRequired"]
Guard = Callable[[Session, "CommandContext"], None]


class QuestionRequired(Exception):
    """Something is to be confirmed by a text or a mail first. It holds the question, how it is answered, and what the
    answer adds to what its writer has confirmed; then the same reading is performed again. `elsewhere`: what its writer
    is told on another channel meanwhile."""

    def __init__(
        self,
        question: Phrase,
        gives: Collection[str],
        *,
        words: Sequence[str] = ("OK", "DROP"),
        secret: bool = False,
        about: Mapping[str, Any] | None = None,
        elsewhere: Phrase | None = None,
    ) -> None:
        super().__init__(question)
        self.question, self.gives, self.words, self.secret, self.about = question, gives, words, secret, about or {}
        self.elsewhere = elsewhere


class Unasked(Exception):
    """A question was needed and may not be sent, so nothing is done and nothing is kept. A question that its reader
    cannot see must not be open, or a forger could answer it (R57). `args[0]` says why, for the row of the input."""


@dataclass(frozen=True, slots=True)
class CommandRegistry:
    """What all commands share, and none of them changes."""

    settings: Settings
    signer: Signer
    verbs: Mapping[str, Verb]
    handlers: Mapping[str, Handler]
    meanings: Mapping[str, Handler]
    questions: Mapping[str, Answered]
    confirmations: Mapping[str, Questioner]
    guards: Sequence[Guard] = ()
    by_language: Mapping[str, Mapping[str, Verb]] = field(default_factory=dict)

    def verbs_for(self, language: str) -> Mapping[str, Verb]:
        """The words for commands that a person of this language has."""
        return self.by_language.get(language.partition("-")[0], self.verbs)

    def handler(self, reading: Reading) -> Handler:
        """What an intent of its own means (ask, choice, update …); else what its verb does."""
        own = self.meanings.get(reading.intent)
        handler = own or self.handlers[reading.verb or reading.intent]
        return _one_by_one(handler) if _names_several(reading) else handler


def _names_several(reading: Reading) -> bool:
    """Whether one verb is for several people: `follow kim and dave`."""
    handles = ",".join(each.handle for each in reading.names)
    return reading.verb is not None and len(reading.names) > 1 and reading.args == (handles,)


def _one_by_one(handler: Handler) -> Handler:
    """Calls the handler once for each named account. A refusal for one of them refuses all."""

    def each(session: Session, context: "CommandContext") -> str | None:
        readings = [replace(context.reading, args=(one.handle,), names=(one,)) for one in context.names]
        whole = joined([handler(session, context.as_read(reading)) or "" for reading in readings], "\n")
        if all(len(translated(whole, language)) <= ONE_TEXT for language in languages()):
            return whole
        return say("Done for {names}.", names=listed([one.name for one in context.names]))

    return each


@dataclass(slots=True)
class CommandContext:
    """One thing that one person said: who, from where, and how it was read. Handlers call actions with its `actor`,
    which notes what they did."""

    registry: CommandRegistry
    actor: Actor
    address: Address
    inbound_id: int
    reading: Reading
    carrier_answered: bool = False
    our_address: str | None = None
    carrier_id: str | None = None
    dropped: str = ""  # why nothing is done, although it was understood
    secret: bool = False  # what was said is a PIN or a code, which is not kept
    quotes: set[int] = field(default_factory=set)  # the posts whose words are in the answer

    @property
    def account(self) -> Account:
        return self.actor.account

    @property
    def said(self) -> str:
        return self.actor.said

    @property
    def names(self) -> tuple[NamedAccount, ...]:
        return self.reading.names

    @property
    def text(self) -> str:
        return self.reading.text

    def as_read(self, reading: Reading, **actor: Any) -> "CommandContext":
        """The same context with another reading: the one that a person's choice led to. `actor`: what else is different
        about who does it."""
        return replace(self, reading=reading, actor=replace(self.actor, **actor))


@dataclass(slots=True)
class CommandTable:
    """The commands, complete once handlers/ is imported and before the first text is read."""

    verbs: list[Verb] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)
    meanings: dict[str, Handler] = field(default_factory=dict)
    questions: dict[str, Answered] = field(default_factory=dict)
    confirmations: dict[str, Questioner] = field(default_factory=dict)
    guards: list[Guard] = field(default_factory=list)

    def arrange(self, families: Sequence[str]) -> None:
        """Sorts the commands for help: in the order of these modules, whatever the order of their imports."""
        self.verbs.sort(key=lambda verb: families.index(self.handlers[verb.name].__module__))


TABLE = CommandTable()


def command(*usages: str, **how: Any) -> Callable[[Handler], Handler]:
    """Declares a command by its usage lines; `how` is passed on to language/usage/verbs.verb. The decorated function
    gets what was read that way."""

    def declare(handler: Handler) -> Handler:
        row = language.verb(*usages, **how)
        TABLE.verbs.append(row)
        TABLE.handlers[row.name] = handler
        return handler

    return declare


def meaning(*intents: str) -> Callable[[Handler], Handler]:
    """Declares what happens with texts of an intent that has no verb: update, reply, choice …"""

    def declare(handler: Handler) -> Handler:
        for intent in intents:
            if TABLE.meanings.setdefault(intent, handler) is not handler:
                raise ValueError(f"two handlers for texts that mean {intent!r}")
        return handler

    return declare


def question(*kinds: str) -> Callable[[Answered], Answered]:
    """Declares what the answer to questions of a kind does, unless it is DROP."""

    def declare(answered: Answered) -> Answered:
        for kind in kinds:
            if TABLE.questions.setdefault(kind, answered) is not answered:
                raise ValueError(f"two answers to questions of the kind {kind!r}")
        return answered

    return declare


def confirms(*kinds: str) -> Callable[[Questioner], Questioner]:
    """Declares how a text is asked to confirm actions of a kind (gateway/actions/model/confirmation.py)."""

    def declare(questioner: Questioner) -> Questioner:
        for kind in kinds:
            if TABLE.confirmations.setdefault(kind, questioner) is not questioner:
                raise ValueError(f"two questions to confirm {kind!r}")
        return questioner

    return declare


def guard(stop: Guard) -> Guard:
    """Declares a check that runs before any handler: it returns, refuses, or asks first."""
    TABLE.guards.append(stop)
    return stop


def build_registry(settings: Settings) -> CommandRegistry:
    """The registry that all commands share, from what handlers/ declared. Raises ValueError for a duplicate or reserved
    verb."""
    rows = language.table(TABLE.verbs)
    signer = Signer(settings.secret_keys)
    languages = {tag for row in rows.values() for tag in row.abroad}
    by_language = {tag: language.spoken(rows, tag) for tag in languages}
    tables = (dict(TABLE.handlers), dict(TABLE.meanings), dict(TABLE.questions), dict(TABLE.confirmations))
    return CommandRegistry(settings, signer, rows, *tables, tuple(TABLE.guards), by_language)


def perform(session: Session, context: CommandContext) -> str | None:
    """Does what the reading says and returns the answer. A refusal is an answer too, and leaves no effect behind. The
    words of a new question are kept with it; when an older question waits behind it, the answer says so."""
    text = _perform(session, context)
    if text is None or not any(effect.kind == "asked" for effect in context.actor.effects):
        return text
    asked = conversations.open_question(session, context.address.id)
    if asked is None:
        return text
    said = {**asked.about, "said": translated(text, context.account.language)}
    conversations.change(session, context.address.id, replace(asked, about=said))
    if "before" not in asked.about:
        return text
    whole = joined([text, EARLIER])
    return (
        whole
        if len(translated(whole, context.account.language)) <= ONE_TEXT
        else joined([text, say("One more waits.")])
    )


EARLIER: Final = say("Your earlier question waits.")
ONE_TEXT: Final = 160  # characters


def fits_one_text(words: Phrase) -> bool:
    return fits(words, ONE_TEXT)


def reopen_question(
    session: Session, context: CommandContext, before: Mapping[str, Any] | None, answer: str | None
) -> str | None:
    """The answer, followed by the question that waited behind the one that was just answered, if that is open again."""
    now = conversations.open_question(session, context.address.id) if before else None
    if now is None or asdict(now) != before:
        return answer
    whole = joined([answer or "", say("Still open: {question}", question=now.about.get("said") or _takes(now))], "\n")
    if len(translated(whole, context.account.language)) <= ONE_TEXT:
        return whole
    words = shorten(str((now.about.get("reading") or {}).get("text") or ""))
    return joined([answer or "", say('Still open, about "{words}": {answers}', words=words, answers=_takes(now))], "\n")


def _takes(asked: AskedQuestion) -> Phrase:
    digits = [str(number) for number in range(1, len(asked.choices) + 1)]
    return say("{words}.", words=", ".join([*digits, *asked.words]))


def _perform(session: Session, context: CommandContext) -> str | None:
    effects = len(context.actor.effects)
    try:
        with session.begin_nested():
            for stop in context.registry.guards:
                stop(session, context)
            text = _handle(session, context)
            session.flush()
    except Refused as refused:
        del context.actor.effects[effects:]
        return refused.text
    except Unasked as unasked:
        del context.actor.effects[effects:]
        context.dropped = str(unasked)
        return None
    except QuestionRequired as unconfirmed:
        del context.actor.effects[effects:]
        return _confirmation(session, context, unconfirmed)
    return text


def _handle(session: Session, context: CommandContext) -> str | None:
    """Calls the handler of the reading. What must be confirmed becomes a question that a text can answer."""
    try:
        return context.registry.handler(context.reading)(session, context)
    except ConfirmationRequired as needed:
        raise context.registry.confirmations[needed.kind](session, context, needed) from None


def _confirmation(session: Session, context: CommandContext, unconfirmed: QuestionRequired) -> str | None:
    try:
        return _ask_first(session, context, unconfirmed)
    except Unasked as unasked:
        context.dropped = str(unasked)
        return None


def ask(session: Session, context: CommandContext, asked: AskedQuestion) -> None:
    """Opens a question, whose words are the answer to this command; an older one waits behind it. Raises Unasked when
    that answer may not be sent."""
    if why := unanswerable(session, context):
        raise Unasked(why)
    _put(session, context, asked)


def _put(session: Session, context: CommandContext, asked: AskedQuestion) -> None:
    open_ = conversations.open_question(session, context.address.id)
    same = open_ is not None and _same_words(context, open_, asked)
    conversations.ask(session, context.address.id, asked, replaces=same)


def _same_words(context: CommandContext, open_: AskedQuestion, asked: AskedQuestion) -> bool:
    """Whether the open question is about the same words: they came once more, or with their second half."""
    old, new = (each.about.get("reading") for each in (open_, asked))
    if not old or not new or open_.kind == "thread":
        return False
    whole = new["text"] != clean(context.said) and old["text"] and new["text"].startswith(old["text"])
    return bool(old == new or whole)


def unanswerable(session: Session, context: CommandContext) -> str | None:
    """Why the answer to this command will not be sent; None when it will."""
    inbound = session.get_one(Inbound, context.inbound_id)
    return reply_limits.unsendable(session, context.registry.settings, context.address, inbound)


def _untold_elsewhere(session: Session, context: CommandContext) -> str | None:
    """Why a code that goes by another channel would not arrive."""
    there = notices.elsewhere(session, context.account.id, context.address.channel)
    return reply_limits.unsendable(session, context.registry.settings, there, None) if there else reply_limits.NOT_THERE


def _ask_first(session: Session, context: CommandContext, unconfirmed: QuestionRequired) -> str:
    """Keeps what was said until its writer confirms it; silence never confirms."""
    if why := unanswerable(session, context) or (unconfirmed.elsewhere and _untold_elsewhere(session, context)):
        raise Unasked(why)
    about = {
        **unconfirmed.about,
        "draft": conversations.keep_draft(session, context.account.id, context.text or context.said),
        "reading": pack(context.reading),
        "confirmed": sorted({*context.actor.confirmed, *unconfirmed.gives}),
        "pictures_of": context.actor.upload_id or context.inbound_id,
    }
    kind = "secret" if unconfirmed.secret else "confirm"
    _put(session, context, AskedQuestion(kind, [], unconfirmed.words, about, secret=unconfirmed.secret))
    context.actor.did("asked", about["draft"])
    if unconfirmed.elsewhere:
        context.actor.queues |= notices.tell_elsewhere(
            session, context.account.id, context.address.channel, unconfirmed.elsewhere
        )
    return unconfirmed.question


def act(session: Session, context: CommandContext) -> str | None:
    """Does what an answered question leads to, within the command that answers it: it may ask again, and may refuse."""
    effects = len(context.actor.effects)
    try:
        with session.begin_nested():
            text = _handle(session, context)
            session.flush()
    except QuestionRequired as unconfirmed:
        del context.actor.effects[effects:]
        return _ask_first(session, context, unconfirmed)
    return text
