"""Has the carrier delete its copies of old texts and of an erased person's texts. RQ calls `drain`; the clock wakes it.

Each wake-up does one small step, and the clock wakes it once a second: that limits the rate, and new texts hardly wait.
"""

from collections import Counter
from typing import Final

import structlog

from gateway.carriers.twilio.redaction import GONE, TwilioRecords
from gateway.ledger.operations import redactions
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext, current

BATCH: Final = 10  # copies in one step, so at most as many a second

log = structlog.get_logger()


def drain() -> None:
    step(current())


def step(context: WorkerContext) -> int:
    """Deletes some copies; returns how many are gone. What fails is tried again later; asking twice does no harm."""
    settings = context.settings
    if not settings.twilio_auth_tokens:
        return 0  # they wait for the settings to have them again
    with transaction(context.engine) as session:
        sids = redactions.due(session, BATCH)
    if not sids:
        return 0
    twilio = TwilioRecords(settings.twilio_account_sid, settings.twilio_auth_tokens[0], settings.twilio_api_base)
    answers = context.loop.run(twilio.delete(sids))
    gone = [sid for sid, answer in answers.items() if answer in GONE]
    with transaction(context.engine) as session:
        redactions.mark_done(session, gone)
    if len(gone) < len(sids):
        failed = Counter(str(answer) for answer in answers.values() if answer not in GONE)
        log.warning("the carrier did not delete its copies", answers=dict(failed))
    return len(gone)
