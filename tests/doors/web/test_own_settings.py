"""You, blocked and muted, where one is signed in, one's data."""

import io
import json
import zipfile
from collections.abc import Iterator

import pytest

from gateway.network.mail import secret_addresses
from gateway.store.database import transaction
from tests.support.office import Office
from tests.support.web_office import WebOffice, opened


@pytest.fixture
def web(office: Office) -> Iterator[WebOffice]:
    with opened(office) as found:
        yield found


def test_a_name_is_asked_about_and_taken(web: WebOffice) -> None:
    sam = web.browser("sam")
    asked = sam.press("/settings/you/name", {"name": "Samuel Ortiz", "key": "1"})
    assert (asked.status_code, "Everyone will see you as Samuel Ortiz." in asked.text) == (409, True)
    sam.press("/settings/you/name", {"name": "Samuel Ortiz", "key": "1", "confirmed": "ok"})
    assert web.sql("SELECT name FROM accounts WHERE handle = 'sam'") == [("Samuel Ortiz",)]
    sam.press("/undo")
    assert web.sql("SELECT name FROM accounts WHERE handle = 'sam'") == [("Sam Ortiz",)]


def test_pages_come_in_ones_language(web: WebOffice) -> None:
    sam = web.browser("sam")
    sam.press("/settings/you/language", {"language": "es"})
    page = sam.open("/settings/you").text
    assert '<html lang="es"' in page
    assert "Idioma" in page
    assert sam.press("/settings/you/language", {"language": "klingon"}).status_code == 422


def test_the_look_and_the_keys(web: WebOffice) -> None:
    sam = web.browser("sam")
    sam.press("/settings/you/look", {"look": "dark"})
    page = sam.open("/settings/you").text
    assert 'data-theme="dark"' in page
    assert 'data-keys="off"' in page
    sam.press("/settings/you/look", {"look": "device", "keys": "yes"})
    page = sam.open("/settings/you").text
    assert "data-theme" not in page
    assert 'data-keys="on"' in page
    assert sam.press("/settings/you/look", {"look": "neon"}).status_code == 400


@pytest.mark.parametrize(
    ("which", "column"),
    [("ack", "SELECT ack FROM accounts WHERE handle = 'sam'"),
     ("daily", "SELECT daily FROM accounts WHERE handle = 'sam'"),
     ("connect", "SELECT coalesce((SELECT connects FROM attention w JOIN accounts a ON a.id = w.account_id "
                 "WHERE a.handle = 'sam'), true)")],
)  # fmt: skip
def test_each_switch_switches_and_is_undone(web: WebOffice, which: str, column: str) -> None:
    sam, [(was,)] = web.browser("sam"), web.sql(column)
    sam.press("/settings/you/said", {"which": which, "on": "no" if was else "yes"})
    assert web.sql(column) == [(not was,)]
    sam.press("/undo")
    assert web.sql(column) == [(was,)]


def test_no_other_switch_is_there(web: WebOffice) -> None:
    assert web.browser("sam").press("/settings/you/said", {"which": "role", "on": "yes"}).status_code == 400


def test_blocks_and_mutes_are_listed_and_ended(web: WebOffice) -> None:
    for words in ("block kim", "mute anne for 2d"):
        web.office.says("sam", words)
        web.office.work()
    sam = web.browser("sam")
    words = sam.words("/settings/blocked")
    assert "Kim Lee @kim Blocked since" in words
    assert "Anne Cole @anne Muted till" in words
    assert "Kim Lee" not in web.browser("anne").words("/settings/blocked"), "a mute is never noticed"
    sam.press(f"/settings/blocked/{web.id('kim')}/end")
    assert "Kim Lee" not in sam.words("/settings/blocked").partition("Ended.")[0]
    sam.press("/undo")
    assert web.sql("SELECT kind FROM silences WHERE other_id = :k", k=web.id("kim")) == [("block",)]
    assert sam.press(f"/settings/blocked/{web.id('dave')}/end").status_code == 404


def test_the_one_who_was_blocked_ends_nothing(web: WebOffice) -> None:
    web.office.says("sam", "block kim")
    web.office.work()
    assert web.browser("kim").press(f"/settings/blocked/{web.id('sam')}/end").status_code == 404
    assert web.sql("SELECT count(*) FROM silences") == [(1,)]


def test_sessions_are_listed_and_ended_by_their_owner_alone(web: WebOffice) -> None:
    here, there, other = web.browser("sam"), web.browser("sam"), web.browser("kim")
    ids = dict(web.sql("SELECT a.handle || row_number() OVER (ORDER BY s.id), s.id FROM web_sessions s "
                       "JOIN accounts a ON a.id = s.account_id"))  # fmt: skip
    assert here.open("/settings/signed-in").text.count("/end") == 3  # two, and all others
    assert other.press(f"/settings/signed-in/{ids['sam2']}/end").status_code == 404
    assert there.open("/settings").status_code == 200
    assert here.press(f"/settings/signed-in/{ids['sam2']}/end").status_code == 303
    assert there.open("/settings").location.startswith("/sign-in")
    assert here.open("/settings").status_code == 200


def test_all_other_sessions_end_at_once(web: WebOffice) -> None:
    here, *others = (web.browser("sam") for _ in range(3))
    kim = web.browser("kim")
    here.press("/settings/signed-in/end-others")
    assert [each.open("/settings").status_code for each in (here, *others, kim)] == [200, 303, 303, 200]


def test_ending_the_session_here_signs_out(web: WebOffice) -> None:
    sam = web.browser("sam")
    [(mine,)] = web.sql("SELECT id FROM web_sessions")
    answer = sam.press(f"/settings/signed-in/{mine}/end")
    assert answer.location == "/sign-in"
    assert sam.open("/settings").status_code == 303


@pytest.mark.parametrize("state", ["suspended", "deactivated"])
def test_sessions_end_with_the_account(web: WebOffice, state: str) -> None:
    sam = web.browser("sam")
    web.sql("UPDATE accounts SET state = :s WHERE handle = 'sam'", s=state)
    assert sam.open("/settings").location.startswith("/sign-in")
    assert sam.press("/settings/pause", {"span": "1h"}).status_code in (401, 403)


def test_a_download_has_ones_own_words_and_nobody_elses(web: WebOffice) -> None:
    for who, words in (("kim", "d anne the raise is approved"), ("sam", "lunch is here")):
        web.office.says(who, words)
        web.office.work()
    answer = web.browser("sam").press("/settings/data/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sam.zip"'
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        content = json.loads(packed.read("data.json"))
        readable = packed.read("read-me.txt").decode()
    assert content["account"][0]["handle"] == "sam"
    assert "lunch is here" in readable
    assert "raise" not in readable
    assert web.sql("SELECT actor FROM audit WHERE action = 'people.export'") == [(f"account:{web.id('sam')}",)]


def test_the_secret_address_is_shown_on_request_alone(web: WebOffice) -> None:
    kim = web.browser("kim")
    assert "post+" not in kim.open("/settings/data").text
    page = kim.press("/settings/data/secret").text
    word = page.partition("<kbd>post+")[2].partition("@")[0]
    with transaction(web.office.engine) as session:
        assert secret_addresses.owner(session, word) == web.id("kim")
    kim.press("/settings/data/new-secret")
    with transaction(web.office.engine) as session:
        assert secret_addresses.owner(session, word) is None, "the old one has ended"


def test_who_can_erase_is_said(web: WebOffice) -> None:
    web.sql("UPDATE accounts SET role = 'admin' WHERE handle = 'pat'")
    assert "Write to Pat Quinn" in web.browser("sam").words("/settings/data")
