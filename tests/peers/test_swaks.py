"""swaks, the tool with which people try mail servers by hand, talks to our mail door."""

import subprocess
from pathlib import Path

from tests.peers.conftest import Door, need


def swaks(door: Door, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [need("swaks", "swaks"), "--server", "127.0.0.1", "--port", str(door.port), "--from", "kim@corp.example"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_a_plain_mail(door: Door) -> None:
    sent = swaks(door, "--to", "post@mail.example", "--header", "Subject: lunch", "--body", "lunch at noon")
    assert sent.returncode == 0, sent.stdout
    assert door.rows() == 1


def test_one_unknown_among_several(door: Door) -> None:
    """Refused at RCPT, not bounced; the others get one mail."""
    sent = swaks(door, "--to", "post@mail.example,nobody@mail.example,ops@mail.example", "--body", "hello")
    assert sent.stdout.count("<** 550") == 1, sent.stdout
    assert set(door.place.scalar("SELECT recipients FROM inbound")) == {"post@mail.example", "ops@mail.example"}
    assert door.rows() == 1


def test_eight_bits(door: Door, tmp_path: Path) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_bytes(
        b"From: kim@corp.example\r\nTo: post@mail.example\r\nSubject: tea\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + "Grüße aus München – 再见\r\n".encode()
    )
    sent = swaks(door, "--to", "post@mail.example", "--data", f"@{mail}")
    assert sent.returncode == 0, sent.stdout
    assert "8BITMIME" in sent.stdout
    assert "München – 再见".encode() in bytes(door.place.scalar("SELECT raw FROM inbound"))


def test_a_mail_that_is_too_large(door: Door, tmp_path: Path) -> None:
    """Refused for good, and nothing of it is kept."""
    mail = tmp_path / "large.eml"
    mail.write_bytes(b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 160_000)
    sent = swaks(door, "--to", "post@mail.example", "--data", f"@{mail}", "--suppress-data")
    assert sent.returncode != 0
    assert "<** 552" in sent.stdout, sent.stdout[-500:]
    assert door.rows() == 0
