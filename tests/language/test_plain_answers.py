"""Plain words that answer the question about private words, and what only looks so; answers that came too early."""

from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.language.grammar import read
from gateway.language.model.reading import Choice, Context, Item, OpenQuestion, Reading
from gateway.ledger.inbox.inbox import Incoming
from tests.support.language_table import KIM, VERBS, resolver
from tests.support.office import Office

KEPT = frozenset({"POST", "DROP"})
ONE = OpenQuestion("private", (Choice("Kim Lee"),), KEPT)
THREAD = OpenQuestion("thread", (Choice("Kim Lee"),), KEPT)
TWO = OpenQuestion("private", (Choice("Kim Lee"), Choice("Pat")), KEPT)
MORE = OpenQuestion("private", (Choice("Kim Lee"),), KEPT, with_others=True)
NOBODY = OpenQuestion("private", (), KEPT)
CONFIRM = OpenQuestion("confirm", (), frozenset({"OK", "DROP"}))

PRIVATELY = [
    "privately", "Privately please", "In private.", "private!", "only him", "just her", "only to him", "to her only",
    "just kim", "Only Kim Lee", "to kim", "for Kim only", "kim only", "privately to kim", "send it to kim privately",
    "keep it private", "it's private", "no, privately please", "ok privately", "dm her", "it was meant for kim",
    "en privado", "En privado, por favor", "solo a él", "sólo kim", "a ella", "privado",
]  # fmt: skip
POSTED = ["post it", "Post it please", "yes, post it", "post this", "post that!", "please post them"]
TO_ALL = [
    "to everyone", "Everyone", "everybody!", "publicly", "In public", "Tell everyone please", "make it public",
    "yes, to everyone", "share it with everybody", "the whole company", "to all my followers", "a todos", "todos",
    "públicamente", "publícalo", "a todo el mundo", "dilo a todos",
]  # fmt: skip
DELETE = [
    "delete it", "Delete", "delete that please", "forget it", "Forget about it", "never mind", "Nevermind!", "drop it",
    "no, forget it", "don't send it", "Don\u2019t send", "scrap that", "cancel it", "throw it away", "discard",
    "erase it",
    "bórralo", "olvídalo", "déjalo", "No importa", "borra eso", "elimínalo",
]  # fmt: skip
UNCLEAR = [
    "not everyone", "don't post it", "no to everyone", "to everyone?", "privately?", "¿a todos?", "no lo publiques",
    "never publish that", "public or private", "not private",
]  # fmt: skip
PROSE = [
    "lunch at noon", "everyone is here", "just kim and me in the office", "delete the old files on the server",
    "only one left", "to kim, the van is late", "privately owned vans are back", "post office closes at 5",
    "forget about lunch", "never mind the gap at dock 4", "public holiday on Monday", "todos a la mesa",
    "private parking",
]  # fmt: skip


def meant(text: str, question: OpenQuestion | None, **context: object) -> Reading:
    return read(text, "sms", VERBS, resolver, Context(question=question, **context))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", PRIVATELY)
def test_privately_is_the_one_choice(text):
    for question in (ONE, THREAD):
        assert (meant(text, question).intent, meant(text, question).args) == ("choice", ("1",))
    assert meant(text, NOBODY).intent == meant(text, CONFIRM).intent == "error"


@pytest.mark.parametrize("text", TO_ALL)
def test_to_everyone_without_the_word_post_is_asked_again(text):
    for question in (ONE, THREAD, TWO, MORE, NOBODY, CONFIRM):
        assert meant(text, question).intent == "error"


@pytest.mark.parametrize("text", POSTED)
def test_post_it_is_post_where_that_is_offered(text):
    for question in (ONE, THREAD, TWO, MORE, NOBODY):
        assert (meant(text, question).intent, meant(text, question).args) == ("choice", ("POST",))
    assert meant(text, CONFIRM).intent == "error"


@pytest.mark.parametrize("text", DELETE)
def test_forget_it_is_drop(text):
    for question in (ONE, THREAD, TWO, MORE, NOBODY, CONFIRM):
        assert (meant(text, question).intent, meant(text, question).args) == ("choice", ("DROP",))


@pytest.mark.parametrize("text", UNCLEAR)
def test_what_is_not_clear_is_asked_again(text):
    for question in (ONE, THREAD, NOBODY):
        assert meant(text, question).intent == "error", meant(text, question)


@pytest.mark.parametrize("text", PROSE)
def test_sentences_are_no_answers(text):
    for question in (ONE, THREAD, TWO, MORE, NOBODY):
        assert meant(text, question).intent == meant(text, None).intent != "choice"


def test_a_name_chooses_among_those_who_are_offered():
    assert [meant(text, TWO).args for text in ("just pat", "kim", "only to Kim Lee")] == [("2",), ("1",), ("1",)]
    for text in ("privately", "only him", "just dave", "both"):
        assert meant(text, TWO).intent == "error"
    for text in ("just kim", "only him", "kim only"):  # 1 is more people than that
        assert meant(text, MORE).intent == "error"
    assert meant("both", MORE).args == meant("privately", MORE).args == ("1",)


def test_they_may_be_meant_for_a_private_message_that_came_since():
    item = Item(1, KIM, private=True, age=1)
    asked = OpenQuestion("private", ONE.choices, KEPT, age=5)
    for text in ("to everyone", "privately", "forget it", "publicly"):
        reading = meant(text, asked, last=item)
        assert (reading.intent, reading.privacy) == ("ask", "direct"), reading


