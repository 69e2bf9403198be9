"""What operators look at and change by hand: one person, one held input, one post, a group. Each leaves an audit row,
and private words are never shown."""

import json

import pytest
from sqlalchemy import Engine

from gateway.network.follows import follows
from gateway.network.people import accounts, addresses, aliases
from gateway.settings import Settings
from gateway.store.database import transaction
from tests.support.office import Office, point_command_line


@pytest.fixture
def office(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office(engine, settings)
    made.assemble()
    point_command_line(monkeypatch, settings)
    return made


def audited(office: Office) -> list[str]:
    return [str(row[0]) for row in office.sql("SELECT action FROM audit ORDER BY id")]


def post_of(office: Office, input_id: int) -> str:
    return str(office.sql("SELECT id FROM posts WHERE inbound_id = :id", id=input_id)[0][0])


# People


def test_one_person_without_numbers(office: Office) -> None:
    ran = office.critter("people", "show", "@Kim")
    assert ran.exit_code == 0
    assert ran.output.startswith("@kim  ")
    assert "phone: " in ran.output
    assert "4155550" not in ran.output
    assert "demo.example" not in ran.output
    assert audited(office) == ["people.show"]


def test_one_person_with_numbers(office: Office) -> None:
    told = json.loads(office.critter("people", "show", "kim", "--numbers", "--json").output)
    phones = [one["address"] for one in told["addresses"] if one["channel"] == "sms"]
    assert phones[0].startswith("+1415555")
    assert told["state"] == "active"
    assert office.sql("SELECT detail ->> 'numbers' FROM audit") == [("true",)]


def test_why_nothing_reaches_somebody(office: Office) -> None:
    with transaction(office.engine) as session:
        kim = accounts.by_handle(session, "kim")
        assert kim is not None
        phone = addresses.primary(session, kim.id, "sms")
        assert phone is not None
        addresses.stop(session, phone, "STOP")
        aliases.add(session, kim, "kimmy")
        kim.role = "operator"
    assert office.critter("people", "deactivate", "sam", "--yes").exit_code == 0
    said = office.critter("people", "show", "kim").output
    assert "opted out" in said
    assert "active, operator, since" in said
    assert "also called kimmy" in said
    assert "deactivated" in office.critter("people", "show", "sam").output


@pytest.mark.parametrize("handle", ["nobody", "k\u0007m", "", "#sales", "9" * 300])
def test_who_is_nobody(office: Office, handle: str) -> None:
    ran = office.critter("people", "show", handle)
    assert (ran.exit_code, "critter people list --all" in ran.output) == (2, True)
    assert "\u0007" not in ran.output
    assert audited(office) == []


# Held inputs


def test_one_held_input(office: Office) -> None:
    held = office.says("kim", "d sam the secret code word is swordfish", trusted=False)
    office.sql("UPDATE inbound SET state = 'held', reason = 'sender not proved' WHERE id = :id", id=held)
    ran = office.critter("held", "show", str(held))
    assert ran.exit_code == 0
    assert "held: sender not proved" in ran.output
    assert f"critter held approve {held} lets it in" in ran.output
    assert "swordfish" not in ran.output
    assert "4155550" not in ran.output
    told = json.loads(office.critter("held", "show", str(held), "--json").output)
    assert (told["id"], told["octets"], "text" in told) == (str(held), 39, False)
    assert audited(office) == ["held.show"] * 2


def test_the_token_of_a_held_reply_is_not_shown(office: Office) -> None:
    held = office.says("kim", "hello")
    office.sql(
        "UPDATE inbound SET state = 'quarantined', recipients = '{r+abc@m.example,r-abc@m.example,post@m.example}'"
        " WHERE id = :id",
        id=held,
    )
    shown = office.critter("held", "show", str(held)).output
    assert "r+…@m.example, r-…@m.example, post@m.example" in shown
    assert "abc" not in shown


@pytest.mark.parametrize("given", ["7", "0", "99999999999999999999"])
def test_what_is_not_held(office: Office, given: str) -> None:
    ran = office.critter("held", "show", given)
    assert (ran.exit_code, "is not held: critter held list" in ran.output) == (2, True)


# Posts


def test_a_post_is_shown(office: Office) -> None:
    said = office.says("kim", "The dock opens at ten")
    office.work()
    post = post_of(office, said)
    for given in (post, str(said)):
        ran = office.critter("posts", "show", given)
        assert ran.output.startswith(f"post {post} by @kim to everyone, 20"), ran.output
        assert ran.output.endswith("The dock opens at ten\n")
    assert json.loads(office.critter("posts", "show", post, "--json").output)["text"] == "The dock opens at ten"
    assert audited(office) == ["posts.show"] * 3


def test_private_words_are_never_shown(office: Office) -> None:
    said = office.says("kim", "d sam the safe is behind the mirror")
    office.work()
    post = post_of(office, said)
    for ran in (office.critter("posts", "show", post), office.critter("posts", "show", post, "--json")):
        assert "mirror" not in ran.output
    assert "Its words are private" in office.critter("posts", "show", post).output
    removed = office.critter("posts", "remove", post, "--yes")
    assert removed.exit_code == 0
    assert "mirror" not in removed.output


def test_a_post_is_taken_back_by_an_operator(office: Office) -> None:
    said = office.says("kim", "The dock opens at ten")
    office.read()
    post = post_of(office, said)
    unasked = office.critter("posts", "remove", post)
    assert (unasked.exit_code, "by @kim to everyone" in unasked.output, "--yes" in unasked.output) == (2, True, True)
    assert "Taken back: " in office.critter("posts", "remove", post, "--yes").output
    office.work()
    assert office.sql("SELECT state FROM deliveries WHERE state NOT IN ('cancelled') AND message_id IN "
                      "(SELECT id FROM messages WHERE post_id = :id)", id=int(post)) == []  # fmt: skip
    again = office.critter("posts", "remove", post, "--yes")
    assert (again.exit_code, "taken back already by operator" in again.output) == (2, True)
    assert "taken back by operator" in office.critter("posts", "show", post).output
    assert f"post {post} taken back by operator" in office.critter("trace", post).output
    assert json.loads(office.critter("trace", post, "--json").output)["posts"][0]["deleted_by"].startswith("operator ")
    assert office.critter("audit").exit_code == 0
    assert [one for one in audited(office) if one == "posts.remove"] == ["posts.remove"]


def test_a_post_that_its_author_took_back(office: Office) -> None:
    said = office.says("kim", "The dock opens at ten")
    office.work()
    office.says("kim", "undo")
    office.work()
    post = post_of(office, said)
    assert f"post {post} taken back by @kim" in office.critter("trace", post).output
    again = office.critter("posts", "remove", post, "--yes")
    assert (again.exit_code, "taken back already by @kim" in again.output) == (2, True)


@pytest.mark.parametrize("words", [("show", "1"), ("remove", "1", "--yes"), ("show", "x" * 200), ("show", "1:2")])
def test_what_is_no_post(office: Office, words: tuple[str, ...]) -> None:
    ran = office.critter("posts", *words)
    assert (ran.exit_code, "nothing with the id" in ran.output) == (2, True)


def test_an_input_that_made_no_post(office: Office) -> None:
    said = office.says("kim", "groups")
    office.work()
    ran = office.critter("posts", "show", str(said))
    assert (ran.exit_code, "is of no post: critter trace" in ran.output) == (2, True)


# Groups


def group(office: Office, handle: str) -> tuple[str, str, str]:
    row = office.sql("SELECT handle, name, state FROM accounts WHERE handle = :handle", handle=handle)[0]
    return str(row[0]), str(row[1]), str(row[2])


def test_a_group_is_renamed_and_its_old_name_still_means_it(office: Office) -> None:
    assert "#sales is #selling now" in office.critter("groups", "rename", "#sales", "Selling").output
    assert group(office, "selling") == ("selling", "Selling", "active")
    with transaction(office.engine) as session:
        assert [one.handle for one in accounts.find(session, "sales", None).exact] == ["selling"]
    back = office.critter("groups", "rename", "selling", "sales", "--name", "Sales\u200b Team")
    assert back.output.startswith("#selling is #sales now, “Sales Team”.")
    assert audited(office) == ["groups.rename"] * 2


def test_only_the_name_that_people_read(office: Office) -> None:
    said = office.critter("groups", "rename", "sales", "Sales", "--name", "Sales & Co").output
    assert said == "#sales is #sales now, “Sales & Co”.\n"


@pytest.mark.parametrize("new", ["stop", "kim", "x", "söles", "follow"])
def test_a_name_that_cannot_be(office: Office, new: str) -> None:
    before = group(office, "sales")
    assert office.critter("groups", "rename", "sales", new).exit_code == 2
    assert group(office, "sales") == before
    assert audited(office) == []


def test_a_group_is_closed(office: Office) -> None:
    unasked = office.critter("groups", "close", "sales")
    assert (unasked.exit_code, "Close #sales, heard by " in unasked.output) == (2, True)
    assert office.critter("groups", "close", "sales", "--yes").output == "Closed #sales.\n"
    assert "#sales" not in office.critter("groups", "list").output
    again = office.critter("groups", "close", "sales", "--yes")
    assert (again.exit_code, "is deactivated" in again.output) == (2, True)
    assert audited(office) == ["groups.close"]
    assert office.critter("audit").exit_code == 0


def test_owners_come_and_go(office: Office) -> None:
    office.critter("groups", "add", "crew", "--owner", "kim")
    assert office.critter("groups", "owner", "crew", "sam").output == "@sam runs #crew now, and is told.\n"
    assert office.sql("SELECT count(*) FROM messages WHERE kind = 'notice'") == [(1,)]
    assert office.critter("groups", "owner", "crew", "sam").output == "@sam is an owner of #crew already.\n"
    assert "any more" in office.critter("groups", "owner", "crew", "kim", "--remove").output
    assert office.critter("groups", "owner", "crew", "kim", "--remove").output == "@kim is no owner of #crew.\n"
    last = office.critter("groups", "owner", "crew", "sam", "--remove")
    assert (last.exit_code, "would have no owner" in last.output) == (2, True)
    with transaction(office.engine) as session:
        kim, crew = accounts.by_handle(session, "kim"), accounts.by_handle(session, "crew")
        assert kim is not None
        assert crew is not None
        assert follows.role_in(session, kim.id, crew.id) == "member"
    assert audited(office) == ["groups.add", "groups.owner", "groups.disown"]


# The audit


def test_quarantined_inputs_are_counted(office: Office) -> None:
    assert "ended three workers" not in office.critter("audit").output
    said = office.says("kim", "hello there")
    office.sql("UPDATE inbound SET state = 'quarantined', attempt = 3 WHERE id = :id", id=said)
    ran = office.critter("audit")
    assert ran.output.splitlines()[-1] == "1 input ended three workers and wait: critter held list, then retry or drop."
    assert json.loads(office.critter("audit", "--json").output)["counts"]["quarantined"] == 1
