"""Bodies that programs label wrongly, wrap up or leave out: each gives its words, or says why they cannot be read."""

import base64
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.decode import mime
from gateway.mail.decode.attachments import enclosures
from gateway.mail.decode.body_parts import is_source
from gateway.mail.decode.smime import signed_content
from gateway.mail.parse.own_words import machine, read_own_words

WORDS = "The pallets leave at noon.\nBring the straps."
HTML = "<p>The pallets leave at noon.<br>Bring the straps.</p>"


def mail(body: str, fields: str = "", subject: str = "pallets") -> bytes:
    head = f"From: Kim Lee <kim@corp.example>\nSubject: {subject}\nMIME-Version: 1.0\n{fields}\n"
    return (head + body).replace("\n", "\r\n").encode()


def parts(*written: str, kind: str = "mixed", subject: str = "pallets") -> bytes:
    inside = "".join(f"--b1\n{part}\n" for part in written)
    return mail(f"{inside}--b1--\n", f'Content-Type: multipart/{kind}; boundary="b1"\n', subject)


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Type: text/plain charset=utf-8\n",
        "Content-Type: text/plain>; charset=utf-8\n",
        "Content-Type: text/plain,\n",
        "Content-Type: plain/text\n",
        "Content-Type: text\n",
        "Content-Type: TEXT\n",
        "Content-Type: text / plain; charset=utf-8\n",
        "Content-Type: text/markdown; charset=utf-8\n",
        "Content-Type: text/x-markdown\n",
        "Content-Type: text/x-web-markdown\n",
        "Content-Type: text/x-plain\n",
        "Content-Type: <text/plain>\n",
        'Content-Type: "text/plain"\n',
        "Content-Type: ;charset=utf-8\n",
        'Content-Disposition: inline; filename="body.txt"\n',
        "Content-Disposition: inline; filename*=utf-8''k%C3%B6rper.txt\n",
        "Content-Disposition: attachment\n",
        'Content-Type: text/plain; name="notes.txt"\nContent-Disposition: attachment; filename="notes.txt"\n',
    ],
)
def test_one_part(fields):
    assert read_own_words(mail(WORDS, fields)).text == WORDS
    assert not enclosures(mime.parse(mail(WORDS, fields)))


@pytest.mark.parametrize(
    "part",
    [
        f"Content-Type: text/plain; name=text_1.txt\nContent-Disposition: attachment; filename=text_1.txt\n\n{WORDS}",
        f'Content-Type: text/plain\nContent-Disposition: attachment; filename="ATT00001.txt"\n\n{WORDS}',
        f'Content-Type: text/plain\nContent-Disposition: inline; filename="Nachricht.txt"\n\n{WORDS}',
        f"Content-Type: text/html\nContent-Disposition: attachment; filename=message.html\n\n{HTML}",
        f"Content-Type: plain/text\n\n{WORDS}",
        f"Content-Type: text/x-unknown\n\n{WORDS}",
    ],
)
def test_a_part_that_is_all_there_is(part):
    raw = parts(part)
    assert read_own_words(raw).text == WORDS
    assert not enclosures(mime.parse(raw))
    photo = "Content-Type: image/png; name=a.png\nContent-Disposition: attachment; filename=a.png\n\nPNG"
    assert read_own_words(parts(part, photo)).text == WORDS


def test_a_file_that_somebody_named_is_a_file():
    file = f'Content-Type: text/plain\nContent-Disposition: attachment; filename="stock list.txt"\n\n{WORDS}'
    assert read_own_words(parts(file)).text == "pallets"
    assert [each.name for each in enclosures(mime.parse(parts(file)))] == ["stock list.txt"]
    assert read_own_words(parts("Content-Type: text/plain\n\nsee there", file)).text == "see there"
    assert read_own_words(parts(file, subject="")).text == WORDS  # nothing else says what it is about