def test_without_a_question_they_are_what_they_were():
    for text in ("privately", "to everyone", "forget it", "a todos"):
        assert meant(text, None).intent == "update"
        late = meant(text, None, ran_out=ONE)
        assert (late.intent, str(late.reason)) == ("error", "that question has run out; nothing was changed")


@given(
    st.sampled_from([*PRIVATELY, *TO_ALL, *DELETE, *UNCLEAR]),
    st.sampled_from([ONE, THREAD, TWO, MORE, NOBODY, CONFIRM]),
)
@settings(deadline=None)
def test_nothing_but_the_word_post_publishes(text, question):
    for said in (text, text.upper(), f"{text} please", f"\u201c{text}", f"  {text}!!"):
        reading = meant(said, question)
        assert reading.args != ("POST",)


def test_what_was_sent_before_the_question_answers_nothing():
    for text in ("1", "POST", "post", "drop", "ok", "no", "privately", "to everyone", "forget it"):
        reading = meant(text, OpenQuestion("private", ONE.choices, KEPT, unseen=True))
        assert reading.intent == "error"
        assert "before this question" in str(reading.reason)
    assert meant("lunch", OpenQuestion("private", ONE.choices, KEPT, unseen=True)).intent == "update"


def posts(office: Office) -> list[tuple[str, str]]:
    return [(str(row[0]), str(row[1])) for row in office.sql("SELECT visibility, text FROM posts ORDER BY id")]


def say(office: Office, who: str, *texts: str) -> str:
    """Each is read before the next comes; the last answer."""
    for words in texts:
        office.says(who, words)
        office.read()
    return str(office.sql("SELECT text FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")[0][0])


@pytest.mark.parametrize("answer", ["privately", "just bob", "only him", "1", "en privado"])
def test_it_is_sent_to_the_one_who_was_offered(office, answer):
    say(office, "kim", "message bob the plan is off", answer)
    assert posts(office) == [("direct", "the plan is off")]


def test_posted_and_deleted_in_plain_words(office):
    say(office, "kim", "message bob the plan is off", "not everyone", "to everyone", "post it")
    say(office, "kim", "message bob my salary", "forget it")
    assert posts(office) == [("company", "message bob the plan is off")]
    assert office.sql("SELECT count(*) FROM drafts WHERE expires_at > now()")[0][0] == 0


def test_three_names_get_it_and_only_all_of_them(office):
    answer = say(office, "kim", "message bob, sam and dana: the plan is off")
    assert "Bob Reyes, Sam Ortiz and Dana Wu" in answer
    assert len(answer) <= 160
    assert posts(office) == []
    say(office, "kim", "just bob")
    assert posts(office) == []
    say(office, "kim", "1")
    assert posts(office) == [("direct", "the plan is off")]
    assert office.sql("SELECT count(*) FROM post_recipients")[0][0] == 3


@pytest.mark.parametrize("answer", ["POST", "1", "to everyone", "no", "DROP"])
def test_an_answer_sent_before_still_open_was_read_is_not_its_answer(office, answer):
    """Two answers in one breath: the first is for the newer question, the second came before the older was told."""
    say(office, "kim", "message bob my salary", "message sam my bonus")
    office.says("kim", "DROP")
    office.says("kim", answer)
    office.read()
    assert posts(office) == []
    assert office.sql("SELECT text FROM drafts WHERE expires_at > now()")[0][0] == "message bob my salary"
    last = say(office, "kim", "whois bob") and office.sql("SELECT text FROM messages WHERE kind = 'answer'")
    assert any("before this question" in str(row[0]) for row in last)
    say(office, "kim", "DROP")
    assert office.sql("SELECT count(*) FROM drafts WHERE expires_at > now()")[0][0] == 0


def test_in_spanish_on_the_whole_road(office):
    office.sql("UPDATE accounts SET language = 'es' WHERE handle = 'kim'")
    assert "Sam Ortiz" in say(office, "kim", "¡Sigue a Sam!")
    assert "Sam Ortiz" in say(office, "kim", "¿quién es Sam?")
    say(office, "kim", "solo para bob: mi sueldo", "¿a todos?", "a Bob, en privado", "solo para bob: no", "bórralo")
    assert posts(office) == [("direct", "mi sueldo")]


def mail(office: Office, body: str) -> str:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "pat@demo.example", "post@mail.example", ""
    mail.set_content(body)
    key = body.encode()
    office.accept(Incoming("email", key, "pat@demo.example", ("post@mail.example",), mail.as_bytes(), True, "<1@x>"))
    office.read()
    rows = office.sql("SELECT coalesce(body, text) FROM messages WHERE kind = 'answer' ORDER BY id DESC LIMIT 1")
    return str(rows[0][0])


def test_a_mail_with_a_slip_is_asked_and_one_in_plain_words_is_done(office):
    assert "no more mails" in mail(office, "unsubscibe")
    assert posts(office) == []
    assert "Mails are off" in mail(office, "please stop emailing me\n\n-- \nPat Quinn")
    assert posts(office) == []
    assert not office.sql("SELECT receiving FROM addresses WHERE address = 'pat@demo.example'")[0][0]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_question_about_many_names_fits_one_text(office, language):
    office.sql("UPDATE accounts SET language = :language WHERE handle = 'kim'", language=language)
    for names in ("bob, sam and dana", "bob, sam, dana and pat", "bob and sam and dana and pat and anne and dave"):
        answer = say(office, "kim", f"d {names}: the plan is off", "DROP") and office.sql(
            "SELECT max(length(text)) FROM messages WHERE kind = 'answer'"
        )
        assert int(str(answer[0][0])) <= 160
    assert posts(office) == []
