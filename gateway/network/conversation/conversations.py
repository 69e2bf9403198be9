"""The state of the conversation with one phone or mailbox: the open question, the private thread chosen."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from gateway.store.tables import Conversation, Draft

WINDOW = timedelta(minutes=30)  # how long an answer counts, a draft is kept, a private thread goes on


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """An open question. `choices`: what each digit stands for; `words`: which of OK, POST, DROP, UNDO it takes;
    `about`: what its kind needs to act."""

    kind: str
    choices: Sequence[dict[str, Any]]
    words: Sequence[str]
    about: dict[str, Any]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class ConversationState:
    """What is still valid: the open question, or one that ran out within the last day; how old it is; the private post
    that bare texts answer; the first half of a long private text. `unseen`: the question was put only after the text
    that is being read had come in."""

    asked: AskedQuestion | None = None
    ran_out: AskedQuestion | None = None
    age: timedelta = timedelta(0)
    thread: int | None = None
    half: dict[str, Any] | None = None
    half_age: timedelta = timedelta(0)
    unseen: bool = False


DEEPEST: Final = 20  # questions that wait behind each other
SENT_ALREADY: Final = "told"  # a kind: its words are sent already and might only be published as well


def ask(session: Session, address_id: int, asked: AskedQuestion, *, replaces: bool = False) -> None:
    """Opens the question. One that is open already waits behind it, and opens again once this one is closed, so that
    words that were kept are not lost. `replaces`: this one is about the same words. An open question for a code
    or PIN does not wait: it is dropped."""
    open_ = open_question(session, address_id)
    waiting = _waiting(open_, replaces) if open_ else None
    about = {**asked.about, "before": waiting} if waiting else asked.about
    question = asdict(replace(asked, about=about))
    _set(session, address_id, question=question, expires_at=_until())
    _renew_drafts(session, question)


def _until() -> Any:
    """When a question that is put now runs out. It uses the clock and not the start of the transaction, which may be
    long ago: what was sent in between is no answer to it."""
    return func.clock_timestamp() + WINDOW


def _waiting(open_: AskedQuestion, replaces: bool) -> dict[str, Any] | None:
    if replaces or open_.secret or open_.kind == SENT_ALREADY:
        return open_.about.get("before")
    return _at_most(asdict(open_), DEEPEST)


def _at_most(question: dict[str, Any], depth: int) -> dict[str, Any]:
    about = {key: value for key, value in question["about"].items() if key != "before"}
    before = question["about"].get("before")
    if before and depth > 1:
        about["before"] = _at_most(before, depth - 1)
    return {**question, "about": about}


def change(session: Session, address_id: int, asked: AskedQuestion, *, anew: bool = False) -> None:
    """Changes a note in the same question; it stays open for as long as it was, or with `anew` for the full time from
    now."""
    question = asdict(asked)
    if not anew:
        _set(session, address_id, question=question)
        return
    _set(session, address_id, question=question, expires_at=_until())
    _renew_drafts(session, question)


def _renew_drafts(session: Session, question: dict[str, Any]) -> None:
    """The words of open questions are kept for as long as the questions are open."""
    drafts = list(_drafts(question))
    if drafts:
        statement = update(Draft).where(Draft.id.in_(drafts), Draft.expires_at > func.now())
        session.execute(statement.values(expires_at=func.now() + WINDOW))


def _drafts(question: dict[str, Any] | None) -> Iterator[int]:
    if question is None:
        return
    about = question["about"]
    yield from (each["draft"] for each in about.get("kept", ()))
    if about.get("draft"):
        yield about["draft"]
    yield from _drafts(about.get("before"))


def open_question(session: Session, address_id: int) -> AskedQuestion | None:
    """The question that an answer would answer now."""
    return read_state(session, address_id).asked


def read_state(
    session: Session, address_id: int, heard_at: datetime | None = None, late: datetime | None = None
) -> ConversationState:
    """The state for reading a text. `heard_at`: when that text came in; now unless given. `late`: the same for a text
    that was found much later, which answers no question that was put after it."""
    row = session.execute(STANDING, {"address": address_id, "heard_at": heard_at, "late": late}).first()
    if row is None:
        return ConversationState()
    asked = AskedQuestion(**row.question) if row.question else None
    open_, ran_out = (asked, None) if row.open else (None, asked)
    ages = row.age or timedelta(0), row.half_age or timedelta(0)
    return ConversationState(open_, ran_out, ages[0], row.thread_id, row.half, ages[1], bool(row.unseen))


# A question that ran out is remembered for a day, so that a late answer to it is told from an update. A phone sends the
# second half of a text that it cut in two within ten seconds; parts that a gateway marks may be minutes apart.
STANDING: Final = text("""
    SELECT CASE WHEN expires_at > now() - interval '1 day'
                 AND (CAST(:late AS timestamptz) IS NULL OR expires_at - interval '30 minutes' <= :late)
                THEN question END AS question,
           expires_at > now() AS open, CAST(:heard_at AS timestamptz) < expires_at - interval '30 minutes' AS unseen,
           now() - (expires_at - interval '30 minutes') AS age,
           CASE WHEN thread_until > coalesce(CAST(:heard_at AS timestamptz), now()) THEN thread_id END AS thread_id,
           CASE WHEN coalesce(CAST(:heard_at AS timestamptz), now()) - half_at
                  <= CASE WHEN (half ->> 'total')::int > 0 THEN interval '5 minutes' ELSE interval '10 seconds' END
                THEN half END AS half,
           coalesce(CAST(:heard_at AS timestamptz), now()) - half_at AS half_age
    FROM conversations WHERE address_id = :address