@pytest.mark.parametrize(
    "plain",
    [
        "",
        " \u00a0\n\u200b",
        "This is an HTML message.",
        "Your mail client does not support HTML e-mail.",
        "Diese Nachricht ist im HTML-Format. Ihr Programm kann sie nicht anzeigen.",
        "Votre logiciel de messagerie ne prend pas en charge le HTML.",
        "Para ver este mensaje, use un programa compatible con HTML.",
        "このメールはHTML形式です。",
        "View this e-mail in your browser: https://news.example/1",
        "https://view.example/m/81",
    ],
)
def test_a_placeholder_gives_way(plain):
    raw = parts(
        f"Content-Type: text/plain; charset=utf-8\n\n{plain}",
        f"Content-Type: text/html; charset=utf-8\n\n{HTML}",
        kind="alternative",
    )
    assert read_own_words(raw).text == WORDS


def test_words_about_html_are_no_placeholder():
    said = "The HTML export is broken again, please use the browser."
    raw = parts(f"Content-Type: text/plain\n\n{said}", f"Content-Type: text/html\n\n<p>{said}</p>", kind="alternative")
    assert read_own_words(raw).text == said
    picture = "Content-Type: text/html\n\n<img src=cid:1>"
    assert read_own_words(parts(f"Content-Type: text/plain\n\n{said}", picture, kind="alternative")).text == said


def test_enriched_text():
    body = "<bold>The pallets</bold> leave\nat <<noon>.\n\n<color><param>red</param>Bring</color> the straps."
    assert (
        read_own_words(mail(body, "Content-Type: text/enriched\n")).text
        == "The pallets leave at <noon>.\nBring the straps."
    )
    assert read_own_words(mail("one<nl>two <lt>3", "Content-Type: text/richtext\n")).text == "one\ntwo <3"


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ("", f"\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{WORDS}"),
        ("", f"\n\nContent-Type: text/html\n\n{HTML}"),
        ("", f"Content-Type: multipart/mixed;\n boundary=x1\n\n--x1\nContent-Type: text/plain\n\n{WORDS}\n--x1--"),
        ("Content-Type: multipart/mixed;\n", f'boundary="x1"\n\n--x1\nContent-Type: text/plain\n\n{WORDS}\n--x1--'),
        ("Content-Type: text/plain;\n", f"charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{WORDS}"),
    ],
)
def test_fields_that_slipped(fields, body):
    own = read_own_words(mail(body, fields))
    assert (own.text, own.unread) == (WORDS, None)


@pytest.mark.parametrize(
    "body",
    [
        f"--x1\nContent-Type: text/plain\n\n{WORDS}\n\n--x1--",
        f"This is a multi-part message in MIME format.\n\n--x1\nContent-Type: text/plain\n\n{WORDS}\n--x1--",
        base64.encodebytes((WORDS * 3).encode()).decode(),
        base64.b64encode((WORDS * 3).encode()).decode(),
        f"Content-Type: text/plain\nContent-Transfer-Encoding: 8bit\nSubject: x\n\n{WORDS}",
    ],
)
def test_source_is_never_words(body):
    own = read_own_words(mail(body))
    assert (own.text, own.unread) == ("", "source")


@pytest.mark.parametrize(
    "text",
    [
        "--\nKim",
        "Content-Type: what is that?",
        "SUPERCALIFRAGILISTICEXPIALIDOCIOUSSUPERCALIFRAGILISTICEXPIALIDOCIOUS",
        "https://shop.example/Aa0/" + "Xy9" * 30,
        "-- one\n-- two",
        "ok",
    ],
)
def test_what_is_no_source(text):
    assert not is_source(text)


