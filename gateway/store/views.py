"""The views of schema.sql that say what is in force now, to be asked like the tables that they are of.

A row of a view is read as a row of its table: select(FollowInForce) returns Follow objects. The tables themselves are
for whoever writes them, and for what is asked of the past.
"""

from typing import Final, TypeVar

from sqlalchemy import BigInteger, Boolean, Column, DateTime, FromClause, MetaData, SmallInteger, Text
from sqlalchemy import Table as Relation
from sqlalchemy.orm import aliased

from gateway.store.tables import Address, Follow, Presence, PushSubscription, Silence, Table, TopicFollow, Tracker

Row = TypeVar("Row", bound=Table)

VIEWS: Final = MetaData()


def _view(name: str, of: type[Table], *more: str) -> Relation:
    """A view with the columns of this table, and `more` that say yes or no."""
    columns = (Column(each.name, each.type, primary_key=each.primary_key) for each in of.__table__.columns)
    return Relation(name, VIEWS, *columns, *(Column(each, Boolean) for each in more))


FOLLOWS: Final = _view("follows_in_force", Follow, "off_now")
TOPIC_FOLLOWS: Final = _view("topic_follows_in_force", TopicFollow)
TRACKERS: Final = _view("trackers_in_force", Tracker)
SUBSCRIPTIONS: Final = Relation(
    "subscriptions_in_force",
    VIEWS,
    Column("follower_id", BigInteger, primary_key=True),
    Column("source_id", BigInteger, primary_key=True),
    Column("cause", SmallInteger),
    Column("by_text", Boolean),
    Column("way", Text),
)
SILENCES: Final = _view("silences_in_force", Silence)
ADDRESSES: Final = _view("addresses_now", Address, "off_now", "receives", "limited", "online")
PUSH_SUBSCRIPTIONS: Final = _view("push_subscriptions_in_force", PushSubscription)
_view("presence_now", Presence)  # asked in SQL alone
ZONES: Final = Relation(
    "zones_now",
    VIEWS,
    Column("account_id", BigInteger, primary_key=True),
    Column("zone", Text),
    Column("until", DateTime(timezone=True)),
    Column("home", Text),
)


def _rows(of: type[Row], view: FromClause) -> type[Row]:
    return aliased(of, view, adapt_on_names=True)


FollowInForce: Final = _rows(Follow, FOLLOWS)
TopicFollowInForce: Final = _rows(TopicFollow, TOPIC_FOLLOWS)
TrackerInForce: Final = _rows(Tracker, TRACKERS)
SilenceInForce: Final = _rows(Silence, SILENCES)
AddressNow: Final = _rows(Address, ADDRESSES)
PushSubscriptionInForce: Final = _rows(PushSubscription, PUSH_SUBSCRIPTIONS)


def another_follow() -> type[Follow]:
    """FollowInForce under another alias, for a statement that has it already."""
    return _rows(Follow, FOLLOWS.alias())


def another_silence() -> type[Silence]:
    """SilenceInForce under another alias, for a statement that has it already."""
    return _rows(Silence, SILENCES.alias())
