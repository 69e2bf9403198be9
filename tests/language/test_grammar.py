"""The order of interpretation, on the normative examples, on what people type, and on anything at all."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.language.grammar import read
from gateway.language.model.reading import Choice, Context, Item, NamedAccount, OpenQuestion, Reading, ResolvedName
from gateway.language.opt_out.keywords import carrier_word
from gateway.language.privacy.plain_words import plainly_private
from gateway.language.privacy.private_messages import private_reading
from gateway.mail.parse.own_words import read_own_words as letter
from tests.support.examples import example_count
from tests.support.language_table import (
    BROADCAST,
    CONTEXT,
    DISPATCH,
    KIM,
    PAT,
    PRIVATE,
    SALES,
    VERBS,
    resolver,
    unescaped,
)

EXAMPLES = Path(__file__).parents[1] / "data" / "interpretations.tsv"
PRODUCT = Path(__file__).parents[2]


def meant(text: str, context: Context = CONTEXT, channel: str = "sms") -> Reading:
    return read(text, "email" if channel == "email" else "sms", VERBS, resolver, context)


def examples() -> list[tuple[str, str, str]]:
    rows = [line.split("\t") for line in EXAMPLES.read_text(encoding="utf-8").splitlines()[1:] if line]
    return [(unescaped(text), intent, third) for text, intent, third in rows]


# What the third column shows when it shows arguments; elsewhere it is a reason.
ARGUMENTS = {
    "on", "get", "follow", "unfollow", "direct", "group", "whois", "invite", "track", "nudge",
}  # fmt: skip


@pytest.mark.parametrize(("text", "intent", "third"), examples(), ids=lambda value: value[:30])
def test_the_normative_examples(text, intent, third):
    if third.startswith("by mail: "):
        mail = b"From: kim@corp.example\r\nSubject: hello\r\n\r\n" + text.replace("\n", "\r\n").encode()
        reading = meant(letter(mail).text, channel="email")
        third = third.removeprefix("by mail: ")
    else:
        reading = meant(text)
    assert reading.intent == intent
    if intent in ARGUMENTS:
        for word in third.split("; ")[: len(reading.args)]:
            if len(word.split()) < 3:
                assert word in reading.args or word == "phone or mailbox" or " " in word


def test_arguments_of_the_examples():
    shown = {text: meant(text).args for text, _, _ in examples()}
    assert shown["on sales"] == ("sales",)
    assert shown["d kim lunch?"] == ("kim", "lunch?")
    assert shown["@kim lunch?"] == ("kim", "lunch?")
    assert shown["#sales lunch?"] == ("sales", "lunch?")
    assert shown['track "big deal"'] == ("big deal",)
    assert shown["invite +14155550123"] == ("+14155550123",)
    assert shown['"follow sales"'] == ("follow sales",)
    assert shown["d kim my salary\nand more on line two"] == ("kim", "my salary\nand more on line two")


def test_no_example_stands_in_product_code():
    sentences = [text for text, _, _ in examples() if len(text.split()) >= 3]
    for folder in ("gateway", "handlers"):
        for path in (PRODUCT / folder).rglob("*.py"):
            code = path.read_text(encoding="utf-8").casefold()
            assert [each for each in sentences if each.casefold() in code] == [], path


# text, intent, arguments (None: not looked at), privacy
SPOKEN = [
    ("stop by my desk", "update", None, "company"),
    ("on it", "ask", ("it",), "company"),
    ("off to lunch", "update", None, "company"),
    ("Get well soon Kim!", "update", None, "company"),
    ("who is coming?", "update", None, "company"),
    ("d'accord", "update", ("d'accord",), "company"),
    ("do you have the key?", "update", None, "company"),
    ("Don't wait for me", "update", None, "company"),
    ("Didn\u2019t see it", "update", None, "company"),
    ("d. kim hi", "direct", ("kim", "hi"), "direct"),
    ("D: kim, pat lunch?", "direct", ("kim,pat", "lunch?"), "direct"),
    ("dm kim hello", "direct", ("kim", "hello"), "direct"),
    ("d @kim hi", "direct", ("kim", "hi"), "direct"),
    ("d@kim hi", "direct", ("kim", "hi"), "direct"),
    ("ｄ ｋｉｍ hi", "direct", ("kim", "hi"), "direct"),
    ("d ACME proposal", "direct", ("acme", "proposal"), "direct"),
    ("d kim\nlunch?", "direct", ("kim", "lunch?"), "direct"),
    ("d kim lee lunch?", "direct", ("kim", "lunch?"), "direct"),
    ("d kim,pat lunch?", "direct", ("kim,pat", "lunch?"), "direct"),
    ("d kim, are you there?", "direct", ("kim", "are you there?"), "direct"),
    ("d kim, kim hi", "direct", ("kim", "hi"), "direct"),
    ("d kim,patt lunch?", "ask", ("kim,patt", "lunch?"), "direct"),
    ("d kim, patt lunch?", "ask", ("kim,patt", "lunch?"), "direct"),
    ("d ACNE margin 12%", "ask", ("ACNE", "margin 12%"), "direct"),
    ("dd kim hi", "ask", ("kim", "hi"), "direct"),
    ("d-kim hi", "ask", ("kim", "hi"), "direct"),
    ("Dkim: hi", "ask", ("kim", "hi"), "direct"),
    ("dd the disk is slow", "update", None, "company"),
    ("d kim", "error", None, "direct"),
    ("d kim, pat", "error", None, "direct"),
    ("dkim", "error", None, "direct"),
    ("PM me the list", "ask", ("me", "the list"), "direct"),
    ("d@example.com is my new address", "update", None, "company"),
    (".d kim hi", "update", ("d kim hi",), "company"),
    ("leave at 5?", "update", None, "company"),
    ("last call", "ask", ("call",), "company"),
    ("like kim", "like", ("kim",), "company"),
    ("like", "like", (), "company"),
    ("like this", "ask", ("this",), "company"),
    ("off sales 2h", "off", ("sales", "2h"), "company"),
    ("off sales for 2 hours", "off", ("sales", "2h"), "company"),
    ("off till 9", "off", ("till 9",), "company"),
    ("off sales until monday", "off", ("sales", "till monday"), "company"),
    ("quiet 22-7", "off", ("mo,tu,we,th,fr,sa,su 22:00-07:00",), "company"),
    ("quiet 10pm-7am", "off", ("mo,tu,we,th,fr,sa,su 22:00-07:00",), "company"),
    ("on", "on", (), "company"),
    ("off", "off", (), "company"),
    ("Join sales!", "follow", ("sales",), "company"),
    ("join board", "join_request", ("board",), "company"),
    ("join kim", "ask", ("kim",), "company"),
    ("follow #launch", "follow", ("#launch",), "company"),
    ("follow kim 3d", "follow", ("kim", "3d"), "company"),
    ("follow kim and pat", "follow", ("kim,pat",), "company"),
    ("follow up with ACME tomorrow", "update", None, "company"),
    ("FOLLOW: sales", "follow", ("sales",), "company"),
    ("follow, sales", "follow", ("sales",), "company"),
    ("follow @kim", "follow", ("kim",), "company"),
    ("unfollow slaes", "error", ("slaes",), "company"),
    ("add slaes", "ask", ("slaes",), "company"),
    ("leave", "error", None, "company"),
    ("block the road", "update", None, "company"),
    ("mute kim 1d", "mute", ("kim", "1d"), "company"),
    ("get 3 kim", "get", ("3", "kim"), "company"),
    ("get #sales", "get", ("sales",), "company"),
    ("last kim", "get", ("kim",), "company"),
    ("who kim", "who", ("kim",), "company"),
    ("who about lunch", "who", ("about", "lunch"), "company"),
    ("Who about board meetings?", "who", ("about", "board meetings"), "company"),
    ("who about \u201cboard meeting\u201d", "who", ("about", '"board meeting"'), "company"),
    ("who about #lunch", "who", ("about", "#lunch"), "company"),
    ("who about the man that mended our printer?", "update", None, "company"),
    ("connect off", "setting", ("off",), "company"),
    ("Connect!", "setting", (), "company"),
    ("connect me with sales", "update", None, "company"),
    ("connect the printer", "update", None, "company"),
    ("connecting people", "update", None, "company"),
    ("who got", "receipts", (), "company"),
    ("Who got it?", "receipts", ("it",), "company"),
    ("who got kim", "receipts", ("kim",), "company"),
    ("who got #lunch", "receipts", ("#lunch",), "company"),
    ("who got lunch", "ask", ("lunch",), "company"),
    ("who got it first?", "update", None, "company"),
    ("help follow", "help", ("follow",), "company"),
    ("? leave", "help", ("unfollow",), "company"),
    ("help me", "ask", ("me",), "company"),
    ("undo!", "undo", (), "company"),
    ("new sales closed", "ask", ("sales", "closed"), "company"),
    ("new shoes for everyone", "update", None, "company"),
    ("name Kim Lee", "ask", ("Kim Lee",), "company"),
    ("lang pt-BR", "setting", ("pt-BR",), "company"),
    ("digest 8am", "setting", ("8am",), "company"),
    ("ack on", "setting", ("on",), "company"),
    ("link 123456", "link", ("123456",), "company"),
    ("link me", "ask", ("me",), "company"),
    ("invite +1 (415) 555-0123", "invite", ("+14155550123",), "company"),
    ("invite ann@corp.example", "invite", ("ann@corp.example",), "company"),
    ("track \u201cbig deal\u201d", "track", ("big deal",), "company"),
    ("@kim, @pat lunch?", "reply", ("kim", "@pat lunch?"), "company"),
    ("@nobody lunch?", "ask", ("nobody", "lunch?"), "company"),
    ("@kim", "error", ("kim",), "company"),
    ("@sales lunch?", "group", ("sales", "lunch?"), "group"),
    ("#sales: hello", "group", ("sales", "hello"), "group"),
    ("#launch today", "ask", ("launch", "today"), "group"),
    ("#baord margin", "ask", ("baord", "margin"), "group"),
    ("# 1 priority", "update", None, "company"),
    ("/foo bar", "error", (), "company"),
    ("/follow up with ACME", "error", (), "company"),
    ("/d kim hi", "direct", ("kim", "hi"), "direct"),
    ("/stop", "optout", (), "company"),
    ("/help", "help", (), "company"),
    (".stop", "update", ("stop",), "company"),
    (".follow sales", "update", ("follow sales",), "company"),
    (".", "update", (".",), "company"),
    ("\u201cfollow sales\u201d", "update", ("follow sales",), "company"),
    ("yes", "update", ("yes",), "company"),
    ("5", "error", (), "company"),
    ("post", "error", (), "company"),
    ("\u200b\ufeff ", "error", (), "company"),
]


@pytest.mark.parametrize(("text", "intent", "args", "privacy"), SPOKEN)
def test_what_people_type(text, intent, args, privacy):
    reading = meant(text)
    assert (reading.intent, reading.privacy) == (intent, privacy), reading
    assert args is None or reading.args == args
    assert reading.reason


def test_an_error_names_the_form_and_the_nearest():
    assert meant("unfollow slaes").near == (SALES,)
    assert (meant("leave").reason, meant("leave").form) == ("leave whom?", "leave NAME")
    assert meant("d ACNE margin").near[0].handle == "acme"
    assert meant("d ACNE margin").text == "d ACNE margin"


def test_the_open_question():
    question = OpenQuestion("who", (Choice("ACME"), Choice("Kim")), frozenset({"POST", "DROP"}))
    asked = Context(question=question)
    for text, word in (("1", "1"), ("2.", "2"), ("post", "POST"), ("Drop!", "DROP")):
        assert (meant(text, asked).intent, meant(text, asked).args) == ("choice", (word,))
    assert meant("3", asked).intent == "error"
    assert meant("ok", asked).intent == "error"  # it chooses nothing, and is no update either
    assert meant("drop sales", asked).intent == "unfollow"
    assert meant("d kim 1", asked).intent == "direct"
    assert meant("stop", asked).intent == "optout"


def test_a_bare_text_after_a_private_message_is_asked_about():
    for text in ("see you there", "ok", "yes", "leave the building now", "on it", "@nobody hi", "#launch today"):
        reading = meant(text, PRIVATE)
        assert (reading.intent, reading.privacy, reading.args) == ("ask", "direct", ("kim", text)), reading
    assert meant("follow sales", PRIVATE).intent == "follow"
    assert meant(".see you there", PRIVATE).intent == "update"


def test_the_chosen_thread_stays_private():
    chosen = Context(last=PRIVATE.last, private_thread=101)
    assert meant("see you there", chosen).intent == "direct"
    assert meant("see you there", chosen).names == (KIM,)
    other = Context(last=Item(200, PAT, private=True, age=1), private_thread=101)
    assert meant("see you there", other).intent == "ask"


def test_a_bare_text_after_a_broadcast_goes_to_its_posters():
    for text in ("yes", "no", "ok", "on it", "running late"):
        reading = meant(text, BROADCAST)
        assert (reading.intent, reading.args, reading.names) == ("direct", ("dispatch", text), (DISPATCH,))
        assert reading.privacy == "direct"


def test_half_an_hour_later_it_is_an_update():
    assert meant("see you there", Context(last=Item(1, KIM, private=True, age=31))).intent == "update"


def test_a_reply_is_as_private_as_its_item():
    assert meant("r ok", PRIVATE).privacy == "direct"
    assert meant("r ok", Context(last=Item(1, KIM, group=SALES))).privacy == "group"
    assert meant("r ok", Context()).intent == "error"
    tagged = Context(last=CONTEXT.last, tagged={"k7": Item(9, PAT, private=True)})
    reading = meant("r k7 ok", tagged)
    assert (reading.intent, reading.args, reading.privacy) == ("reply", ("pat", "ok"), "direct")
    assert meant("r k8 ok", tagged).intent == "error"


def test_a_name_whose_last_item_was_private_is_asked_about():
    reading = meant("@kim lunch?", PRIVATE)
    assert (reading.intent, reading.privacy, reading.args) == ("ask", "direct", ("kim", "lunch?"))


def test_yes_is_an_opt_in_only_from_an_opted_out_phone():
    assert meant("YES", Context(opted_out=True)).intent == "optin"
    assert meant("Start", CONTEXT).intent == "optin"


def test_machines_have_no_effect():
    assert meant("follow sales", Context(machine="auto-reply")).intent == "machine"
    assert meant("", Context(machine="auto-reply")).intent == "machine"
    assert meant("stop", Context(machine="short code")).intent == "optout"
    assert meant("stop", Context(machine="auto-reply"), "email").intent == "machine"


def test_mail():
    assert (meant("STOP", channel="email").intent, meant("STOP", channel="email").verb) == ("off", "off")
    assert meant("follow sales", channel="email").intent == "follow"
    assert meant("follow sales\nthanks", channel="email").intent == "update"
    assert meant("d kim hello\n\nmore of it", channel="email").privacy == "direct"
    assert meant("dkim hello\n\nmore of it", channel="email").intent == "ask"
    assert meant("r hello\nmore", PRIVATE, "email").privacy == "direct"
    assert meant("yes", Context(opted_out=True), "email").intent == "update"


def test_several_candidates_are_asked_about():
    def two(word: str) -> ResolvedName:
        return ResolvedName((KIM, PAT)) if word == "sam" else ResolvedName()

    for text in ("follow sam", "d sam hi"):
        reading = read(text, "sms", VERBS, two, CONTEXT)
        assert (reading.intent, reading.near) == ("ask", (KIM, PAT))


PAT_GROUP = NamedAccount(8, "pat", "group", "pat", "open")
PATQ = NamedAccount(9, "patq", "person", "Pat Quinn")


def test_a_handle_that_is_also_a_name_is_asked_about_in_private_only():
    def both(word: str) -> ResolvedName:
        known = {
            "pat": ResolvedName((PAT_GROUP,), also=(PATQ,)),
            "patq": ResolvedName((PATQ,)),
            "pat quinn": ResolvedName((PATQ,)),
        }
        return known.get(word, ResolvedName((KIM,), oneself=True) if word == "kim" else ResolvedName())

    for text in ("d pat my salary", "dm PAT, my salary", "d @patq,pat my salary", "dd pat my salary", "dpat my salary"):
        asked = read(text, "sms", VERBS, both, CONTEXT)
        assert (asked.intent, asked.privacy, asked.near) == ("ask", "direct", (PAT_GROUP, PATQ)), text
    assert "more than one is called pat" in read("d pat my salary", "sms", VERBS, both, CONTEXT).reason
    for text, who in (
        ("d #pat hi", PAT_GROUP),
        ("d @pat hi", PAT_GROUP),
        ("d patq hi", PATQ),
        ("d pat quinn hi", PATQ),
    ):
        meant = read(text, "sms", VERBS, both, CONTEXT)
        assert (meant.intent, meant.names) == ("direct", (who,)), text
    for text, intent in (("follow pat", "follow"), ("#pat hi", "group"), ("get pat", "get")):
        assert (lambda it: (it.intent, it.names[0]))(read(text, "sms", VERBS, both, CONTEXT)) == (intent, PAT_GROUP)
    assert read("d kim", "sms", VERBS, both, CONTEXT).reason == "that is you"


def test_the_stage_for_private_messages_sees_a_slip_and_no_word():
    assert private_reading("d kim hi", resolver)
    assert not private_reading("done with the deck", resolver)
    assert not plainly_private("done with the deck", resolver)


anything = st.text(st.characters(codec=None), max_size=80)
contexts = st.sampled_from([CONTEXT, PRIVATE, BROADCAST, Context(), Context(opted_out=True)])
heads = st.sampled_from([*VERBS, *VERBS, "@kim", "#sales", "kim", "dkim", "stop", "d@kim", "Liked", "/", ".", '"', ""])
words = st.sampled_from(
    ["kim", "pat,", "sales", "slaes", "up", "2h", "till 9", "with", "\n", "👍", "\u200b", "+14155550123"]
)
spoken = st.builds(lambda head, rest: " ".join([head, *rest]), heads, st.lists(words, max_size=4))
texts = st.one_of(anything, spoken)
channels = st.sampled_from(["sms", "email"])
INTENTS = frozenset(
    [
        "update",
        "direct",
        "reply",
        "group",
        "repeat",
        "like",
        "reaction",
        "follow",
        "unfollow",
        "on",
        "off",
        "get",
        "whois",
        "who",
        "stats",
        "following",
        "followers",
        "groups",
        "track",
        "untrack",
        "nudge",
        "invite",
        "block",
        "mute",
        "report",
        "undo",
        "new",
        "join_request",
        "setting",
        "login",
        "link",
        "why",
        "receipts",
        "help",
        "more",
        "choice",
        "optout",
        "optin",
        "ask",
        "error",
        "machine",
        "dropped",
    ]
)


@given(texts, contexts, channels)
@settings(deadline=None, max_examples=example_count(400))
def test_any_text_has_a_reading(text, context, channel):
    reading = meant(text, context, channel)
    assert reading.intent in INTENTS
    assert reading.reason
    assert all(isinstance(arg, str) for arg in reading.args)
    "".join((*reading.args, reading.text)).encode()


@given(texts, contexts, st.sampled_from([" ", "\n", "\t \r\n", "\u00a0"]), channels)
@settings(deadline=None, max_examples=example_count(200))
def test_outer_white_space_means_nothing(text, context, space, channel):
    assert meant(space + text + space, context, channel) == meant(text, context, channel)


@given(texts, contexts, channels)
@settings(deadline=None, max_examples=example_count(200))
def test_a_slash_never_posts(text, context, channel):
    assert meant("/" + text, context, channel).intent not in ("update", "group")


@given(texts, contexts)
@settings(deadline=None, max_examples=example_count(200))
def test_a_dot_never_commands(text, context):
    assert meant("." + text, context).intent == "update"


@given(
    st.sampled_from(["d", "D", "dm", "MSG", "pm:", "d.", "ｄ", "\u200bd", "d@kim", "dkim"]), texts, contexts, channels
)
@settings(deadline=None, max_examples=example_count(300))
def test_a_private_look_is_never_public(head, text, context, channel):
    reading = meant(f"{head} {text}", context, channel)
    assert reading.privacy == "direct"
    assert reading.intent in ("direct", "ask", "error")


@given(texts, contexts, channels)
@settings(deadline=None, max_examples=example_count(100))
def test_a_text_has_one_meaning(text, context, channel):
    assert meant(text, context, channel) == meant(text, context, channel)


@given(st.integers(0, 999), st.sampled_from(["", ".", "!", ")", " "]), st.integers(1, 3), channels)
def test_a_digit_never_publishes(digit, ending, choices, channel):
    asked = OpenQuestion("private", tuple(Choice(str(n)) for n in range(choices)), frozenset({"POST", "DROP"}))
    for context in (Context(question=asked), Context(ran_out=asked)):
        reading = meant(f"{digit}{ending}", context, channel)
        known = 1 <= digit <= choices
        assert reading.intent in ("choice", "error") or (context.ran_out and not known)


@given(
    st.sampled_from(["stop", "STOPALL", "Unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"]),
    contexts,
)
def test_carrier_words_are_never_anything_else(word, context):
    for ending in ("", ".", "!", " ", "!!!", " .", "\n"):
        assert meant(word + ending, context).intent == "optout"
        assert carrier_word(word + ending) == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "\x00" * 100_000,
        "d " + "kim," * 25_000,
        "a" * 100_000,
        "\u3000\u200d" * 50_000,
        "d " + "x" * 100_000,
        "track " + '"' + "a " * 50_000,
        "\ud800" * 1000,
        "@" * 100_000,
        "Liked " + '"' * 100_000,
        "follow " + "sales " * 20_000,
        "\U0001f44d\u200d" * 30_000,
        "d kim, " * 15_000,
        "! " * 50_000,
    ],
    ids=lambda text: ascii(text[:8]),
)
def test_long_and_broken_texts_are_read_quickly(text):
    start = time.thread_time()
    meant(text)
    assert time.thread_time() - start < 1.0