ENCRYPTED = (
    "Content-Type: application/pgp-encrypted\n\nVersion: 1\n",
    "Content-Type: application/octet-stream; name=encrypted.asc\nContent-Disposition: inline; filename=encrypted.asc"
    "\n\n-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n",
)
ENVELOPED = base64.b64encode(bytes.fromhex("308006092a864886f70d010703a0803080020100")).decode()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (parts(*ENCRYPTED, kind="encrypted; protocol=application/pgp-encrypted"), "encrypted"),
        (mail("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=abcd\n-----END PGP MESSAGE-----\n"), "encrypted"),
        (mail("see below\n\n-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n"), "encrypted"),
        (
            mail(
                ENVELOPED,
                "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n"
                "Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=smime.p7m\n",
            ),
            "encrypted",
        ),
        (parts("Content-Type: application/ms-tnef; name=winmail.dat\n\nx"), "wrapped"),
        (parts("Content-Type: application/octet-stream; name=winmail.dat\n\nx"), "wrapped"),
        (mail("Hello +AOk-t+AOk-", "Content-Type: text/plain; charset=utf-7\n"), "unreadable"),
        (mail("<div style='display:none'>The pallets</div>", "Content-Type: text/html\n"), "unreadable"),
    ],
)
def test_what_cannot_be_read_says_so_and_its_subject_is_not_it(raw, why):
    own = read_own_words(raw)
    assert (own.text, own.unread) == ("", why)


@pytest.mark.parametrize(
    "raw",
    [
        mail(""),
        mail("\n \n"),
        mail("<div><br></div>", "Content-Type: text/html\n"),
        parts("Content-Type: text/plain\n\n", "Content-Type: image/png; name=a.png\n\nPNG"),
        mail("Sent from my iPhone"),
    ],
)
def test_a_mail_without_a_body_is_its_subject(raw):
    own = read_own_words(raw)
    assert (own.text, own.unread) == ("pallets", None)


def signed(content: bytes, *options: pkcs7.PKCS7Options) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kim")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=900))
    certificate = built.sign(key, hashes.SHA256())
    signer = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, hashes.SHA256())
    return signer.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, *options])


def opaque(cms: bytes, kind: str = "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m") -> bytes:
    fields = f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\n"
    return mail(base64.encodebytes(cms).decode(), f"{fields}Content-Disposition: attachment; filename=smime.p7m\n")


def ber(content: bytes) -> bytes:
    """As Outlook and Java write it: indefinite lengths, the content in several strings."""
    pieces = b"".join(
        b"\x04" + bytes([len(content[at : at + 50])]) + content[at : at + 50] for at in range(0, len(content), 50)
    )
    data = b"\x30\x80" + bytes.fromhex("06092a864886f70d010701") + b"\xa0\x80\x24\x80" + pieces + b"\0\0" * 3
    inner = b"\x30\x80\x02\x01\x01\x31\x00" + data + b"\x31\x00" + b"\0\0"
    return b"\x30\x80" + bytes.fromhex("06092a864886f70d010702") + b"\xa0\x80" + inner + b"\0\0" * 2


INNER = f"Content-Type: text/plain; charset=utf-8\n\n{WORDS}\n".replace("\n", "\r\n").encode()
INNER_PARTS = parts(
    f"Content-Type: text/plain\n\n{WORDS}",
    "Content-Type: image/png; name=a.png\nContent-Disposition: attachment; filename=a.png\n\nPNG",
).partition(b"MIME-Version: 1.0\r\n")[2]


@pytest.mark.parametrize("wrap", [signed, ber], ids=["DER", "BER"])
@pytest.mark.parametrize("inner", [INNER, INNER_PARTS], ids=["text", "parts"])
@pytest.mark.parametrize("kind", ["application/pkcs7-mime", "application/x-pkcs7-mime; smime-type=signed-data"])
def test_opaque_signatures_are_read(wrap, inner, kind):
    raw = opaque(wrap(inner), kind)
    assert read_own_words(raw).text == WORDS
    assert [each.name for each in enclosures(mime.parse(raw))] == (["a.png"] if inner is INNER_PARTS else [])


def test_a_signature_that_breaks_off_is_unread():
    whole = signed(INNER)
    for cms in (whole[:60], ber(INNER)[:45]):
        own = read_own_words(opaque(cms))
        assert (own.text, own.unread) == ("", "unreadable")
    assert signed_content(signed(INNER, pkcs7.PKCS7Options.DetachedSignature)) is None


@given(st.binary(max_size=200))
def test_no_octets_break_the_walk(octets):
    whole = ber(INNER)
    for raw in (octets, whole[: len(octets)] + octets, whole[:40] + octets + whole[40:]):
        assert signed_content(raw) is None or isinstance(signed_content(raw), bytes)


