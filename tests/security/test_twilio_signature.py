"""The web-hook signature verifier against Twilio's own vectors, its library, and nonsense."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import ImmutableMultiDict

from gateway.security.twilio_signature import Verifier, url_spellings

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "twilio_signatures.json").read_text())["vectors"]
URL = "https://critter.example/sms/inbound"
NAMES = st.text("ABCDEFabcdef0123", min_size=1, max_size=8)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=12)
HOSTS = st.sampled_from(["critter.example", "a.b.example", "127.0.0.1"])
PORTS = st.sampled_from(["", ":8443", ":443", ":80"])
URLS = st.builds("{}://{}{}{}".format, st.sampled_from(["http", "https"]), HOSTS, PORTS, st.just("/sms/inbound"))


def sign(token: str, text: str) -> str:
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def form_of(vector):
    params = {name: value if isinstance(value, list) else [value] for name, value in vector["params"].items()}
    return ImmutableMultiDict((name, value) for name, values in params.items() for value in values)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_twilio_vectors(vector):
    verifier = Verifier((vector["auth_token"],))
    params = vector["raw_body"] if vector["kind"] == "json" else form_of(vector)
    assert verifier.genuine(vector["url"], params, vector["signature"]) is vector["expect_valid"]


def test_every_shape_of_a_form_signs_alike():
    text = "A" + "1" + "B" + "2" + "B" + "3"
    verifier, signature = Verifier(("secret",)), sign("secret", URL + text)
    pairs = [("B", "3"), ("A", "1"), ("B", "2"), ("B", "3")]
    for form in (pairs, iter(pairs), {"B": ["3", "2"], "A": "1"}, ImmutableMultiDict(pairs)):
        assert verifier.genuine(URL, form, signature)


@given(URLS, PAIRS, st.sampled_from(["one", "two"]))
def test_agrees_with_the_library(url, pairs, token):
    form = ImmutableMultiDict(pairs)
    signature = RequestValidator(token).compute_signature(url, form)
    assert Verifier(("one",)).genuine(url, form, signature) is (token == "one")
    assert RequestValidator("one").validate(url, form, signature) is (token == "one")


@given(URLS, PAIRS)
def test_library_takes_what_is_signed_over_either_spelling(url, pairs):
    form = ImmutableMultiDict(pairs)
    for spelling in url_spellings(url):
        signature = RequestValidator("one").compute_signature(spelling.decode(), form)
        assert Verifier(("one",)).genuine(url, form, signature)
        assert RequestValidator("one").validate(url, form, signature)


@given(PAIRS, st.binary(max_size=40), st.booleans())
def test_json_body_agrees_with_the_library(pairs, body, honest):
    digest = hashlib.sha256(body if honest else body + b"!").hexdigest()
    url = f"{URL}?bodySHA256={digest}"
    signature = sign("one", url)
    assert Verifier(("one",)).genuine(url, body, signature) is honest
    text = body.decode("latin-1")
    if text.isascii():
        assert RequestValidator("one").validate(url, text, signature) is honest


def test_two_live_tokens():
    verifier = Verifier(("old", "new"))
    assert verifier.genuine(URL, {"A": "1"}, sign("old", URL + "A1"))
    assert verifier.genuine(URL, {"A": "1"}, sign("new", URL + "A1"))
    assert not verifier.genuine(URL, {"A": "1"}, sign("third", URL + "A1"))


@pytest.mark.parametrize("tokens", [(), ("",)])
def test_no_token_lets_nobody_in(tokens):
    assert not Verifier(tokens).genuine(URL, {"A": "1"}, sign("", URL + "A1"))


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("https://user:pass@h:8443/x", "https://user:pass@h/x"),
        ("https://user:pass@h/x", "https://user:pass@h:443/x"),
        ("https://u:p@[2001:db8::1]:8443/x?y=:1", "https://u:p@[2001:db8::1]/x?y=:1"),
        ("http://[::1]/x", "http://[::1]:80/x"),
        ("http://h?a=b:c@d", "http://h:80?a=b:c@d"),
        ("http://h:1/a/b:2", "http://h/a/b:2"),
        ("HTTPS://h/x", "HTTPS://h:443/x"),
    ],
)
def test_spellings_of_a_url(url, other):
    assert url_spellings(url) == (url.encode(), other.encode())
    for each in (url, other):
        assert Verifier(("t",)).genuine(url, {"A": "1"}, sign("t", each + "A1"))
    assert urlsplit(url).hostname == urlsplit(other).hostname


@pytest.mark.parametrize("header", ["", None, "é", "\ud800", b"bytes", 7])
def test_a_strange_header_is_no(header):
    assert Verifier(("t",)).genuine(URL, {"A": "1"}, header) is False


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_never_raises(url, params, signature):
    assert Verifier(("t",)).genuine(url, params, signature) is False


@given(PAIRS, st.data())
def test_any_change_is_noticed(pairs, data):
    changed = [*pairs, ("Zz", data.draw(VALUES))]
    assert not Verifier(("t",)).genuine(URL, changed, RequestValidator("t").compute_signature(URL, dict(pairs)))
