"""Unproved mails, from the door's row to where the ladder leads: let in, held and asked about, or dropped."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from critter.room import build
from gateway.identity import arrival
from gateway.identity.dmarc import Envelope
from gateway.identity.resolver import Away, Zone
from gateway.ledger import claims, unproved
from gateway.ledger.inbox import Incoming
from gateway.network import accounts, posting, proofs
from gateway.store.database import transaction
from gateway.tokens import Signer
from tests.mail_process import Client, opened
from tests.office import Office
from tests.signed import letter, signed, zone
from tests.web_process import changed
from workers import proving, sweep
from workers.mailing import Mailing
from workers.room import Room, enter

DEMO = zone("demo.example")
BY_DEMO = Envelope("192.0.2.10", "mx.demo.example", "kim@demo.example")
ELSEWHERE = Envelope("198.51.100.66", "x.evil.example", "a@evil.example")
BY_EVIL = Envelope("198.51.100.66", "kim@demo.example", "")._replace(sender="b@evil.example")
KIM = "kim@demo.example"


@pytest.fixture
def here(office: Office):
    room = build(office.settings, "proving")
    vars(room)["resolver"] = Zone(DEMO)
    enter(room)
    yield room
    enter(None)
    room.close()


def arrives(
    office: Office,
    mail: bytes | None = None,
    came: Envelope = ELSEWHERE,
    to: tuple[str, ...] = ("post@mail.example",),
    sender: str = KIM,
) -> int:
    """A mail that nothing proved at the door."""
    content = letter(sender) if mail is None else mail
    raw = arrival.written(came, "mail.example") + content
    identity = f"{time.monotonic_ns()}".encode()
    return office.accept(Incoming("email", identity, sender, to, raw, trusted=False, message_id="<1@demo.example>"))


def row(office: Office, row_id: int):
    return office.sql(
        f"SELECT state, proof, reason, trusted, recipients, attempt, not_before FROM inbound WHERE id = {row_id}"
    )[0]


def states(office: Office) -> list[str]:
    return [state for (state,) in office.sql("SELECT state FROM inbound ORDER BY id")]


def posts(office: Office) -> list[str]:
    return [words for (words,) in office.sql("SELECT text FROM posts ORDER BY id")]


def sent(office: Office, mailbox: str = KIM) -> list[tuple[str, str]]:
    """What was put for a mailbox: kind and words."""
    return office.sql(
        f"""SELECT m.kind, m.body FROM messages m JOIN deliveries d ON d.message_id = m.id
            JOIN addresses a ON a.id = d.address_id WHERE a.address = '{mailbox}' ORDER BY m.id"""
    )


def token(office: Office, inbound_id: int) -> str:
    [(address_id,)] = office.sql(
        f"SELECT a.id FROM addresses a JOIN inbound i ON sender = address AND i.id = {inbound_id}"
    )
    return f"c+{Signer(office.settings.secret_keys).sign('confirm', inbound_id, address_id)}@mail.example"


def answers(office: Office, here: Room, inbound_id: int, words: str, sender: str = KIM) -> int:
    to = token(office, inbound_id)
    answer = arrives(office, letter(sender, to=to, body=words), to=(to,), sender=sender)
    proving.step(here)
    office.read()
    return answer


def test_what_dmarc_proves_is_read(office, here):
    one = arrives(office, signed(letter(KIM, body="the crates are here"), "demo.example"))
    assert row(office, one)[0] == "unproved"
    assert office.read() is False
    proving.step(here)
    state, proof, reason, trusted, recipients, attempt, _ = row(office, one)
    assert (state, proof, reason, trusted, recipients, attempt) == (
        "new", "dmarc", None, True, ["post@mail.example"], 0,
    )  # fmt: skip
    office.read()
    assert posts(office) == ["the crates are here"]


def test_spf_proves_too(office, here):
    one = arrives(office, letter(KIM), BY_DEMO)
    proving.step(here)
    assert row(office, one)[:2] == ("new", "dmarc")


def test_a_mail_in_a_members_name_is_held_and_asked_about_once(office, here):
    one, other = arrives(office, letter(KIM, body="I resign")), arrives(office, letter(KIM, body="I really do"))
    proving.step(here)
    assert row(office, one)[:3] == (
        "held",
        "asked",
        "demo.example did not sign it; its envelope sender is of another domain; its sender was asked",
    )
    assert row(office, other)[:2] == ("held", None)
    assert row(office, other)[2].endswith("its sender was not asked")
    [(kind, words)] = sent(office)
    assert kind == "code"
    assert "I resign" in words
    assert "Reply OK" in words
    office.read()
    assert posts(office) == []


MAILBOXES = [f"{handle}@demo.example" for handle in ("kim", "priya", "pat", "dave", "anne")]


def test_ok_lets_it_in_once(office, here):
    said = dict(zip(MAILBOXES, ["OK", "ok.", "Yes, that was me\n\n> Reply OK", "Ja!", "Да"], strict=True))
    asked = {mailbox: arrives(office, letter(mailbox, body="the crates are here"), sender=mailbox) for mailbox in said}
    proving.step(here)
    assert states(office) == ["held"] * 5
    replies = [answers(office, here, asked[mailbox], words, mailbox) for mailbox, words in said.items()]
    assert {row(office, one)[:3] for one in replies} == {("done", "token", "said OK: the mail is read")}
    office.read()
    assert posts(office) == ["the crates are here"] * 5
    assert {row(office, one)[:2] for one in asked.values()} == {("done", "confirmed")}
    again = answers(office, here, asked[KIM], "OK")
    assert row(office, again)[2] == "that mail does not wait for an answer any more"
    assert posts(office) == ["the crates are here"] * 5


def test_no_drops_it_and_other_words_leave_it(office, here):
    said = dict(zip(MAILBOXES, ["no", "Nein", "okra", "what is this?", "!"], strict=True))
    asked = {mailbox: arrives(office, letter(mailbox, body="the crates are here"), sender=mailbox) for mailbox in said}
    proving.step(here)
    for mailbox, words in said.items():
        answers(office, here, asked[mailbox], words, mailbox)
    office.read()
    assert [row(office, one)[0] for one in asked.values()] == ["dropped", "dropped", "held", "held", "held"]
    assert posts(office) == []


def test_ok_counts_for_24_hours_from_that_mailbox_alone(office, here):
    one = arrives(office, letter(KIM, body="the crates are here"))
    proving.step(here)
    foreign = answers(office, here, one, "OK", sender="priya@demo.example")
    assert row(office, foreign)[0] == "dropped"
    assert row(office, one)[0] == "held"
    both = token(office, one)
    mixed = arrives(office, letter(KIM, to=both, body="OK"), to=(both, "post@mail.example"))
    proving.step(here)
    assert row(office, mixed)[0] == "dropped"
    change(office, "UPDATE inbound SET received_at = now() - interval '25 hours' WHERE state = 'held'")
    answers(office, here, one, "OK")
    assert row(office, one)[0] == "held"
    assert office.critter("held", "approve", str(one)).exit_code == 0
    office.read()
    assert "the crates are here" in posts(office)


def change(office: Office, statement: str) -> None:
    with transaction(office.engine) as session:
        session.execute(sql(statement))


def test_strangers_and_machines_hear_nothing(office, here):
    """No backscatter: mails forged in anybody's name make nobody a mail (R8)."""
    machine = b"Auto-Submitted: auto-replied\r\n" + letter(KIM)
    kinds = {
        "stranger": arrives(office, sender="a@evil.example"),
        "forged": arrives(office, signed(letter("b@else.example"), "evil.example"), sender="b@else.example"),
        "machine": arrives(office, machine),
        "bounce": arrives(office, letter(KIM), Envelope("198.51.100.66", "x", "")),
        "operator": arrives(office, to=("postmaster@mail.example",), sender="c@evil.example"),
    }
    proving.step(here)
    ended = {name: row(office, one)[0] for name, one in kinds.items()}
    assert ended == {
        "stranger": "dropped", "forged": "dropped", "machine": "dropped", "bounce": "dropped", "operator": "held",
    }  # fmt: skip
    assert office.sql("SELECT count(*) FROM messages") == [(0,)]


