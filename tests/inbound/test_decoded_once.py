"""A mail is decoded once: while one is proved, read or explained it is parsed once, its body is decoded once, each of
its attachments once, and each of its recipients is read once, whatever it is and whoever looks at it."""

from collections import Counter
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from critter.explain.mail import explain_mail
from gateway.errors import Refused
from gateway.inbound.inbound_mail import InboundMail
from gateway.inbound.process import process_limited
from gateway.mail.auth.dmarc import Envelope
from gateway.mail.decode import body_parts, mime
from gateway.mail.history.known_words import known_words
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.network.mail import mail_addresses
from gateway.security.signed_tokens import Signer
from gateway.store.database import transaction
from gateway.store.tables import Inbound
from tests.support import sample_files
from tests.support.office import Office
from tests.support.unproved_mails import BY_DEMO, ELSEWHERE, KIM, arrives, change, posts, row
from workers import inbound as reading_worker
from workers import mail_auth
from workers.runtime.context import WorkerContext

POST = "post@mail.example"


def written(*to: str, text: str = "the van is here", subject: str = "a mail", **fields: str) -> EmailMessage:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = "Kim Lee <kim@demo.example>", ", ".join(to), subject
    made["Date"], made["Message-ID"] = "Mon, 02 Mar 2026 10:00:00 +0000", "<one@demo.example>"
    for name, value in fields.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


class Decodings:
    """How often each thing was decoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.parsed: Counter[bytes] = Counter()
        self.bodies = 0
        self.recipients: Counter[str] = Counter()
        self.contents: Counter[int] = Counter()
        self._kept: list[Any] = []  # so that no other part gets the id of one that is counted
        parse, body, read, content = mime.parse, body_parts.read, mail_addresses.read, mime.content

        def parsing(raw: bytes) -> Any:
            self.parsed[raw] += 1
            return parse(raw)

        def bodied(message: Any) -> Any:
            self.bodies += 1
            return body(message)

        def reading(local: str, signer: Signer) -> Any:
            self.recipients[local] += 1
            return read(local, signer)

        def decoding(part: Any) -> bytes:
            self._kept.append(part)
            self.contents[id(part)] += mime.kind(part).startswith("image/")
            return content(part)

        monkeypatch.setattr(mime, "parse", parsing)
        monkeypatch.setattr(body_parts, "read", bodied)
        monkeypatch.setattr(mail_addresses, "read", reading)
        monkeypatch.setattr(mime, "content", decoding)

    def check(self, *, parsed: bool = True, same: int = 1, recipients: int = 1) -> None:
        """`parsed`: whether anybody had to parse it; `same`: mails of the same octets; `recipients`: how many readers
        of its recipients there are."""
        assert set(self.parsed.values()) == ({same} if parsed else set())
        assert self.bodies <= same
        assert set(self.recipients.values()) <= {recipients, same}
        assert set(self.contents.values()) <= {0, 1}


@pytest.fixture
def decoded(office: Office, monkeypatch: pytest.MonkeyPatch) -> Decodings:
    return Decodings(monkeypatch)


def with_pictures(made: EmailMessage) -> bytes:
    for number in range(2):
        sample_files.enclose(made, f"{number}.png", None, "image/png")
    return made.as_bytes()


def token(office: Office, kind: str, *ids: int) -> str:
    return f"{kind[0]}+{Signer(office.settings.secret_keys).sign(kind, *ids)}@mail.example"


ANSWER = "Yes.\n\nOn Monday Sam Ortiz wrote:\n> the van is late"
MAILS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "an update": (written(POST).as_bytes(), (POST,)),
    "with pictures": (with_pictures(written(POST)), (POST,)),
    "a command": (written(POST, text="follow sales").as_bytes(), (POST,)),
    "to a group and a person": (written("sales@mail.example").as_bytes(), ("sales@mail.example", "pat@mail.example")),
    "that joins": (written("sales+join@mail.example").as_bytes(), ("sales+join@mail.example",)),
    "for help": (written("help@mail.example", text="follow").as_bytes(), ("help@mail.example",)),
    "for the operator": (written("abuse@mail.example").as_bytes(), ("abuse@mail.example",)),
    "of a machine": (written(POST, Auto_Submitted="auto-replied").as_bytes(), (POST,)),
    "an answer": (written(POST, text=ANSWER, subject="Re: van", In_Reply_To="<2@other.example>").as_bytes(), (POST,)),
    "away": (
        written(POST, subject="Automatic reply: van", In_Reply_To="<critter.7.8@mail.example>").as_bytes(),
        (POST,),
    ),
    "a reaction": (written(POST, text="👍", In_Reply_To="<critter.7.8@mail.example>").as_bytes(), (POST,)),
}


def let_in(office: Office, content: bytes, to: tuple[str, ...] = (POST,)) -> int:
    one = arrives(office, content, BY_DEMO, to)
    change(office, f"UPDATE inbound SET state = 'new', trusted = true, proof = 'relay' WHERE id = {one}")
    return one


@pytest.mark.parametrize(("content", "to"), MAILS.values(), ids=MAILS.keys())
def test_reading(
    office: Office, context: WorkerContext, decoded: Decodings, content: bytes, to: tuple[str, ...]
) -> None:
    one = let_in(office, content, to)
    assert reading_worker.step(context) is False
    assert row(office, one)[0] in ("done", "held", "dropped")
    decoded.check(parsed=to != ("abuse@mail.example",))


def test_reading_what_came_with_tokens(office: Office, context: WorkerContext, decoded: Decodings) -> None:
    let_in(office, written(POST).as_bytes(), (token(office, "reply", 5, 6), POST))
    let_in(office, written(POST).as_bytes(), (token(office, "unsubscribe", 5, 6),))
    reading_worker.step(context)
    decoded.check(same=2)  # two mails of the same octets


def test_reading_a_bounce(office: Office, context: WorkerContext, decoded: Decodings) -> None:
    to = token(office, "bounce", 5, 6)
    one = arrives(office, written(to, subject="Undelivered").as_bytes(), BY_DEMO._replace(sender=""), (to,))
    change(office, "UPDATE inbound SET state = 'new', trusted = true, proof = 'nobody: our own token'")
    reading_worker.step(context)
    assert row(office, one)[0] == "dropped"
    decoded.check()


def test_a_mail_that_is_kept_unread(office: Office, decoded: Decodings) -> None:
    """Of a flood only the signs of a machine are looked for, not the words."""
    one = let_in(office, written(POST).as_bytes())
    with transaction(office.engine) as session:
        inbound = session.get_one(Inbound, one)
        assert process_limited(session, inbound, InboundMail(inbound, office.registry.signer)).state == "held"
    decoded.check()
    assert decoded.bodies == 0


def test_proving_a_mail_that_is_let_in(office: Office, context: WorkerContext, decoded: Decodings) -> None:
    """Its words are nobody's business yet: whoever reads it decodes them."""
    one = arrives(office, with_pictures(written(POST)), BY_DEMO)
    mail_auth.step(context)
    assert row(office, one)[:2] == ("new", "dmarc")
    decoded.check()
    assert decoded.bodies == 0


