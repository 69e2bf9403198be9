"""What is old goes and what is open stays (R52): here, and at the carrier."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.operations import redactions, retention
from gateway.ledger.operations.retention import PastMonth, RetentionAges
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.support import personas
from tests.support.office import Office
from tests.support.simulation import ACCOUNT, OURS, SAM, TOKEN, Simulation, simulation, soon
from workers import redaction
from workers.runtime.context import WorkerContext
from workers.runtime.event_loop import Loop
from workers.upkeep.retention import ages, batches

KIM = personas.PEOPLE[0].phone or ""


def pass_over(office: Office, days: int = 0) -> dict[str, int]:
    """What one pass does that many days from now."""
    later = timedelta(days=days)
    now = ages(office.settings)
    then = RetentionAges(now.raw - later, now.deliveries - later, now.consent - later, now.secrets - later)
    done: dict[str, int] = {}
    for name, rows in batches(office.engine, then):
        done[name] = done.get(name, 0) + rows
    return {name: rows for name, rows in done.items() if rows or name.startswith("deliveries_")}


def this_month(office: Office) -> PastMonth:
    """The partition that deliveries of now are in, as it will be seen when it is past."""
    with transaction(office.engine) as session:
        return retention.months(session, timedelta(days=-40))[0]


def busy(office: Office) -> None:
    for handle, words in (("sam", "follow sales"), ("kim", "hello everybody"), ("pat", "login")):
        office.says(handle, words)
        office.work()


def test_nothing_young_is_touched(office: Office) -> None:
    busy(office)
    assert pass_over(office) == {}
    assert office.critter("retention", "--now").output == "Nothing was old enough.\n"


def test_inputs_are_emptied_after_their_time_and_a_replay_has_no_effect(office: Office) -> None:
    sid = "SM" + "a" * 32
    text = Incoming("sms", sid.encode(), KIM, (OURS,), b"Body=hello+sam", True, sid, "hello sam")
    office.accept(text)
    office.work()
    assert pass_over(office, 31) == {
        "carrier.in": 1,
        "carrier.out": 2,
        "inbound": 1,
    }
    [(raw, words, sender, state)] = office.sql("SELECT raw, text, sender, state FROM inbound")
    assert (raw, words, state) == (None, "", "done")
    assert str(sender).startswith("hash:")
    assert office.sql("SELECT text FROM posts") == [("hello sam",)]
    with pytest.raises(StopIteration):  # the same success, and nothing new
        office.accept(text)
    assert not office.read()
    assert pass_over(office, 31) == {}
    assert office.critter("audit").exit_code == 0


def test_what_is_open_stays_and_goes_when_it_has_ended(office: Office) -> None:
    office.says("kim", "hello", trusted=False)
    assert pass_over(office, 40) == {}
    office.sql("UPDATE inbound SET state = 'dropped'")
    assert pass_over(office, 40) == {}  # the cursor is past it
    office.sql("UPDATE retention SET done_at = now() - interval '8 days'")
    assert pass_over(office, 40)["inbound"] == 1


def test_codes_are_emptied_after_half_a_day(office: Office) -> None:
    busy(office)
    assert [row[0] for row in office.sql("SELECT text FROM messages WHERE text LIKE '%/login/%'")]
    assert pass_over(office, 1) == {"codes": 1}
    assert office.sql("SELECT 1 FROM messages WHERE text || body LIKE '%/login/%'") == []
    assert len(office.sql("SELECT 1 FROM messages WHERE text <> ''")) == 2


def test_a_code_on_its_way_is_not_emptied(office: Office) -> None:
    busy(office)
    office.sql(
        "UPDATE deliveries SET state = 'retry', ended_at = NULL WHERE message_id IN"
        " (SELECT id FROM messages WHERE text LIKE '%/login/%')"
    )
    assert pass_over(office, 1) == {}
    office.sql("UPDATE deliveries SET state = 'sent', ended_at = now()")
    assert pass_over(office, 1) == {"codes": 1}


def test_months_of_deliveries_are_dropped_and_posts_stay(office: Office) -> None:
    busy(office)
    done = pass_over(office, 130)
    month = next(name for name in done if name.startswith("deliveries_"))
    assert office.sql("SELECT count(*) FROM deliveries") == [(0,)]
    assert (done["messages"], done["attempts"] > 0) == (3, True)
    assert office.sql("SELECT count(*) FROM messages") == [(0,)]
    assert office.sql("SELECT text FROM posts") == [("hello everybody",)]
    assert office.sql(f"SELECT to_regclass('{month}')") == [(None,)]
    assert office.critter("audit").exit_code == 0


def test_a_month_with_something_open_stays(office: Office) -> None:
    busy(office)
    office.sql("UPDATE deliveries SET state = 'retry', ended_at = NULL WHERE channel = 'email'")
    before = office.sql("SELECT count(*) FROM deliveries")
    month = this_month(office)
    assert month.open
    with transaction(office.engine) as session:
        assert not retention.drop(session, month)
    pass_over(office, 130)
    assert office.sql("SELECT count(*) FROM deliveries") == before
    assert office.sql("SELECT count(*) FROM messages WHERE kind = 'update'") == [(1,)]


def test_dropping_a_month_waits_for_nobody(office: Office) -> None:
    busy(office)
    month = this_month(office)
    with transaction(office.engine) as reading, transaction(office.engine) as session:
        reading.connection().exec_driver_sql(f"SELECT count(*) FROM {month.table}")
        assert not retention.drop(session, month)
    with transaction(office.engine) as session:
        assert retention.drop(session, month)


def test_the_newest_consent_stays(office: Office) -> None:
    for words in ("stop", "start", "stop"):
        office.says("bob", words)
        office.work()
    assert pass_over(office, 1900)["consent"] == 2
    assert office.sql("SELECT kind FROM consent") == [("opt_out",)]


def test_the_preview_counts_and_changes_nothing(office: Office) -> None:
    for number in range(3):
        office.says("kim", f"hello {number}", trusted=False)
    office.sql("UPDATE inbound SET id = id - ((31::bigint * 86400000) << 16), state = 'dropped'")
    told = json.loads(office.critter("retention", "--json").output)
    rows = {one["what"]: one["rows"] for one in told["due"]}
    assert (rows["inbound"], rows["carrier.in"], rows["messages"], told["months"]) == (3, 3, 0, [])
    output = office.critter("retention").output
    assert "inputs emptied, their senders made unknown" in output
    assert "critter retention --now does it at once" in output
    assert office.sql("SELECT count(*) FROM inbound WHERE text <> ''") == [(3,)]
    done = json.loads(office.critter("retention", "--now", "--json").output)
    assert done == {"carrier.in": 3, "inbound": 3}
    assert office.sql("SELECT action FROM audit") == [("retention.now",)]
    assert "3 texts still to be deleted at the carrier" in office.critter("retention").output


def test_a_switch_leaves_the_carriers_copies(settings: Settings) -> None:
    off = ages(settings.model_copy(update={"twilio_redact": False}))
    assert [kind.name for kind in retention.kinds(off) if "carrier" in kind.name] == []


def open_worker(sim: Simulation, engine: Engine, settings: Settings) -> WorkerContext:
    twilio = {"twilio_api_base": sim.url, "twilio_account_sid": ACCOUNT, "twilio_auth_tokens": (TOKEN,)}
    return WorkerContext(settings.model_copy(update=twilio), engine, WorkerNotifier(settings.redis_url), "test", Loop())


def test_the_carrier_deletes_its_copies_in_small_steps(engine: Engine, settings: Settings) -> None:
    with simulation() as sim:
        sids = [sim.send(body=f"secret {number}").sid for number in range(12)]
        soon(lambda: all(one.status == "delivered" for one in sim.twilio.messages.list(to=SAM)))
        context = open_worker(sim, engine, settings)
        with transaction(engine) as session:
            for sid in [*sids, "SM" + "0" * 32]:  # the last one is gone there already
                session.connection().exec_driver_sql("INSERT INTO redactions (carrier_id) VALUES (%s)", (sid,))
        assert redaction.step(context) == 10
        assert redaction.step(context) == 3
        assert redaction.step(context) == 0
        assert sim.twilio.messages.list(to=SAM) == []
        assert len(sim.ledger("delete")) == 12
        context.close()


def test_what_is_still_on_its_way_is_tried_again(engine: Engine, settings: Settings) -> None:
    with simulation(sent_after=60, delivered_after=61) as sim:
        sid = sim.send(body="secret").sid
        context = open_worker(sim, engine, settings)
        with transaction(engine) as session:
            session.connection().exec_driver_sql("INSERT INTO redactions (carrier_id) VALUES (%s)", (sid,))
        assert redaction.step(context) == 0
        assert redaction.step(context) == 0  # not due for a minute
        with transaction(engine) as session:
            assert redactions.count_left(session) == 1
        context.close()