def test_hundreds_of_forged_mails_make_one_question(office, here):
    for number in range(30):
        arrives(office, letter(KIM, body=f"{number}"))
        arrives(office, sender=f"n{number}@evil.example")
    began = time.monotonic()
    while proving.step(here):
        pass
    assert set(states(office)) == {"held", "dropped"}
    assert office.sql("SELECT count(*) FROM deliveries") == [(1,)]
    assert time.monotonic() - began < 20


def secret_of(office: Office, handle: str = "kim", rotate: bool = False) -> str:
    with transaction(office.engine) as session:
        person = accounts.by_handle(session, handle)
        make = posting.rotate if rotate else posting.secret
        return make(session, Signer(office.settings.secret_keys), person.id)


def test_a_secret_address_proves_its_owner_alone(office, here):
    word = secret_of(office)
    assert len(word) >= 26
    assert secret_of(office) == word
    to = (f"post+{word}@mail.example",)
    own = arrives(office, letter(KIM, body="from my other mailer"), to=to)
    foreign = arrives(office, letter("priya@demo.example"), to=to, sender="priya@demo.example")
    proving.step(here)
    assert row(office, own)[:2] == ("new", "secret")
    assert row(office, foreign)[:2] == ("held", "asked")
    office.read()
    assert posts(office) == ["from my other mailer"]
    everything = office.sql(
        """SELECT string_agg(concat_ws(' ', recipients::text, reason, intent, proof), ' ') FROM inbound
           UNION ALL SELECT string_agg(text || body, ' ') FROM messages"""
    )
    assert word not in str(everything)


