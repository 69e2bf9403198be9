"""The one text that a phone gets before its owner has said yes: who we are, how often, STOP and HELP."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.i18n.phrases import Phrase, languages, say, translated
from gateway.ledger.outbox import deliveries, outbox
from gateway.ledger.outbox.outbox import Outgoing

PRIORITY: Final = 2


def welcome_words(company: str) -> Phrase:
    return say(
        "{company}: updates from colleagues by text, only the ones you ask for. Reply START to "
        "begin, HELP for help, STOP to end texts.",
        company=company,
    )


def waiting(session: Session) -> int:
    """Invited phones that were not welcomed yet."""
    return int(session.scalar(WAITING) or 0)


def send(session: Session, company: str) -> int:
    """Welcomes them all, each in its owner's language, and never twice. Returns how many."""
    return sum(_send(session, company, language) for language in sorted(languages()))


def _send(session: Session, company: str, language: str) -> int:
    keys = {"language": language, "others": language == "en", "spoken": sorted(languages())}
    if not session.scalar(SPEAKING, keys):
        return 0
    said = translated(welcome_words(company), language)
    message = outbox.put(session, Outgoing("welcome", said, said, said, priority=PRIORITY), [])
    fill = {**keys, "message": message, "author": 0, "priority": PRIORITY}
    return len(session.execute(FILL, fill).all())


# A phone that got a welcome, however that ended, or any text at all, is not welcomed again.
_UNWELCOMED: Final = """
    FROM addresses a JOIN accounts p ON p.id = a.account_id
    WHERE a.channel = 'sms' AND a.state = 'invited' AND a.introduced_at IS NULL AND p.state = 'active'
      AND NOT EXISTS (SELECT FROM deliveries d JOIN messages m ON m.id = d.message_id
                      WHERE d.address_id = a.id AND m.kind = 'welcome')
"""
_SPOKEN: Final = """
      AND (split_part(p.language, '-', 1) = :language
           OR :others AND NOT split_part(p.language, '-', 1) = ANY (CAST(:spoken AS text[])))
"""
WAITING: Final = text(f"SELECT count(*) {_UNWELCOMED}")
SPEAKING: Final = text(f"SELECT EXISTS (SELECT {_UNWELCOMED} {_SPOKEN})")
FILL: Final = text(
    deliveries.insert_for(f"""(
        SELECT a.id AS address_id, a.channel, a.sender_id, CAST(NULL AS bigint) AS source_id {_UNWELCOMED} {_SPOKEN}
    )""")
)
