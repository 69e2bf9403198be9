"""The last line of defence, on the database: whichever way private words come back, nobody new reads them unasked."""

import time
from email.message import EmailMessage

import pytest

from gateway.ledger.inbox.inbox import Incoming
from gateway.ledger.operations import retention
from gateway.network.audience import private_repeats
from gateway.network.audience.private_repeats import Readers
from gateway.network.people import accounts
from gateway.store.database import transaction
from tests.support.databases import restructure
from tests.support.office import Office
from workers.upkeep.retention import ages

SECRET = "the budget is cut by a third, say nothing to the others"
EVERYONE = Readers(everyone=True)


@pytest.fixture
def told(office: Office) -> Office:
    """Kim told Sam and Pat privately, an hour ago; Anne told the board."""
    office.says("kim", f"d sam,pat {SECRET}")
    office.says("anne", "#board the plant at the river will be sold in the autumn")
    office.work()
    office.sql("UPDATE fanouts SET not_before = now() WHERE state = 'waiting'")
    office.work()
    office.sql(
        "UPDATE deliveries SET sent_at = sent_at - interval '1 hour', created_at = created_at - interval '1 hour'"
    )
    return office


def public(office: Office) -> list[str]:
    return [str(row[0]) for row in office.sql("SELECT text FROM posts WHERE visibility <> 'direct' ORDER BY id")][1:]


def answers(office: Office) -> list[str]:
    return [str(row[0]) for row in office.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id")]


@pytest.mark.parametrize(
    "said",
    [
        SECRET,
        f"Понравилось: {SECRET}",
        f"ስለ «Kim Lee (private): {SECRET}» ወደድኩ ብዬ አስባለሁ በእውነት በጣም ደስ ብሎኛል እኔም እንደዚሁ አስባለሁ",
        f"| {SECRET}\n\nreally?",
        "THE BUDGET IS CUT BY A THIRD – SAY NOTHING",
        f".{SECRET}",
        f'"{SECRET}"',
        f"@dana {SECRET}",
        f"#acme {SECRET}",
        f"@dana and @bob, {SECRET}",
        f"r {SECRET} #news",
    ],
)
def test_no_text_publishes_them(told, said):
    told.says("sam", "get kim") if said.startswith("r ") else None
    told.says("sam", said)
    told.work()
    assert public(told) == []


def test_neither_a_mail_nor_the_command_line_does(told):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "pat@demo.example", "post@mail.example", "news"
    mail.set_content(f"Von: Kim\nAn: mich\n\n{SECRET}\n")
    raw = mail.as_bytes()
    told.accept(Incoming("email", b"m1", "pat@demo.example", ("post@mail.example",), raw, True, "<1@demo.example>"))
    told.accept(Incoming("cli", b"c1", "sam", (), b"", True, None, SECRET))
    told.work()
    assert public(told) == []
    assert sum("This repeats what Kim Lee told you privately." in answer for answer in answers(told)) == 2


def test_post_is_the_yes_and_drop_the_no(told):
    for word in ("drop", "post"):
        told.says("sam", SECRET)
        told.work()
        told.says("sam", word)
        told.work()
    assert public(told) == [SECRET]


def test_who_did_not_get_them_may_say_the_same(told):
    told.says("dana", SECRET)
    told.says("bob", "the plant at the river will be sold in the autumn")
    told.work()
    assert len(public(told)) == 2


def test_leaving_the_group_and_undo_change_nothing(told):
    told.says("anne", "remove dave board")
    told.says("kim", "undo")
    told.work()
    told.sql("UPDATE posts SET deleted_at = now() WHERE visibility = 'direct'")
    with transaction(told.engine) as session:
        sam, dave = (accounts.by_handle(session, handle) for handle in ("sam", "dave"))
        assert sam
        assert dave
        assert private_repeats.find(session, sam, SECRET, EVERYONE)
        found = private_repeats.find(session, dave, "the plant at the river will be sold in the autumn", EVERYONE)
    assert found
    assert found.group == "board"


def test_readers_of_the_same_words_are_not_new(told):
    with transaction(told.engine) as session:
        ids = {
            handle: account.id
            for handle in ("kim", "sam", "pat", "bob")
            if (account := accounts.by_handle(session, handle))
        }
        sam = accounts.by_handle(session, "sam")
        assert sam
        assert private_repeats.find(session, sam, SECRET, Readers(people=[ids["kim"], ids["pat"]])) is None
        assert private_repeats.find(session, sam, SECRET, Readers(people=[ids["kim"], ids["bob"]]))


def test_posts_of_the_version_before_get_theirs(told):
    told.sql("DELETE FROM private_fingerprints")
    with transaction(told.engine) as session:
        assert (private_repeats.catch_up(session), private_repeats.catch_up(session)) == (2, 0)
    told.says("sam", SECRET)
    told.work()
    assert public(told) == []


def test_after_ninety_days_they_are_forgotten(told):
    words = "an old secret that nobody needs to keep any longer"
    told.sql(
        "INSERT INTO posts (id, author_id, visibility, text, via) SELECT id_at(now() - interval '91 days'), id,"
        " 'direct', :words, 'sms' FROM accounts WHERE handle = 'sam'",
        words=words,
    )
    old = ages(told.settings)
    kind = next(kind for kind in retention.kinds(old) if kind.name == "fingerprints")
    with transaction(told.engine) as session:
        post_id = int(str(told.sql("SELECT id FROM posts WHERE text = :words", words=words)[0][0]))
        private_repeats.keep(session, post_id, words)
        sam = accounts.by_handle(session, "sam")
        assert sam
        assert private_repeats.find(session, sam, words, EVERYONE) is None
        assert retention.batch(session, kind, old) == 1
    assert len(told.sql("SELECT 1 FROM private_fingerprints")) == 2


def test_no_words_stand_in_a_fingerprint(told):
    kept = " ".join(str(row[0]) for row in told.sql("SELECT runs::text FROM private_fingerprints"))
    assert kept
    assert not any(letter.isalpha() for letter in kept)


def test_a_look_costs_a_fraction_of_a_millisecond(told):
    """Among 20,000 private posts of hers; the best of many looks counts, for others use the machine, too."""
    told.sql("""
        INSERT INTO posts (author_id, visibility, text, via)
        SELECT (SELECT id FROM accounts WHERE handle = 'sam'), 'direct', 'one two', 'sms' FROM generate_series(1, 20000)
    """)
    told.sql("""
        INSERT INTO private_fingerprints (post_id, runs)
        SELECT id, ARRAY(SELECT (random() * 1e15)::bigint + place + 0 * posts.id FROM generate_series(1, 20) place)
        FROM posts WHERE text = 'one two'
    """)
    restructure(told.engine, "ANALYZE posts, private_fingerprints")
    with transaction(told.engine) as session:
        sam = accounts.by_handle(session, "sam")
        assert sam
        words = "starting the ACME proposal with a few more words so that it is as long as a text is on most days"
        took = []
        for _ in range(50):
            began = time.perf_counter()
            assert private_repeats.find(session, sam, words, EVERYONE) is None
            took.append(time.perf_counter() - began)
    assert min(took) < 0.003, min(took)
