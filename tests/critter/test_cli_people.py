"""`critter people` and `critter groups` as somebody types them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from critter import __main__
from critter.cli import app
from gateway.errors import Refused
from gateway.language.track_phrases import track_phrase
from gateway.network.follows import follows, tag_follows, trackers
from gateway.network.people import accounts
from gateway.store.database import claim_mode, transaction
from gateway.store.tables import Account, Address, Audit, Consent, Follow, Message

Critter = Callable[..., str]


@pytest.fixture
def critter(engine: Engine, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Critter:
    """Runs a command; gives what it printed, standard error included. Raises what main() would print in one line."""
    with transaction(engine) as session:
        claim_mode(session, "simulated")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRITTER_DATABASE_URL", database)
    monkeypatch.setenv("CRITTER_VAR", str(tmp_path))

    def run(*words: str, stdin: str | None = None, code: int = 0) -> str:
        result = CliRunner().invoke(app, words, input=stdin)
        if isinstance(result.exception, Refused):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    return run


def audited(engine: Engine) -> list[str]:
    """What was done, but for the welcomes that follow from it (test_welcomes)."""
    with transaction(engine) as session:
        actions = session.scalars(select(Audit.action).order_by(Audit.id))
        return [action for action in actions if action != "people.welcome"]


def test_nobody_is_here_yet(critter: Critter) -> None:
    assert "critter people import FILE.csv" in critter("people", "list")
    assert "critter groups add NAME" in critter("groups", "list")
    assert json.loads(critter("people", "list", "--json")) == json.loads(critter("groups", "list", "--json")) == []


def test_people_come_and_go(critter: Critter, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    critter("groups", "add", "Sales")
    said = critter(
        "people",
        "add",
        "Kim",
        "Kim Lee",
        "--phone",
        "415 555 0101",
        "--email",
        "kim@demo.example",
        "--group",
        "sales",
        "--title",
        "Consultant",
    )
    assert "@kim" in said
    assert "once it has texted us" in said
    assert "until" not in critter(
        "people",
        "add",
        "sam",
        "Sam Ortiz",
        "--phone",
        "+14155550102",
        "--consent",
        "signed form",
        "--follow",
        "kim",
        "--follow",
        "sales",
    )
    listed = json.loads(critter("people", "list", "--json"))
    assert [(one["handle"], one["phone"], one["mailbox"], one["follows"]) for one in listed] == [
        ("kim", "invited", "verified", 1),
        ("sam", "verified", None, 2),
    ]
    assert "555" not in critter("people", "list")
    with transaction(engine) as session:
        assert session.scalars(select(Follow.by_text).order_by(Follow.created_at, Follow.by_text)).all() == [
            False,
            True,
            True,
        ]
        assert session.scalars(select(Consent.wording)).all() == ["signed form"]
    assert "Consultant" in critter("people", "list", "--group", "sales")
    with pytest.raises(Refused, match=r"^Deactivate @kim, Kim Lee\? There is no terminal .*: --yes says yes\.$"):
        critter("people", "deactivate", "kim", stdin="y\n")
    monkeypatch.setattr("critter.console.prompts.at_terminal", lambda: True)
    assert "Aborted" in critter("people", "deactivate", "kim", stdin="n\n", code=1)
    assert critter("people", "deactivate", "@kim", stdin="y\n").endswith("Deactivated @kim.\n")
    assert "@kim" not in critter("people", "list")
    assert "deactivated" in critter("people", "list", "--all")
    assert audited(engine) == ["groups.add", "people.add", "people.add", "people.deactivate"]


def test_roles(critter: Critter, engine: Engine) -> None:
    critter("people", "add", "ann", "Ann Bell")
    assert "@ann is operator." in critter("people", "role", "ann", "operator")
    assert "already" in critter("people", "role", "ann", "operator")
    assert "Invalid value" in critter("people", "role", "ann", "king", code=2)
    assert audited(engine) == ["people.add", "people.role"]


REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("people", "add", "follow", "F"), "a word that Critter uses itself"),
    (("people", "add", "stop", "S"), "a word that Critter uses itself"),
    (("people", "add", "x", "X"), "cannot be a handle"),
    (("people", "add", "kim", "Kim", "--phone", "12"), "phone number"),
    (("people", "add", "kim", "Kim", "--email", "kim"), "mail address"),
    (("people", "add", "kim", "Kim", "--timezone", "Mars"), "time zone"),
    (("people", "add", "kim", "Kim", "--language", "??"), "language"),
    (("people", "add", "kim", "Kim", "--follow", "nobody"), "no account @nobody"),
    (("people", "add", "kim", "Kim", "--group", "nobody"), "no group #nobody"),
    (("people", "add", "kim", "Kim", "--consent", "yes"), "give its number, too"),
    (("people", "deactivate", "nobody"), "no person @nobody"),
    (("groups", "add", "new"), "a word that Critter uses itself"),
    (("groups", "add", "news", "--owner", "nobody"), "no person @nobody"),
    (("people", "import", "missing.csv"), "No such file"),
    (("people", "import", "."), "directory"),
]


def test_what_is_refused_changes_nothing(critter: Critter, engine: Engine) -> None:
    for words, reason in REFUSED:
        with pytest.raises(Refused, match=reason) as refused:
            critter(*words)
        assert "\n" not in str(refused.value)
    with transaction(engine) as session:
        assert session.scalars(select(Account)).all() == []


def test_groups(critter: Critter, engine: Engine) -> None:
    critter("people", "add", "ann", "Ann Bell")
    critter("people", "add", "bob", "Bob Reyes")
    said = critter(
        "groups", "add", "dispatch", "--access", "broadcast", "--owner", "ann", "--poster", "bob", "--poster", "ann"
    )
    assert said == "Made #dispatch, broadcast, with @ann, @bob.\n"
    assert "Nobody can post there yet" in critter("groups", "add", "HR", "--access", "broadcast", "--name", "HR news")
    hr, dispatch = sorted(
        json.loads(critter("groups", "list", "--json")), key=lambda one: str(one["handle"]), reverse=True
    )
    assert (dispatch["heard_by"], dispatch["run_by"], hr["name"], hr["run_by"]) == (2, ["ann", "bob"], "HR news", [])
    with transaction(engine) as session:
        assert sorted(session.scalars(select(Follow.role))) == ["owner", "poster"]
    with pytest.raises(Refused, match="taken"):
        critter("groups", "add", "dispatch")


def test_admitting_to_a_closed_group(critter: Critter, engine: Engine) -> None:
    critter("people", "add", "ann", "Ann Bell", "--email", "ann@demo.example")
    critter("groups", "add", "board", "--access", "closed")
    with pytest.raises(Refused, match="has not asked"):
        critter("groups", "admit", "board", "ann")
    with transaction(engine) as session:
        ann, board = (accounts.by_handle(session, handle) for handle in ("ann", "board"))
        assert ann
        assert board
        assert follows.follow(session, ann.id, board.id, by_text=False) == "requested"
    assert "is in #board now" in critter("groups", "admit", "board", "ann")
    with transaction(engine) as session:
        assert session.scalars(select(Follow.state)).one() == "active"
        assert session.scalars(select(Message.text)).one() == "You are in board now. To stop: LEAVE BOARD"
    assert audited(engine)[-1] == "groups.admit"


FILE = "handle,name,phone,groups\nkim,Kim Lee,+14155550101,sales\nsam,Sam Ortiz,+14155550102,sales\n"


def test_a_file(critter: Critter, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "company.csv").write_text(FILE)
    assert critter("people", "import", "company.csv").startswith("2 rows: 2 added, 0 changed, 0 deactivated;")
    assert critter("people", "import", "-", stdin=FILE) == "2 rows: all of it is so already. Nothing was changed.\n"
    assert json.loads(critter("people", "import", "-", "--json", stdin=FILE))["changed_anything"] is False
    more = FILE + "ann,Ann Bell,,sales\n"
    assert json.loads(critter("people", "import", "-", "--json", stdin=more))["changed_anything"] is True
    assert json.loads(critter("people", "import", "company.csv", "--json"))["follows"] == 0
    assert audited(engine) == ["people.import"] * 2


def test_a_bad_file_changes_nothing(critter: Critter, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refused, match="2 problems in the file: nothing was changed"):
        critter("people", "import", "-", stdin=FILE + "stop,Stop\nkim,Kim again\n")
    with transaction(engine) as session:
        assert session.scalars(select(Account)).all() == []
    assert audited(engine) == []


def test_a_complete_file(critter: Critter, engine: Engine) -> None:
    critter("people", "import", "-", stdin=FILE)
    recycled = FILE.replace("sam,Sam Ortiz", "eve,Eve Stone")
    with pytest.raises(Refused):
        critter("people", "import", "-", stdin=recycled)
    said = critter("people", "import", "-", "--complete", stdin=recycled)
    assert "not in the file: @sam Sam Ortiz" in said
    assert "Nothing was changed. With --yes it would be: 2 rows: 1 added, 0 changed, 1 deactivated;" in said
    with transaction(engine) as session:
        assert sorted(session.scalars(select(Account.handle).where(Account.state == "active"))) == [
            "kim",
            "sales",
            "sam",
        ]
    critter("people", "import", "-", "--complete", "--yes", stdin=recycled)
    with transaction(engine) as session:
        owner = select(Account.handle).join(Address).where(Address.address == "+14155550102")
        assert session.scalar(owner) == "eve"
    assert audited(engine) == ["people.import", "people.deactivate", "people.import"]


def test_an_error_is_one_line_and_exit_2(
    critter: Critter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["critter", "people", "deactivate", "nobody"])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_pin_is_typed_twice_and_taken_away(critter: Critter, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    critter("people", "add", "kim", "Kim Lee")
    with pytest.raises(Refused, match="no terminal to ask at: --stdin reads it"):
        critter("people", "pin", "kim", stdin="4826\n4826\n")
    with pytest.raises(Refused, match="standard input is empty"):
        critter("people", "pin", "kim", "--stdin", stdin="")
    assert "what is risky" in critter("people", "pin", "kim", "--stdin", stdin="\ufeff7391\n")
    monkeypatch.setattr("critter.console.prompts.at_terminal", lambda: True)
    assert "what is risky" in critter("people", "pin", "kim", stdin="4826\n4826\n")
    assert "every text" in critter("people", "pin", "kim", "--always", stdin="4826\n4826\n")
    with pytest.raises(Refused, match="easy to guess"):
        critter("people", "pin", "kim", stdin="0000\n0000\n")
    assert "no PIN any more" in critter("people", "pin", "kim", "--clear")
    assert "4826" not in str(audited(engine))


def test_ways_are_shown_and_set(critter: Critter, engine: Engine) -> None:
    critter("people", "add", "Kim", "Kim Lee", "--email", "kim@example.com")
    critter("people", "add", "Sam", "Sam Ortiz", "--email", "sam@example.com", "--follow", "kim")
    with transaction(engine) as session:
        sam = accounts.by_handle(session, "sam")
        assert sam
        tag_follows.follow(session, sam.id, "#win", by_text=False)
        trackers.put(session, sam.id, track_phrase("acme deal"), by_text=False)
    table = json.loads(critter("people", "ways", "sam", "--json"))
    assert table["prefers_mails"] is False
    rows = {(row["cause"], row["what"]): (row["way"], row["origin"]) for row in table["ways"]}
    assert rows["private", None] == ("text", "usual")
    assert rows["person", "@kim"] == ("mail", "usual")
    critter("people", "ways", "sam", "people", "digest")
    critter("people", "ways", "sam", "#win", "nothing")
    critter("people", "ways", "@sam", '"acme deal"', "digest")
    critter("people", "ways", "sam", "--prefer", "mail")
    said = critter("people", "ways", "sam")
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "person (all) digest chosen" in lines
    assert "person @kim digest by its cause" in lines
    assert "tag #win nothing chosen" in lines
    assert 'tracked "acme deal" digest chosen' in lines
    assert lines[-1] == "@sam prefers mails: each text comes as a mail, where a mailbox takes it."
    critter("people", "ways", "sam", "@kim", "mail")
    assert "person @kim mail chosen" in " ".join(critter("people", "ways", "sam").split())
    critter("people", "ways", "sam", "@kim", "usual", "--prefer", "text")
    assert "prefers" not in critter("people", "ways", "sam")
    assert audited(engine).count("people.ways") == 10
    with transaction(engine) as session:
        details = " ".join(str(each) for each in session.scalars(select(Audit.detail)))
    assert "acme" not in details, "what somebody tracks does not stand where it is kept for ever"
    for words in (["mentions", "text"], ["@dana", "mail"], ["mentions", "loudly"], ["mentions"], ["#nothing", "mail"]):
        with pytest.raises(Refused):
            critter("people", "ways", "sam", *words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mentions", "text"], "@sam has no confirmed phone, so nothing was changed."),
        (["@kim", "mail"], "@sam does not follow Kim Lee, so there is no way to choose for it."),
        (["#win", "digest"], "@sam does not follow #win, so there is no way to choose for it."),
        (['"acme"', "digest"], '@sam does not track "acme".'),
    ],
)
def test_why_a_way_cannot_be_set_is_told_to_an_operator_and_not_to_a_phone(
    critter: Critter, words: list[str], said: str
) -> None:
    critter("people", "add", "Kim", "Kim Lee", "--email", "kim@example.com")
    critter("people", "add", "Sam", "Sam Ortiz", "--email", "sam@example.com")
    with pytest.raises(Refused) as refused:
        critter("people", "ways", "sam", *words)
    assert str(refused.value.text).startswith(said)
    assert not re.search(r"\byou\b", refused.value.text, re.IGNORECASE)


def test_somebody_may_prefer_the_web(critter: Critter) -> None:
    critter("people", "add", "Sam", "Sam Ortiz", "--email", "sam@example.com")
    critter("people", "ways", "sam", "--prefer", "web")
    assert json.loads(critter("people", "ways", "sam", "--json"))["preferred"] == "web"
    assert critter("people", "ways", "sam").splitlines()[-1] == (
        "@sam prefers the web: what came by text is there alone."
    )
