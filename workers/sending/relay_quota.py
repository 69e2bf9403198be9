"""The daily limit of mails that the relay takes. Mails are claimed while the count is locked, so that all processes
together keep to the limit.

workers/sending/delivery_store asks while it claims and settles; only a relay with a daily limit has a quota.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from gateway.ledger.senders import pauses, relay_quota

USED_UP = "daily"  # the reason of the pause; gateway/carriers/operator_advice has the words for it

log = structlog.get_logger()


class RelayQuota:
    """`most`: mails in a day of UTC."""

    def __init__(self, most: int) -> None:
        self._most = most

    def remaining(self, session: Session, wanted: int) -> int:
        """Returns how many of the wanted mails may be claimed; nobody else claims until this transaction ends. If none
        is left, all mails pause until the day is over."""
        left = self._most - relay_quota.lock(session)
        if left <= 0:
            pauses.mail_refused(session, relay_quota.until_midnight(session), USED_UP)
            log.error("the day's mails are used up: paused until midnight UTC", mails=self._most)
        return max(0, min(wanted, left))

    def took(self, session: Session, mails: int) -> None:
        """Counts the mails that leave now. What a lost worker had on its way stays counted: the relay may have it."""
        relay_quota.add(session, mails)

    def give_back(self, session: Session, attempts: Sequence[int]) -> None:
        """Gives back the count of attempts that the relay did not take."""
        if attempts:
            relay_quota.give_back(session, attempts)
            pauses.mail_goes_on(session, USED_UP)  # whoever found the day used up meanwhile had counted these