def test_an_old_secret_ends(office, here):
    old = secret_of(office)
    new = secret_of(office, rotate=True)
    assert new != old
    one = arrives(office, signed(letter(KIM), "demo.example"), to=(f"post-{old}@mail.example",))
    proving.step(here)
    assert row(office, one)[:2] == ("held", "asked")
    assert "secret address is old" in row(office, one)[2]


def test_a_secret_outlives_a_change_of_the_key(office):
    with transaction(office.engine) as session:
        kim = accounts.by_handle(session, "kim").id
        word = posting.secret(session, Signer(("old key",)), kim)
        assert posting.secret(session, Signer(("new key", "old key")), kim) == word
        assert posting.secret(session, Signer(("new key",)), kim) != word


def test_dns_that_is_silent_is_asked_again_and_is_never_a_yes(office, here):
    vars(here)["resolver"] = Zone(DEMO | {("_dmarc.demo.example", "TXT"): Away("silent")})
    one = arrives(office, signed(letter(KIM, body="late"), "demo.example"))
    proving.step(here)
    state, proof, _, _, _, attempt, not_before = row(office, one)
    assert (state, proof, attempt) == ("unproved", None, 0)
    assert not_before is not None
    proving.step(here)
    assert row(office, one)[6] == not_before
    change(office, "UPDATE inbound SET not_before = now()")
    vars(here)["resolver"] = Zone(DEMO)
    proving.step(here)
    assert row(office, one)[:2] == ("new", "dmarc")
    assert row(office, one)[6] is None


def test_silence_for_an_hour_holds_it(office, here):
    vars(here)["resolver"] = Zone(DEMO | {("_dmarc.demo.example", "TXT"): Away("silent")})
    one = arrives(office, signed(letter(KIM), "demo.example"))
    change(office, "UPDATE inbound SET received_at = now() - interval '61 minutes'")
    proving.step(here)
    assert row(office, one)[:2] == ("held", "asked")
    assert "the DNS of demo.example does not answer" in row(office, one)[2]


def test_a_hanging_server_keeps_only_its_own_mail(office, here):
    hanging, freed = threading.Event(), threading.Event()

    class Hanging(Zone):
        def ask(self, name, kind):
            if name.endswith("slow.example"):
                hanging.set()
                assert freed.wait(20)
            return super().ask(name, kind)

    vars(here)["resolver"] = Hanging(DEMO)
    for number in range(12):
        arrives(office, letter(f"n{number}@slow.example"), sender=f"n{number}@slow.example")
    working = threading.Thread(target=proving.step, args=(here,))
    working.start()
    assert hanging.wait(10)
    one = arrives(office, signed(letter(KIM), "demo.example"))
    try:
        for _ in range(200):
            if row(office, one)[0] == "new":
                break
            threading.Event().wait(0.05)
        assert row(office, one)[0] == "new"
        assert states(office).count("unproved") == 12
    finally:
        freed.set()
        working.join(30)
    assert states(office).count("dropped") == 12


def test_a_senders_mails_keep_their_order(office, here):
    numbers = [arrives(office, signed(letter(KIM, body=f"{n} and more"), "demo.example")) for n in range(4)]
    with transaction(office.engine) as session:
        first = unproved.claim(session, "one", timedelta(seconds=60), 10, 10)
        second = unproved.claim(session, "two", timedelta(seconds=60), 10, 10)
    assert [each.id for each in first] == numbers[:1]
    assert second == []
    with transaction(office.engine) as session:
        unproved.release(session, first)
    proving.step(here)
    office.read()
    assert posts(office) == [f"{n} and more" for n in range(4)]


