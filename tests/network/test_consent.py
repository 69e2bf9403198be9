"""Yes and no to texts: kept with the words, shown and exported; a no in other words waits for a person; and which kind
of number of ours answers what."""

import csv
import io
import json
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.language.opt_out.keywords import carrier_word, sounds_like_refusal
from gateway.ledger.inbox.inbox import Incoming
from gateway.sms import number_types
from gateway.store.database import transaction
from tests.support import personas
from tests.support.office import Office
from tests.support.refusals import refusals

SAM = "+14155550102"
SHORT, TOLL_FREE = "24365", "+18005550100"
Texts = Callable[..., str]


@pytest.fixture
def texts(office: Office) -> Texts:
    """A text to one of our numbers, read; its SID."""

    def say(words: str, phone: str = SAM, to: str = personas.NUMBER, answered: str | None = None) -> str:
        sid = f"SM{uuid.uuid4().hex}"
        incoming = Incoming("sms", sid.encode(), phone, (to,), b"", True, sid, words)
        office.accept(replace(incoming, opt_out_type=answered))
        office.work()
        return sid

    return say


def answers(office: Office) -> list[tuple[object, ...]]:
    return [tuple(row) for row in office.sql(
        "SELECT m.text, d.state FROM messages m JOIN deliveries d ON d.message_id = m.id WHERE m.kind = 'answer'"
        " ORDER BY m.id"
    )]  # fmt: skip


def state(office: Office, phone: str = SAM) -> object:
    return office.sql("SELECT state FROM addresses WHERE address = :phone", phone=phone)[0][0]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+14155550100", "long"),
        ("+447700900123", "long"),
        ("MG" + "0" * 32, "long"),
        ("", "long"),
        *((f"+1{prefix}5550100", "toll-free") for prefix in (800, 833, 844, 855, 866, 877, 888)),
        ("+18225550100", "long"),
        ("+448005550100", "long"),
        ("123", "short-code"),
        ("24365", "short-code"),
        ("12345678", "short-code"),
        ("123456789", "long"),
    ],
)
def test_the_number_tells_its_kind(number, kind):
    assert number_types.kind(number) == kind


@pytest.mark.parametrize("number", [personas.NUMBER, TOLL_FREE])
def test_where_the_carrier_answers_stop_we_do_not(office: Office, texts: Texts, number: str):
    texts("STOP", to=number)
    assert state(office) == "stopped"
    assert answers(office) == []


def test_a_short_codes_stop_is_confirmed_by_us_once(office: Office, texts: Texts):
    confirmed = (f"{office.settings.company}: you get no more texts from us. To get them back: START", "sent")
    for _ in range(2):
        texts("STOP", to=SHORT)
    assert state(office) == "stopped"
    assert answers(office) == [confirmed]
    assert office.critter("audit").exit_code == 0
    office.says("kim", "nobody hears this by text")
    office.work()
    assert office.sql("SELECT reason FROM deliveries WHERE channel = 'sms' AND state = 'cancelled'") == [("opted_out",)]


def test_where_the_carrier_is_not_twilio_nobody_else_answers(office: Office, texts: Texts):
    long = "+14155550190"
    with_kannel = office.settings.sms_senders[0].__class__(long, "kannel")
    settings = office.settings.model_copy(update={"sms_senders": (with_kannel,)})
    office.registry = replace(office.registry, settings=settings)
    office.sql("INSERT INTO senders (number, carrier) VALUES (:number, 'kannel')", number=long)
    texts("STOP", to=long)
    texts("HELP", to=long)
    assert state(office) == "stopped"
    office.sql("UPDATE deliveries SET sender_id = 0 WHERE ended_at IS NULL")  # the office knows no numbers of ours
    office.work()
    assert [state for _, state in answers(office)] == ["sent", "sent"]
    assert office.critter("audit").exit_code == 0


def test_where_the_carrier_says_that_it_answered_a_short_code_says_nothing(office: Office, texts: Texts):
    texts("STOP", to=SHORT, answered="STOP")
    assert (state(office), answers(office)) == ("stopped", [])


def test_help_on_a_short_code_says_who_we_are_also_after_stop(office: Office, texts: Texts):
    texts("HELP", to=SHORT)
    texts("STOP", to=SHORT)
    texts("info", to=SHORT)
    said = [(words.startswith(f"{office.settings.company}: "), state) for words, state in answers(office)]
    assert said == [(True, "sent")] * 3
    assert "STOP to end texts" in answers(office)[0][0]


def test_help_on_a_long_number_does_not_reach_who_opted_out(office: Office, texts: Texts):
    texts("STOP")
    texts("HELP")
    assert [state for _, state in answers(office)] == ["cancelled"]


