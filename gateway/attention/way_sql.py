"""The way in which somebody wants an item, in SQL: fan-outs choose the address by it, for whole chunks at once. Only
for those who have a row in `attention`, for everybody else it is known from the follow.

gateway/attention/ways.py says the same in Python for each delivery that is about to leave; a test compares both."""

from typing import Final

from gateway.attention.causes import DeliveryCause
from gateway.attention.ways import COLUMNS, WAYS

_PLACES: Final = ", ".join(f'w."{name}"' for name in COLUMNS)

# What was chosen, as gateway/attention/ways.read_ways takes it; `w` is the row of `attention`.
CHOSEN: Final = f"json_build_array(w.prefer, {_PLACES})"

# Which cause the alias `source`, a row of accounts, is; the view subscriptions_in_force says the same.
CAUSE_OF_ACCOUNT: Final = f"""
    CASE WHEN source.kind = 'person' THEN {DeliveryCause.PERSON:d}
         WHEN source.access = 'broadcast' THEN {DeliveryCause.BROADCAST:d} ELSE {DeliveryCause.GROUP:d} END"""
# The way that was chosen for the column `cause`.
CHOSEN_FOR_CAUSE: Final = "CASE cause {} END".format(
    " ".join(f'WHEN {number} THEN w."{name}"' for number, name in enumerate(COLUMNS, 1))
)
# Whether texts were chosen for a cause to which one subscribes, as the index attention_texts has it.
TEXT_CHOSEN: Final = """'text' IN (w.tracked, w."group", w.person, w.tag, w.broadcast)"""
# Whether mails instead of texts have somewhere to go.
HAS_MAILBOX: Final = """EXISTS (
    SELECT FROM addresses box WHERE box.account_id = w.account_id AND box.channel = 'email' AND box.is_primary
      AND box.state = 'verified' AND box.bouncing_since IS NULL)"""


def named_causes(post: str, account: str) -> str:
    """A query for why a post goes to somebody whom it is written to: the columns cause, way and by_text. `post` is the
    alias of a row of posts, `account` the SQL of an id."""
    return f"""
        SELECT CASE WHEN {post}.visibility = 'direct' THEN {DeliveryCause.PRIVATE:d}
                    WHEN EXISTS (SELECT FROM posts mine
                                 WHERE mine.id = {post}.in_reply_to AND mine.author_id = {account})
                    THEN {DeliveryCause.REPLY:d} ELSE {DeliveryCause.MENTION:d} END AS cause,
               CAST(NULL AS text) AS way, true AS by_text"""  # noqa: S608 - put together from constants


def subscribed_causes(account: str, sources: str) -> str:
    """A query for what of these sources somebody follows or tracks, with the same columns."""
    return f"""
        SELECT s.cause, s.way, s.by_text FROM subscriptions_in_force s
        WHERE s.follower_id = {account} AND s.source_id = ANY ({sources})"""  # noqa: S608


def address_way(causes: str) -> str:
    """The expression for what these causes need: `text`, a phone; `mail`, a mailbox; `either`, when it is for a digest,
    which any address will do for. `w` is the row of `attention`. What is wanted in a digest, or not at all, is put
    where it would have come without that: it may come one by one after all, and it is told why it does not come."""
    loud = f"array_position(ARRAY[{_WAYS}], {_WAY})"
    return f"""(
        SELECT CASE WHEN min({loud}) = 1 OR min({loud}) > 2 AND bool_or(by_text) THEN 'text'
                    WHEN min({loud}) = 3 THEN 'either' ELSE 'mail' END
        FROM ({causes}) AS causes)"""  # noqa: S608


_WAYS: Final = ", ".join(f"'{way}'" for way in WAYS)
_WAY: Final = f"coalesce(way, {CHOSEN_FOR_CAUSE}, CASE WHEN by_text THEN 'text' ELSE 'mail' END)"
