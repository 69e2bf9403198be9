"""Parts of statements about the ways that people chose: what brings an item to somebody, and what they chose for it.
Fan-outs ask the function chosen_way of schema.sql instead, which costs nothing to plan where nobody chose anything."""

from typing import Final

from gateway.attention.causes import DeliveryCause
from gateway.attention.ways import COLUMNS
from gateway.channels import EMAIL, PUSH

_PLACES: Final = ", ".join(f'w."{name}"' for name in COLUMNS)

# What was chosen, as gateway/attention/ways.WayChoice has it; `w` is the row of `attention`.
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


def mailbox(account: str) -> str:
    """Where mails instead of texts go, if there is such a mailbox, and whether it is on; one that is off for now is
    one. `account` is the SQL of an id."""
    return f"""(
    SELECT json_build_array(box.id, box.receives) FROM addresses_now box
    WHERE box.account_id = {account} AND box.channel = '{EMAIL}' AND box.is_primary
      AND box.state = 'verified' AND box.bouncing_since IS NULL)"""  # noqa: S608


def devices(account: str) -> str:
    """Where pushes go, while there is a device. `account` is the SQL of an id."""
    return f"""(
    SELECT mine.id FROM addresses mine
    WHERE mine.account_id = {account} AND mine.channel = '{PUSH}' AND mine.is_primary AND mine.state = 'verified')"""  # noqa: S608


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
