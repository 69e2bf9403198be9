"""What is known about one message on its way to one address: raw facts, without an order of importance. fact_lookup.py
finds them; the rules in eligibility.py and timing.py judge them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.ways import WayChoice, read_choice
from gateway.attention.zones import ZoneNow
from gateway.channels import SMS

LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
NEVER: Final = datetime.max.replace(tzinfo=UTC)
KINDS: Final = ("update", "answer", "notice", "code", "welcome", "daily", "digest")  # of messages


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one message on its way to one address.

    The default of each fact is what is usual. It is the same for every kind of message: whatever concerns one kind
    alone (a daily mail, a direct post, a post in a closed group) has its default for all others.
    """

    # The circumstances. By themselves they are no reason for anything, so they have no part in what is usual.
    kind: str = "update"  # of the message
    channel: str = SMS  # of the address
    now: datetime = LONG_AGO  # by the database's clock
    answers_stop: bool = False  # it answers STOP or HELP, which no carrier has answered
    test_mail: bool = False  # it tests whether mails to this address come back
    cause: int = Cause.PERSON  # what brings it
    timezone: str = "UTC"  # of the reader's clock now
    zone_until: datetime | None = None  # when they are home again, in the zone `home`
    home: str = "UTC"
    off_until: datetime | None = None  # the end of an `off` of this address
    in_conversation: bool = False  # it answers its reader, who has just written from this address
    digest_every: str | None = None  # day, week, or back: when they are
    digest_at: time = time(8)
    digest_weekday: int | None = None
    digest_last: datetime | None = None  # the date of the reader's last digest, at 00:00 and without a zone
    digest_failed: bool = False  # it was in a digest that did not leave
    texts_a_day: int | None = None  # how many texts the reader wants on a day
    choice: str | None = None  # what brings it, and the ways that its reader chose, for ways.read_choice
    urgent: bool = False  # an urgent call, or what belongs to one
    unseen_after: timedelta | None = None  # how long what came by push or on the web alone waits to be seen
    delayed_until: datetime | None = None  # until when its reader had time to see it on the web
    online_until: datetime | None = None  # till when what is for this address now waits for that
    # What may be a reason. A delivery is looked at only if one of these is unusual.
    give_up_at: datetime = NEVER  # when trying ends; usual: later
    address_state: str = "verified"
    bouncing: bool = False  # mails to this address come back
    reader_state: str | None = "active"  # of these three accounts; None: there is no such person
    author_state: str | None = "active"
    first_state: str | None = "active"  # of whoever wrote what this post repeats
    retracted: bool = False  # the post, or what it repeats
    silenced: bool = False  # by a block in either direction, or by a mute of the reader's
    addressed: bool = True  # the reader is among those for whom a direct post is
    member: bool = True  # the reader is in the closed group
    daily_wanted: bool = True  # the reader wants the daily mail
    daily_outdated: bool = False  # a post in the daily mail must not be read by its reader any more
    address_off: bool = False  # the reader switched off this address for now
    subscribed: bool = True  # the reader still follows or tracks what brings it
    source_off: bool = False  # the reader switched off what brings it for now
    choosing: bool = False  # the reader chose how something comes, perhaps this
    quiet: str | None = None  # hours in which this address is not to ring
    behind: bool = False  # something that waited for this address is about to leave
    limited: bool = False  # to a phone whose owner wants only so many texts a day
    online: bool = False  # to a phone whose owner is on the web, or for which others wait because they were

    @property
    def clock(self) -> ZoneNow:
        return ZoneNow(self.timezone, self.zone_until, self.home)

    @property
    def in_question(self) -> bool:
        """Whether the circumstances that are looked up can change what is decided."""
        stopped = self.address_state == "stopped" or self.bouncing
        resting = self.quiet is not None or self.behind or self.address_off or self.online
        return stopped or resting or self.choosing or self.limited or self.left_or_off

    @property
    def left_or_off(self) -> bool:
        """Whether what brought it does so no more, at least for now; something else may."""
        return self.source_off or not self.subscribed

    @property
    def depends(self) -> bool:
        """Whether it depends on all that brings it: its reader chose something, or ended what brought it."""
        return self.choosing or self.left_or_off

    @property
    def chosen(self) -> WayChoice | None:
        """What brings it now, and how its reader wants that."""
        return read_choice(self.choice) if self.choice and self.depends else None

    @property
    def way(self) -> str | None:
        """How its reader wants it; None when that is as usual."""
        return self.chosen.way if self.chosen else None

    @property
    def brought(self) -> bool:
        """Whether anything still brings it."""
        return not self.left_or_off or self.way not in (None, "nothing")


# These are asked only where one of them can matter: in a statement of their own, so that the one for all stays short.
LOOKED_UP: Final = (
    "answers_stop", "test_mail", "cause", "timezone", "zone_until", "home", "off_until", "in_conversation",
    "digest_every", "digest_at", "digest_weekday", "digest_last", "digest_failed", "texts_a_day", "choice", "urgent",
    "unseen_after", "delayed_until", "online_until",
)  # fmt: skip
_TIMES: Final = ("now", "give_up_at", "zone_until", "off_until", "digest_last", "delayed_until", "online_until")
# How facts are read that JSON has no type for.
READ_FROM_JSON: Final[Mapping[str, Callable[[Any], object]]] = {
    **dict.fromkeys(_TIMES, datetime.fromisoformat),
    "digest_at": time.fromisoformat,
    "unseen_after": lambda seconds: timedelta(seconds=seconds),
}
CIRCUMSTANCES: Final = frozenset({"kind", "channel", "now", *LOOKED_UP})
