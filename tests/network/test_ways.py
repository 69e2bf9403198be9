"""How people chose that things come: where fan-outs send them, where queued texts go when somebody changes their mind,
and what waits. The real workers and statements."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.actions.model.actor import Actor
from gateway.actions.preferences import ways
from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.decision import Redirect
from gateway.attention.ways import COLUMNS, WAYS
from gateway.errors import Refused
from gateway.ledger.outbox import redirects
from gateway.network.audience import delivery_decisions, phone_estimate
from gateway.network.follows import reachability
from gateway.network.people import accounts, addresses
from gateway.network.receipts import receipts
from gateway.store.database import transaction
from tests.support.desk import SLEEP, Desk
from tests.support.office import Office

DELIVERED = """
    SELECT acc.handle, d.channel, d.state, coalesce(d.reason, '')
    FROM deliveries d JOIN addresses a ON a.id = d.address_id JOIN accounts acc ON acc.id = a.account_id
    JOIN messages m ON m.id = d.message_id AND m.kind = 'update'
    WHERE acc.handle = :who ORDER BY d.message_id, d.channel DESC
"""


def sent(desk: Desk, who: str) -> list[tuple[object, ...]]:
    """The channel, state and reason of each delivery of an update to somebody."""
    return [tuple(row[1:]) for row in desk.office.sql(DELIVERED, who=who)]


def preferring(desk: Desk) -> Desk:
    """Pat follows Kim by text, and prefers mails."""
    desk.says("pat", "follow kim")
    desk.says("pat", "prefer mail")
    desk.heard("pat")
    return desk


@pytest.mark.parametrize("words", ["the gate is open", "d pat the gate is open", "@pat the gate is open"])
def test_who_prefers_mails_gets_a_mail_and_no_text(desk: Desk, words: str) -> None:
    preferring(desk)
    desk.says("kim", words)
    desk.office.sql("UPDATE deliveries SET not_before = now() WHERE ended_at IS NULL")
    desk.send()
    assert desk.heard("pat") == []
    [mail] = desk.mailed("pat")
    assert "the gate is open" in mail
    assert "PREFER TEXT brings texts back" in " ".join(mail.replace("=\r\n", "").split())
    desk.clean()


def test_answers_stay_with_the_phone_that_asked(desk: Desk) -> None:
    preferring(desk)
    desk.says("pat", "whois kim")
    assert desk.heard("pat")[0].startswith("Kim Lee")
    assert desk.mailed("pat") == []


def test_a_notice_goes_to_the_mailbox(desk: Desk) -> None:
    preferring(desk)
    desk.says("kim", "nudge pat")
    assert desk.heard("pat") == []
    assert len(desk.mailed("pat")) == 1


def test_a_text_that_was_queued_becomes_a_mail_once(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    desk.heard("pat")
    desk.office.says("kim", "the gate is open")
    desk.office.read()
    desk.office.spread()
    assert sent(desk, "pat") == [("sms", "queued", "")]
    desk.office.says("pat", "prefer mail")
    desk.work()
    assert [each for each in desk.heard("pat") if "gate" in each] == []
    assert len(desk.mailed("pat")) == 1
    assert sent(desk, "pat") == [("sms", "cancelled", "redirected"), ("email", "sent", "")]
    desk.clean()


def test_the_author_is_told_of_the_mail_alone(desk: Desk) -> None:
    test_a_text_that_was_queued_becomes_a_mail_once(desk)
    [post] = desk.office.sql("SELECT id FROM posts")[-1]
    pat = int(str(desk.office.sql("SELECT id FROM accounts WHERE handle = 'pat'")[0][0]))
    with transaction(desk.office.engine) as session:
        tally = receipts.tally(session, int(str(post)))
        assert (tally.by_channel["sms"].failed, tally.by_channel["email"].got) == (0, 2)  # Pat, and Priya
        got = receipts.of_person(session, int(str(post)), pat, "UTC")
        assert got is not None
        assert (got.channel, got.state) == ("email", "sent")
        assert receipts.list_missed(session, int(str(post)), "UTC", 9) == []


def test_a_mail_that_was_queued_stays_a_mail(desk: Desk) -> None:
    preferring(desk)
    desk.office.says("kim", "the gate is open")
    desk.office.read()
    desk.office.spread()
    desk.office.says("pat", "prefer text")
    desk.work()
    assert [each for each in desk.heard("pat") if "gate" in each] == []
    assert len(desk.mailed("pat")) == 1


def test_what_left_is_not_sent_again(desk: Desk) -> None:
    """The row of a redirect is made only where the text has ended for it."""
    desk.says("pat", "follow kim")
    desk.says("kim", "the gate is open")
    [key] = desk.office.sql(
        "SELECT d.message_id, d.address_id FROM deliveries d JOIN addresses a ON a.id = d.address_id"
        " JOIN messages m ON m.id = d.message_id WHERE m.kind = 'update' AND a.address = '+14155550106'"
    )
    [[box]] = desk.office.sql("SELECT id FROM addresses WHERE address = 'pat@demo.example'")
    with transaction(desk.office.engine) as session:
        assert redirects.put(session, {(int(str(key[0])), int(str(key[1]))): int(str(box))}) == frozenset()
        assert redirects.put(session, {}) == frozenset()


def test_what_waits_at_the_phone_goes_to_the_mailbox_when_mails_are_preferred(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    desk.says("pat", SLEEP)
    desk.says("kim", "first thing")
    assert sent(desk, "pat") == [("sms", "held", "")]
    desk.says("pat", "prefer mail")
    assert sent(desk, "pat") == [("sms", "cancelled", "redirected"), ("email", "sent", "")]
    assert len(desk.mailed("pat")) == 1
    desk.clean()


def test_what_is_wanted_in_a_digest_stays_there(desk: Desk) -> None:
    preferring(desk)
    desk.says("pat", "digest kim")
    desk.says("kim", "first thing")
    assert desk.mailed("pat") == []
    assert [state for _, state, _ in sent(desk, "pat")] == ["held"]
    desk.says("pat", "digest now")
    assert "Your digest, 1 update:" in desk.mailed("pat")[0]
    desk.clean()


@pytest.mark.parametrize(
    "change", ["bouncing_since = now()", "state = 'stopped', stopped_at = now()", "state = 'invited'"]
)
def test_without_a_mailbox_that_takes_mails_texts_come_as_before(desk: Desk, change: str) -> None:
    preferring(desk)
    desk.office.sql(f"UPDATE addresses SET {change} WHERE address = 'pat@demo.example'")
    desk.says("kim", "the gate is open")
    assert desk.heard("pat")[0].startswith("Kim Lee: the gate is open")


def test_mails_that_are_off_bring_no_texts_back_but_what_is_written_to_oneself(desk: Desk) -> None:
    preferring(desk)
    desk.office.sql("UPDATE addresses SET receiving = false WHERE address = 'pat@demo.example'")
    desk.says("kim", "the gate is open")
    assert desk.heard("pat") == []
    desk.says("kim", "@pat the gate is shut")
    assert "the gate is shut" in desk.heard("pat")[0]


def test_an_opt_out_ends_what_was_queued_and_nothing_goes_elsewhere(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    desk.office.says("kim", "the gate is open")
    desk.office.read()
    desk.office.spread()
    desk.office.says("pat", "STOP")
    desk.work()
    desk.office.sql("INSERT INTO attention (account_id, prefer) SELECT id, 'mail' FROM accounts WHERE handle = 'pat'")
    desk.work()
    assert [row[:2] for row in sent(desk, "pat")] == [("sms", "cancelled")]
    assert desk.mailed("pat") == []


def test_blocks_and_privacy_come_first(desk: Desk) -> None:
    preferring(desk)
    desk.office.sql("UPDATE attention SET person = 'text', mention = 'text', private = 'text'")
    desk.says("pat", "block kim")
    for words in ("the gate is open", "@pat the gate is open", "d pat the gate is open"):
        desk.says("kim", words)
    assert [each for each in desk.heard("pat") if "gate" in each] == []
    assert desk.mailed("pat") == []


CHOSEN: Sequence[tuple[str, str, str]] = (
    # what Pat chose, what Kim writes, and where it goes
    ("prefer mail for people", "the gate is open", "mail"),
    ("prefer nothing for people", "the gate is open", ""),
    ("prefer digest for people", "the gate is open", ""),
    ("prefer nothing for groups", "the gate is open", "text"),
    ("prefer mail for mentions", "@pat the gate is open", "text"),  # Pat follows Kim by text, which is louder
    ("prefer mail for private", "d pat the gate is open", "mail"),
    ("prefer nothing for private", "d pat the gate is open", ""),
    ("prefer mail for kim", "the gate is open", "mail"),
    ("prefer nothing for kim", "the gate is open", ""),
)


@pytest.mark.parametrize(("chosen", "words", "way"), CHOSEN, ids=[each[0] for each in CHOSEN])
def test_each_way_for_each_cause(desk: Desk, chosen: str, words: str, way: str) -> None:
    desk.says("pat", "follow kim")
    desk.says("pat", chosen)
    desk.heard("pat")
    desk.says("kim", words)
    desk.office.sql("UPDATE deliveries SET not_before = now() WHERE ended_at IS NULL")
    desk.send()
    assert (len(desk.heard("pat")), len(desk.mailed("pat"))) == {"text": (1, 0), "mail": (0, 1), "": (0, 0)}[way]
    assert all(reason != "redirected" for _, _, reason in sent(desk, "pat")), "the fan-out knew it"
    desk.clean()


def test_a_way_of_its_own_comes_before_that_of_its_cause(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    desk.says("pat", "prefer nothing for people")
    desk.says("pat", "prefer text for kim")
    desk.heard("pat")
    desk.says("kim", "the gate is open")
    assert len(desk.heard("pat")) == 1


def test_of_several_sources_the_loudest_brings_it_once(desk: Desk) -> None:
    """Kim's updates are for the digest, and the tag comes by text."""
    for words in ("follow kim", "digest kim", "follow #win"):
        desk.says("pat", words)
    desk.heard("pat")
    desk.says("kim", "we have it #win")
    assert len(desk.heard("pat")) == 1
    desk.says("kim", "not yet")
    assert desk.heard("pat") == []
    desk.says("pat", "prefer nothing for #win")
    desk.heard("pat")
    desk.says("kim", "again #win")
    assert desk.heard("pat") == []
    assert desk.states() == [("waiting", "digest", None)] * 2
    desk.clean()


