"""Phones and mailboxes of whoever is signed in, and the PIN: added, proved, removed; R30, R38, R39."""

from collections.abc import Iterator

import pytest

from gateway.network.verification import lockouts
from tests.support.office import Office
from tests.support.web_office import WebOffice, opened

NEW, NORMAL = "+1 415 555 0190", "+14155550190"


@pytest.fixture
def web(office: Office) -> Iterator[WebOffice]:
    with opened(office) as found:
        yield found


def owner(web: WebOffice, address: str) -> str | None:
    rows = web.sql(
        "SELECT p.handle FROM addresses a LEFT JOIN accounts p ON p.id = a.account_id WHERE a.address = :a", a=address
    )
    return rows[0][0] if rows else None


def id_of(web: WebOffice, address: str) -> int:
    return int(web.sql("SELECT id FROM addresses WHERE address = :a", a=address)[0][0])


def asked(web: WebOffice, handle: str, address: str = NEW):
    browser = web.browser(handle)
    assert browser.press("/settings/phones/add", {"new": address, "agreed": "yes"}).status_code == 303
    return browser


def test_a_new_phone_is_proved_by_the_code_that_comes_there(web: WebOffice) -> None:
    sam = asked(web, "sam")
    assert owner(web, NORMAL) is None
    assert "waits for its code" in sam.words("/settings/phones")
    assert sam.press("/settings/phones/code", {"code": web.last_code(NORMAL)}).status_code == 303
    assert owner(web, NORMAL) == "sam"
    [(kind, wording)] = web.sql(
        "SELECT c.kind, c.wording FROM consent c JOIN addresses a ON a.id = c.address_id WHERE a.address = :a", a=NORMAL
    )
    assert (kind, wording) == ("opt_in", "agreed on the web, and typed the code that was sent there")
    assert web.sql("SELECT count(*) FROM audit WHERE action = 'address.link'") == [(1,)]
    notices = web.sql("SELECT text FROM messages WHERE kind = 'notice'")
    assert any("A new phone or mailbox was added" in words for (words,) in notices), "its owner is told elsewhere"


def test_nothing_is_sent_without_a_yes(web: WebOffice) -> None:
    assert web.browser("sam").press("/settings/phones/add", {"new": NEW}).status_code == 422
    assert web.sql("SELECT count(*) FROM messages") == [(0,)]


@pytest.mark.parametrize("written", ["", "415", "kim@", "hello", "+1 900 555 0100", "+49 151 23456789", "x" * 3000])
def test_what_is_no_address_of_ours_is_refused(web: WebOffice, written: str) -> None:
    answer = web.browser("sam").press("/settings/phones/add", {"new": written, "agreed": "yes"})
    assert answer.status_code == 422
    assert web.sql("SELECT count(*) FROM messages") == [(0,)]


def test_somebody_elses_phone_gets_nothing_and_the_answer_tells_nothing(web: WebOffice) -> None:
    sam = web.browser("sam")
    free = sam.press("/settings/phones/add", {"new": NEW, "agreed": "yes", "key": "1"}, follow=True).text
    taken = sam.press("/settings/phones/add", {"new": "+14155550101", "agreed": "yes", "key": "2"}, follow=True).text
    assert "If it is free, six digits are on their way there." in free
    assert "If it is free, six digits are on their way there." in taken
    assert web.sql("SELECT count(*) FROM messages WHERE kind = 'code'") == [(1,)]
    for number in range(5):
        sam.press("/settings/phones/code", {"code": f"{number:06}", "key": f"c{number}"})
    assert owner(web, "+14155550101") == "kim"


def test_a_phone_that_said_stop_gets_no_code(web: WebOffice) -> None:
    web.office.accept_text(NORMAL, "STOP")
    web.office.work()
    before = web.sql("SELECT count(*) FROM messages WHERE kind = 'code'")
    asked(web, "sam")
    assert web.sql("SELECT count(*) FROM messages WHERE kind = 'code'") == before


