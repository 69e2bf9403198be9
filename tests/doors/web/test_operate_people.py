"""Who is here: roles, suspended and brought back, link codes, people from a file; and the audit, settings, doctor and
explainer."""

import io
import re
import zipfile

import pytest

from gateway.settings import in_force
from tests.support.operator_pages import OperatorPages
from tests.support.web_process import changed
from tests.support.web_visitor import plain

CANARY = "zanzibar"
PASSWORD = "open" + "-sesame"
GOOD = "handle,name,phone,groups\nzed,Zed Zero,+1 415 555 0150,acme\nkim,Kim Lee,,\n"
BAD = "handle,name,phone\nzed,Zed Zero,415555010\nzoe,,\n"


def account(operators: OperatorPages, handle: str, column: str) -> object:
    return operators.office.sql(f"SELECT {column} FROM accounts WHERE handle = :handle", handle=handle)[0][0]


def test_the_list_has_two_digits_of_a_phone(operators: OperatorPages) -> None:
    page = operators.as_whom("dana").open("/operate/people").text
    assert "Kim Lee @kim member …01 arrives" in plain(page)
    assert "Pat Quinn @pat admin" in plain(page)
    assert "415555" not in page
    assert "demo.example" not in page


@pytest.mark.parametrize(
    ("query", "found"), [("kim", "Kim Lee"), ("ortiz", "Sam Ortiz"), ("@bob", "Bob Reyes"), ("%25", "Nobody")]
)
def test_people_are_found_by_how_a_name_begins(operators: OperatorPages, query: str, found: str) -> None:
    assert found in operators.as_whom("dana").words(f"/operate/people?q={query}")


def test_looking_at_somebody_is_kept(operators: OperatorPages) -> None:
    page = operators.as_whom("dana").open("/operate/people/kim").text
    assert "…01 , arrives" in plain(page)
    assert "+1415" not in page
    assert operators.audited("people.show") == [("dana", operators.account("kim"), {"numbers": False})]
    assert operators.as_whom("dana").open("/operate/people/nobody").status_code == 404
    assert operators.as_whom("dana").open("/operate/people/acme").status_code == 404


def test_only_an_admin_gives_roles(operators: OperatorPages) -> None:
    assert operators.as_whom("dana").press("/operate/people/kim/role", {"role": "operator"}).status_code == 403
    assert "Set the role" not in operators.as_whom("dana").open("/operate/people/kim").text
    answer = operators.as_whom("pat").press("/operate/people/kim/role", {"role": "operator"})
    assert answer.status_code == 303
    assert account(operators, "kim", "role") == "operator"
    assert operators.audited("people.role") == [("pat", operators.account("kim"), {"from": "member", "to": "operator"})]


@pytest.mark.parametrize("role", ["owner", "", "root"])
def test_a_role_is_one_of_three(operators: OperatorPages, role: str) -> None:
    assert operators.as_whom("pat").press("/operate/people/kim/role", {"role": role}).status_code == 422
    assert account(operators, "kim", "role") == "member"


def test_nobody_shuts_themselves_out(operators: OperatorPages) -> None:
    assert operators.as_whom("pat").press("/operate/people/pat/role", {"role": "member"}).status_code == 422
    assert operators.as_whom("dana").press("/operate/people/dana/suspend").status_code == 422
    assert (account(operators, "pat", "role"), account(operators, "dana", "state")) == ("admin", "active")


@pytest.mark.parametrize("act", ["suspend", "restore", "code"])
def test_an_operator_does_nothing_to_an_admin(operators: OperatorPages, act: str) -> None:
    """Who could tie a phone to an admin would be one."""
    assert operators.as_whom("dana").press(f"/operate/people/pat/{act}").status_code == 403
    assert account(operators, "pat", "state") == "active"
    assert operators.audited("address.code") == []


