"""One author is heard in order, whoever sends: five hundred posts to one phone through eight workers (R19, F32)."""

from pathlib import Path

from critter.servers import Servers
from tests.support.arrivals import compare, received
from tests.support.memory_folder import new_folder
from tests.support.single_processes import single_processes

POSTS = 500
WORKERS = [f"worker-sms:{number}" for number in range(8)]
SAM, MIA = "+14155550102", "+14155550103"

WRITE = """
WITH people AS (
    INSERT INTO accounts (kind, handle, name) VALUES ('person', 'sam', 'Sam'), ('person', 'mia', 'Mia')
    RETURNING id, handle
), phone AS (
    INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
    SELECT id, 'sms', CASE handle WHEN 'sam' THEN CAST(:sam AS text) ELSE :mia END, true, now() FROM people
    RETURNING id, account_id
), post AS (
    INSERT INTO posts (id, author_id, visibility, text, via)
    SELECT new_id(), people.id, 'company', 'number ' || n, 'sms'
    FROM people, generate_series(1, :posts) n WHERE handle = 'sam' RETURNING id, author_id, text
), message AS (
    INSERT INTO messages (id, kind, text, subject, body, author_id, post_id, priority, must_arrive)
    SELECT new_id(), 'update', text, text, text, author_id, id, 5, false FROM post ORDER BY id
    RETURNING id, author_id, priority
)
INSERT INTO deliveries (message_id, address_id, author_id, channel, priority, give_up_at)
SELECT message.id, phone.id, message.author_id, 'sms', message.priority, now() + interval '4 hours'
FROM message, phone JOIN people ON people.id = phone.account_id AND handle = 'mia'
"""


def test_five_hundred_posts_through_eight_workers(memory: Path) -> None:
    var = new_folder(memory)
    with (
        Servers(var, unsafe=True) as servers,
        single_processes(var, servers, servers.database_url, "simulator", "clock", *WORKERS) as critter,
    ):
        critter.run(WRITE, sam=SAM, mia=MIA, posts=POSTS)
        critter.wait(critter.settled, "all are sent", 120)
        arrived = [message for message, _ in received(critter)]
        assert arrived == sorted(set(arrived))
        assert len(arrived) == POSTS
        assert compare(critter)["marked"] == 0
        by = critter.scalar("SELECT count(*) FROM attempts")
        assert by == POSTS
