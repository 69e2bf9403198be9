"""When something leaves: what has to wait for its reader, and until when. One function for each rule, asked after those
of gateway/attention/eligibility.py."""

from typing import Final

from gateway.attention import digest_slots, zones
from gateway.attention.decision import SEND, Decision, Drop, Redirect, Send
from gateway.attention.eligibility import Rule
from gateway.attention.facts import Facts
from gateway.attention.quiet_hours import quiet_until
from gateway.channels import EMAIL, PUSH, SMS
from gateway.ledger.outbox.held import Hold

UNASKED: Final = ("update", "notice", "daily", "digest")  # kinds of messages; for the others somebody waits


def urgent(facts: Facts) -> Send | None:
    """An urgent call comes at any hour, to a phone or mailbox that is off too. It does not come to whoever opted out,
    blocked or muted, has left, or switched off what brings it: those rules are asked before."""
    return SEND if facts.urgent else None


def on_the_web(facts: Facts) -> Decision | None:
    """What its reader wants on the web alone is not sent. What was written to them waits to be seen there, if they said
    so; after that time it comes as a text."""
    if facts.kind != "update" or facts.way != "web":
        return None
    if facts.unseen_after is None or facts.chosen is None or not facts.chosen.addressed:
        return Drop("on_web")
    until = facts.delayed_until or facts.now + facts.unseen_after
    return Hold("unseen", until, facts.cause) if until > facts.now else None


def into_digest(facts: Facts) -> Decision | None:
    """What its reader wants in a digest waits for the next one. It does so once: what was in one that could not leave
    goes by itself, for the next one might fail as well."""
    if facts.kind != "update" or facts.digest_failed or facts.digest_every is None or facts.way != "digest":
        return None
    if facts.digest_every == "back":
        return Hold("digest", facts.now + digest_slots.LONGEST_AWAY, facts.cause)
    slot = digest_slots.due_next(
        facts.digest_every, facts.digest_at, facts.digest_weekday, facts.clock, facts.now, facts.digest_last
    )
    return Hold("digest", slot.instant, facts.cause, slot.wall)


def pushed_before(facts: Facts) -> Decision | None:
    """What came by push goes to the phone as well, once its reader had time to see it. They may have ended that."""
    if facts.channel != SMS or facts.way != "push" or facts.delayed_until is None:
        return None
    if facts.unseen_after is None:
        return Drop("pushed")
    return Hold("unseen", facts.delayed_until, facts.cause) if facts.delayed_until > facts.now else None


def elsewhere(facts: Facts) -> Redirect | None:
    """A text whose reader wants it by push or as a mail by now, or who prefers those to texts, goes to their devices or
    their mailbox, where these are. What was queued as a mail stays one."""
    chosen = facts.chosen
    if facts.channel != SMS or facts.kind != "update" or facts.digest_failed or chosen is None:
        return None
    if chosen.way == "push" and chosen.devices is not None and facts.delayed_until is None:
        return Redirect(chosen.devices, PUSH)
    return Redirect(chosen.mailbox, EMAIL) if chosen.mailed and chosen.mailbox is not None else None


def switched_off(facts: Facts) -> Decision | None:
    """While an address is off, what colleagues write waits for the end that its owner named. Without an end it does not
    come at all. A digest is made anew later."""
    if not facts.address_off or facts.kind not in ("update", "daily", "digest"):
        return None
    if facts.off_until is None or facts.kind == "daily":
        return Drop("off")
    return Drop("off_till") if facts.kind == "digest" else Hold("off_till", facts.off_until, facts.cause)


def quiet_hours(facts: Facts) -> Decision | None:
    """In quiet hours nothing rings but what its reader waits for. When they are home again it is decided anew."""
    if facts.quiet is None or facts.kind not in UNASKED or facts.in_conversation or facts.test_mail:
        return None
    until = quiet_until(facts.quiet, zones.zone(facts.timezone), facts.now)
    if until is None:
        return None
    if facts.kind == "digest":
        return Drop("quiet")
    return Hold("quiet", min(until, facts.zone_until or until), facts.cause)


def behind_others(facts: Facts) -> Decision | None:
    """What waited for this address is about to leave: this comes with it, so that nobody gets the later words first."""
    if facts.kind != "update" or not facts.behind or facts.in_conversation:
        return None
    return Hold("behind", facts.now, facts.cause)


def online(facts: Facts) -> Hold | None:
    """Whoever is on the web sees it there: a text waits three minutes for that, once, and what comes meanwhile comes
    after it. Their input says so, not an open page, and it only delays."""
    if not facts.online or facts.delayed_until is not None or facts.online_until is None:
        return None
    return Hold("online", facts.online_until, facts.cause)


def until_seen(facts: Facts) -> Send | None:
    """A push of what was written to its reader is sent now. If they said so, it goes to their phone as well when they
    have not seen it on a page for so long."""
    addressed = facts.chosen is not None and facts.chosen.addressed
    if facts.channel != PUSH or facts.kind != "update" or facts.unseen_after is None or not addressed:
        return None
    return Send(Hold("unseen", facts.now + facts.unseen_after, facts.cause))


TIMING: Final[tuple[Rule, ...]] = (
    urgent,
    on_the_web,
    into_digest,
    pushed_before,
    elsewhere,
    switched_off,
    quiet_hours,
    behind_others,
    online,
    until_seen,
)