def test_who_changes_it_between_two_sources_gets_it_once(desk: Desk) -> None:
    for words in ("follow kim", "follow #win", "track gate"):
        desk.says("pat", words)
    desk.heard("pat")
    desk.office.says("kim", "the gate is open #win")
    desk.office.read()
    desk.office.sql("UPDATE fanouts SET not_before = now() WHERE state = 'waiting'")
    desk.office.spread()
    desk.send()
    assert len(desk.heard("pat")) == 1
    desk.office.says("pat", "prefer mail")
    desk.work()
    assert [each for each in desk.heard("pat") if "gate" in each] == []
    assert desk.mailed("pat") == []
    desk.clean()


def test_a_digest_for_who_has_only_a_phone_and_follows_by_mail(desk: Desk) -> None:
    """Imported follows are by mail; a digest can go to the phone all the same."""
    desk.office.sql(
        "UPDATE follows SET by_text = false WHERE follower_id = (SELECT id FROM accounts WHERE handle = 'sam')"
    )
    desk.says("sam", "digest kim")
    desk.says("kim", "the gate is open")
    desk.says("sam", "digest now")
    assert "1 Kim Lee: the gate is open" in desk.heard("sam")[-1]


def test_leaving_what_waits_and_nothing_for_it(desk: Desk) -> None:
    desk.says("bob", "follow #win")
    desk.says("bob", "digest #win")
    desk.says("kim", "we have it #win")
    desk.says("kim", "and more #win")
    desk.says("bob", "prefer nothing for #win")
    desk.heard("bob")
    desk.says("bob", "digest now")
    assert desk.heard("bob") == ["Your digest of 2 updates comes now."]
    assert {(state, why) for state, _, why in desk.states()} == {("cancelled", "off")}
    desk.clean()


