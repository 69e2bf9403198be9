"""Signatures of Standard Webhooks: its own example, and everything that must not count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.security.standard_webhooks import ID, SIGNATURE, TIMESTAMP, WINDOW, key_of, sign, verify

# The example of the specification's libraries.
SECRET, NAME, NOW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
BODY = b'{"test": 2432232314}'
MADE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
KEY = key_of(SECRET)
HEADERS = {ID: NAME, TIMESTAMP: str(NOW), SIGNATURE: MADE}


def test_the_published_example():
    assert sign(KEY, NAME, BODY, NOW) == HEADERS
    assert verify([KEY], HEADERS, BODY, NOW) == NAME


def test_any_of_several_keys_and_signatures():
    assert verify([b"new", KEY], HEADERS, BODY, NOW) == NAME
    assert verify([KEY], {**HEADERS, SIGNATURE: f"v1,AAAA v2,x {MADE}"}, BODY, NOW) == NAME


@pytest.mark.parametrize("off", [-WINDOW, WINDOW])
def test_clocks_may_be_off(off):
    assert verify([KEY], HEADERS, BODY, NOW + off) == NAME
    assert verify([KEY], HEADERS, BODY, NOW + off * 1.01) is None


@pytest.mark.parametrize(
    "change",
    [
        {ID: "another"},
        {ID: ""},
        {ID: "x" * 500},
        {ID: "msg\n1"},
        {TIMESTAMP: str(NOW + 1)},
        {TIMESTAMP: ""},
        {TIMESTAMP: "9" * 400},
        {TIMESTAMP: "-1"},
        {TIMESTAMP: f"{NOW}.0"},
        {SIGNATURE: ""},
        {SIGNATURE: MADE[3:]},
        {SIGNATURE: MADE.replace("v1", "v1a")},
        {SIGNATURE: "v1,é"},
        {SIGNATURE: "v1,"},
    ],
)
def test_what_does_not_count(change):
    assert verify([KEY], {**HEADERS, **change}, BODY, NOW) is None


def test_another_body_or_key():
    assert verify([KEY], HEADERS, BODY + b" ", NOW) is None
    assert verify([b"other"], HEADERS, BODY, NOW) is None
    assert verify([], HEADERS, BODY, NOW) is None
    assert verify([KEY], {}, BODY, NOW) is None


@given(st.dictionaries(st.sampled_from([ID, TIMESTAMP, SIGNATURE]), st.text()), st.binary())
def test_it_never_raises(headers, body):
    assert verify([KEY], headers, body) is None


def test_secrets():
    assert key_of("any text") == b"any text"
    with pytest.raises(ValueError, match="base64"):
        key_of("whsec_###")
