"""What becomes of the items of a digest when the carrier says, after they counted as sent with it, that it did not
arrive. Callbacks, the search for texts in doubt, an operator's retry and the next claim of the digest ask."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def reopen(session: Session, message_ids: Collection[int]) -> None:
    """Puts the items back into those of these messages that are digests: they are sent once more, or surely did not
    arrive. When a digest fails for good, its items then wait again, and go one by one."""
    if message_ids:
        session.execute(REOPEN, {"digests": list(message_ids)})


def fail(session: Session, message_ids: Collection[int]) -> None:
    """Fails the items of those of these messages that are digests, for the reason of their digest: a mail that came
    back comes back one by one, too."""
    if message_ids:
        session.execute(FAIL, {"digests": list(message_ids)})


_OF_DIGESTS: Final = """
    h.digest_id = ANY (CAST(:digests AS bigint[])) AND d.message_id = h.message_id AND d.address_id = h.address_id
    AND d.state IN ('sent', 'delivered') AND d.reason = 'digest'"""

REOPEN: Final = text(f"""
    WITH back AS (
        UPDATE held h SET state = 'folded', ended_at = NULL FROM deliveries d
        WHERE h.state = 'sent' AND {_OF_DIGESTS}
        RETURNING h.message_id, h.address_id
    )
    UPDATE deliveries d SET state = 'held', reason = NULL, sent_at = NULL
    FROM back WHERE d.message_id = back.message_id AND d.address_id = back.address_id
""")  # noqa: S608

FAIL: Final = text(f"""
    UPDATE deliveries d SET state = 'failed', reason = digest.reason
    FROM held h JOIN deliveries digest ON digest.message_id = h.digest_id
    WHERE h.state = 'sent' AND {_OF_DIGESTS}
""")  # noqa: S608
