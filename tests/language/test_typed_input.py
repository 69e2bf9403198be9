"""What cannot be seen never counts where a handle, a name, a number, a mailbox or a setting is typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.language.usage.arguments import KINDS, words
from gateway.network.people import accounts, addresses, aliases
from gateway.network.people.handles import canonical_handle, clean_name, handle_problem
from gateway.settings import load
from gateway.store.database import transaction
from gateway.typed_input import ascii_domain, clean_input, named, show_escaped, strip_invisible

# Of each kind one: what contact apps, spreadsheets, web pages, dictation and chat programs put around and between.
UNSEEN = [
    "\u00ad", "\u034f", "\u061c", "\u115f", "\u180e", "\u180f", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f",
    "\u202a", "\u202c", "\u202e", "\u2060", "\u2066", "\u2069", "\u206a", "\u3164", "\ufe0f", "\ufeff", "\uffa0",
    "\ufffc", "\U0001bca0", "\U0001d173", "\U000e0001", "\U000e0041", "\U000e0100", "\U000e0200",
]  # fmt: skip


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with transaction(engine) as opened:
        yield opened


def strewn(text: str, one: str) -> str:
    """The character before, after and between all of it."""
    return one + one.join(text) + one + one


@pytest.mark.parametrize("one", UNSEEN, ids=lambda one: f"U+{ord(one):04X}")
def test_it_counts_in_no_field(one: str) -> None:
    assert canonical_handle(strewn("@Kim_2", one)) == "kim_2"
    assert clean_name(strewn("Kim Lee", one)) == "Kim Lee"
    assert addresses.normal_phone(strewn("+1 (415) 555-0101", one), "US") == "+14155550101"
    assert addresses.normal_mailbox(strewn("Kim.Lee@Demo.example", one)) == "kim.lee@demo.example"
    assert addresses.normal_mailbox(strewn("kim@bücher.example", one)) == "kim@xn--bcher-kva.example"
    assert aliases.normal_alias(strewn("kimmy", one)) == "kimmy"
    assert ascii_domain(strewn("demo.example", one)) == "demo.example"


@given(st.text(max_size=30), st.sampled_from(UNSEEN))
def test_what_is_typed_is_a_fixed_point(text: str, one: str) -> None:
    for form in (clean_input, strip_invisible):
        once = form(strewn(text, one))
        assert form(once) == once
    assert clean_input(strewn(text, one)) == clean_input(text)


@pytest.mark.parametrize("blank", ["\u00a0", "\u2002", "\u2009", "\u202f", "\u205f", "\u3000", "\u2800"])
def test_blanks_of_every_width_are_blanks(blank: str) -> None:
    assert clean_name(f"{blank}Kim{blank}{blank}Lee{blank}") == "Kim Lee"
    assert addresses.normal_phone(f"{blank}+1{blank}415{blank}555{blank}0101{blank}", "US") == "+14155550101"
    assert addresses.normal_mailbox(f"{blank}kim@demo.example{blank}") == "kim@demo.example"
    assert canonical_handle(f"{blank}kim{blank}") == "kim"


def test_joiners_stay_where_letters_need_them() -> None:
    assert clean_name("مهدی نوری‌زاده") == "مهدی نوری\u200cزاده"
    assert clean_name("ශ්\u200dරී") == "ශ්\u200dරී"
    assert clean_name("José\u200d Díaz\u200c") == "José Díaz"
    assert clean_name("\u200cنوری\u200c") == "نوری"


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        ("straße.example", "xn--strae-oqa.example"),
        ("STRASSE.example", "strasse.example"),
        ("STRAẞE.example", "xn--strae-oqa.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("Bücher.EXAMPLE", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("xn--strae-oqa.example", "xn--strae-oqa.example"),
        ("ｄｅｍｏ．ｅｘａｍｐｌｅ", "demo.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("نامه‌ای.example", "xn--mgba3gch31f060k.example"),
        ("de\u200cmo.bücher.example", "demo.xn--bcher-kva.example"),
        ("пример.example", "xn--e1afmkfd.example"),
    ],
)
def test_domains_by_idna_2008(written: str, domain: str) -> None:
    assert ascii_domain(written) == domain
    assert addresses.normal_mailbox(f"ivy@{written}") == f"ivy@{domain}"


@pytest.mark.parametrize("written", ["i❤.example", "-ü.example", "ü_b.example", "ü..example", "ü" * 64 + ".example"])
def test_what_can_be_no_domain_is_no_mailbox(written: str) -> None:
    with pytest.raises(Refused, match="mail address"):
        addresses.normal_mailbox(f"ivy@{written}")


def test_wide_letters_of_asian_keyboards() -> None:
    assert addresses.normal_mailbox("ｉｖｙ＠ｄｅｍｏ．ｅｘａｍｐｌｅ") == "ivy@demo.example"
    assert addresses.channel_of("ivy＠demo.example") == "email"
    assert addresses.normal_phone("＋１（４１５）５５５－０１０１", "US") == "+14155550101"
    assert addresses.normal_phone("+1\u2212415\u2011555\u20130101", "US") == "+14155550101"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("ivy@straße.example", "ivy@straße.example"),
        ("IVY@Straße.example.", "ivy@straße.example"),
        ("ivy＠demo.example", "ivy@demo.example"),
        ("ivy@demo.xn--p1ai", "ivy@demo.xn--p1ai"),
        ("\u202a+14155550141\u202c", "+14155550141"),
        ("415\u2011555\u20110141", "4155550141"),
        ("\u2066+1\u00a0415\u00a0555\u00a00141\u2069", "+14155550141"),
    ],
)
def test_an_address_in_a_text(written: str, address: str) -> None:
    source = words(written)
    assert next(KINDS["ADDRESS"](source, 0)) == (len(source), address)


def test_a_mailbox_finds_its_owner_by_its_own_domain(session: Session) -> None:
    ivy = accounts.create_person(session, "ivy", "Ivy Moss")
    rolf = accounts.create_person(session, "rolf", "Rolf Ek")
    addresses.add(session, ivy.id, "email", addresses.normal_mailbox("ivy@straße.example"))
    addresses.add(session, rolf.id, "email", addresses.normal_mailbox("ivy@strasse.example"))
    for written, handle in (("ivy@straße.example", "ivy"), ("<Ivy@STRASSE.example>.".strip("<>."), "rolf")):
        assert [one.handle for one in accounts.find(session, written, None).exact] == [handle]
    assert accounts.by_handle(session, "\u202aivy\u202c") is not None


def test_lookalikes_are_named() -> None:
    problem = str(handle_problem(canonical_handle("kіm\x00")))
    assert "“kіm<U+0000>”" in problem
    assert "“і” (U+0456 CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I), U+0000" in problem


def test_what_is_shown() -> None:
    assert show_escaped("k\u200bi\x07m ok") == "k<U+200B>i<U+0007>m ok"
    assert named("\u200bé\u200b") == "U+200B ZERO WIDTH SPACE, “é” (U+00E9 LATIN SMALL LETTER E WITH ACUTE)"


SIMULATED = {"CRITTER_MODE": "simulated"}


def test_settings_as_they_are_pasted(tmp_path: Path) -> None:
    found = load(
        SIMULATED
        | {
            "CRITTER_VAR": str(tmp_path),
            "CRITTER_SMS_NUMBERS": "\u202a+15005550006\u202c,\u00a0\u200b+15005550007",
            "CRITTER_MAIL_DOMAIN": "\ufeffBücher.example",
            "CRITTER_INVITE_DOMAINS": "straße.example, demo\u200b.example",
            "CRITTER_MAIL_ALIASES": "updates@bücher.example=sales",
        }
    )
    assert [one.number for one in found.sms_senders] == ["+15005550006", "+15005550007"]
    assert found.mail_domain == "xn--bcher-kva.example"
    assert found.invite_domains == ("xn--strae-oqa.example", "demo.example")
    assert found.mail_aliases == ("updates@xn--bcher-kva.example=sales",)


def test_a_settings_file_with_a_byte_order_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("\ufeffCRITTER_COMPANY=Acme Fish\nCRITTER_MODE=simulated\n", "utf-8")
    monkeypatch.delenv("CRITTER_COMPANY", raising=False)
    monkeypatch.setenv("CRITTER_VAR", str(tmp_path))
    assert load().company == "Acme Fish"