def test_five_wrong_codes_end_it_and_lock(web: WebOffice) -> None:
    sam = asked(web, "sam")
    right = web.last_code(NORMAL)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        answer = sam.press("/settings/phones/code", {"code": wrong})
        assert answer.status_code == 422
    assert "Too many wrong codes" in answer.text
    assert sam.press("/settings/phones/code", {"code": right}).status_code == 422
    assert owner(web, NORMAL) is None
    assert web.sql("SELECT channels FROM lockouts") == [([lockouts.WEB],)]
    assert web.sql("SELECT count(*) FROM audit WHERE action = 'code.wrong'") == [(5,)]


def test_digits_that_are_no_code_count_for_nothing(web: WebOffice) -> None:
    sam = asked(web, "sam")
    assert "It has six digits." in sam.press("/settings/phones/code", {"code": "12"}).text
    assert web.sql("SELECT tries FROM codes WHERE purpose = 'prove'") == [(0,)]


def test_one_person_can_not_have_codes_sent_without_end(web: WebOffice) -> None:
    sam = web.browser("sam")
    answers = [sam.press("/settings/phones/add", {"new": NEW, "agreed": "yes", "key": str(n)}) for n in range(4)]
    assert [each.status_code for each in answers] == [303, 303, 303, 422]


def test_a_code_of_one_person_is_nothing_for_another(web: WebOffice) -> None:
    asked(web, "sam")
    assert web.browser("bob").press("/settings/phones/code", {"code": web.last_code(NORMAL)}).status_code == 422
    assert owner(web, NORMAL) is None


def test_the_link_code_ties_the_phone_that_sends_it(web: WebOffice) -> None:
    page = web.browser("sam").press("/settings/phones/link-code").text
    code = page.partition("<kbd>link ")[2][:6]
    assert code.isdecimal()
    web.office.accept_text(NORMAL, f"link {code}")
    web.office.work()
    assert owner(web, NORMAL) == "sam"


def test_removing_asks_first_and_leaves_the_last_one(web: WebOffice) -> None:
    kim, sam = web.browser("kim"), web.browser("sam")
    path = f"/settings/phones/{id_of(web, 'kim@demo.example')}/remove"
    asked_first = kim.press(path, {"key": "1"})
    assert (asked_first.status_code, "Take kim@demo.example away from you?" in asked_first.text) == (409, True)
    assert owner(web, "kim@demo.example") == "kim"
    assert kim.press(path, {"key": "1", "confirmed": "ok"}).status_code == 303
    assert owner(web, "kim@demo.example") is None
    [(notice, to)] = web.sql("SELECT m.text, a.address FROM messages m JOIN deliveries d ON d.message_id = m.id "
                             "JOIN addresses a ON a.id = d.address_id WHERE m.kind = 'notice'")  # fmt: skip
    assert (notice[:39], to) == ("A phone or mailbox was taken off your a", "+14155550101"), "told on what is left"
    last = sam.press(f"/settings/phones/{id_of(web, '+14155550102')}/remove", {"confirmed": "ok"})
    assert (last.status_code, "the last one by which you can sign in" in last.text) == (422, True)


def test_nobody_touches_the_phone_of_another(web: WebOffice) -> None:
    sam, phone = web.browser("sam"), id_of(web, "+14155550101")
    for act in ("remove", "main", "try"):
        answer = sam.press(f"/settings/phones/{phone}/{act}", {"confirmed": "ok"})
        assert answer.status_code == 422
        assert "0101" not in answer.text
    assert owner(web, "+14155550101") == "kim"


def test_another_one_becomes_the_main_one(web: WebOffice) -> None:
    sam = asked(web, "sam")
    sam.press("/settings/phones/code", {"code": web.last_code(NORMAL)})
    sam.press(f"/settings/phones/{id_of(web, NORMAL)}/main")
    assert web.sql("SELECT address FROM addresses WHERE is_primary AND account_id = :s", s=web.id("sam")) == [(NORMAL,)]


