"""Which files of a mail hang on its post: no logos, no signatures, nothing that mail programs add; the rest is told."""

from email.message import EmailMessage
from email.mime.text import MIMEText
from typing import Any

import pytest

from gateway.i18n.phrases import translated
from gateway.inbound import mail_attachments
from gateway.inbound.mail_attachments import Attachments, describe_left_out
from gateway.mail.decode import mime
from gateway.mail.decode.attachments import enclosures, part
from gateway.mail.parse.received_mail import ReceivedMail
from gateway.settings import Settings, load
from tests.support import sample_files

Opened = Any


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Nothing here asks a database."""
    return load({"CRITTER_VAR": str(tmp_path_factory.mktemp("var"))})


def mail(*files: tuple[str, bytes | None, str], html: str = "", shown: dict[str, bytes] | None = None) -> Opened:
    """A mail with attachments (name, content, declared type), and pictures that its HTML shows by Content-ID."""
    made = EmailMessage()
    made["From"], made["Subject"] = "dave@demo.example", "a mail"
    made.set_content("the van is here")
    if html:
        made.add_alternative(html, subtype="html")
        page = made.get_payload()[1]  # type: ignore[index]
        for cid, content in (shown or {}).items():
            page.add_related(content, "image", "png", cid=f"<{cid}>", filename=f"{cid}.png", disposition="inline")  # type: ignore[union-attr]
    for name, content, kind in files:
        sample_files.enclose(made, name, content, kind)
    return mime.parse(made.as_bytes())


def look(message: Opened, forwarded: bool, settings: Settings) -> Attachments:
    return mail_attachments.look(ReceivedMail(message.as_bytes()), forwarded, settings)


def names(message: Opened, settings: Settings, **how: bool) -> list[str]:
    return [each.name for each in look(message, how.get("forwarded", False), settings).brought]


def reasons(message: Opened, settings: Settings) -> dict[str, str]:
    return dict(look(message, False, settings).left_out)


JPG = ("van.jpg", None, "image/jpeg")


def test_files_hang_on_the_post_as_what_they_are(settings: Settings) -> None:
    found = look(mail(JPG, ("plan", sample_files.MADE["pdf"], "image/gif")), False, settings)
    assert [(each.name, each.content_type) for each in found.brought] == [
        ("van.jpg", "image/jpeg"),
        ("plan.pdf", "application/pdf"),
    ]
    assert found.left_out == ()
    assert found.called == "(2 files)"
    assert look(mail(JPG), False, settings).called == "(photo)"
    assert look(mail(("plan.pdf", None, "x/y")), False, settings).called == "(plan.pdf)"
    assert look(mail(), False, settings).called == ""


def test_a_part_is_found_again_by_its_number(settings: Settings) -> None:
    message = mail(JPG, ("plan.pdf", None, "application/pdf"))
    again = mime.parse(message.as_bytes())
    for each in look(message, False, settings).brought:
        assert part(again, each.number) == sample_files.MADE[each.name.rpartition(".")[2]]
    assert part(again, 99) is None


@pytest.mark.parametrize(
    ("name", "content", "kind", "why"),
    [
        ("setup.exe", None, "application/pdf", "a program"),
        ("logo.svg", None, "image/svg+xml", "a web page"),
        ("all.zip", None, "application/zip", "an archive"),
        ("IMG_1.HEIC", b"\0\0\0\x18ftypheic", "image/heic", "send it as JPEG"),
        ("sums.xlsx", sample_files.office("xl/workbook.xml", "xl/vbaProject.bin"), "x/y", "it contains macros"),
        ("thing.bin", b"\0\1\2\3", "x/y", "this kind of file is not passed on"),
        ("bomb.png", sample_files.bomb(), "image/png", "too many pixels"),
        ("half.png", sample_files.MADE["png"][:20], "image/png", "the picture is broken"),
        ("winmail.dat", b"x\x9f\x3e\x22", "application/ms-tnef", "Outlook wrapped it up: send as HTML or plain text"),
        ("secret.asc", b"-----BEGIN PGP MESSAGE-----\n", "application/octet-stream", "encrypted"),
        ("smime.p7m", b"0\x80", "application/pkcs7-mime", "encrypted"),
        ("large.txt", b"a" * 2_000, "text/plain", "larger than 0.0 MB"),
    ],
)
def test_why_a_file_does_not_go_on(name: str, content: bytes | None, kind: str, why: str, settings: Settings) -> None:
    if name == "large.txt":
        settings = settings.model_copy(update={"media_largest": 1024})
    message = mail((name, content, kind), ("plan.pdf", None, "application/pdf"))
    assert reasons(message, settings) == {name: why}
    assert names(message, settings) == ["plan.pdf"], "the others go on"


def test_a_mail_inside_the_mail_is_not_passed_on(settings: Settings) -> None:
    made = EmailMessage()
    made.set_content("see below")
    inner = EmailMessage()
    inner.set_content("the inner words")
    sample_files.enclose(inner, "van.jpg")
    made.add_attachment(inner)
    assert list(reasons(mime.parse(made.as_bytes()), settings).values()) == ["a mail inside the mail"]


def test_only_so_many(settings: Settings) -> None:
    few = settings.model_copy(update={"media_most": 2})
    found = look(mail(*[(f"{number}.pdf", None, "x/y") for number in range(7)]), False, few)
    assert [each.name for each in found.brought] == ["0.pdf", "1.pdf"]
    said = describe_left_out(found.left_out)
    assert said == "Left out: 2.pdf (more than 2 files), 3.pdf (more than 2 files), 4.pdf (more than 2 files), 2 more."
    assert translated(said, "es").startswith("No se incluy")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("signature.asc", "application/pgp-signature"),
        ("smime.p7s", "application/pkcs7-signature"),
        ("invite.ics", "text/calendar"),
        ("dave.vcf", "text/vcard"),
        ("ATT00001.txt", "text/plain"),
        ("ATT00002.htm", "text/html"),
    ],
)
def test_what_mail_programs_add_is_no_file(name: str, kind: str, settings: Settings) -> None:
    found = look(mail((name, b"anything\n", kind)), False, settings)
    assert (found.brought, found.left_out) == ((), ())


def test_logos_and_beacons_are_no_pictures(settings: Settings) -> None:
    html = '<p>the van</p><img src="cid:van"><img src="cid:logo"><img src="cid:dot">'
    shown = {
        "van": sample_files.picture(form="PNG"),
        "logo": sample_files.picture(600, 90, "PNG"),
        "dot": sample_files.picture(1, 1, "PNG"),
    }
    assert names(mail(html=html, shown=shown), settings) == ["van.png"]
    assert names(mail(("icon.png", sample_files.picture(64, 64, "PNG"), "image/png")), settings) == ["icon.png"]


@pytest.mark.parametrize(
    "end",
    [
        '<div class="gmail_quote"><blockquote>',
        '<div class="gmail_signature" data-smartmail="x">',
        '<div id="appendonsend"></div><hr>',
        '<div class="moz-signature">-- <br>',
        '<blockquote type="cite">',
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt">',
    ],
)
def test_pictures_of_what_is_quoted_are_not_the_writers(end: str, settings: Settings) -> None:
    html = f'<p>the van</p><img src="cid:van">{end}<img src="cid:theirs"></div>'
    shown = {"van": sample_files.picture(form="PNG"), "theirs": sample_files.picture(500, 500, "PNG")}
    message = mail(html=html, shown=shown)
    assert names(message, settings) == ["van.png"]
    assert names(message, settings, forwarded=True) == ["van.png", "theirs.png"], "of a forwarded mail all count"


def test_text_of_the_mail_is_no_file() -> None:
    assert enclosures(mail(html="<p>hello</p>")) == []
    assert enclosures(mime.parse(MIMEText("hello").as_bytes())) == []