def test_somebody_is_suspended_and_comes_back(operators: OperatorPages) -> None:
    kim = operators.as_whom("kim")
    visitor = operators.as_whom("dana")
    assert visitor.press("/operate/people/kim/suspend", {"reason": "Kim left"}).status_code == 422  # it names them
    visitor.press("/operate/people/kim/suspend", {"reason": "lost phone"})
    assert account(operators, "kim", "state") == "suspended"
    assert kim.open("/").status_code == 200
    assert "Home" not in plain(kim.open("/").text)[:40]  # their session is worth nothing meanwhile
    assert operators.audited("people.suspend")[0][2]["reason"] == "lost phone"  # type: ignore[index]
    assert "suspended" in visitor.words("/operate/people/kim")
    visitor.press("/operate/people/kim/restore")
    assert account(operators, "kim", "state") == "active"
    assert visitor.press("/operate/people/kim/restore").status_code == 422


def test_a_link_code_is_shown_once_and_stands_in_no_address(operators: OperatorPages) -> None:
    visitor = operators.as_whom("dana")
    answer = visitor.press("/operate/people/kim/code")
    code = re.search(r"link (\d{6})", plain(answer.text))
    assert answer.status_code == 200
    assert code
    assert "Location" not in answer.headers
    assert code[1] not in visitor.open("/operate/people/kim").text
    assert operators.audited("address.code") == [("dana", operators.account("kim"), {"purpose": "link"})]
    operators.office.accept_text("+14155550177", f"link {code[1]}")
    operators.office.work()
    assert operators.office.sql("SELECT account_id FROM addresses WHERE address = '+14155550177'")[0][
        0
    ] == operators.account("kim")


def give(operators: OperatorPages, content: str | bytes, who: str = "pat", **form: str):
    octets = content if isinstance(content, bytes) else content.encode()
    return operators.as_whom(who).press(
        "/operate/people/import",
        {"file": (io.BytesIO(octets), "people.csv"), **form},
        content_type="multipart/form-data",
    )


def test_a_file_is_looked_at_before_anything_is_done(operators: OperatorPages) -> None:
    answer = give(operators, GOOD)
    words = plain(answer.text)
    assert "1 new 1 the same 0 changed" in words
    assert "Import 2 people" in words
    assert not operators.office.sql("SELECT 1 FROM accounts WHERE handle = 'zed'")
    assert operators.audited("people.import") == []


def test_then_it_is_done_all_at_once(operators: OperatorPages) -> None:
    text = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", give(operators, GOOD).text, re.DOTALL)
    assert text
    answer = operators.as_whom("pat").press("/operate/people/import", {"text": text[1], "do": "1"})
    assert (answer.status_code, answer.location) == (303, "/operate/people")
    assert account(operators, "zed", "name") == "Zed Zero"
    assert operators.audited("people.import")[0][0] == "pat"
    assert operators.audited("people.welcome")[0][2] == {"phones": 1}  # invited: it gets its one text
    assert "All of it is so already." in plain(give(operators, GOOD).text)


def test_wrong_lines_are_named_and_nothing_is_done(operators: OperatorPages) -> None:
    answer = give(operators, BAD, do="1")
    words = plain(answer.text)
    assert "2 lines are wrong" in words
    assert "Line 2, phone:" in words
    assert "Line 3, name:" in words
    assert "Import " not in words.partition("Looked at")[2].partition("Another file")[0]
    assert not operators.office.sql("SELECT 1 FROM accounts WHERE handle = 'zed'")


@pytest.mark.parametrize("content", ["", "hello", "handle,name,wage\nzed,Zed,1\n", b"\x00\x01\x02\x03\x04"])
def test_what_is_no_such_file_is_said(operators: OperatorPages, content: str | bytes) -> None:
    answer = give(operators, content, do="1")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text


def test_markup_in_a_file_stays_text(operators: OperatorPages) -> None:
    page = give(operators, "handle,name\nzed,</textarea><script>alert(1)</script>\n").text
    assert "<script>alert" not in page


def test_a_whole_file_puts_others_out_only_after_they_were_named_and_never_oneself(operators: OperatorPages) -> None:
    words = plain(give(operators, GOOD + "pat,Pat Quinn,,\n", complete="1").text)
    assert "put out" in words
    assert "@sam" in words
    assert account(operators, "sam", "state") == "active"
    assert give(operators, GOOD, complete="1", do="1").status_code == 422
    assert account(operators, "pat", "state") == "active"
    text = GOOD + "pat,Pat Quinn,,\n"
    operators.as_whom("pat").press("/operate/people/import", {"text": text, "complete": "1", "do": "1"})
    assert (account(operators, "sam", "state"), account(operators, "pat", "state")) == ("deactivated", "active")


