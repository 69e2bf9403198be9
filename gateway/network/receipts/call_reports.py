"""What the writer of an urgent call is told about it, and those who had it when it is taken back: at once, also at
night."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, count, fits, joined, listed, say, translated
from gateway.ledger.outbox import call_messages, outbox
from gateway.ledger.outbox.cancellations import LEFT
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.network.calls import calls
from gateway.network.calls.calls import CallTally
from gateway.network.conversation import notices
from gateway.network.receipts import question_reports
from gateway.store.tables import Account, Call

ONE_TEXT: Final = 160  # characters
NAMED: Final = 4  # people in one text at most


def tell_report(session: Session, call: Call) -> frozenset[str]:
    """How it stands while it goes on; returns the queues to wake."""
    return _tell_asker(session, call, describe(call, calls.tally(session, call.post_id), _handle(session, call)))


def tell_end(session: Session, call: Call) -> frozenset[str]:
    if call.kind == "ask":
        return question_reports.tell_summary(session, call)
    tally = calls.tally(session, call.post_id)
    return _tell_asker(session, call, describe(call, tally, _handle(session, call)))


def describe(call: Call, tally: CallTally, group: str) -> Phrase:
    """How a call stands, or how it ended, in one text: with as many names as fit."""
    if call.ended_at is None:
        return with_names(lambda names: _standing(call, tally, group, names), tally.open)
    minutes = _minutes(call.ended_at - call.created_at)
    if call.ending == "undone":
        return say("Your call to #{group} was taken back.", group=group)
    if call.ending == "all" and not tally.open:
        return _all(tally, group)
    return with_names(lambda names: _over(tally, group, minutes, names), tally.open)


def _standing(call: Call, tally: CallTally, group: str, names: Phrase | str) -> Phrase:
    so_far = say("#{group}: {answered} of {asked} OK so far.", group=group, answered=tally.answered, asked=tally.asked)
    return joined([so_far, say("Not yet: {names}.", names=names) if names else "", _apart(tally)])


def _all(tally: CallTally, group: str) -> Phrase:
    whole = count(
        "{count} person in #{group} answered: that is everybody. The last after {minutes} min.",
        "All {count} in #{group} answered, the last after {minutes} min.",
        tally.asked,
        group=group,
        minutes=_minutes(tally.took),
    )
    return joined([whole, _apart(tally)])


def _over(tally: CallTally, group: str, minutes: int, names: Phrase | str) -> Phrase:
    over = say(
        "Your call to #{group} is over after {minutes} min: {answered} of {asked} OK.",
        group=group,
        minutes=minutes,
        answered=tally.answered,
        asked=tally.asked,
    )
    late = count("{count} more OK came late.", "{count} more OKs came late.", tally.late) if tally.late else ""
    return joined([over, late, say("No answer: {names}.", names=names) if names else "", _apart(tally)])


def _apart(tally: CallTally) -> Phrase | str:
    """Those of whom no answer is expected; the numbers before do not count them."""
    if tally.unreached:
        return count("{count} could not be reached.", "{count} could not be reached.", len(tally.unreached))
    return count("{count} has left since.", "{count} have left since.", tally.left) if tally.left else ""


def with_names(build: Callable[[Phrase | str], Phrase], names: Sequence[str]) -> Phrase:
    """The sentence with as many of these names as leave it one text in every language, and the number of the others."""
    most = min(len(names), NAMED)
    found = (build(_first(names, number)) for number in range(most, 0, -1))
    return next((each for each in found if fits(each, ONE_TEXT)), build(_first(names, 0)))


def _first(names: Sequence[str], number: int) -> Phrase | str:
    if not names:
        return ""
    if not number:
        return count("{count} person", "{count} people", len(names))
    more = len(names) - number
    return listed([*names[:number], *([count("{count} more", "{count} more", more)] if more else [])])


def _minutes(span: timedelta) -> int:
    return max(1, round(span.total_seconds() / 60))


def _handle(session: Session, call: Call) -> str:
    return session.get_one(Account, call.group_id).handle


def _tell_asker(session: Session, call: Call, words: Phrase) -> frozenset[str]:
    return notices.tell(session, [call.asker_id], words, priority=call_messages.PRIORITY)


def tell_undone(session: Session, call: Call, people: Collection[tuple[int, str, str]]) -> frozenset[str]:
    """Tells those who had a call that was taken back, where they had it: `people` are `who_had_it`. It is sent after
    the call itself, because it is the asker's, too."""
    asker = session.get_one(Account, call.asker_id)
    words = say(
        "{name} took back the urgent call to #{group}. There is nothing to do or answer.",
        name=asker.name,
        group=_handle(session, call),
    )
    to: dict[str, list[Target]] = {}
    for address_id, channel, language in people:
        to.setdefault(translated(words, language), []).append(Target(address_id, channel))
    for said, targets in to.items():
        notice = Outgoing("notice", said, said, said, author_id=asker.id, priority=call_messages.PRIORITY)
        outbox.put(session, notice, targets)
    return frozenset(channel for _, channel, _ in people)


def who_had_it(session: Session, post_id: int) -> list[tuple[int, str, str]]:
    """(address, channel, language) of everybody to whom a message of this post has left, or may have."""
    return [tuple(row) for row in session.execute(HAD, {"post": post_id, "left": list(LEFT)})]


HAD: Final = text("""
    SELECT DISTINCT a.id, a.channel, reader.language
    FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id
    JOIN accounts reader ON reader.id = a.account_id
    WHERE m.post_id = :post AND d.state = ANY (CAST(:left AS text[])) ORDER BY a.id
""")
