"""No value breaks out of a header (R46, F29): of mails that leave and of web answers, also once a reader decodes it."""

import ast
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from pathlib import Path

import pytest
from werkzeug.datastructures import Headers

from critter.__main__ import OLDEST_PYTHON
from critter.processes.app import build, create_app
from gateway.doors.smtp import header_peek
from gateway.errors import Refused
from gateway.ledger.outbox.claims import ClaimedDelivery, MessageContent
from gateway.network.people.handles import clean_name
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from workers.sending.render_mail import Mailing

ROOT = Path(__file__).parents[2]
CONTROL = re.compile("[\x00-\x1f\x7f\u2028\u2029]")
BREAKS = ("\r\n", "\n", "\r", "\0", "\x0b", "\x0c", "\x1c", "\x7f", "\x85", "\u2028", "\u2029")
ENCODED = (
    "=?utf-8?q?=0D=0ABcc:_evil=40x.example?=", "=?utf-8?b?DQpCY2M6IGV2aWxAeC5leGFtcGxl?=", "=?UTF-8?Q?a=0Ab?=",
    "=?utf-8?q?a=E2=80=A8b?=", "=?utf-8?q?a=C2=85b?=", "=?utf-8?q?a=00b?=",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3F=0D=0A=3F=3D?=",
    "=?utf-8*en?q?=0D=0AX:_y?=", "=?utf-7?q?+AA0ACg-X:_y?=", "=?utf-8?q?a?= =?utf-8?q?=0D=0Ab?=", "=?x-none?q?=0A?=",
    "=?utf-16?b?AA0ACgBY?=",
)  # fmt: skip
EVIL = (*(f"Kim{one}Bcc: evil@x.example{one}{one}a body" for one in BREAKS), *ENCODED)
HEADS = {"From", "To", "Subject", "Message-ID", "Reply-To", "In-Reply-To", "References", "Auto-Submitted", "Date",
         "X-Auto-Response-Suppress", "X-Critter-Id", "Precedence", "List-Id", "List-Post", "List-Subscribe",
         "List-Help",
         "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type"}  # fmt: skip


def composed(settings: Settings, evil: str, **more: object) -> bytes:
    """A mail whose author, subject, words, files and whose mail that it answers are the attacker's."""
    content = MessageContent(
        1, "update", evil, evil, evil, 7, "kim", evil, 9, False, "sales", (), None, datetime(2026, 1, 1, tzinfo=UTC),
        attached="photo", files=((evil, 9),),
    )  # fmt: skip
    content = MessageContent(**{**{name: getattr(content, name) for name in MessageContent.__slots__}, **more})
    claimed = ClaimedDelivery(7, 1, 5, 1, "sam@demo.example", None, False, 7, "sales", follows=evil)
    load, _ = Mailing(settings, Signer(settings.secret_keys)).load(claimed, content)
    return load.parcel.content


@pytest.mark.parametrize("more", [{}, {"kind": "answer", "post_id": None}], ids=["update", "answer"])
def test_nothing_that_people_write_breaks_out_of_a_mails_head(settings: Settings, more: dict) -> None:
    for evil in EVIL:
        answers = f"<{evil}@x.example>".replace(" ", "")
        raw = composed(settings, evil, **more, **({"answers": answers} if more else {}))
        head, _, _ = raw.partition(b"\r\n\r\n")
        mail = message_from_bytes(raw, policy=default)
        assert set(mail.keys()) <= HEADS, (evil, mail.keys())
        assert all(count == 1 for count in map(mail.keys().count, mail.keys())), evil
        assert [one.addr_spec for one in mail["From"].addresses] == [f"post@{settings.mail_domain}"], evil
        assert len(mail["To"].addresses) == 1
        unfolded = re.sub(rb"\r\n(?=[ \t])", b"", head).decode()
        for line in unfolded.split("\r\n"):
            value = line.partition(": ")[2]
            assert not CONTROL.search(value), evil
            assert not CONTROL.search(str(make_header(decode_header(value)))), (evil, line)
        assert b"evil@x.example" not in re.sub(rb"(?m)^Subject:.*$", b"", head) or b"From:" in head
        assert mail["Bcc"] is None


def test_an_answer_leaves_without_an_id_that_hides_a_lines_end(settings: Settings) -> None:
    """The Message-ID that it answers is the sender's: a bad one keeps nobody's answer back."""
    good = composed(settings, "hello", kind="answer", post_id=None, answers="<1@x.example>")
    assert b"In-Reply-To: <1@x.example>\r\n" in good
    for evil in ENCODED:
        bad = composed(settings, "hello", kind="answer", post_id=None, answers=f"<{evil.replace(' ', '')}@x.example>")
        found = message_from_bytes(bad)["In-Reply-To"]
        assert found is None or not CONTROL.search(str(make_header(decode_header(found))))