def test_a_way_that_cannot_be_is_refused(desk: Desk) -> None:
    with transaction(desk.office.engine) as session:
        for handle, way, reason in (("sam", "mail", "no_mailbox"), ("priya", "text", "no_phone")):
            person = accounts.by_handle(session, handle)
            assert person
            actor = Actor(person, "api", desk.office.settings, desk.office.registry.signer)
            with pytest.raises(Refused) as refused:
                ways.set_cause_way(session, actor, Cause.PERSON, way)
            assert refused.value.reason == reason
            with pytest.raises(Refused) as refused:
                ways.set_source_way(session, actor, 12345, "digest")
            assert refused.value.reason == "source_not_followed"


def test_what_needs_no_preference_makes_no_row(desk: Desk) -> None:
    desk.says("sam", "prefer")
    desk.says("sam", "prefer mail")
    desk.says("sam", "digest")
    desk.says("sam", "follow kim")
    assert desk.office.sql("SELECT FROM attention") == []
    assert desk.office.sql("SELECT FROM accounts WHERE chooses") == []
    desk.says("sam", "prefer digest for people")
    assert desk.office.sql("SELECT handle FROM accounts WHERE chooses") == [("sam",)]
    desk.says("bob", "zone tokyo")
    assert desk.office.sql("SELECT handle FROM accounts WHERE chooses") == [("sam",)]
    desk.says("bob", "follow kim")
    desk.says("bob", "prefer nothing for kim")
    assert desk.office.sql("SELECT handle FROM accounts WHERE chooses ORDER BY handle") == [("bob",), ("sam",)]
    desk.office.sql(
        "INSERT INTO attention (account_id, digest_every) SELECT id, 'day' FROM accounts WHERE handle = 'kim'"
    )
    assert desk.office.sql("SELECT FROM accounts WHERE chooses AND handle = 'kim'"), "also by the version before"


