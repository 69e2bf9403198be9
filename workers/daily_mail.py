"""Writes the daily mail for people who follow nobody yet, some people at a time. RQ calls `drain`."""

from typing import Final

from gateway.channels import EMAIL
from gateway.network.mail import daily_mail
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import drain as drained

BATCH: Final = 200


def drain() -> None:
    drained("dailies", step)


def step(context: WorkerContext) -> bool:
    """Writes one batch in one transaction; returns False when nobody is left whose morning it is."""
    settings = context.settings
    with transaction(context.engine) as session:
        looked_at, mails = daily_mail.write(
            session, context.signer, settings.mail_domain, settings.company, settings.daily_mail_hour, BATCH
        )
    if mails:
        context.notifier.notify(EMAIL)
    return looked_at > 0
