"""Who gets an update whose audience is plain: few followers of its author, of whom nobody chose how anything comes, and
at least one who can be reached. It is the case of recipients.py that nearly every text is, for many texts at once.

gateway/inbound/plain_updates puts the parts together; tests hold both against each other.
"""

from typing import Final

from gateway.network.audience.recipients import ADDRESS

# `given`: place and account_id of each text. One more follower than :most is looked for, to see when there are too
# many.
FOLLOWERS: Final = """
    SELECT given.place, given.account_id AS author_id, f.follower_id AS account_id, f.by_text, reader.chooses,
           CASE WHEN f.by_text THEN 'text' ELSE 'mail' END AS way, false AS named,
           reader.state = 'active' AND reader.id <> given.account_id AND NOT EXISTS (
               SELECT FROM silences_in_force s WHERE s.account_id = reader.id AND s.other_id = given.account_id OFFSET 0
           ) AND NOT EXISTS (
               SELECT FROM silences_in_force s
               WHERE s.account_id = given.account_id AND s.other_id = reader.id AND s.kind = 'block' OFFSET 0
           ) AS hears
    FROM given
    CROSS JOIN LATERAL (
        SELECT follower_id, by_text FROM follows_in_force WHERE account_id = given.account_id
        ORDER BY follower_id LIMIT :most + 1) f
    CROSS JOIN LATERAL (SELECT id, state, chooses FROM accounts WHERE id = f.follower_id OFFSET 0) reader"""

# `followers`: the rows of FOLLOWERS. Where each of them gets it.
PLACES: Final = f"""
    SELECT asked.place, asked.author_id, reached.id AS address_id, reached.channel, reached.sender_id, reached.state,
           asked.author_id AS source_id
    FROM followers asked
    CROSS JOIN LATERAL (
        SELECT there.*, a.state FROM ({ADDRESS}) there
        CROSS JOIN LATERAL (SELECT state FROM addresses WHERE id = there.id OFFSET 0) a) reached
    WHERE asked.hears"""  # noqa: S608 - put together from constants

# The texts whose audience is plain: their places.
PLAIN: Final = """
    SELECT place FROM followers GROUP BY place HAVING count(*) <= :most AND NOT bool_or(chooses)
    INTERSECT SELECT place FROM reached WHERE state = 'verified'"""
