"""Has the carrier delete its copy of old texts, and of those of an erased person. RQ calls `drain`; the clock rings.

One small step a ring, and the clock rings once a second: that bounds the rate, and new texts hardly wait.
"""

from collections import Counter
from typing import Final

import structlog

from gateway.carriers.twilio.redaction import GONE, TwilioRecords
from gateway.ledger.operations import redactions
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext, current

BATCH: Final = 10  # a second, then

log = structlog.get_logger()


def drain() -> None:
    room = current()
    room.notifier.answered("redact")
    step(room)


def step(here: WorkerContext) -> int:
    """How many copies are gone. What fails is tried again later; nothing is lost by asking twice."""
    settings = here.settings
    if not settings.twilio_auth_tokens:
        return 0  # they wait for the settings to have them again
    with transaction(here.engine) as session:
        sids = redactions.due(session, BATCH)
    if not sids:
        return 0
    twilio = TwilioRecords(settings.twilio_account_sid, settings.twilio_auth_tokens[0], settings.twilio_api_base)
    answers = here.loop.run(twilio.delete(sids))
    gone = [sid for sid, answer in answers.items() if answer in GONE]
    with transaction(here.engine) as session:
        redactions.mark_done(session, gone)
    if len(gone) < len(sids):
        failed = Counter(str(answer) for answer in answers.values() if answer not in GONE)
        log.warning("the carrier did not delete its copies", answers=dict(failed))
    return len(gone)
