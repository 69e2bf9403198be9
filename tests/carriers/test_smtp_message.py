"""What may be sent, and how it looks on the wire."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.carriers.common.protocol import OutboundEmail
from gateway.carriers.smtp.message import envelope, find_flaw, is_clean, wire_format
from gateway.carriers.smtp.replies import accepted_outcome, refused_outcome

LINES = st.lists(st.binary(max_size=30).map(lambda line: bytes(b for b in line if b not in b"\r\n\0")), max_size=8)
DOTTED = st.lists(st.text(".ax ", max_size=5).map(str.encode), max_size=10)
ALL = frozenset({"SIZE", "8BITMIME", "SMTPUTF8"})


def received(stream):
    """What a server reads by RFC 5321 4.5.2: content up to the lone dot, and what is left behind it."""
    lines = []
    while True:
        line, _, stream = stream.partition(b"\r\n")
        if line == b".":
            return b"".join(each + b"\r\n" for each in lines), stream
        lines.append(line[1:] if line.startswith(b".") else line)


@given(LINES | DOTTED, st.booleans())
@example([b".", b""], False)
@example([], True)
@example([b"."], False)
def test_dots_come_back_as_they_were(lines, ended):
    content = b"\r\n".join(lines) + (b"\r\n" if ended and lines else b"")
    assert is_clean(content)
    back, rest = received(wire_format(content) + b"MAIL FROM:<next@mail.example>\r\n")
    assert rest == b"MAIL FROM:<next@mail.example>\r\n"
    assert back == (content if content.endswith(b"\r\n") or not content else content + b"\r\n")


@given(st.binary(max_size=60) | st.text("\r\n.\0a", max_size=12).map(str.encode))
@example(b"a\r\r\nb")
@example(b"a\n\r\nb")
@example(b"\r")
def test_only_whole_line_ends_are_clean(content):
    plain = content.replace(b"\r\n", b"")
    assert is_clean(content) is not any(each in plain for each in b"\r\n\0")


def test_long_lines_are_not_clean():
    assert is_clean(b"x" * 998 + b"\r\n" + b"y" * 998)
    assert not is_clean(b"ok\r\n" + b"x" * 999 + b"\r\n")


@given(st.text(max_size=30))
def test_no_address_can_break_out_of_its_command(address):
    email = OutboundEmail(1, address, address or "a@b", b"x\r\n")
    if not find_flaw(email, ALL):
        for command in envelope(email, ALL):
            assert command.count(b"\r\n") == 1
            assert command.count(b"\n") == command.count(b"\r") == command.count(b"<") == command.count(b">") == 1


@pytest.mark.parametrize(
    ("reply", "carrier_id"),
    [
        (b"250 2.0.0 Ok: queued as 4F8A1", "4F8A1"),
        (b"250 OK id=1rAbC-0001xy-Z2", "1rAbC-0001xy-Z2"),
        (b"250 2.6.0 <x@y> [InternalId=123456, Hostname=h] Queued mail for delivery", "123456"),
        (b"250 2.0.0 OK  1700000000 d9443c01a7336 - gsmtp", "d9443c01a7336"),
        (b"250 OK", None),
        (b"250", None),
        (b"250 queued as \xff\xfe", None),
    ],
)
def test_the_name_the_relay_gave_it(reply, carrier_id):
    assert accepted_outcome(reply).carrier_id == carrier_id


@pytest.mark.parametrize("code", [530, 534, 535, 538])
def test_our_own_login(code):
    outcome = refused_outcome(code, b"%d 5.7.0 p1@corp.example" % code, "MAIL")
    assert (outcome.state, outcome.reason, outcome.pause, outcome.detail) == ("retry", str(code), True, "MAIL 5.7.0")