def test_phones_are_counted_as_people_chose(desk: Desk) -> None:
    desk.says("pat", "follow kim")
    ids = {str(handle): int(str(id_)) for handle, id_ in desk.office.sql("SELECT handle, id FROM accounts")}

    def phones(people: Sequence[int] = ()) -> int:
        with transaction(desk.office.engine) as session:
            return phone_estimate.phones(session, [ids["kim"]], people)

    assert phones() == 2  # Pat and Sam
    assert phones([ids["bob"], ids["pat"]]) == 4
    desk.says("pat", "prefer mail")
    assert phones() == 1
    assert phones([ids["bob"], ids["pat"]]) == 2
    desk.says("sam", "prefer nothing for people")
    assert phones() == 0
    desk.says("sam", "prefer text for kim")
    assert phones() == 1
    desk.office.sql("UPDATE follows SET by_text = false")
    assert phones() == 1
    desk.says("sam", "prefer usual for kim")
    assert phones() == 0
    desk.says("sam", "prefer text for people")
    assert phones() == 1


def test_where_people_are_reached_is_where_fan_outs_send(desk: Desk) -> None:
    ids = {str(handle): int(str(id_)) for handle, id_ in desk.office.sql("SELECT handle, id FROM accounts")}
    people = [ids["pat"], ids["sam"]]
    desk.office.sql(
        "INSERT INTO attention (account_id, prefer) SELECT id, 'mail' FROM accounts WHERE handle IN ('pat', 'sam')"
    )
    with transaction(desk.office.engine) as session:
        assert [each.channel for each in reachability.reached(session, people)] == ["email", "sms"] or [
            each.channel for each in reachability.reached(session, people)
        ] == ["sms", "email"]
        assert reachability.find_ready(session, people, ids["kim"]).unreached == ()
    desk.office.sql("UPDATE attention SET private = 'nothing'")
    with transaction(desk.office.engine) as session:
        names = [each.name for each in reachability.find_ready(session, people, ids["kim"]).unreached]
        assert names == ["Pat Quinn", "Sam Ortiz"]