def test_a_worker_that_dies_gives_its_mail_to_the_next(office, here):
    one = arrives(office, signed(letter(KIM), "demo.example"))
    late = None
    for crash in range(3):
        with transaction(office.engine) as session:
            found = unproved.suspect(session, "dead", timedelta(seconds=60)) if crash else None
            found = found or unproved.claim(session, "dead", timedelta(seconds=60), 1, 0)[0]
            late = late or found
        proving.step(here)
        assert row(office, one)[0] == "unproved"
        change(office, "UPDATE inbound SET lease_until = now() - interval '1 second'")
        if crash == 1:
            with transaction(office.engine) as session:
                standing = proving._climb(here.settings, here.resolver, proofs.case(session, here.signer, late))
                lost = proofs.settle(session, here.signer, proofs.case(session, here.signer, late), standing)
            assert lost == ("lost", frozenset())
    sweep.sweep(here)
    assert row(office, one)[:3] == ("held", None, unproved.LOST)
    assert office.sql("SELECT count(*) FROM messages") == [(0,)]


def test_one_crash_is_forgiven(office, here):
    one = arrives(office, signed(letter(KIM), "demo.example"))
    with transaction(office.engine) as session:
        unproved.claim(session, "dead", timedelta(seconds=60), 1, 0)
    change(office, "UPDATE inbound SET lease_until = now() - interval '1 second'")
    proving.step(here)
    assert row(office, one)[:2] == ("new", "dmarc")


def test_the_question_can_be_answered_where_it_says(office, here):
    """The mail's own Reply-To is the address that the answer is proved by."""
    one = arrives(office, letter(KIM))
    proving.step(here)
    with transaction(office.engine) as session:
        [claimed] = claims.claim(session, "email", "test", timedelta(seconds=60), 10)
        content = claims.contents(session, [claimed.message_id])[claimed.message_id]
    load, _ = Mailing(office.settings, here.signer).load(claimed, content)
    question = message_from_bytes(load.parcel.content)
    assert question["Reply-To"].strip("<>") == token(office, one)
    assert question["Auto-Submitted"] == "auto-replied"


SENSITIVE = (
    "link",
    "link 123456",
    "login",
    "d acme the offer is 12%",
    "name Eve Il",
    "off",
    "stop",
    "leave all",
    "1234",
)


def test_nothing_forged_has_an_effect(office, here):
    """Sensitive or not: what is not proved is not even read (R30)."""
    for words in SENSITIVE:
        arrives(office, letter(KIM, body=words))
        arrives(office, b"Authentication-Results: mail.example; dmarc=pass\r\n" + letter(KIM, body=words), BY_EVIL)
    while proving.step(here):
        pass
    office.work()
    assert set(states(office)) == {"held"}
    assert office.sql("SELECT (SELECT count(*) FROM effects), (SELECT count(*) FROM posts)") == [(0, 0)]
    assert [kind for kind, _ in sent(office)] == ["code"]


def test_somebody_elses_reply_address_is_told_to_its_owner_once(office, here):
    """R31: refused, logged, and its owner hears of it."""
    post = accounts_post(office)
    [(priya,)] = office.sql("SELECT id FROM addresses WHERE address = 'priya@demo.example'")
    to = f"r+{Signer(office.settings.secret_keys).sign('reply', post, priya)}@mail.example"
    for words in ("mine now", "and now"):
        mail = signed(letter("dave@demo.example", to=to, body=words), "demo.example")
        arrives(office, mail, to=(to,), sender="dave@demo.example")
        proving.step(here)
        office.read()
    assert states(office)[-2:] == ["dropped", "dropped"]
    assert posts(office) == ["hello all"]
    [(kind, words)] = sent(office, "priya@demo.example")
    assert kind == "notice"
    assert words.startswith("Somebody else wrote to a reply address that is yours alone.")


def accounts_post(office: Office) -> int:
    office.says("sam", "hello all")
    office.read()
    return int(office.sql("SELECT id FROM posts")[0][0])


def test_the_secret_address_on_the_command_line(office):
    shown = office.critter("people", "secret", "kim").output.strip()
    assert shown == f"post+{secret_of(office)}@mail.example"
    assert office.critter("people", "secret", "@kim").output.strip() == shown
    turned = json.loads(office.critter("people", "secret", "kim", "--rotate", "--json").output)
    assert turned["address"] != shown
    assert office.critter("people", "secret", "sam").output.count("has no mailbox yet") == 1
    assert office.critter("people", "secret", "nobody").exit_code == 2
    kept = office.sql("SELECT string_agg(detail::text, ' ') FROM audit WHERE action = 'people.secret'")
    assert shown[5:31] not in str(kept)


def explained(office: Office, path: Path, mail: bytes, *options: str) -> dict:
    file = path / "mail.eml"
    file.write_bytes(mail)
    return json.loads(office.critter("explain", "--mail", str(file), "--json", *options).output)


