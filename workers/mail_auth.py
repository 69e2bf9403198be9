"""Finds out who wrote the mails whose sender nothing proved at the door, and lets them in or holds them. RQ calls
`drain`.

A few threads ask DNS, outside of any transaction, so that a DNS server that hangs delays only one mail.
"""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from gateway.failpoints import crash_point
from gateway.ledger.commit import counters
from gateway.ledger.inbox import unauthenticated
from gateway.ledger.inbox.unauthenticated import Unproved
from gateway.mail.auth import sender_trust
from gateway.mail.auth.dmarc import SECONDS
from gateway.mail.auth.dns import PATIENCE, Resolver
from gateway.mail.auth.sender_trust import SenderTrust
from gateway.network.mail import sender_verdicts
from gateway.network.mail.sender_verdicts import VerificationCase
from gateway.settings import Settings
from gateway.store.database import transaction
from workers.runtime.context import WorkerContext
from workers.runtime.drain_loop import TURN
from workers.runtime.drain_loop import drain as drained

THREADS: Final = 16
FOR_STRANGERS: Final = 8  # threads that mails of unknown senders may use, at most
LOOK: Final = 0.2  # seconds after which the worker looks for more mails while DNS is slow
LONGEST: Final = SECONDS + 2 * PATIENCE  # seconds that one mail can take

log = structlog.get_logger()
Asked = dict["Future[SenderTrust]", VerificationCase]


def drain() -> None:
    drained("proving", step)


def step(context: WorkerContext) -> bool:
    """Proves all waiting mails, for one turn at most; returns False when nothing is left. Mails in hand at the end of
    the turn are still finished."""
    context.transient_errors.repay(context.engine, "unproved")
    if context.stopping() or _alone(context):
        return True
    asked: Asked = {}
    end = time.monotonic() + TURN
    with ThreadPoolExecutor(THREADS, thread_name_prefix="dns") as threads:
        try:
            while _more(context, threads, asked, end) or asked:
                done, _ = wait(asked, timeout=LOOK, return_when=FIRST_COMPLETED)
                for one in done:
                    _settle(context, asked.pop(one), one)
        finally:
            _give_back(context, [case.one for case in asked.values()])
    return time.monotonic() >= end


def _alone(context: WorkerContext) -> bool:
    """Proves alone a mail that crashed a worker before, so that no other mail can be blamed for a further crash."""
    with transaction(context.engine) as session:
        one = unauthenticated.suspect(session, context.owner, _lease(context))
        case = sender_verdicts.case(session, context.signer, one) if one else None
    if case is None:
        return False
    answer: Future[SenderTrust] = Future()
    answer.set_result(_climb(context.settings, context.resolver, case))
    _settle(context, case, answer)
    return True


def _more(context: WorkerContext, threads: ThreadPoolExecutor, asked: Asked, end: float) -> bool:
    """Claims as many mails as there are free threads; returns whether there were any."""
    if context.stopping() or time.monotonic() >= end:
        return False
    strangers = sum(case.one.stranger for case in asked.values())
    free, lesser = THREADS - len(asked), FOR_STRANGERS - strangers
    with transaction(context.engine) as session:
        found = unauthenticated.claim(session, context.owner, _lease(context), free, min(free, lesser))
        cases = [sender_verdicts.case(session, context.signer, one) for one in found]
    if cases:
        crash_point("claimed to be proved")
    for case in cases:
        asked[threads.submit(_climb, context.settings, context.resolver, case)] = case
    return bool(cases)


def _lease(context: WorkerContext) -> timedelta:
    return timedelta(seconds=context.settings.lease_seconds + LONGEST)


def _climb(settings: Settings, resolver: Resolver, case: VerificationCase) -> SenderTrust:
    if case.standing:
        return case.standing
    return sender_trust.evaluate_trust(settings, resolver, case.mail, case.came, case.one.recipients, case.known)


def _settle(context: WorkerContext, case: VerificationCase, answer: "Future[SenderTrust]") -> None:
    """Commits how the row ends and the question to its sender in one transaction. A mail whose proof raised an error
    keeps its lease, and is tried alone when the lease is over."""
    try:
        standing = answer.result()
        parsed = sender_verdicts.parse(case, standing)
    except Exception:
        log.exception("a mail was not proved", inbound=case.one.id, attempt=case.one.attempt)
        return
    try:
        with transaction(context.engine) as session:
            state, drains = sender_verdicts.settle(session, context.signer, case, standing, parsed)
    except OperationalError as problem:  # a transient error is not this mail's fault
        pause = context.transient_errors.pause("unproved", case.one.id, problem)
        _give_back(context, [case.one], pause or timedelta(0))
        if pause is None:
            raise
        return
    context.transient_errors.over("unproved", case.one.id)
    crash_point("proved")
    counters.add("proved", standing.proof or state)
    log.info("mail proved", inbound=case.one.id, state=state, rung=standing.rung)
    for name in sorted(drains):
        context.notifier.notify(name)


def _give_back(context: WorkerContext, cases: list[Unproved], pause: timedelta = timedelta(0)) -> None:
    """Gives mails back as if they had not been claimed. If the database cannot do that now, this worker does it
    later."""
    if cases:
        context.transient_errors.give_back(
            context.engine, "unproved", lambda session: unauthenticated.release(session, cases, pause)
        )
