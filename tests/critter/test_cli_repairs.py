"""`critter outbox`, `retry`, `held` and `say`: looking after what does not get on, and speaking without a phone."""

import json
import time
from threading import Thread

import pytest
from redis import Redis

from tests.support.office import Office


def woken_queues(redis_url: str) -> set[str]:
    with Redis.from_url(redis_url) as redis:
        return {key.decode().removeprefix("rq:queue:critter-") for key in redis.keys("rq:queue:*")}


def failed(office: Office, state: str = "failed") -> str:
    """A delivery to Sam that ended badly."""
    office.says("kim", "hello")
    office.work()
    key = office.delivery("sam")
    office.sql(
        f"UPDATE deliveries SET state = '{state}', reason = '30008' WHERE message_id || ':' || address_id = '{key}'"
    )
    office.sql(
        f"UPDATE attempts SET state = '{state}', reason = '30008' WHERE message_id || ':' || address_id = '{key}'"
    )
    return key


def test_an_empty_outbox_says_so(office: Office) -> None:
    assert office.critter("outbox").output == "The outbox is empty: nothing was ever sent.\n"
    assert json.loads(office.critter("outbox", "--json").output) == {
        "counts": [],
        "fanouts": {"waiting": 0, "oldest": None},
        "stuck": [],
        "waiting": {"waiting": 0, "folded": 0, "next": None, "overdue": None},
        "paused": [],
    }


def test_the_outbox_counts_and_names_what_is_stuck(office: Office) -> None:
    key = failed(office)
    office.sql("UPDATE deliveries SET state = 'retry', ended_at = NULL WHERE state = 'failed'")
    told = json.loads(office.critter("outbox", "--json").output)
    counts = {(one["channel"], one["state"]): one["deliveries"] for one in told["counts"]}
    assert counts == {("sms", "retry"): 1, ("email", "sent"): 1}
    assert [(one["id"], one["reason"], one["handle"]) for one in told["stuck"]] == [(key, "30008", "sam")]
    output = office.critter("outbox").output
    assert "These are stuck:" in output
    assert key in output


def test_the_outbox_lists_one_state(office: Office) -> None:
    key = failed(office)
    assert [
        one["id"] for one in json.loads(office.critter("outbox", "--state", "failed", "--json").output)["failed"]
    ] == [key]
    assert office.critter("outbox", "--state", "queued").output == "Nothing is queued.\n"
    assert office.critter("outbox", "--state", "lost").exit_code == 2


def test_a_failed_delivery_goes_again(office: Office, redis_url: str) -> None:
    key = failed(office)
    result = office.critter("retry", key)
    assert (result.exit_code, result.output) == (0, f"Put back: 1 text. critter trace {key} shows how it goes.\n")
    assert woken_queues(redis_url) == {"sms"}
    office.work()
    assert office.sql("SELECT state, attempt, possible_duplicate FROM deliveries WHERE channel = 'sms'")[0][:3] == (
        "sent",
        2,
        False,
    )
    assert office.sql("SELECT actor <> '', detail ->> 'reason' FROM audit WHERE action = 'delivery.retry'") == [
        (True, "30008")
    ]
    assert office.critter("audit").exit_code == 0


def test_what_may_have_arrived_is_marked(office: Office) -> None:
    message = failed(office, "unknown").split(":")[0]
    assert office.critter("retry", message).output.startswith("Put back: 1 text.")
    office.work()
    assert office.sql("SELECT state, possible_duplicate FROM deliveries WHERE channel = 'sms'") == [("sent", True)]
    assert office.critter("audit").exit_code == 0


def test_what_did_not_fail_is_not_retried(office: Office) -> None:
    inbound_id = office.says("kim", "hello")
    office.work()
    key = office.delivery("sam")
    assert (
        office.critter("retry", key).output == "That delivery is sent; only a failed one or one in doubt is retried.\n"
    )
    assert "None of its 2 deliveries failed" in office.critter("retry", key.split(":")[0]).output
    assert "That input is done" in office.critter("retry", str(inbound_id)).output
    assert "That is a post" in office.critter("retry", str(office.sql("SELECT id FROM posts")[0][0])).output
    assert office.critter("retry", "1").exit_code == 2
    assert office.sql("SELECT 1 FROM audit") == []


def test_a_quarantined_input_is_read_again(office: Office, redis_url: str) -> None:
    inbound_id = office.says("kim", "hello")
    office.sql("UPDATE inbound SET state = 'quarantined', attempt = 3")
    assert office.critter("retry", str(inbound_id)).exit_code == 0
    assert woken_queues(redis_url) == {"inbound"}
    office.work()
    assert office.sql("SELECT state, intent FROM inbound") == [("done", "update")]


def test_nothing_held_says_so(office: Office) -> None:
    assert office.critter("held", "list").output == "Nothing is held.\n"
    assert office.critter("held", "list", "--json").output == "[]\n"
    assert office.critter("held", "approve", "--all").output == "Nothing is held.\n"


def test_held_inputs_are_listed_without_numbers(office: Office) -> None:
    inbound_id = office.says("kim", "hello", trusted=False)
    output = office.critter("held", "list").output
    assert str(inbound_id) in output
    assert "the sender is not proved" in output
    assert "+1415555" not in output
    [told] = json.loads(office.critter("held", "list", "--json").output)
    assert (told["id"], told["state"], told["channel"]) == (str(inbound_id), "held", "sms")