ICS = "BEGIN:VCALENDAR\nMETHOD:{}\nBEGIN:VEVENT\nSUMMARY:pallets\nEND:VEVENT\nEND:VCALENDAR\n"


@pytest.mark.parametrize(
    "raw",
    [
        parts(
            "Content-Type: text/plain\n\nKim accepted",
            f"Content-Type: text/calendar; method=REPLY\n\n{ICS.format('REPLY')}",
        ),
        mail(ICS.format("REPLY"), "Content-Type: text/calendar; charset=utf-8\n"),
        mail(ICS.format("COUNTER"), "Content-Type: text/calendar; method=counter\n"),
        parts(
            "Content-Type: text/plain\n\nread", "Content-Type: message/disposition-notification\n\nFinal-Recipient: x"
        ),
        mail("--x--", "Content-Type: multipart/report; report-type=disposition-notification; boundary=x\n"),
    ],
)
def test_programs_answers_are_dropped(raw):
    assert machine(mime.parse(raw))


def test_an_invitation_is_a_mail():
    calendar = f"Content-Type: text/calendar; method=REQUEST\n\n{ICS.format('REQUEST')}"
    raw = parts(f"Content-Type: text/plain\n\n{WORDS}", calendar, kind="alternative")
    assert machine(mime.parse(raw)) is None
    assert read_own_words(raw).text == WORDS


LINE = "The pallets leave at noon."
CODED = base64.encodebytes(f"{LINE}\n".encode()).decode()
RICH = f"<p>{LINE}</p>"


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ("Content-Transfer-Encoding: base64;\n", CODED),
        ("Content-Transfer-Encoding: BASE-64\n", CODED),
        ('Content-Transfer-Encoding: "quoted-printable"\n', "The pallets leave=20at no=\non."),
        ("Content-Transfer-Encoding: quoted-printable; x\n", "The pallets leave=20at noon."),
        ("Content-Transfer-Encoding: utf-8\n", LINE),
        ("Content-Type: application/text\n", LINE),
        ("Content-Type: html\n", RICH),
        ("Content-Type: application/xhtml+xml\n", RICH),
        ("Content-Type: multipart/mixed\n", f"--b7\nContent-Type: text/plain\n\n{LINE}\n--b7--"),
        ("Content-Type: multipart/mixed; boundary=b8\n", f"--b7\nContent-Type: text/plain\n\n{LINE}\n--b7--"),
        ("", f"-----BEGIN PGP SIGNED MESSAGE----- \nHash: SHA256\n\n{LINE}\n-----BEGIN PGP SIGNATURE----- \n\niQ\n"),
    ],
)
def test_more_that_is_a_little_wrong(fields, body):
    own = read_own_words(mail(body, fields))
    assert (own.text, own.unread) == (LINE, None)


@pytest.mark.parametrize(
    "raw",
    [
        parts("Content-Type: text/plain\n\n&nbsp;", f"Content-Type: text/html\n\n{RICH}", kind="alternative"),
        parts("Content-Type: text/plain\n\nThis is an HTML message.", f"Content-Type: text/html\n\n{RICH}"),
        parts(
            f"Content-Type: text/plain; name=a.txt\nContent-Disposition: inline; filename=a.txt\n\n{LINE}",
            "Content-Type: image/jpeg; name=a.jpg\n\nJPG",
        ),
        parts(
            "Content-Type: application/smil\n\n<smil></smil>",
            f"Content-Type: text/plain; name=1.txt\nContent-ID: <1>\n\n{LINE}",
            kind="related; type=application/smil",
        ),
    ],
)
def test_parts_beside_one_another(raw):
    assert read_own_words(raw).text == LINE


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (mail("{\\rtf1 x}", "Content-Type: text/rtf\n"), "unreadable"),
        (mail(LINE, "Content-Type: application/octet-stream\n"), "unreadable"),
        (mail("The pallets leave=20at=20noon=2E=\n Bring=C3=A4"), "source"),
        (parts(f"Content-Type: application/octet-stream; name=smime.p7m\n"
               f"Content-Transfer-Encoding: base64\n\n{ENVELOPED}"), "encrypted"),
    ],
)  # fmt: skip
def test_more_that_cannot_be_read(raw, why):
    own = read_own_words(raw)
    assert (own.text, own.unread) == ("", why)