def test_proving_a_mail_that_is_held(office: Office, context: WorkerContext, decoded: Decodings) -> None:
    one = arrives(office, written(POST).as_bytes(), ELSEWHERE)
    mail_auth.step(context)
    assert row(office, one)[:2] == ("held", "asked")
    decoded.check()
    assert decoded.bodies == 1
    asked = office.sql("SELECT body FROM messages WHERE kind = 'code'")[0][0]
    assert "the van is here" in str(asked)


def test_explaining(office: Office, decoded: Decodings) -> None:
    with office.engine.connect() as connection:
        told = explain_mail(connection, office.registry, with_pictures(written(POST)), BY_DEMO)
    assert (told.words, told.sender) == ("the van is here", KIM)
    decoded.check(recipients=2)  # by whoever proves it, and by whoever reads it


def test_what_is_read_is_the_same(office: Office, context: WorkerContext) -> None:
    let_in(office, written(POST, text=ANSWER, subject="Re: van").as_bytes())
    reading_worker.step(context)
    assert posts(office) == ["Yes."]


def test_a_mail_that_cannot_be_read_says_so_to_everyone() -> None:
    parts = b"".join(b"--b\r\nContent-Type: multipart/mixed\r\n\r\nx\r\n" for _ in range(300))
    mail = ReceivedMail(b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + parts)
    assert mail.refused == "This mail has too many parts."
    assert mail.machine(null_sender=False) == mail.refused
    for _ in range(2):
        with pytest.raises(Refused):
            mail.message  # noqa: B018
        with pytest.raises(Refused):
            mail.words  # noqa: B018
        with pytest.raises(Refused):
            mail.sender  # noqa: B018


def test_what_the_thread_had_before_is_cut_off_each_time() -> None:
    """The body is kept, not what one caller cut off of it."""
    earlier = "The blue van is late again today, and nobody knows why it is."
    mail = ReceivedMail(written(POST, text=f"Yes, at noon.\n\n{earlier}").as_bytes())
    known = known_words([earlier])
    assert mail.words_after(known).text == "Yes, at noon."
    assert mail.words.text != "Yes, at noon."
    assert mail.words_after(known).text == "Yes, at noon."
    assert mail.words_after(None) is mail.words


def test_what_its_addresses_mean() -> None:
    signer = Signer(("a key of this test alone, long enough",))
    reply = f"r+{signer.sign('reply', 5, 6)}@mail.example"
    to = ["POST@mail.example", reply, "r+forged@mail.example", "sales+leave@mail.example"]
    mail = InboundMail(Inbound(recipients=to, raw=b"Return-Path: <>\r\nFrom: a@b.example\r\n\r\nhello"), signer)
    assert [one.kind for one in mail.recipients] == ["post", "reply", "leave"]
    assert [local for local, meaning in mail.addressed if meaning is None] == ["r+forged"]
    assert [one.ids for one in mail.came_to("reply", "bounce")] == [(5, 6)]
    assert mail.null_sender
    assert mail.machine == "null envelope sender"
    assert mail.mail.octets == b"From: a@b.example\r\n\r\nhello"


def test_an_envelope_decides_on_machines() -> None:
    came = Envelope("192.0.2.10", "mx.demo.example", "")
    assert ReceivedMail(written(POST).as_bytes()).machine(null_sender=not came.sender) == "null envelope sender"