def test_explain_says_which_rung_a_mail_reached(office, tmp_path):
    elsewhere = ("--peer", "198.51.100.66", "--helo", "x.evil.example", "--envelope-from", "a@evil.example")
    mail = letter(KIM, body="the crates are here\n\n-- \nKim").replace(b"\r\n", b"\n")
    told = explained(office, tmp_path, mail, *elsewhere)
    assert (told["rung"], told["proof"], told["sender"]) == (4, None, KIM)
    assert told["why"] == "demo.example publishes no DMARC policy"
    assert (told["words"], told["intent"], told["machine"]) == ("the crates are here", "update", None)
    assert "Kim" in told["trimmed"]
    assert explained(office, tmp_path, mail, "--peer", "127.0.0.1")["proof"] == "relay"
    secret = f"post+{secret_of(office)}@mail.example"
    told = explained(office, tmp_path, mail, "--to", secret)
    assert (told["rung"], told["to"]) == (2, ["post@mail.example"])
    told = explained(office, tmp_path, b"Auto-Submitted: auto-replied\n" + mail)
    assert (told["machine"], told["intent"]) == ("Auto-Submitted", "machine")
    told = explained(office, tmp_path, b"From: sam@demo.example\n" + mail)
    assert (told["rung"], told["sender"], told["reason"]) == (4, None, "refused at the door")
    assert office.sql("SELECT (SELECT count(*) FROM inbound), (SELECT count(*) FROM posts)") == [(0, 0)]
    shown = office.critter("explain", "--mail", str(tmp_path / "mail.eml")).output
    assert "rung 4 of 4" in shown
    assert "Say what" in office.critter("explain").output
    assert "No such file" in office.critter("explain", "--mail", str(tmp_path / "none.eml")).output


def test_the_door_knows_a_secret_address_at_rcpt(office):
    secret = secret_of(office)
    wrong = "a" * len(secret)
    with opened(office.settings), Client(office.settings.smtp_listen) as client:
        client.say(f"MAIL FROM:<{KIM}>")
        said = [
            client.say(f"RCPT TO:<post{mark}{word}@mail.example>")[:9] for word in (secret, wrong) for mark in "+-."
        ]
        assert said == ["250 OK"] * 3 + ["550 5.1.1"] * 3
        client.say("RSET")
        client.mail(letter(KIM), (f"POST+{secret.upper()}@mail.example",), KIM)
    assert office.sql("SELECT recipients, state, proof FROM inbound") == [(["post@mail.example"], "new", "relay")]


def test_from_the_door_to_the_post(office, here):
    """A mail that nothing proved at the door, by its own way through the real door: the envelope is there for SPF."""
    strict = changed(office.settings, CRITTER_MAIL_TRUST="10.0.0.0/8")
    mail = signed(letter(KIM, body="all the way"), "demo.example")
    with opened(strict), Client(strict.smtp_listen) as client:
        assert client.mail(mail, sender="kim@demo.example").startswith("250")
        assert client.mail(mail, sender="kim@demo.example").startswith("250")  # a repeat: the same success
        assert client.mail(letter(KIM, body="forged"), sender="a@evil.example").startswith("250")
    assert states(office) == ["unproved", "unproved"]
    while proving.step(here):
        pass
    office.read()
    assert posts(office) == ["all the way"]
    assert states(office) == ["done", "held"]


def test_kill_9_in_the_middle_loses_and_doubles_nothing(office, here):
    """The worker is killed while it waits for a silent DNS; the next one goes on when its lease is over."""
    one = arrives(office, signed(letter(KIM, body="once"), "demo.example"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(20)
        given = {
            field.alias: getattr(office.settings, name) for name, field in type(office.settings).model_fields.items()
        }
        environ = {
            "CRITTER_DNS": f"127.0.0.1:{silent.getsockname()[1]}",
            **{name: str(given[name]) for name in ("CRITTER_DATABASE_URL", "CRITTER_REDIS_URL", "CRITTER_VAR")},
        }
        work = "from critter.room import build; from gateway.settings import load; from workers import proving;"
        work += "proving.step(build(load(), 'proving'))"
        victim = subprocess.Popen([sys.executable, "-c", work], env={**os.environ, **environ})
        assert silent.recv(4096)  # it asks: it is in the middle
        victim.kill()
        victim.wait(10)
    state, proof, _, _, _, attempt, _ = row(office, one)
    assert (state, proof, attempt) == ("unproved", None, 1)
    proving.step(here)
    assert row(office, one)[0] == "unproved"  # it is leased still
    change(office, "UPDATE inbound SET lease_until = now() - interval '1 second'")
    proving.step(here)
    office.read()
    assert (row(office, one)[0], posts(office)) == ("done", ["once"])