def test_only_start_unblocks_a_toll_free_number(office: Office, texts: Texts):
    texts("STOP", to=TOLL_FREE)
    texts("YES", to=TOLL_FREE)
    assert (state(office), answers(office)) == ("stopped", [])
    texts("START", to=TOLL_FREE)
    assert (state(office), answers(office)) == ("verified", [])
    texts("STOP")
    texts("YES")
    assert state(office) == "verified"
    assert [words for words, _ in answers(office)] == ["Texts are on again. Reply STOP to end them, ? for help."]


REFUSING = [
    "I really don't want any of this, stop sending me these texts every day",
    "can someone please take me off whatever list this is, thanks",
    "por favor no me envíen más mensajes a este teléfono",
    "ya basta de sms todo el día",
    "quítenme de la lista por favor",
    "dejen de escribirme a todas horas",
]


@pytest.mark.parametrize("words", REFUSING)
def test_a_no_in_other_words_is_read_as_usual_and_flagged(office: Office, texts: Texts, words: str):
    assert carrier_word(words) is None
    texts(words)
    assert state(office) == "verified"
    flagged = json.loads(office.critter("consent", "flagged", "--json").output)
    assert [(row["who"], row["state"]) for row in flagged] == [("@sam", "open")]
    assert SAM not in office.critter("consent", "flagged").output
    assert words not in office.critter("consent", "flagged").output


@pytest.mark.parametrize("words", ["please stop texting me", "Take me off this list!", "no más mensajes", "opt out"])
def test_a_plain_no_is_one_at_once(office: Office, texts: Texts, words: str):
    sid = texts(words)
    assert state(office) == "stopped"
    kept = office.sql("SELECT wording, our_address, carrier_id, source, kind FROM consent")
    assert kept == [(words, personas.NUMBER, sid, "text", "opt_out")]
    assert office.critter("consent", "flagged").output == "No text waits for a decision.\n"


@pytest.mark.parametrize("words", ["lunch at noon?", "no está lista la mesa", "no hay sitio", "stop by my desk at 5"])
def test_ordinary_words_are_not_flagged(words: str):
    assert not sounds_like_refusal(words)


def test_a_stranger_may_refuse_too(office: Office, texts: Texts):
    texts(REFUSING[0], phone="+14155550188")
    [row] = json.loads(office.critter("consent", "flagged", "--json").output)
    assert row["who"] == "nobody"
    assert office.critter("consent", "stop", row["id"]).exit_code == 0
    assert state(office, "+14155550188") == "stopped"


def test_an_operator_decides(office: Office, texts: Texts):
    sid = texts(REFUSING[0])
    [row] = json.loads(office.critter("consent", "flagged", "--json").output)
    assert office.critter("consent", "show", row["id"]).output == f"{REFUSING[0]}\n"
    assert office.critter("consent", "stop", row["id"]).output.startswith("Opted out.")
    assert state(office) == "stopped"
    kept = office.sql("SELECT wording, our_address, carrier_id, source FROM consent")
    assert kept == [(REFUSING[0], personas.NUMBER, sid, "operator")]
    assert office.critter("consent", "stop", row["id"]).output == "It was opted out already.\n"
    assert office.critter("consent", "dismiss", row["id"]).output == "It was closed already.\n"
    assert office.critter("consent", "flagged").output == "No text waits for a decision.\n"
    assert "closed, opted out" in office.critter("consent", "flagged", "--all").output
    actions = [action for (action,) in office.sql("SELECT action FROM audit WHERE action LIKE 'consent%' ORDER BY id")]
    assert actions == ["consent.show", "consent.stop", "consent.stop"]


def test_what_was_no_refusal_is_dismissed(office: Office, texts: Texts):
    texts(REFUSING[0])
    [row] = json.loads(office.critter("consent", "flagged", "--json").output)
    assert office.critter("consent", "dismiss", row["id"]).output == "Closed.\n"
    assert state(office) == "verified"


def test_what_is_not_flagged_cannot_be_decided(office: Office):
    for what in ("show", "stop", "dismiss"):
        result = office.critter("consent", what, "99999999999999999999")
        assert result.exit_code == 2
        assert "critter consent flagged" in result.output


