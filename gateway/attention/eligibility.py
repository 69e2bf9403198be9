"""Whether a message may leave for an address at all, and whether its reader still wants it: one function for each rule,
in the order in which they count. gateway/attention/decide.py asks them; the first that answers decides."""

from collections.abc import Callable
from typing import Final

from gateway.attention.decision import SEND, Decision, Drop, Send
from gateway.attention.facts import Facts
from gateway.channels import CHANNELS, PUSH

Rule = Callable[[Facts], Decision | None]

_ANSWERED = frozenset(each.name for each in CHANNELS.values() if each.answers_opted_out)


def opted_out(facts: Facts) -> Drop | None:
    """Whoever opted out gets nothing. To a phone, only the answer to STOP or HELP is sent, which is made only where no
    carrier answers; a mailbox still gets what it asks for."""
    answered = facts.kind == "answer" and (facts.answers_stop or facts.channel in _ANSWERED)
    return Drop("opted_out") if facts.address_state == "stopped" and not answered else None


def address_unfit(facts: Facts) -> Drop | None:
    """An invited phone gets answers and one welcome. A code is to prove whose an address is now, so it goes also to one
    that its last owner lost. Devices of which none is left get nothing."""
    welcome = facts.address_state == "invited" and facts.kind in ("answer", "welcome")
    if facts.address_state in ("verified", "stopped") or facts.kind == "code" or welcome:
        return None
    return Drop("gone" if facts.channel == PUSH else facts.address_state)


def code_in_time(facts: Facts) -> Send | None:
    """Somebody waits for it, and it says nothing about anybody: none of the later rules is a reason to keep it back."""
    return SEND if facts.kind == "code" and not _is_late(facts) else None


def bouncing(facts: Facts) -> Drop | None:
    """To a mailbox whose mails come back, only the test mail is sent."""
    return Drop("bouncing") if facts.bouncing and not facts.test_mail else None


def person_inactive(facts: Facts) -> Drop | None:
    """Nobody hears anything of a suspended author. What somebody wrote before they were deactivated still goes out."""
    if "suspended" in (facts.reader_state, facts.author_state, facts.first_state):
        return Drop("suspended")
    return None if facts.reader_state in ("active", None) else Drop("deactivated")


def too_late(facts: Facts) -> Drop | None:
    return Drop("gave_up") if _is_late(facts) else None


def taken_back(facts: Facts) -> Drop | None:
    return Drop("retracted") if facts.retracted else None


def silenced(facts: Facts) -> Drop | None:
    return Drop("silenced") if facts.silenced else None


def not_addressed(facts: Facts) -> Drop | None:
    return None if facts.addressed else Drop("private")


def not_a_member(facts: Facts) -> Drop | None:
    return None if facts.member else Drop("left")


def daily_unwanted(facts: Facts) -> Drop | None:
    return None if facts.daily_wanted else Drop("off")


def daily_outdated(facts: Facts) -> Drop | None:
    return Drop("retracted") if facts.daily_outdated else None


def unsubscribed(facts: Facts) -> Drop | None:
    """What brought it does so no more, and nothing else does: an update may have several causes."""
    return None if facts.subscribed or facts.brought else Drop("left")


def source_off(facts: Facts) -> Drop | None:
    return Drop("off") if facts.source_off and not facts.brought else None


def unwanted(facts: Facts) -> Drop | None:
    """Nothing that brings it is wanted in any way."""
    return Drop("off") if facts.kind == "update" and facts.way == "nothing" else None


def _is_late(facts: Facts) -> bool:
    return facts.give_up_at <= facts.now


# Whether it may leave. No preference changes any of it.
ELIGIBILITY: Final[tuple[Rule, ...]] = (
    opted_out,
    address_unfit,
    code_in_time,
    bouncing,
    person_inactive,
    too_late,
    taken_back,
    silenced,
    not_addressed,
    not_a_member,
)
# Whether its reader still wants it. A daily mail with a post that its reader may not see is told apart here: whoever
# ended the daily mail hears that, whatever was in it.
PREFERENCES: Final[tuple[Rule, ...]] = (daily_unwanted, daily_outdated, unsubscribed, source_off, unwanted)