def test_a_mailbox_that_sends_mail_back_is_tried_again(web: WebOffice) -> None:
    box = id_of(web, "kim@demo.example")
    web.sql("UPDATE addresses SET bouncing_since = now() WHERE id = :b", b=box)
    web.sql("INSERT INTO bouncing (address_id, score, status) VALUES (:b, 5, '5.2.2')", b=box)
    kim = web.browser("kim")
    assert "sends mail back" in kim.words("/settings/phones")
    kim.press(f"/settings/phones/{box}/try")
    assert web.sql("SELECT bouncing_since FROM addresses WHERE id = :b", b=box) == [(None,)]


PIN = {"new": "4829", "again": "4829"}


def pin_of(web: WebOffice, handle: str) -> str:
    return str(web.sql("SELECT pin FROM accounts WHERE handle = :h", h=handle)[0][0])


def test_a_pin_needs_the_code_that_only_the_phone_gets(web: WebOffice) -> None:
    sam = web.browser("sam")
    assert sam.press("/settings/pin", PIN).status_code == 422
    sam.press("/settings/pin/code")
    right = web.last_code("+14155550102")
    wrong = "000000" if right != "000000" else "111111"
    assert sam.press("/settings/pin", {**PIN, "code": wrong}).status_code == 422
    assert pin_of(web, "sam") == "none"
    assert sam.press("/settings/pin", {**PIN, "code": right}).status_code == 303
    assert pin_of(web, "sam") == "risky"
    assert right not in str(web.sql("SELECT detail FROM audit"))


def test_a_pin_is_changed_and_removed_by_the_one_that_stands(web: WebOffice) -> None:
    sam = web.browser("sam")
    sam.press("/settings/pin/code")
    sam.press("/settings/pin", {**PIN, "code": web.last_code("+14155550102")})
    assert sam.press("/settings/pin", {"old": "1111", "remove": "yes"}).status_code == 422
    changed = sam.press("/settings/pin", {"old": "4829", "new": "7350", "again": "7350", "always": "yes"})
    assert (changed.status_code, pin_of(web, "sam")) == (303, "always")
    assert sam.press("/settings/pin", {"old": "4829", "remove": "yes"}).status_code == 422
    assert sam.press("/settings/pin", {"old": "7350", "remove": "yes"}).status_code == 303
    assert pin_of(web, "sam") == "none"


def test_five_wrong_pins_lock_and_the_right_one_is_wrong_then(web: WebOffice) -> None:
    sam = web.browser("sam")
    sam.press("/settings/pin/code")
    sam.press("/settings/pin", {**PIN, "code": web.last_code("+14155550102")})
    for _ in range(5):
        answer = sam.press("/settings/pin", {"old": "1111", "remove": "yes"})
    assert "Too many wrong codes or PINs." in answer.text
    assert sam.press("/settings/pin", {"old": "4829", "remove": "yes"}).status_code == 422
    assert pin_of(web, "sam") == "risky"


@pytest.mark.parametrize("wrong", [{"again": "4828"}, {"new": "1111", "again": "1111"}, {"new": "12", "again": "12"}])
def test_a_bad_pin_is_refused_before_anything_is_counted(web: WebOffice, wrong: dict[str, str]) -> None:
    answer = web.browser("sam").press("/settings/pin", {**PIN, "code": "123456", **wrong})
    assert answer.status_code == 422
    assert web.sql("SELECT count(*) FROM audit WHERE action LIKE '%wrong'") == [(0,)]


def test_a_code_for_a_new_phone_proves_nothing_about_the_pin(web: WebOffice) -> None:
    """Whoever sits at an open page could have a code sent to a phone of their own."""
    sam = asked(web, "sam")
    answer = sam.press("/settings/pin", {**PIN, "code": web.last_code(NORMAL)})
    assert (answer.status_code, pin_of(web, "sam")) == (422, "none")