some_way = st.none() | st.sampled_from(WAYS)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(
    prefer=st.booleans(),
    chosen=st.lists(some_way, min_size=len(COLUMNS), max_size=len(COLUMNS)),
    follow=st.tuples(st.booleans(), st.none() | st.sampled_from(WAYS[:3])),
    tag=st.none() | st.tuples(st.booleans(), some_way),
    words=st.sampled_from(["open #win", "@pat open #win", "@pat open", "open"]),
    box=st.sampled_from(["true", "state = 'stopped'", "bouncing_since = now()", "receiving = false"]),
)
def test_fan_outs_and_the_last_decision_agree(  # type: ignore[no-untyped-def]
    office: Office, prefer, chosen, follow, tag, words, box
) -> None:
    """Where the fan-out puts an item, nothing is redirected when nothing changes: chosen_way says in SQL what
    attention/ways says in Python."""
    office.sql("DELETE FROM deliveries")
    office.sql("DELETE FROM attention")
    office.sql("DELETE FROM follows WHERE follower_id = (SELECT id FROM accounts WHERE handle = 'pat')")
    office.sql("DELETE FROM topic_follows")
    office.sql(
        "UPDATE addresses SET state = 'verified', bouncing_since = NULL, receiving = true WHERE channel = 'email'"
    )
    if box != "true":
        office.sql(f"UPDATE addresses SET {box} WHERE address = 'pat@demo.example'")
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    values = ", ".join(f":{name}" for name in COLUMNS)
    office.sql(
        f"INSERT INTO attention (account_id, prefer, {columns}) SELECT id, :prefer, {values} FROM accounts"
        " WHERE handle = 'pat'",
        prefer="mail" if prefer else None,
        **dict(zip(COLUMNS, chosen, strict=True)),
    )
    office.sql(
        "INSERT INTO follows (follower_id, account_id, by_text, way) SELECT p.id, k.id, :by_text, :way"
        " FROM accounts p, accounts k WHERE p.handle = 'pat' AND k.handle = 'kim'",
        by_text=follow[0],
        way=follow[1],
    )
    office.sql("INSERT INTO topics (tag) VALUES ('win') ON CONFLICT DO NOTHING")
    if tag:
        office.sql(
            "INSERT INTO topic_follows (follower_id, topic_id, by_text, way) SELECT p.id, t.id, :by_text, :way"
            " FROM accounts p, topics t WHERE p.handle = 'pat'",
            by_text=tag[0],
            way=tag[1],
        )
    office.says("kim", words)
    office.read()
    office.sql("UPDATE fanouts SET not_before = now() WHERE state = 'waiting'")
    while office.spread():
        pass
    with transaction(office.engine) as session:
        pat = accounts.by_handle(session, "pat")
        assert pat
        mine = {each.id for each in addresses.of_account(session, pat.id)}
    keys = [
        (int(str(message)), int(str(address)))
        for message, address in office.sql("SELECT message_id, address_id FROM deliveries WHERE ended_at IS NULL")
        if int(str(address)) in mine
    ]
    assert len(keys) <= 1
    with transaction(office.engine) as session:
        decided = delivery_decisions.find(session, keys)
    assert not any(isinstance(each, Redirect) for each in decided.refused.values())