QUOTED = f'<div dir="ltr">{LINE}</div><div class="gmail_quote"><div>zum</div><div>The alarm is 2580.</div></div>'


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ("Content-Type: text/htm\n", f"<p>{LINE}</p>"),
        ("", QUOTED),
        ("Content-Type: text/plain\n", f"<!DOCTYPE html>\n<html><body>{QUOTED}</body></html>"),
        ("Content-Transfer-Encoding: quotedprintable\n", LINE.replace(" ", "=20", 1)),
        ("Content-Transfer-Encoding: base64 (encoded)\n", base64.b64encode(LINE.encode()).decode()),
        ("Content-Type: text/html\n", f"<div style='max-height:0;overflow:hidden'>no</div><p>{LINE}</p>"),
    ],
)
def test_types_and_encodings_that_are_not_what_they_say(fields, body):
    own = read_own_words(mail(body, fields))
    assert (own.text, own.unread) == (LINE, None)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (mail("  -----BEGIN PGP MESSAGE-----\n\nhQ\n"), "encrypted"),
        (mail("<p>-----BEGIN PGP MESSAGE----- hQ</p>", "Content-Type: text/html\n"), "encrypted"),
        (parts("Content-Type: text/plain\n\n", "Content-Type: application/octet-stream; name=a.asc\n\n"
               "-----BEGIN PGP MESSAGE-----\n\nhQ"), "encrypted"),
        (parts("Content-Type: text/plain\n\nThis message is protected.",
               "Content-Type: application/x-microsoft-rpmsg-message; name=message.rpmsg\n\nx"), "encrypted"),
        (mail("BEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR"), "source"),
        (mail("{\\rtf1\\ansi The pallets}"), "source"),
        (mail(f"From: Omar <omar@corp.example>\nTo: Kim\nMIME-Version: 1.0\n\n{LINE}"), "source"),
        (mail("Gr=C3=BC=C3=9Fe an alle"), "source"),
        (mail(base64.b64encode(b"The alarm is 2580.").decode()), "source"),
        (mail(LINE, "Content-Type: message/partial; id=x; number=1; total=2\n"), "unreadable"),
    ],
)  # fmt: skip
def test_bodies_that_cannot_be_read_are_no_subject_alone(raw, why):
    own = read_own_words(raw)
    assert (own.text, own.unread) == ("", why)


@pytest.mark.parametrize(
    "text",
    [
        "When: nine\nWhere: gate 7\nFrom: Kim",
        "<b> makes text bold",
        "dGhlQWxhcm1JczI1ODAx is the new token",
        "AbCdEfGhIjKlMnOp1234",
        "a=C3 and b=D4",
    ],
)
def test_what_looks_like_source_and_is_none(text):
    assert read_own_words(mail(text)).text == text


def test_raw_octets_in_quoted_printable():
    for encoding in ("quoted-printable", '"quoted-printable"'):
        raw = mail("Die Kräne fahren=20um =C3=BCbermorgen", f"Content-Transfer-Encoding: {encoding}\n")
        assert "Kräne" in read_own_words(raw).text
        assert "Kr" in read_own_words(raw.replace("ä".encode(), b"\xe4")).text


@given(st.lists(st.sampled_from([LINE, "--b1", "Content-Type: text/plain", "", "=20=", CODED.strip(), "boundary=b1"])))
def test_no_field_of_a_mail_is_ever_words(lines):
    """Whatever stands where: at most a mail is unread. One line of it may be what somebody talks about."""
    text = read_own_words(mail("\n".join(lines))).text
    assert "--b1\nContent-Type" not in text
    assert not text.startswith("Content-Type: text/plain\nboundary")
