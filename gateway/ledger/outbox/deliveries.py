"""Makes the deliveries of a message for whom a SELECT names. The network says who gets it, and only here are the rows
written, so that both are one statement. Fan-outs and welcomes are made so; outbox.put takes a list of addresses."""

from gateway.store.channel_sql import gives_up_after


def insert_for(
    recipients: str,
    message: str = ":message",
    author: str = ":author",
    priority: str = ":priority",
    result: str = "channel",
) -> str:
    """The INSERT of a delivery for each row of `recipients`: the name of a query, or a query in brackets, with the
    columns address_id, channel, sender_id (null: none) and source_id (null: none). The statement is given :message,
    :author and :priority, unless these, too, are columns. It returns the channels of those that are new, or
    `result`."""
    return f"""
        INSERT INTO deliveries (message_id, address_id, author_id, source_id, channel, sender_id, priority, give_up_at)
        SELECT {message}, address_id, {author}, source_id, channel, coalesce(sender_id, 0), {priority},
               now() + {gives_up_after("channel")}
        FROM {recipients} AS recipient
        ON CONFLICT DO NOTHING
        RETURNING {result}
    """  # noqa: S608 - put together from constants