def test_names_keep_no_line_ends() -> None:
    """Of people and groups, as they come from a text, a file or a mail."""
    for evil in EVIL:
        try:
            kept = clean_name(evil)
        except Refused:
            continue
        assert not CONTROL.search(kept)


def test_only_one_from_and_one_mailbox_is_somebody() -> None:
    one = b"From: kim@corp.example\r\n"
    assert header_peek.sender(one + b"Subject: a\r\n") == "kim@corp.example"
    for head in (
        one + b"From: boss@corp.example\r\n", b"from: boss@corp.example\r\n" + one, one + one,
        b"From: kim@corp.example, boss@corp.example\r\n", b"From: kim@corp.example)boss@corp.example\r\n",
        b"From: <kim@corp.example> <boss@corp.example>\r\n", b"From: team: kim@corp.example, boss@corp.example;\r\n",
        b"From: =?utf-8?q?kim=40corp.example=2C_boss=40corp.example?=\r\n", b"From : kim@corp.example\r\n" + one,
        b"From: kim@corp.example\r\n\t, boss@corp.example\r\n", b"From: =?utf-8?q?=0D=0AFrom:_x?=\r\n", b"From: \r\n",
        b"From: kim@corp.example\0boss@corp.example\r\n", b"From: kim\x0b@corp.example\r\n", b"Subject: a\r\n",
    ):  # fmt: skip
        assert header_peek.sender(head) is None, head


def test_a_hidden_line_end_in_the_name_makes_no_second_author() -> None:
    for evil in ENCODED:
        head = f"From: {evil} <kim@corp.example>\r\nSubject: {evil}\r\n".encode()
        assert header_peek.sender(head) in (None, "kim@corp.example")


def test_web_answers_hold_no_line_end_of_a_request(settings: Settings) -> None:
    """Paths, queries, hosts and types: none comes back in a header; nobody is sent elsewhere, and a cookie
    has nothing of them."""
    parts = build(settings)
    asks = create_app(settings, parts).test_client()
    for path in ("/", "/help", "/nothing", "/p/x", "/m//x", "//evil.example/", "/help/", "/static", "/login/x"):
        for evil in ("%0d%0aSet-Cookie:%20a=b", "%E2%80%A8X:y", "%00", "=?utf-8?q?=0D=0A?="):
            answer = asks.get(f"{path}{evil}?next={evil}", headers={"Host": "evil.example", "Accept-Language": "es"})
            assert not {"Location", "Refresh"} & set(answer.headers.keys()), path
            assert all(one.startswith("critter-sign-in=") for one in answer.headers.getlist("Set-Cookie")), path
            assert not any(CONTROL.search(value) or "evil" in value for _, value in answer.headers), path
    parts.close()


@pytest.mark.parametrize("evil", EVIL)
def test_a_files_name_stays_in_its_field(evil: str) -> None:
    """As the page of a file hands it over: Flask writes Content-Disposition of it, and refuses what it cannot."""
    from gateway.files.file_types import name_file

    kept = name_file(evil + ".png", "image/png")
    assert not CONTROL.search(kept)
    headers = Headers()
    headers.set("Content-Disposition", "attachment", filename=kept)
    assert not CONTROL.search(headers["Content-Disposition"])


def test_fields_are_put_together_in_one_place() -> None:
    """`Name: {value}\\r\\n` is written where a value was made safe, and nowhere else."""
    allowed = {
        "gateway/mail/compose/compose.py",
        "workers/sending/render_mail.py",
    }  # of values that headers.py and Signer made
    found = set()
    for path in (
        path for folder in ("gateway", "workers", "critter", "handlers") for path in (ROOT / folder).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
                if re.search("(^|\n)[\0A-Z][A-Za-z-]*: ?\0.*\r\n", text):
                    found.add(str(path.relative_to(ROOT)))
    assert found <= allowed


def test_the_lint_bans_what_breaks_out(tmp_path: Path) -> None:
    written = tmp_path / "gateway" / "one.py"
    written.parent.mkdir()
    written.write_text('"""Bad."""\n\nfrom email.header import Header\nfrom email.utils import formataddr\n')
    told = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), str(written)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.stdout.count("TID251") == 2


def test_the_oldest_python_is_named_and_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = ".".join(map(str, OLDEST_PYTHON))
    assert project["project"]["requires-python"] == f">={named}"
    assert project["tool"]["mypy"]["python_version"] == named
    assert project["tool"]["ruff"]["target-version"] == "py" + named.replace(".", "")
    assert f"sys.version_info < {OLDEST_PYTHON}" in (ROOT / "bootstrap.py").read_text()
    older = "import sys; sys.version_info = (3, 10, 9); sys.version = '3.10.9 x'; import critter.__main__"
    told = subprocess.run([sys.executable, "-c", older], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (1, "Critter needs Python 3.11 or newer, this is 3.10.9\n")
