"""Offers after an update that asks something: who is offered, to whom, how often; what becomes of them at every point
where a worker may end, and beside other questions of the same phone."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.actions import offers as actions
from gateway.actions import undoing
from gateway.ledger.operations import restore_hold, retention
from gateway.ledger.outbox import due_work
from gateway.network.audience import private_repeats
from gateway.network.conversation import conversations, offer_words, offers
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.people import accounts, erase, export
from gateway.network.posts import posts
from gateway.store.database import transaction
from gateway.store.tables import Account, Address, Post
from tests.support import personas
from tests.support.delivering import Carrier, open_context
from tests.support.office import Office
from workers import offers as worker

ASKS = "who has the acme numbers?"


@pytest.fixture
def asked(office: Office) -> Office:
    """Bob, Dana and Pat wrote about acme, and nobody follows them. Sam and Priya follow Kim."""
    said = ("bob", "acme signed"), ("dana", "lunch with acme"), ("pat", "acme called"), ("pat", "acme called again")
    for who, words in said:
        office.says(who, words)
        office.work()
    return office


def offered(office: Office) -> list[tuple[object, ...]]:
    """(word, whom, asked) of each offer that was made."""
    rows = office.sql("""SELECT o.word, a.handle, w.asked_at IS NOT NULL FROM offers o
        JOIN offer_people w ON w.post_id = o.post_id JOIN accounts a ON a.id = w.account_id
        WHERE o.word IS NOT NULL ORDER BY o.post_id, w.place""")
    return [tuple(row) for row in rows]


def whom(office: Office) -> list[object]:
    return [row[1] for row in offered(office)]


def notices(office: Office, handle: str = "kim") -> list[str]:
    rows = office.sql(
        """SELECT m.text FROM messages m JOIN deliveries d ON d.message_id = m.id
        JOIN addresses a ON a.id = d.address_id JOIN accounts p ON p.id = a.account_id
        WHERE m.kind = 'notice' AND p.handle = :handle AND d.state <> 'cancelled' ORDER BY m.id""",
        handle=handle,
    )
    return [str(row[0]) for row in rows]


def question_of(office: Office, handle: str = "kim") -> AskedQuestion | None:
    with transaction(office.engine) as session:
        return conversations.open_question(session, phone(session, handle).id)


def phone(session: Session, handle: str) -> Address:
    known = next(person.phone for person in personas.PEOPLE if person.handle == handle)
    return session.scalars(select(Address).where(Address.address == known)).one()


def asks(office: Office, words: str = ASKS, who: str = "kim") -> None:
    office.says(who, words)
    office.work()


def private_to(office: Office, handle: str) -> list[str]:
    rows = office.sql(
        """SELECT m.text FROM posts p JOIN messages m ON m.post_id = p.id
        JOIN post_recipients r ON r.post_id = p.id JOIN accounts a ON a.id = r.account_id
        WHERE a.handle = :handle AND p.visibility = 'direct' AND p.deleted_at IS NULL ORDER BY p.id""",
        handle=handle,
    )
    return [str(row[0]) for row in rows]


def test_whoever_wrote_about_it_is_offered_and_asked_once(asked: Office) -> None:
    asks(asked)
    assert offered(asked) == [("acme", "pat", False), ("acme", "dana", False), ("acme", "bob", False)]
    assert len(notices(asked)) == 1
    asked.says("kim", "1")
    asked.says("kim", "1")
    asked.work()
    assert offered(asked) == [("acme", "pat", True), ("acme", "dana", True), ("acme", "bob", True)]
    assert [len(private_to(asked, who)) for who in ("bob", "dana", "pat", "sam")] == [1, 1, 1, 0]
    assert asked.sql("SELECT count(*) FROM posts WHERE visibility = 'direct'") == [(1,)]  # one post to all of them
    assert question_of(asked) is None


@pytest.mark.parametrize(
    "words",
    [
        "the acme numbers are here",
        "d pat who has the acme numbers?",
        "@bob who has the acme numbers?",
        "#sales who has the acme numbers?",
        "who about acme",
        "r acme?",
        "is it?",
        "who has the zeppelin?",
    ],
)
def test_what_asks_not_everyone_or_nothing_that_anybody_knows_makes_no_offer(asked: Office, words: str) -> None:
    asks(asked, words)
    assert offered(asked) == []
    assert asked.sql("SELECT count(*) FROM offers") == [(0,)]
    assert notices(asked) == []


def test_of_several_words_a_tag_comes_first_then_the_rarest(asked: Office) -> None:
    for who in ("bob", "dana", "sam"):
        asked.says(who, "the invoice of the forklift")
    for who in ("bob", "dana"):
        asked.says(who, "crates in the yard #moving")
    asked.work()
    asks(asked, "where are the crates, the forklift and the invoice?")
    assert {row[0] for row in offered(asked)} == {"crates"}
    asks(asked, "more crates? #moving ?", who="anne")
    assert {row[0] for row in offered(asked)} == {"crates", "#moving"}


def test_who_hears_the_author_anyway_is_not_offered(asked: Office) -> None:
    asked.says("bob", "follow kim")
    asked.work()
    asks(asked)
    assert whom(asked) == ["pat", "dana"]
    asked.says("dana", "track numbers")
    asked.work()
    asks(asked, "and who has more acme numbers?")
    assert whom(asked) == ["pat", "dana"]  # only one is left, which is too few


@pytest.mark.parametrize(
    "change",
    [
        "block kim",
        "mute kim",
        "connect off",
        "off",
        "please stop texting me",
        "STOP",
    ],
)
def test_who_cannot_or_does_not_want_to_be_asked_is_not_offered(asked: Office, change: str) -> None:
    asked.says("bob", change)
    asked.work()
    asks(asked)
    assert "bob" not in whom(asked)
    assert len(whom(asked)) == 2


@pytest.mark.parametrize("change", ["block bob", "connect off"])
def test_the_author_has_a_say_too(asked: Office, change: str) -> None:
    asked.says("kim", change)
    asked.work()
    asks(asked)
    assert "bob" not in whom(asked)
    assert bool(whom(asked)) == (change != "connect off")


def test_three_offers_a_day_to_one_author(asked: Office) -> None:
    for number in range(5):
        asks(asked, f"who has acme number {number}?")
        asked.says("kim", "drop")
        asked.work()
    assert asked.sql("SELECT count(*) FROM offers") == [(3,)]
    assert len(notices(asked)) == 3
    asked.sql("UPDATE offers SET offered_at = offered_at - interval '1 day'")
    asks(asked, "who has another acme number?")
    assert asked.sql("SELECT count(*) FROM offers") == [(4,)]


def test_each_person_is_asked_twice_a_day(asked: Office) -> None:
    hide = "INSERT INTO attention (account_id, connects) SELECT id, false FROM accounts WHERE handle = :who"
    show = "DELETE FROM attention a USING accounts p WHERE p.id = a.account_id AND p.handle = :who"
    for who in ("kim", "anne", "sam"):  # their questions are about acme, too
        asked.sql(hide, who=who)
    for who in ("kim", "anne", "sam"):
        asked.sql(show, who=who)
        asks(asked, "who has an acme number?", who)
        asked.says(who, "1")
        asked.work()
        asked.sql(hide, who=who)
    assert [len(private_to(asked, who)) for who in ("bob", "dana", "pat")] == [2, 2, 2]
    assert len(whom(asked)) == 6
    asked.sql("UPDATE offer_people SET asked_at = asked_at - interval '1 day'")
    asked.sql(show, who="sam")
    asks(asked, "who has the last acme number?", "sam")
    assert len(whom(asked)) == 9


def test_no_offer_in_quiet_hours_nor_where_it_is_off(asked: Office) -> None:
    asked.says("kim", "quiet 0-23:59")
    asks(asked)
    asked.says("kim", "quiet off")
    asked.says("kim", "off")
    asks(asked, "who has more acme numbers?")
    assert asked.sql("SELECT count(*) FROM offers") == [(0,)]
    assert notices(asked) == []


def test_an_offer_never_takes_the_place_of_another_question(asked: Office) -> None:
    asked.says("kim", "new garden")
    asked.work()
    before = question_of(asked)
    asks(asked)
    assert question_of(asked) == before
    assert asked.sql("SELECT count(*) FROM offers") == [(0,)]


def test_a_question_after_an_offer_comes_first_and_the_offer_waits(asked: Office) -> None:
    asks(asked)
    for words in ("new garden", "drop"):
        asked.says("kim", words)
        asked.work()
    now = question_of(asked)
    assert now is not None
    assert now.kind == offers.KIND
    answer = asked.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")[0][0]
    assert "3 people wrote about acme" in str(answer) or "1, DROP" in str(answer)


@pytest.mark.parametrize("by", ["undo", "page"])
def test_an_update_that_is_taken_back_before_makes_no_offer(asked: Office, by: str) -> None:
    asked.says("kim", ASKS)
    while asked.read() or asked.spread():
        pass
    asked.says("kim", "undo")
    asked.read()
    asked.work()
    assert asked.sql("SELECT count(*) FROM offers") == [(0,)]
    assert notices(asked) == []


def test_an_update_that_is_taken_back_after_ends_its_offer(asked: Office) -> None:
    asks(asked)
    asked.says("kim", "undo")
    asked.work()
    assert question_of(asked) is None
    with transaction(asked.engine) as session:
        actor = asked.actor(session)
        (post_id,) = session.scalars(text("SELECT post_id FROM offers")).all()
        assert actions.ask_offered(session, actor, post_id).names == ()
    assert asked.sql("SELECT count(*) FROM posts WHERE visibility = 'direct'") == [(0,)]


def test_undo_takes_the_private_question_back(asked: Office) -> None:
    asks(asked)
    asked.says("kim", "1")
    asked.work()
    asked.says("kim", "undo")
    asked.work()
    assert asked.sql("SELECT count(*) FROM posts WHERE visibility = 'direct' AND deleted_at IS NULL") == [(0,)]
    assert asked.sql("SELECT count(*) FROM posts WHERE text = :it AND deleted_at IS NULL", it=ASKS) == [(1,)]
    with transaction(asked.engine) as session:
        (post_id,) = session.scalars(text("SELECT post_id FROM offers")).all()
        assert actions.ask_offered(session, asked.actor(session), post_id).names == ()  # asked is asked


@pytest.mark.parametrize("change", ["connect off", "block kim", "off", "STOP"])
def test_who_does_not_want_it_between_offer_and_answer_is_left_out(asked: Office, change: str) -> None:
    asks(asked)
    asked.says("dana", change)
    asked.work()
    asked.says("kim", "1")
    asked.work()
    assert private_to(asked, "dana") == []
    assert [len(private_to(asked, who)) for who in ("bob", "pat")] == [1, 1]


def test_when_nobody_is_left_nothing_is_sent_and_that_is_said(asked: Office) -> None:
    asks(asked)
    for who in ("bob", "dana", "pat"):
        asked.says(who, "connect off")
    asked.says("kim", "1")
    asked.work()
    answer = asked.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")[0][0]
    assert answer == "None of them can be asked any more. Nothing was sent."
    assert question_of(asked) is None


def test_its_words_are_public_and_may_be_said_again(asked: Office) -> None:
    words = "who of you knows the new contact for the acme numbers of last month?"
    asks(asked, words)
    asked.says("kim", "1")
    asked.work()
    with transaction(asked.engine) as session:
        private_repeats.catch_up(session)
    for who in ("kim", "bob"):
        asks(asked, f".{words}", who)
    assert asked.sql("SELECT count(*) FROM posts WHERE visibility = 'company' AND text = :it", it=words) == [(3,)]


def test_nobody_answers_the_offer_of_another(asked: Office) -> None:
    asks(asked)
    with transaction(asked.engine) as session:
        (post_id,) = session.scalars(text("SELECT post_id FROM offers")).all()
        assert actions.ask_offered(session, asked.actor(session, "anne"), post_id).names == ()


def test_each_reads_it_in_their_language_and_undo_takes_all_back(asked: Office) -> None:
    asked.says("bob", "lang es")
    asks(asked)
    asked.says("kim", "1")
    asked.work()
    assert private_to(asked, "bob")[0].startswith("Kim Lee te pregunta, porque escribiste sobre acme: who has")
    assert private_to(asked, "pat")[0].startswith("Kim Lee asks you, because you wrote about acme: who has")
    with transaction(asked.engine) as session:
        undoing.undo(session, asked.actor(session))
    assert asked.sql("SELECT count(*) FROM posts WHERE visibility = 'direct' AND deleted_at IS NULL") == [(0,)]


def test_an_answer_goes_to_the_author_alone(asked: Office) -> None:
    asks(asked)
    asked.says("kim", "1")
    asked.work()
    asked.says("bob", "r ask anne")
    asked.work()
    assert private_to(asked, "kim") == ["Bob Reyes (private): ask anne"]


def test_words_of_private_posts_and_closed_groups_offer_nobody(office: Office) -> None:
    for who in ("bob", "dana", "pat"):
        office.says(who, "d anne the merger is on")
    office.says("anne", "#board the merger is on")
    office.says("anne", "#board the merger, again")
    office.work()
    asks(office, "who knows about the merger?", "sam")
    assert offered(office) == []


def test_a_part_that_comes_later_decides(asked: Office) -> None:
    asked.says("kim", "1/2 who has the acme")
    asked.read()
    asked.says("kim", "2/2 numbers?")
    asked.read()
    assert asked.sql("SELECT count(*) FROM offers WHERE due_at > now()") == [(1,)]
    asked.sql("UPDATE fanouts SET not_before = now()")
    asked.sql("UPDATE offers SET due_at = now()")
    asked.work()
    assert whom(asked) == ["pat", "dana", "bob"]


def test_it_waits_until_the_update_is_spread(asked: Office) -> None:
    asked.says("kim", ASKS)
    asked.read()
    assert asked.offer()
    assert offered(asked) == []
    assert asked.sql("SELECT count(*) FROM offers WHERE due_at > now()") == [(1,)]
    asked.sql("UPDATE offers SET due_at = now()")
    asked.work()
    assert len(offered(asked)) == 3


def test_after_an_hour_it_is_of_no_use(asked: Office) -> None:
    asked.says("kim", ASKS)
    while asked.read() or asked.spread():
        pass
    asked.sql("UPDATE posts SET created_at = created_at - interval '61 minutes' WHERE text = :it", it=ASKS)
    asked.work()
    assert asked.sql("SELECT count(*) FROM offers") == [(0,)]


def test_by_mail_the_offer_and_its_answer_are_mails(asked: Office) -> None:
    asked.sql("UPDATE addresses SET state = 'suspended' WHERE address = '+14155550101'")
    with transaction(asked.engine) as session:
        kim = asked.actor(session).account
        post = posts.publish(session, posts.NewPost(kim, ASKS, "company", "email"))
        assert offers.schedule(session, session.get_one(Post, post.id), timedelta(0))
    asked.work()
    rows = asked.sql("""SELECT d.channel FROM messages m JOIN deliveries d ON d.message_id = m.id
        WHERE m.kind = 'notice' AND m.text LIKE '3 people%'""")
    assert rows == [("email",)]


# Crashes, two workers, trouble


def due(office: Office) -> bool:
    with transaction(office.engine) as session:
        return "offers" in due_work.look(session).drains


@pytest.fixture
def context(asked: Office) -> Iterator[object]:
    made = open_context(asked.settings, Carrier("sms"), Carrier("email"))
    yield made
    made.close()


def test_a_worker_that_ends_before_its_commit_forgets_and_repeats_nothing(
    asked: Office, context: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.says("kim", ASKS)
    while asked.read() or asked.spread():
        pass
    assert due(asked)

    def end(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(offers.outbox, "put", end)
        with pytest.raises(SystemExit):
            worker.step(context)  # type: ignore[arg-type]
    assert offered(asked) == []
    assert question_of(asked) is None
    assert due(asked)
    assert worker.step(context)  # type: ignore[arg-type]
    assert not worker.step(context)  # type: ignore[arg-type]
    assert len(notices(asked)) == 1
    assert not due(asked)


def test_one_that_cannot_be_made_waits_and_the_others_go_on(
    asked: Office, context: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in ("kim", "anne"):
        asked.says(who, ASKS)
    while asked.read() or asked.spread():
        pass
    find = offer_words.find_topics

    def broken(session: Session, post: Post, author: Account) -> object:
        if author.handle == "kim":
            raise ValueError("broken")
        return find(session, post, author)

    monkeypatch.setattr(offers.offer_words, "find_topics", broken)
    while worker.step(context):  # type: ignore[arg-type]
        pass
    assert [len(notices(asked, who)) for who in ("kim", "anne")] == [0, 1]
    assert asked.sql("SELECT count(*) FROM offers WHERE word IS NULL AND due_at > now()") == [(1,)]


def test_two_workers_make_no_offer_too_many(asked: Office) -> None:
    for number in range(6):
        asked.says("kim", f"who has acme number {number}?")
    while asked.read() or asked.spread():
        pass
    asked.sql("UPDATE offers SET due_at = now()")

    def work() -> None:
        while asked.offer():
            asked.sql("UPDATE conversations SET question = NULL")

    both = [threading.Thread(target=work) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(notices(asked)) == 3


def test_a_text_that_is_read_meanwhile_waits_for_the_offer(asked: Office) -> None:
    """It holds the phone's row, as reading a text does: the question that the text leads to comes before the offer, and
    does not take its place."""
    asked.says("kim", ASKS)
    while asked.read() or asked.spread():
        pass
    with transaction(asked.engine) as session:
        (offer,) = offers.due(session, 1)
        offers.make(session, asked.settings, offer)
        asked.says("kim", "new garden")
        reading = threading.Thread(target=asked.read)
        reading.start()
        reading.join(0.5)
        assert reading.is_alive()
    reading.join()
    open_ = question_of(asked)
    assert open_ is not None
    assert open_.kind == "confirm"
    assert open_.about["before"]["kind"] == offers.KIND


# What else knows of offers


def test_a_restore_holds_no_offer_and_asks_nobody_later(asked: Office) -> None:
    asks(asked)
    asked.says("anne", ASKS)
    asked.read()
    with transaction(asked.engine) as session:
        restore_hold.hold(session)
    assert asked.sql("SELECT count(*) FROM offers WHERE word IS NULL") == [(0,)]
    assert not due(asked)
    assert question_of(asked) is None


def test_an_export_has_them_and_an_erasure_leaves_nothing(asked: Office) -> None:
    asks(asked)
    asked.says("kim", "1")
    asked.work()
    with transaction(asked.engine) as session:
        kim, bob = (accounts.by_handle(session, who) for who in ("kim", "bob"))
        assert kim is not None
        assert bob is not None
    with transaction(asked.engine) as session:
        assert [row["word"] for row in export.everything(session, kim)["offers"]] == ["acme"]
    with transaction(asked.engine) as session:
        assert [row["author"] for row in export.everything(session, bob)["asked_about"]] == ["kim"]
    with transaction(asked.engine) as session:
        erase.erase(session, session.get_one(Account, bob.id), "test")
    assert "bob" not in whom(asked)
    assert asked.sql("SELECT count(*) FROM posts WHERE author_id = :id AND search IS NOT NULL", id=bob.id) == [(0,)]
    with transaction(asked.engine) as session:
        erase.erase(session, session.get_one(Account, kim.id), "test")
    assert asked.sql("SELECT count(*) FROM offers") == [(0,)]
    assert asked.sql("SELECT count(*) FROM offer_people") == [(0,)]


def test_an_erasure_takes_the_offers_whose_word_names_them(asked: Office) -> None:
    for who in ("dana", "pat"):
        asked.says(who, "bob is late again")
    asked.work()
    asks(asked, "where is bob?")
    assert {row[0] for row in offered(asked)} == {"bob"}
    with transaction(asked.engine) as session:
        bob = accounts.by_handle(session, "bob")
        assert bob is not None
        erase.erase(session, bob, "test")
    assert asked.sql("SELECT count(*) FROM offers") == [(0,)]
    still = "SELECT count(*) FROM posts WHERE (search @@ CAST('bob' AS tsquery)) <> (text ~ '\\mbob\\M')"
    assert asked.sql(still) == [(0,)]  # the search goes by the text: a name that may be anybody's stays in it
    assert question_of(asked) is None


def test_they_end_with_the_deliveries(asked: Office) -> None:
    asks(asked)
    ages = retention.RetentionAges(timedelta(days=30), timedelta(0), timedelta(days=1826))
    kind = next(kind for kind in retention.kinds(ages) if kind.name == "offers")
    with transaction(asked.engine) as session:
        retention.batch(session, kind, ages)
    assert asked.sql("SELECT count(*) FROM offers") == [(0,)]


def test_a_trace_tells_whom_it_offered(asked: Office) -> None:
    row = asked.says("kim", ASKS)
    asked.work()
    asked.says("kim", "1")
    asked.work()
    shown = asked.critter("trace", str(row))
    assert "offered to ask: @pat (asked), @dana (asked), @bob (asked)" in shown.output


@pytest.mark.parametrize(
    ("words", "so"),
    [("who?", True), ("who? ", True), ("(who?)", True), ("\u00bfqui\u00e9n?", True), ("\u8c01\uff1f", True),
     ("who?!", True), ("who", False), ("? who", False), ("", False)],
)  # fmt: skip
def test_what_asks(words: str, so: bool) -> None:
    assert offer_words.asks(words) is so


def test_the_offer_fits_one_text_with_long_names(asked: Office) -> None:
    long = {"bob": "Bartholomew Reyesson", "dana": "Dana Wurttembergerin", "pat": "Patricia Quinnsdotti"}
    for handle, name in long.items():
        asked.sql("UPDATE accounts SET name = :name WHERE handle = :handle", name=name, handle=handle)
    asks(asked)
    [said] = notices(asked)
    assert len(said) <= 160
    named = [handle for handle, name in long.items() if name in said]
    assert sorted(map(str, whom(asked))) == sorted(named)
    assert len(named) >= 2
