"""Authentication-Results as mail servers write them, and as those write them who would like to be one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.auth.authentication_results import dmarc_passes, ours
from gateway.mail.decode import mime

IDS = ("mx.example",)


def said(*values: str) -> bool | None:
    raw = "".join(f"Authentication-Results: {value}\r\n" for value in values) + "\r\nhello\r\n"
    found = ours(mime.parse(raw.encode()), IDS)
    return None if found is None else dmarc_passes(found, "corp.example")


@pytest.mark.parametrize(
    "value",
    [
        "mx.example; dmarc=pass header.from=corp.example",
        "MX.Example 1; DMARC=Pass header.from=CORP.example",
        '"mx.example"; dmarc=pass header.from="corp.example"',
        "mx.example;\r\n\tspf=fail smtp.mailfrom=a@evil.example;\r\n\tdmarc=pass (p=none dis=none)"
        " header.from=corp.example",
        "(a comment; with (one) inside) mx.example (here too) 1 (and here); dmarc (x) = (y) pass"
        " (dmarc=fail;) header.from (z) = (w) corp.example",
        'mx.example; dmarc/1=pass reason="a; dmarc=fail" header.from=corp.example',
        'mx.example; dkim=pass header.d=corp.example header.i=@corp.example header.b="a/b="; dmarc=pass'
        " action=none header.from=corp.example;",
        'mx.example; dkim=fail reason="no; key" header.d=evil.example; dmarc=pass header.from=corp.example',
        "mx.example; none; dmarc=pass header.from=kim@corp.example",
        "mx.example; spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=corp.example; dkim=pass (it was verified)"
        "\r\n header.d=corp.example;dmarc=pass action=none header.from=corp.example;compauth=pass reason=100",
    ],
)
def test_read(value):
    assert said(value) is True


@pytest.mark.parametrize(
    "value",
    [
        "mx.example; none",
        "mx.example",
        "mx.example;",
        "mx.example 2; dmarc=pass header.from=corp.example",
        "mx.example; dmarc=fail header.from=corp.example",
        "mx.example; dmarc=pass",
        "mx.example; dmarc=pass header.from=corp.example.evil.example",
        "mx.example; dmarc=pass header.from=evil.example",
        "mx.example; dmarc=fail header.from=corp.example; dmarc=pass header.from=corp.example",
        'mx.example; dkim=pass reason="x; dmarc=pass header.from=corp.example"',
        "mx.example; dkim=pass (; dmarc=pass header.from=corp.example)",
        'mx.example; dkim=pass header.i="@x; dmarc=pass header.from=corp.example"',
        "mx.example; spf=pass smtp.mailfrom=dmarc=pass header.from=corp.example",
        "mx.example; dmarc=passed header.from=corp.example",
        'mx.example; dmarc=pass header.from=corp.example "',
    ],
)
def test_no_pass(value):
    assert said(value) in (False, None)


def test_only_the_topmost_of_ours_is_read():
    good, bad = "mx.example; dmarc=pass header.from=corp.example", "mx.example; dmarc=fail header.from=corp.example"
    assert said("other.example; dmarc=fail header.from=corp.example", good, bad) is True
    assert said(bad, good) is False
    assert said("mx.example.evil.example; dmarc=pass header.from=corp.example") is None
    assert said("(mx.example) evil.example; dmarc=pass header.from=corp.example") is None
    assert said('evil.example; x="\r\n mx.example; dmarc=pass header.from=corp.example"') is None
    assert said("(never closed mx.example; dmarc=pass header.from=corp.example") is None
    assert said() is None


@given(st.text(st.sampled_from('mx.example; dmarc=passheader.fom(")\\/1 \t'), max_size=80))
def test_nothing_breaks_it(value):
    assert said(value.strip()) in (True, False, None)
    assert said("mx.example; " + value.strip()) in (True, False, None)