def test_a_large_file_is_taken(operators: OperatorPages) -> None:
    many = "handle,name\n" + "".join(f"p{number},Person {number}\n" for number in range(9_000))
    assert len(many) > 150_000
    assert "9,000 new" in plain(give(operators, many).text)
    assert "9,000 new" in plain(operators.as_whom("pat").press("/operate/people/import", {"text": many}).text)


def test_only_an_admin_imports(operators: OperatorPages) -> None:
    assert give(operators, GOOD, who="dana", do="1").status_code == 403
    assert not operators.office.sql("SELECT 1 FROM accounts WHERE handle = 'zed'")


def test_the_audit_says_who_did_what_and_whether_it_is_whole(operators: OperatorPages) -> None:
    operators.as_whom("pat").press("/operate/people/kim/role", {"role": "operator"})
    visitor = operators.as_whom("dana")
    assert "Pat Quinn people.role @kim · to: operator, from: member" in visitor.words("/operate/audit")
    assert "Whole: " in visitor.words("/operate/audit?check=1")


def test_a_broken_chain_is_said(operators: OperatorPages, owner) -> None:
    visitor = operators.as_whom("dana")
    with owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER ALL")
        connection.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE number = 1")
    assert "1 row is not as it was written" in visitor.words("/operate/audit?check=1")


def test_the_audit_goes_on_by_key(operators: OperatorPages) -> None:
    for _ in range(60):
        operators.as_whom("dana")  # each signs in
    visitor = operators.as_whom("dana")
    first = visitor.open("/operate/audit").text
    older = first.partition("/operate/audit?before=")[2].partition('"')[0]
    assert first.count('class="entry"') == 50
    assert 10 <= visitor.open(f"/operate/audit?before={older}").text.count('class="entry"') < 50


def test_settings_show_no_secret(operators: OperatorPages) -> None:
    page = operators.as_whom("dana").open("/operate/settings").text
    assert "CRITTER_SECRET_KEY •••" in plain(page)
    for secret in (
        *operators.office.settings.secret_keys,
        operators.office.settings.database_url,
        operators.office.settings.redis_url,
    ):
        assert secret not in page


def test_each_setting_that_sounds_secret_is_covered(operators: OperatorPages) -> None:
    """A new one that its author forgot to hide fails here."""
    settings = changed(operators.office.settings, CRITTER_SMTP_RELAY=f"smtp://kim:{PASSWORD}@127.0.0.1:25")
    rows = {row.name: row for row in in_force.list_in_force(settings, {"CRITTER_COMPANY": "Demo"})}
    sounding = [row for row in rows.values() if re.search(r"SECRET|PASSWORD|TOKEN$|_KEY$", row.name)]
    plain_ones = ["CRITTER_REDIS_NO_PASSWORD", "CRITTER_TLS_KEY"]  # a switch, and the path of a file
    assert [row.name for row in sounding if not row.secret] == plain_ones
    assert (rows["CRITTER_COMPANY"].source, rows["CRITTER_MODE"].source) == ("environment", "default")
    assert PASSWORD not in str(rows)


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(operators: OperatorPages) -> None:
    operators.office.sql("UPDATE installation SET mail_paused_until = 'infinity', mail_pause_reason = 'pat: moving'")
    words = operators.as_whom("dana").words("/operate/check")
    assert "senders wrong 1 paused (smtp: pat: moving): critter carriers resume lets it go on" in words
    assert "database PostgreSQL" in words


def explain(operators: OperatorPages, words: str, whom: str = "dana", channel: str = "sms") -> str:
    answer = operators.as_whom("dana").press("/operate/explain", {"text": words, "as": whom, "channel": channel})
    return answer.text


def test_words_are_explained_and_nothing_is_sent(operators: OperatorPages) -> None:
    words = plain(explain(operators, "d acne margin 12%"))
    assert "Privacy private" in words
    assert "No one is called acne." in words
    assert plain(explain(operators, "done")).count("Read as")
    assert not operators.office.sql("SELECT 1 FROM inbound UNION ALL SELECT 1 FROM messages")