def test_held_inputs_are_let_in_or_dropped(office: Office, redis_url: str) -> None:
    first, second, third = (office.says("kim", f"hello {number}", trusted=False) for number in range(3))
    assert office.critter("held", "approve", str(first)).output == "Let in: 1 input.\n"
    assert woken_queues(redis_url) == {"inbound"}
    assert office.critter("held", "drop", str(second)).output == "Dropped: 1 input.\n"
    assert office.critter("held", "approve", "--all").output == "Let in: 1 input.\n"
    office.work()
    states = dict(office.sql("SELECT id, state FROM inbound"))
    assert states == {first: "done", second: "dropped", third: "done"}
    assert len(office.sql("SELECT 1 FROM audit WHERE action IN ('held.approve', 'held.drop')")) == 3


def test_which_ones_must_be_said(office: Office) -> None:
    held = office.says("kim", "hello", trusted=False)
    assert "Say which" in office.critter("held", "approve").output
    assert "Say which" in office.critter("held", "drop", str(held), "--all").output
    result = office.critter("held", "approve", str(held), "7")
    assert (result.exit_code, result.output) == (2, "Not held: 7. Nothing was changed.\n")
    assert office.sql("SELECT state FROM inbound") == [("held",)]


def say(office: Office, *arguments: str) -> str:
    """Says it while a worker is at work."""
    worker = Thread(target=lambda: any(office.read() or time.sleep(0.02) for _ in range(250)))
    worker.start()
    result = office.critter("say", *arguments)
    worker.join()
    assert result.exit_code == 0
    return result.output


def test_saying_something_prints_the_answer(office: Office) -> None:
    assert say(office, "sam", "follow sales").startswith("You follow sales:")
    assert say(office, "kim", "hello all") == "Posted.\n"
    told = json.loads(say(office, "kim", "hello again", "--json"))
    assert (told["state"], told["intent"], told["posted"], told["answer"]) == ("done", "update", True, None)


def test_what_is_said_rings_and_is_kept_when_nobody_works(office: Office, redis_url: str) -> None:
    output = office.critter("say", "sam", "follow sales", "--seconds", "0").output
    assert "It is kept and will be read." in output
    assert woken_queues(redis_url) == {"inbound"}
    assert office.critter("say", "sam", "hello", "--no-wait").output.startswith("Accepted: critter trace ")
    office.work()
    assert office.sql("SELECT channel, state, intent FROM inbound ORDER BY id") == [
        ("cli", "done", "follow"),
        ("cli", "done", "update"),
    ]


def test_only_somebody_here_says_something(office: Office) -> None:
    result = office.critter("say", "nobody_here", "hello")
    assert (result.exit_code, result.output[:24]) == (2, "Nobody is @nobody_here. ")
    office.sql("DELETE FROM addresses")
    assert "neither a phone nor a mailbox" in office.critter("say", "sam", "hello").output


def stale(office: Office, queue: str) -> None:
    """One that was killed half a minute ago, and one of another queue that lives."""
    office.sql(
        "INSERT INTO processes (owner, name, seen_at) VALUES (:name, :name, now() - interval '31 seconds'),"
        " ('other', 'worker-fanout', now())",
        name=f"worker-{queue}",
    )


def left_to(office: Office, what: str) -> tuple[list[str], str]:
    """Something that a command leaves to workers: the command, and the worker's queue."""
    if what == "retry":
        return ["retry", failed(office)], "sms"
    if what == "dead retry":
        return ["dead", "retry", failed(office)], "sms"
    if what == "say":
        return ["say", "sam", "hello", "--no-wait"], "inbound"
    if what == "costs":
        office.sql("INSERT INTO breaker (tripped_at) VALUES (now())")
        return ["costs", "--resume"], "sms"
    inbound_id = office.says("kim", "hello", trusted=False)
    if what == "retry an input":
        office.sql("UPDATE inbound SET state = 'quarantined', attempt = 3")
        return ["retry", str(inbound_id)], "inbound"
    return ["held", "approve", str(inbound_id)], "inbound"


@pytest.mark.parametrize("what", ["retry", "retry an input", "dead retry", "held approve", "say", "costs"])
def test_that_no_worker_is_alive_is_told(office: Office, redis_url: str, what: str) -> None:
    command, queue = left_to(office, what)
    office.at_work = False
    stale(office, queue)
    result = office.critter(*command)
    assert result.exit_code == 3
    assert f"no worker-{queue} is alive. It is kept" in result.output
    assert f"critter worker {queue}" in result.output
    assert woken_queues(redis_url) == {queue}
    assert office.critter("audit").exit_code == 0


@pytest.mark.parametrize("what", ["retry", "retry an input", "dead retry", "held approve", "say", "costs"])
def test_that_one_is_alive_needs_no_word(office: Office, what: str) -> None:
    command, queue = left_to(office, what)
    office.at_work = False
    stale(office, queue)
    office.sql("INSERT INTO processes (owner, name) VALUES ('mine', :name)", name=f"worker-{queue}")
    result = office.critter(*command)
    assert result.exit_code == 0
    assert "alive" not in result.output
