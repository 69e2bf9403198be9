"""What comes of a question to a group: one summary for its asker and for all who answered, and late answers, which the
asker alone gets."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, count, joined, say
from gateway.network.calls import questions
from gateway.network.calls.questions import Given
from gateway.network.conversation import notices
from gateway.network.receipts.receipt_text import shorten
from gateway.store.tables import Account, Call, Post


def tell_summary(session: Session, call: Call) -> frozenset[str]:
    """Puts it into the outbox; returns the queues to wake. Those between whom there is a block do not see each other's
    answers. Its words are the posts' readers' alone, so it leaves only while its reader may read the question."""
    answers = questions.list_given(session, call.post_id)
    readers = list(dict.fromkeys([call.asker_id, *(one.account_id for one in answers)]))
    apart = questions.blocked_pairs(session, readers)
    shown = {reader: tuple(one for one in answers if (reader, one.account_id) not in apart) for reader in readers}
    queues: frozenset[str] = frozenset()
    for seen in dict.fromkeys(shown.values()):
        people = [reader for reader in readers if shown[reader] == seen]
        words = describe(session, call, seen)
        queues |= notices.tell(session, people, words, quotes=(call.post_id,))
    return queues


def describe(session: Session, call: Call, answers: Sequence[Given]) -> Phrase:
    """The question and its answers, one a line. MORE gives what does not fit in a text."""
    question = shorten(session.get_one(Post, call.post_id).text)
    asked = questions.count_asked(session, call.post_id)
    if not answers:
        return say('"{question}": nobody of {asked} has answered.', question=question, asked=asked)
    whole = count(
        '"{question}": {count} answer of {asked} asked.',
        '"{question}": {count} answers of {asked} asked.',
        len(answers),
        question=question,
        asked=asked,
    )
    return joined([whole, *(f"{one.name}: {one.text}" for one in answers)], "\n")


def tell_late(session: Session, call: Call, account: Account, words: str) -> frozenset[str]:
    """A late answer, for the asker alone."""
    question = shorten(session.get_one(Post, call.post_id).text)
    told = say('{name}, late on "{question}": {words}', name=account.name, question=question, words=words)
    return notices.tell(session, [call.asker_id], told, author_id=account.id, quotes=(call.post_id,))


def tell_taken_back(session: Session, call: Call) -> frozenset[str]:
    """Tells those who had answered that there will be no summary."""
    people = [one.account_id for one in questions.list_given(session, call.post_id)]
    asker = session.get_one(Account, call.asker_id)
    words = say("{name} took the question back that you had answered. Nobody else saw your answer.", name=asker.name)
    return notices.tell(session, people, words)