@pytest.mark.parametrize("words", ["last", "more", "r yes", "post", "who", "1", "mentions", "undo", "?"])
def test_explaining_as_somebody_shows_nothing_that_is_theirs(operators: OperatorPages, words: str) -> None:
    operators.office.says("anne", f"d kim {CANARY} tonight")
    operators.office.says("kim", f"d acne {CANARY} kept")
    operators.office.work()
    operators.office.sql("UPDATE fanouts SET not_before = now(); UPDATE deliveries SET not_before = now()")
    operators.office.work()
    page = explain(operators, words, "kim")
    assert CANARY not in page
    assert "Anne Cole" not in page.partition("<main")[2]
    assert "hidden: it may have words in it" in plain(page)


@pytest.mark.parametrize("whom", ["nobody", "acme", "'; --"])
def test_nobody_is_called_so(operators: OperatorPages, whom: str) -> None:
    answer = operators.as_whom("dana").press("/operate/explain", {"text": "hello", "as": whom})
    assert answer.status_code == 422


def test_costs_by_day_group_and_person(operators: OperatorPages) -> None:
    operators.office.says("kim", "#acme the draft is up")
    operators.office.says("kim", "hello all")
    operators.office.work()
    page = operators.as_whom("dana").open("/operate/costs").text
    words = plain(page)
    assert re.search(r"Today \d of [\d,]+ parts", words)
    assert "#acme 1 0.01" in words
    assert "@kim" in words
    assert '<rect class="s1"' in page
    assert operators.as_whom("dana").open("/operate/costs?month=99-99").status_code == 200


def test_one_person_is_added_and_nothing_typed_is_lost(operators: OperatorPages) -> None:
    dana = operators.as_whom("dana")
    form = {"name": "Lee Park", "handle": "lee", "phones": "415 555 0177", "groups": "acme, nowhere", "timezone": "UTC"}
    wrong = dana.press("/operate/people/new", form)
    assert wrong.status_code == 422
    assert "There is no group #nowhere" in wrong.text
    assert 'value="Lee Park"' in wrong.text
    assert not operators.office.sql("SELECT 1 FROM accounts WHERE handle = 'lee'")
    assert dana.press("/operate/people/new", {**form, "groups": "#acme"}).location == "/operate/people/lee"
    assert "Lee Park is here, as @lee." in dana.words("/operate/people/lee")
    [(state,)] = operators.office.sql("SELECT state FROM addresses WHERE address = '+14155550177'")
    assert state == "invited"
    assert operators.audited("people.add")[-1][0] == "dana"
    assert dana.press("/operate/people/new", {**form, "groups": ""}).status_code == 422  # the handle is taken


def test_an_admin_exports_and_erases_by_typing_the_name(operators: OperatorPages) -> None:
    pat, sam = operators.as_whom("pat"), operators.account("sam")
    operators.office.says("sam", "zanzibar")
    assert "Sam Ortiz" in pat.words("/operate/people/sam/data")
    for act in ("export", "erase"):
        assert pat.press(f"/operate/people/sam/{act}", {"name": "Sam"}).status_code == 422
        assert operators.as_whom("dana").press(f"/operate/people/sam/{act}", {"name": "Sam Ortiz"}).status_code == 403
    packed = pat.press("/operate/people/sam/export", {"name": "sam ortiz"})
    with zipfile.ZipFile(io.BytesIO(packed.data)) as file:
        assert "zanzibar" in file.read("data.json").decode()
    assert pat.press("/operate/people/pat/erase", {"name": "Pat Quinn"}).status_code == 422  # oneself
    assert pat.press("/operate/people/sam/erase", {"name": "Sam Ortiz"}).location == "/operate/people"
    assert "Sam Ortiz is erased" in pat.words("/operate/people")
    assert not operators.office.sql("SELECT 1 FROM posts WHERE text = 'zanzibar'")
    assert [row[:2] for row in operators.audited("people.export")] == [("pat", sam)]
    assert [row[:2] for row in operators.audited("people.erase")] == [("pat", sam)]
    assert str(sam) in (operators.office.settings.var / "erased.jsonl").read_text()