""")


def keep_half(session: Session, address_id: int, heard_at: datetime, half: dict[str, Any] | None) -> None:
    """Remembers that a long private text, or a part of one, came in then: `post` has it, or `held` are its words; of a
    marked part also the fields of `language.model.reading.PendingFragment`. None: it has no other part."""
    _set(session, address_id, half=half, half_at=heard_at)


def change_half(session: Session, address_id: int, half: dict[str, Any] | None) -> None:
    """Records what became of the first half since; None when it was taken back. The time until which it waits stays the
    same."""
    statement = update(Conversation).where(Conversation.address_id == address_id, Conversation.half.is_not(None))
    session.execute(statement.values(half=half))


def close(session: Session, address_id: int) -> None:
    """Closes the question when it is answered or of no more use, with its draft. The one that waited behind it is open
    again."""
    open_ = open_question(session, address_id)
    before = open_.about.get("before") if open_ else None
    if before is None:
        _set(session, address_id, question=None, expires_at=None)
        return
    _set(session, address_id, question=before, expires_at=_until())
    _renew_drafts(session, before)


def withdraw(session: Session, address_id: int, drafts: Collection[int]) -> dict[str, Any] | None:
    """Closes the questions about these drafts, wherever they wait, because their words were used in another way.
    Returns the question that is open again, if any."""
    for draft_id in drafts:
        forget_draft(session, draft_id)
    open_ = open_question(session, address_id)
    if open_ is None:
        return None
    question = asdict(open_)
    left = _without(question, drafts)
    if left == question:
        return None
    ended = question["about"].get("draft") in drafts
    if left is None:
        _set(session, address_id, question=None, expires_at=None)
    elif ended:
        _set(session, address_id, question=left, expires_at=_until())
        _renew_drafts(session, left)
    else:
        _set(session, address_id, question=left)
    return left if ended else None


def _without(question: dict[str, Any] | None, drafts: Collection[int]) -> dict[str, Any] | None:
    if question is None:
        return None
    before = _without(question["about"].get("before"), drafts)
    if question["about"].get("draft") in drafts:
        return before
    about = {key: value for key, value in question["about"].items() if key != "before"}
    return {**question, "about": {**about, "before": before} if before else about}


def expire(session: Session, address_id: int) -> None:
    """Makes the question run out now. It is remembered that it was asked, so that a late answer is not taken for an
    update."""
    _set(session, address_id, expires_at=func.now())


def keep_thread(session: Session, address_id: int, post_id: int) -> None:
    """Bare texts answer this private post for a while."""
    _set(session, address_id, thread_id=post_id, thread_until=func.now() + WINDOW)


def _set(session: Session, address_id: int, **values: Any) -> None:
    row = insert(Conversation).values(address_id=address_id, **values)
    session.execute(row.on_conflict_do_update(index_elements=["address_id"], set_=values))


def keep_draft(session: Session, account_id: int, words: str) -> int:
    """Keeps words that are not to be sent before their writer decides."""
    draft = insert(Draft).values(account_id=account_id, text=words, expires_at=func.now() + WINDOW)
    return session.scalars(draft.returning(Draft.id)).one()


def draft(session: Session, account_id: int, draft_id: int) -> str | None:
    """The words of a draft, while they are kept."""
    statement = select(Draft.text).where(Draft.id == draft_id, Draft.account_id == account_id)
    return session.scalar(statement.where(Draft.expires_at > func.now()))


def forget_old(session: Session) -> None:
    """Deletes what nobody decided about in time: drafts, questions a day after they ran out, first halves."""
    for statement in FORGOTTEN:
        session.execute(statement)


FORGOTTEN: Final = (
    text("DELETE FROM drafts WHERE expires_at <= now()"),
    text("UPDATE conversations SET question = NULL WHERE expires_at <= now() - interval '1 day'"),
    text("UPDATE conversations SET half = NULL, half_at = NULL WHERE half_at <= now() - interval '6 minutes'"),
)


def forget_draft(session: Session, draft_id: int) -> None:
    session.execute(update(Draft).where(Draft.id == draft_id).values(text="", expires_at=func.now()))