def test_the_export_has_every_word_and_number(office: Office, texts: Texts):
    stopped = texts("STOP, please!")
    started = texts("Start")
    texts('=SUM(1,"2") stop texting me')
    rows = list(csv.DictReader(io.StringIO(office.critter("consent", "export").output)))
    first = {name: rows[0][name] for name in ("kind", "number", "who", "wording", "our_number", "carrier_id", "source")}
    assert first == {
        "kind": "opt_out",
        "number": SAM,
        "who": "sam",
        "wording": "STOP, please!",
        "our_number": personas.NUMBER,
        "carrier_id": stopped,
        "source": "text",
    }
    assert (rows[1]["kind"], rows[1]["wording"], rows[1]["carrier_id"]) == ("opt_in", "Start", started)
    assert all(row["at"] for row in rows)
    assert office.sql("SELECT action, detail FROM audit WHERE action LIKE 'consent%'") == [
        ("consent.export", {"rows": 2, "format": "csv"})
    ]
    lines = office.critter("consent", "export", "--format", "json", "--number", "(415) 555-0102").output.splitlines()
    assert [json.loads(line)["wording"] for line in lines] == ["STOP, please!", "Start"]
    assert office.critter("consent", "export", "--person", "kim").output.count("\n") == 1
    assert SAM not in office.critter("consent", "list").output
    assert "STOP, please!" in office.critter("consent", "list", "--person", "sam").output


def test_a_formula_is_no_formula_in_the_export(office: Office):
    office.sql(
        "INSERT INTO consent (address_id, kind, wording, source)"
        " SELECT id, 'opt_out', '=HYPERLINK(\"x\")', 'text' FROM addresses WHERE address = :phone", phone=SAM
    )  # fmt: skip
    [row] = csv.DictReader(io.StringIO(office.critter("consent", "export").output))
    assert row["wording"] == '\'=HYPERLINK("x")'
    assert row["number"] == SAM


def test_a_yes_keeps_its_words_in_every_way_it_comes(office: Office, texts: Texts):
    """An import and a first text to us; joining by an invitation and `link` have tests of their own."""
    office.critter(
        "people", "add", "ida", "Ida Moss", "--phone", "+14155550177", "--consent", "signed the form on May 3"
    )
    office.critter("people", "add", "jo", "Jo Park", "--phone", "+14155550178")
    sid = texts("hello", phone="+14155550178")
    kept = office.sql("SELECT kind, wording, our_address, carrier_id, source FROM consent ORDER BY id")
    assert kept[0] == ("opt_in", "signed the form on May 3", None, None, "import")
    assert kept[1][0] == "opt_in"
    assert str(kept[1][1]).startswith("(answered)")
    assert tuple(kept[1][2:]) == (personas.NUMBER, sid, "text")


def test_no_answer_but_these_leaves_for_a_stopped_phone(office: Office, texts: Texts):
    """Also on a short code, only what answers STOP or HELP."""
    texts("STOP", to=SHORT)
    office.says("sam", "stats")
    office.read()
    keys = [
        (int(a), int(b)) for a, b in office.sql("SELECT message_id, address_id FROM deliveries WHERE sent_at IS NULL")
    ]
    with transaction(office.engine) as session:
        assert set(refusals(session, keys).values()) == {"opted_out"}


def test_a_mailbox_that_opted_out_is_brought_back_by_start_alone(office: Office):
    """Such a one was asked in, said STOP, and was tied to a colleague later."""
    office.sql("UPDATE addresses SET state = 'stopped', stopped_at = now() WHERE address = 'priya@demo.example'")
    for words, state_after in (("on", "stopped"), ("start", "verified")):
        mail = f"From: priya@demo.example\r\nTo: post@{personas.DOMAIN}\r\nSubject: mails\r\n\r\n{words}\r\n".encode()
        office.accept(Incoming("email", words.encode(), "priya@demo.example", (f"post@{personas.DOMAIN}",), mail, True))
        office.work()
        assert state(office, "priya@demo.example") == state_after
    [(said,)] = office.sql("SELECT body FROM messages ORDER BY id DESC LIMIT 1")
    assert said == "Mails are on. To stop them: OFF. To see what you can do: HELP"
    kept = office.sql("SELECT kind, source FROM consent ORDER BY id DESC LIMIT 1")
    assert kept == [("opt_in", "mail")]


def test_an_unsubscribe_address_acts_from_whichever_mailbox_it_is_written_to(office: Office):
    [(kim, box)] = office.sql(
        "SELECT k.id, b.id FROM accounts k, addresses b WHERE k.handle = 'kim' AND b.address = 'priya@demo.example'"
    )
    follows = "SELECT count(*) FROM follows f JOIN addresses b ON b.account_id = f.follower_id WHERE b.id = :box"
    assert office.sql(follows, box=box) == [(1,)]
    to = f"u-{office.registry.signer.sign('unsubscribe', int(str(kim)), int(str(box)))}@{personas.DOMAIN}"
    mail = b"From: p.nair@elsewhere.example\r\nSubject: \r\n\r\n"
    office.accept(Incoming("email", b"u", "p.nair@elsewhere.example", (to,), mail, True))
    office.work()
    assert office.sql(follows, box=box) == [(0,)]
    assert office.sql("SELECT state, intent FROM inbound") == [("done", "unfollow")]
    assert office.sql("SELECT count(*) FROM messages") == [(0,)]
