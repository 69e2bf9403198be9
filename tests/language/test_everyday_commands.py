"""What people say where a command has its form: full names, small words, slips, opposites, and no false alarm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.language.grammar import read
from gateway.language.model.reading import Choice, Context, Item, NamedAccount, OpenQuestion, Reading, ResolvedName
from gateway.language.usage.verbs import spoken, table, verb
from gateway.language.words.typing_errors import ORDINARY
from tests.support import language_table
from tests.support.examples import example_count
from tests.support.language_table import BROADCAST, CONTEXT, KIM, PRIVATE, WORLD

VERBS = table(
    [
        *[row for row in dict.fromkeys(language_table.VERBS.values()) if row.name not in ("follow", "unfollow")],
        verb(
            "follow NAME [for]", "follow #TAG [for]", "add PERSON GROUP", aliases=("f", "sub", "add"),
            spanish="seguir, sigue, agregar=add",
        ),
        verb(
            "unfollow NAME", "unfollow #TAG", "remove PERSON GROUP", aliases=("leave", "unsub", "drop", "remove"),
            spanish="dejar, deja",
        ),
        verb("unmute NAME", aliases=("unblock",)),
    ]
)  # fmt: skip
ROSA = NamedAccount(20, "rosa", "person", "Rosa Silva")
ANA = NamedAccount(21, "anam", "person", "Ana María de la Cruz")
JEAN = NamedAccount(22, "jlu", "person", "Jean-Luc O'Neill")
ZOE = NamedAccount(23, "zoe", "person", "Zoe")
HARBOR = NamedAccount(24, "harbor", "group", "harbor", "open")
NIGHT = NamedAccount(25, "night", "group", "Night Shift", "open")
PEOPLE = (*WORLD, ROSA, ANA, JEAN, ZOE, HARBOR, NIGHT)


def resolver(word: str) -> ResolvedName:
    exact = tuple(
        each for each in PEOPLE if word in (each.handle, each.name.casefold(), each.name.casefold().split()[0])
    )
    near = () if exact else tuple(each for each in PEOPLE if _near(word, each.handle) or _near(word, each.name))
    return ResolvedName(exact, near)


def _near(word: str, name: str) -> bool:
    return language_table._distance(word, name.casefold()) <= 2


def meant(text: str, context: Context = CONTEXT) -> Reading:
    return read(text, "sms", VERBS, resolver, context)


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("follow", "follow"), ("unfollow", "unfollow"), ("leave", "unfollow"), ("whois", "whois"), ("who", "who"),
        ("mute", "mute"), ("block", "block"), ("get", "get"), ("get 3", "get"), ("nudge", "nudge"),
        ("stats", "stats"), ("like", "like"), ("rt", "repeat"), ("off", "off"), ("on", "on"), ("report", "report"),
        ("F", "follow"), ("W", "whois"), ("Last", "get"), ("unmute", "unmute"), ("/follow", "follow"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("Rosa Silva", ROSA), ("ROSA SILVA", ROSA), ("rosa silva.", ROSA), ("@Rosa Silva", ROSA),
        ("Ana María de la Cruz", ANA), ("ana maría de la cruz", ANA), ("Jean-Luc O'Neill", JEAN),
        ("kim lee", KIM), ("Rosa  Silva!", ROSA),
    ],
)  # fmt: skip
def test_a_full_name_is_an_argument(said, intent, name, who):
    reading = meant(f"{said} {name}")
    assert (reading.intent, reading.names) == (intent, (who,)), reading


@pytest.mark.parametrize(
    ("text", "intent", "args"),
    [
        ("follow Rosa Silva 2h", "follow", ("rosa", "2h")),
        ("mute rosa silva till 9", "mute", ("rosa", "till 9")),
        ("add Rosa Silva harbor", "follow", ("rosa", "harbor")),
        ("add Rosa Silva to harbor", "follow", ("rosa", "harbor")),
        ("add kim to the harbor group", "follow", ("kim", "harbor")),
        ("add kim to night shift", "follow", ("kim", "night")),
        ("remove kim from harbor", "unfollow", ("kim", "harbor")),
        ("join the Night Shift", "follow", ("night",)),
        ("join the harbor group please", "follow", ("harbor",)),
        ("leave the sales group", "unfollow", ("sales",)),
        ("mute zoe forever", "mute", ("zoe",)),
        ("mute zoe for ever.", "mute", ("zoe",)),
        ("mute zoe for good", "mute", ("zoe",)),
        ("block zoe permanently", "block", ("zoe",)),
        ("follow kim please", "follow", ("kim",)),
        ("please follow kim", "follow", ("kim",)),
        ("new group harborside", "ask", ("harborside",)),
        ("new group dock closed", "ask", ("dock", "closed")),
        ("create a group called dock", "ask", ("dock",)),
        ("follow kim and dave", "follow", ("kim,dave",)),
        ("mute kim, dave and rosa silva", "mute", ("kim,dave,rosa",)),
        ("get acme 3", "get", ("3", "acme")),
        ("get last 3 from acme", "get", ("3", "acme")),
        ("get 3 from acme", "get", ("3", "acme")),
        ("who is dave", "whois", ("dave",)),
        ("Who is Rosa Silva?", "whois", ("rosa",)),
        ("who's dave?", "whois", ("dave",)),
        ("undo last", "undo", ()),
        ("delete last", "undo", ()),
        ("delete that", "undo", ()),
        ("delete my last post", "undo", ()),
        ("how does this work?", "help", ()),
        ("How do I use this", "help", ()),
        ("subscribe to kim", "follow", ("kim",)),
        ("unmute kim", "unmute", ("kim",)),
        ("unblock Rosa Silva", "unmute", ("rosa",)),
        ("stats please", "stats", ()),
        ("off please", "off", ()),
        ("why?", "why", ()),
        ("Stats?", "stats", ()),
        ("groups?!", "groups", ()),
        ("undo…", "undo", ()),
        ("who got?", "receipts", ()),
        ("who?", "error", None),
        ("leave?", "error", None),
    ],
)
def test_what_is_understood(text, intent, args):
    reading = meant(text)
    assert reading.intent == intent, reading
    assert args is None or reading.args == args, reading


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("folow kim", "follow kim"), ("follwo kim", "follow kim"), ("unfolow Rosa Silva", "unfollow Rosa Silva"),
        ("mutee zoe", "mute zoe"), ("blok zoe 1d", ""), ("folow kim and dave", "follow kim and dave"),
        ("folow kim forever", "follow kim forever"), ("whios dave", "whois dave"), ("gte kim", "get kim"),
        ("nugde kim", "nudge kim"), ("follow kim to the lobby", "follow kim"), ("unmut zoe", "unmute zoe"),
        ("flolow to kim", "follow to kim"), ("adn kim to harbor", None),
    ],
)  # fmt: skip
def test_a_slip_in_the_verb_is_asked_about(text, form):
    reading = meant(text)
    assert (reading.intent, reading.privacy) == ("ask", "company"), reading
    assert reading.text == text
    if form:
        assert reading.form == form


@pytest.mark.parametrize(
    "text",
    [
        "flow chart is ready", "get well soon Kim", "get better soon", "off to ACME", "On to sales then",
        "met kim at noon",
        "At ACME all day", "in sales today", "Let Kim know", "follow up with ACME tomorrow", "on my way to ACME",
        "who is coming?", "stop by my desk", "leave the building now", "Party at Kim's", "fellow drivers, Kim is late",
        "like the new logo", "undoing the boxes", "delete the old files from acme", "how does the new lift work?",
        "help wanted in the yard", "block the road at gate 3", "last call for lunch", "add more tape to the list",
        "status of sales: fine", "live from ACME", "Kim and Dave are late", "12 pallets left", "1000",
        "track record is good",
    ],
)  # fmt: skip
def test_sentences_are_updates(text):
    assert meant(text).intent == "update", meant(text)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("follow Rosa Silba", (ROSA,)),
        ("whois rosa sliva", (ROSA,)),
        ("mute Rosa Silba", (ROSA,)),
        ("nudge Ivo Petrov", ()),
    ],
)
def test_a_full_name_that_is_nobodys_is_asked_about(text, near):
    reading = meant(text)
    assert (reading.intent, reading.near) == ("ask", near), reading


names = st.sampled_from(["kim", "Rosa Silva", "zoe", "sales", "Dave", "harbor", "@kim", "night shift", "ana"])
rests = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=40)
verbs = st.sampled_from(sorted(word for word in VERBS if word not in ("d", "dm", "msg", "pm") and " " not in word))
slips = st.builds(
    lambda word, at, how: {
        0: word[: at % len(word)] + word[at % len(word) + 1 :],
        1: word[: at % len(word)] + word[at % len(word)] + word[at % len(word) :],
        2: word[: at % len(word)] + "q" + word[at % len(word) + 1 :],
    }[how],
    st.sampled_from(["follow", "unfollow", "block", "nudge", "whois", "unmute", "unblock", "repeat", "report"]),
    st.integers(0, 8),
    st.integers(0, 2),
)


@given(st.one_of(verbs, slips), names, rests)
@settings(deadline=None, max_examples=example_count(400))
def test_a_verb_before_a_name_is_never_published_unasked(word, name, rest):
    if word in ORDINARY or (word in VERBS and VERBS[word].marked):  # "ask kim about it" is a sentence
        return
    reading = meant(f"{word} {name} {rest}")
    assert reading.intent not in ("update", "group") or reading.verb == "r", reading
    assert reading.intent != "reply" or reading.verb == "r", reading


@given(st.sampled_from(["#", "@"]), st.from_regex(r"[a-z]{3,9}", fullmatch=True), st.sampled_from(["", " lunch?"]))
def test_an_unknown_name_in_front_is_never_published_unasked(mark, word, rest):
    reading = meant(f"{mark}{word}{rest}")
    assert reading.intent == "ask" or resolver(word).exact, reading


def test_a_tag_that_somebody_follows_is_no_slip():
    context = Context(known_tag=lambda tag: tag == "launch")
    assert meant("#launch today", context).intent == "update"
    assert meant("#lunch today", context).intent == "ask"
    assert meant("#1 priority is tape", context).intent == "update"
    assert meant("@5pm in room 2", context).intent == "update"


@pytest.mark.parametrize("text", ["5", "1", "2.", "3)", "12", "#1", "２", "٣", "007"])
def test_a_lone_number_is_answered(text):
    reading = meant(text)
    assert reading.intent == "error", reading
    assert "asked" in reading.reason
    assert meant(f".{text}").intent == "update"


OPEN = OpenQuestion("confirm", (), frozenset({"OK", "POST", "DROP"}))
CHOICE = OpenQuestion("thread", (Choice("Kim Lee"),), frozenset({"POST", "DROP"}))
TOLD = OpenQuestion("told", (), frozenset({"POST"}))


@pytest.mark.parametrize(
    "text", ["y", "Yes", "YES!", "yeah", "yep", "sure", "ok", "OK.", "si", "Sí", "👍", "👍🏽", "yes please"]
)
def test_yes_is_ok(text):
    assert meant(text, Context(question=OPEN)).args == ("OK",)
    assert meant(text, Context(question=CHOICE)).intent in ("error", "reaction")  # never POST, never a digit
    assert meant(text, Context(last=BROADCAST.last, question=TOLD)).intent in ("direct", "reaction")


@pytest.mark.parametrize("text", ["n", "No", "no.", "nope", "NO!", "no thanks", "👎", "nah", "never mind"])
def test_no_is_drop(text):
    for question in (OPEN, CHOICE):
        assert meant(text, Context(question=question)).args == ("DROP",)
    assert meant(text, Context(last=BROADCAST.last, question=TOLD)).intent in ("direct", "reaction")


def test_yes_from_an_opted_out_phone_stays_the_carriers():
    assert meant("yes", Context(question=OPEN, opted_out=True)).intent == "optin"


@pytest.mark.parametrize(
    "text",
    [
        "follow:zoe", "follow@zoe", "mute@zoe", "leave:sales",
        "mute zoe's posts", "mute zoe\u2019s", "follow both zoe and kim",
        "follow everyone in sales", "follow ms zoe", "- follow zoe", "!follow zoe", "* follow Rosa Silva", "> mute zoe",
        "\U0001f449 follow zoe", "Fwd: follow zoe", "hey critter, follow zoe", "follow all in sales",
        "invite my friend zed@other.example", "invite +14155550000 please", "invite zed at zed@other.example to us",
    ],
)  # fmt: skip
def test_a_command_in_other_clothes_is_asked_about(text):
    assert meant(text).intent == "ask", meant(text)


@pytest.mark.parametrize(
    ("text", "intent", "args"),
    [
        ("un follow zoe", "unfollow", ("zoe",)), ("un mute zoe", "unmute", ("zoe",)),
        ("add me to the sales group", "follow", ("sales",)), ("remove me from sales please", "unfollow", ("sales",)),
        ("take me off sales", "unfollow", ("sales",)), ("get me out of harbor", "unfollow", ("harbor",)),
        ("sign me up for harbor", "follow", ("harbor",)),
    ],
)  # fmt: skip
def test_groups_in_other_words(text, intent, args):
    assert (meant(text).intent, meant(text).args) == (intent, args), meant(text)


@pytest.mark.parametrize(
    "text",
    [
        "- kim is out", "get me out of here", "add me to your calendar", "take me off guard", "critter is great",
        "invite everyone to the party", "sign me up for yoga", "> great idea", "on-call: zoe", "like kim's idea",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_command_is_an_update(text):
    assert meant(text).intent == "update", meant(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Reply 1", "1"), ("reply '1'", "1"), ("option 1", "1"), ("1 please", "1"),
        ("1, privately", "1"), ("1 Kim", "1"),
        ("1 - Kim Lee", "1"), ("reply drop", "DROP"), ("Reply POST", "POST"), ("no thx", "DROP"), ("nvm", "DROP"),
    ],
)  # fmt: skip
def test_an_answer_as_the_question_words_it(text, said):
    reading = meant(text, Context(question=CHOICE))
    assert (reading.intent, reading.args) == ("choice", (said,)), reading
    assert meant("1 dave", Context(question=CHOICE)).args != ("1",)
    assert meant("option 7", Context(question=CHOICE)).intent == "error"
    assert meant("1 please", Context(question=OPEN)).intent != "choice"


def test_a_text_that_does_not_answer_is_read_as_ever():
    assert meant("lunch is served", Context(question=OPEN)).intent == "update"
    assert meant("whois kim", Context(question=CHOICE)).intent == "whois"
    assert meant("see you there", Context(last=PRIVATE.last, question=CHOICE)).intent == "ask"
    assert meant("7", Context(question=OPEN)).intent == "error"
    assert "OK" in meant("7", Context(question=OPEN)).reason


def test_spanish_words_are_for_who_speaks_spanish():
    spanish = spoken(VERBS, "es-MX")
    for text, intent, args in (
        ("seguir kim", "follow", ("kim",)),
        ("sigue a Rosa Silva", "follow", ("rosa",)),
        ("dejar sales", "unfollow", ("sales",)),
        ("agregar kim harbor", "follow", ("kim", "harbor")),
        ("quién es dave", "whois", ("dave",)),
        ("seguir nadie", "ask", ("nadie",)),
    ):
        reading = read(text, "sms", spanish, resolver, CONTEXT)
        assert (reading.intent, reading.args) == (intent, args), reading
    assert read("sigue lloviendo mucho hoy", "sms", spanish, resolver, CONTEXT).intent == "update"
    assert meant("dejar sales").intent == "update"
    assert spoken(VERBS, "fr") is VERBS


def test_a_word_of_another_language_means_one_thing():
    with pytest.raises(ValueError, match="seguir"):
        table([verb("follow NAME", spanish="seguir"), verb("track WORD", spanish="seguir")])


def test_after_a_private_message_a_slip_stays_private():
    reading = meant("folow kim", Context(last=Item(1, KIM, private=True, age=1)))
    assert (reading.intent, reading.privacy) == ("ask", "direct")


SPANISH = spoken(VERBS, "es-MX")


@pytest.mark.parametrize(
    ("text", "intent", "args"),
    [
        ("\u00a1Sigue a Kim!", "follow", ("kim",)), ("\u00bfqui\u00e9n es dave?", "whois", ("dave",)),
        ("\u00bfQui\u00e9n es Rosa Silva?", "whois", ("rosa",)), ("siga a kim", "follow", ("kim",)),
        ("\u00a1deja sales!", "unfollow", ("sales",)), ("deje a kim", "unfollow", ("kim",)),
        ("deja de seguir a Rosa Silva", "unfollow", ("rosa",)), ("no quiero seguir a kim", "unfollow", ("kim",)),
        ("sal de sales", "unfollow", ("sales",)), ("bloquea a zoe", "block", ("zoe",)), ("\u00a1Bloquee a Zoe!",
        "block", ("zoe",)),
        ("silencia a zoe", "mute", ("zoe",)), ("silencie zoe", "mute", ("zoe",)), ("busca a dave", "whois", ("dave",)),
        ("por favor, busca a Rosa Silva", "whois", ("rosa",)), ("mu\u00e9strame kim", "get", ("kim",)),
        ("desbloquea a zoe", "unmute", ("zoe",)), ("quiero seguir a kim y dave", "follow", ("kim,dave",)),
        ("\u00a1 sigue a kim !", "follow", ("kim",)), ("\u00bf\u00a1Qui\u00e9n es Dave!?", "whois", ("dave",)),
    ],
)  # fmt: skip
def test_spanish_as_it_is_said(text, intent, args):
    reading = read(text, "sms", SPANISH, resolver, CONTEXT)
    assert (reading.intent, reading.args) == (intent, args), reading


@pytest.mark.parametrize(
    "text",
    [
        "\u00bfviene Kim hoy?", "\u00a1vamos Kim!", "busca las llaves", "silencia el m\u00f3vil",
        "\u00a1Bloquea la puerta 3!",
        "deja el paquete en la puerta", "sigue lloviendo mucho hoy", "\u00bfqui\u00e9n es el jefe?",
        "quita la nieve del patio",
        "no sigas lloviendo", "busca a alguien para el turno", "lee el correo de ayer",
        "\u00bfd\u00f3nde est\u00e1 Dave?",
        "quiero caf\u00e9", "ya sal\u00ed", "sal y pimienta", "entra por detr\u00e1s", "\u00a1",
        "muestra gratis para ACME",
    ],
)  # fmt: skip
def test_spanish_sentences_are_updates(text):
    assert read(text, "sms", SPANISH, resolver, CONTEXT).intent == "update"


def test_imperatives_are_for_who_speaks_spanish():
    for text in ("silencia a zoe", "busca a dave", "siga a kim", "deje a kim"):
        assert meant(text).intent == "update"
    assert meant("\u00a1Follow kim!").intent == "follow"
    assert (meant("\u00a1folow kim!").intent, meant("\u00a1folow kim!").text) == ("ask", "\u00a1folow kim!")


THREE = [
    "d rosa, dave and kim the plan is off", "d rosa and dave and kim the plan is off",
    "dm rosa, dave, and kim the plan is off",
    "message rosa and dave and kim: the plan is off", "message rosa, dave and kim: the plan is off",
    "d rosa & dave & kim the plan is off", "d rosa + dave + kim: the plan is off",
    "tell rosa, dave and kim: the plan is off",
    "private rosa and dave, kim: the plan is off", "tell rosa, dave and kim privately the plan is off",
    "d rosa and dave,kim the plan is off", "text rosa, dave & kim: the plan is off",
    "d rosa y dave y kim the plan is off",
    "d Rosa Silva and dave and kim the plan is off", "d dave and kim and Rosa Silva the plan is off",
]  # fmt: skip


@pytest.mark.parametrize("text", THREE)
def test_three_names_are_kept_and_asked(text):
    reading = meant(text)
    assert (reading.intent, reading.privacy, reading.args[-1]) == ("ask", "direct", "the plan is off"), reading
    assert {each.handle for each in (*reading.names, *reading.near)} == {"rosa", "dave", "kim"}
    assert len(reading.args[0].split(",")) == len(reading.names) + 1


def test_more_names_and_what_follows_them():
    four = meant("d rosa, dave and kim and zoe hi")
    assert ({each.handle for each in four.names}, four.near[0].handle) == ({"rosa", "dave", "kim"}, "zoe")
    assert meant("d rosa and dave said that and kim agrees").args == ("rosa,dave", "said that and kim agrees")
    assert meant("d kim and then dave left").args == ("kim", "and then dave left")
    assert meant("d kim and kim and kim hi").intent == "direct"
    assert meant("tell kim the truck is here: dock 4").intent == "update"
