"""Signed mails that took effect, by the marks of their signatures, so that none of them takes effect twice. The marks
are kept for ever, as natural keys are, and only as keyed hashes. network/mail/sender_verdicts asks when it lets a mail
in, inbound/mail_routing before a mail is read.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

AGAIN: Final = "the same signed mail came before"


def claim(session: Session, inbound_id: int, marks: Sequence[bytes]) -> bool:
    """Claims these marks for this mail; False when another mail has one of them. Two mails that are let in at the same
    moment wait for each other here."""
    if not marks:
        return True
    return bool(session.scalar(CLAIM, {"marks": list(marks), "id": inbound_id}))


def came_before(session: Session, inbound_id: int, marks: Sequence[bytes]) -> bool:
    """Whether one of these marks is another mail's."""
    return bool(marks and session.scalar(CAME_BEFORE, {"marks": list(marks), "id": inbound_id}))


_GIVEN: Final = """
    WITH given AS (
        SELECT sha256(i.hash_key || mark) AS digest
        FROM installation i, unnest(CAST(:marks AS bytea[])) AS mark ORDER BY 1
    )
"""
# Neither SELECT sees a mark that another transaction wrote meanwhile, so it is missing from the count.
CLAIM: Final = text(f"""{_GIVEN}, mine AS (
        SELECT digest FROM mail_signatures JOIN given USING (digest) WHERE inbound_id = :id
    ), new AS (
        INSERT INTO mail_signatures (digest, inbound_id) SELECT digest, :id FROM given
        ON CONFLICT DO NOTHING RETURNING digest
    )
    SELECT (SELECT count(*) FROM given) = (SELECT count(*) FROM mine) + (SELECT count(*) FROM new)
""")  # noqa: S608 (nothing of it comes from outside)
CAME_BEFORE: Final = text(f"""{_GIVEN}
    SELECT EXISTS (SELECT FROM mail_signatures JOIN given USING (digest) WHERE inbound_id <> :id)
""")  # noqa: S608 (nothing of it comes from outside)
