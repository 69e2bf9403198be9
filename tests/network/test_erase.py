"""`critter export` and `critter erase` (R52): everything about one person, and then nothing of them anywhere."""

import json
import re
import stat
import subprocess
import urllib.parse
import zipfile
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from critter.backup import erasure_log
from critter.servers import Servers, binaries
from gateway.errors import Refused
from gateway.ledger.inbox.inbox import Incoming, Picture
from gateway.network.people import erase
from gateway.network.people.name_patterns import patterns
from gateway.store.database import transaction
from gateway.store.tables import Account
from tests.support import personas
from tests.support.office import Office

ZOE = "+14155550188"
SID = "SM" + "ab" * 16
SAYS = "quarterly zebra numbers"
HERS = ("zoefly", "Zoë Quill", "zoeboss", "zoe.quill@demo.example", "4155550188", "555-0188", "zebra", "pangolin")
PICTURE = "ab" * 32


@pytest.fixture
def busy(office: Office) -> Office:
    """Zoë writes, is answered, is written about, sends a picture, and opts out."""
    added = (
        "--phone",
        ZOE,
        "--email",
        "zoe.quill@demo.example",
        "--consent",
        "yes, says Zoë",
        "--title",
        "zebra vet",
    )
    assert office.critter("people", "add", "zoefly", "Zoë Quill", *added).exit_code == 0
    office.critter("people", "alias", "zoefly", "zoeboss")
    office.critter("people", "role", "zoefly", "operator")
    office.accept(first(SID))
    office.work()
    says(office, "sam", "follow zoefly")
    zoe(office, f"again {SAYS}")
    says(office, "sam", "@zoefly thanks, call Zoë Quill at (415) 555-0188")
    says(office, "sam", "d zoefly the ferret is fine")
    says(office, "sam", "get zoefly")
    says(office, "sam", "whois zoefly")
    zoe(office, "follow sam")
    zoe(office, "d sam your pangolin too")
    office.sql("UPDATE fanouts SET not_before = now() WHERE state = 'waiting'")
    office.work()
    mail = b"From: zoe.quill@demo.example\r\nSubject: zebra\r\n\r\nthe zebra again\r\n"
    office.accept(
        Incoming("email", mail, "zoe.quill@demo.example", ("post@mail.example",), mail, True, "<zoefly.1@demo.example>")
    )
    office.work()
    zoe(office, "stop")
    place = office.settings.var / "media" / PICTURE[:2] / PICTURE
    place.parent.mkdir(parents=True)
    place.write_bytes(b"zoefly's pangolin")
    office.sql("UPDATE media SET state = 'fetched', sha256 = decode(:name, 'hex'), size = 3", name=PICTURE)
    return office


def first(sid: str) -> Incoming:
    raw = urllib.parse.urlencode({"From": ZOE, "Body": SAYS}).encode()
    picture = Picture("https://api.twilio.com/zoe", "image/png")
    return Incoming("sms", sid.encode(), ZOE, (personas.NUMBER,), raw, True, sid, SAYS, pictures=(picture,))


def zoe(office: Office, words: str) -> None:
    office.accept_text(ZOE, words)
    office.work()


def says(office: Office, handle: str, words: str) -> None:
    office.says(handle, words)
    office.work()


def dump(office: Office) -> str:
    """The whole database as pg_dump writes it, bytea opened up."""
    tool = binaries.postgres(office.settings.var).path.with_name("pg_dump")
    url = office.settings.database_owner_url
    plain = subprocess.run([tool, "-d", url], capture_output=True, text=True, check=True).stdout
    opened = "\n".join(
        bytes.fromhex(found).decode("latin-1") for found in re.findall(r"\\\\x((?:[0-9a-f]{2})+)", plain)
    )
    return plain + opened


def found(where: str) -> list[str]:
    return [one for one in HERS if one.lower() in where.lower()]


def test_after_an_erasure_there_is_nothing_of_them(
    busy: Office, servers: Servers, redis_url: str, tmp_path: Path
) -> None:
    assert found(dump(busy)) == list(HERS[:5]) + list(HERS[5:])  # the dump does show what is there
    result = busy.critter("erase", "zoefly", "--yes")
    assert result.exit_code == 0, result.output
    left = dump(busy)
    assert [(one, [line for line in left.splitlines() if one.lower() in line.lower()]) for one in found(left)] == []
    with Redis.from_url(redis_url) as redis:
        assert found(" ".join(str(redis.dump(key)) for key in redis.keys("*"))) == []
    places = (tmp_path, servers.var / "log")
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert len(files) > 1
    assert [path for path in files if found(path.read_bytes().decode("latin-1") + path.name)] == []
    assert busy.critter("audit").output.startswith("clean: ")


def test_their_status_and_the_words_of_reports_go(busy: Office) -> None:
    """Those that they wrote, and those that others wrote about them."""
    zoe(busy, "/status at the pangolin")
    for reporter, whom in (("zoefly", "sam"), ("sam", "zoefly")):
        busy.sql(
            "INSERT INTO reports (reporter_id, account_id, reason) SELECT r.id, a.id, 'pangolin' "
            "FROM accounts r, accounts a WHERE r.handle = :reporter AND a.handle = :whom",
            reporter=reporter, whom=whom,
        )  # fmt: skip
    busy.sql(
        "INSERT INTO reports (reporter_id, account_id, reason) SELECT r.id, a.id, 'as zoefly says' "
        "FROM accounts r, accounts a WHERE r.handle = 'sam' AND a.handle = 'kim'"
    )
    busy.critter("erase", "zoefly", "--yes")
    assert busy.sql("SELECT count(*), count(reason) FROM reports") == [(3, 0)]
    assert busy.sql("SELECT count(*) FROM statuses") == [(0,)]


def test_the_hashes_of_their_texts_go(busy: Office) -> None:
    busy.sql("UPDATE attempts SET body_hash = sha256('kept')")
    assert busy.sql("SELECT count(body_hash) FROM attempts")[0][0] > 0
    busy.critter("erase", "zoefly", "--yes")
    left = busy.sql(
        "SELECT count(*) FROM attempts t JOIN messages m ON m.id = t.message_id LEFT JOIN addresses a"
        " ON a.id = t.address_id WHERE t.body_hash IS NOT NULL AND (a.id IS NULL OR m.author_id IN"
        " (SELECT id FROM accounts WHERE name = '(removed)'))"
    )
    assert left == [(0,)]


def test_threads_stay_readable(busy: Office) -> None:
    busy.critter("erase", "zoefly", "--yes")
    [gone] = busy.sql("SELECT handle FROM accounts WHERE name = '(removed)'")
    texts = [row[0] for row in busy.sql("SELECT text FROM posts ORDER BY id")]
    assert texts[:2] == ["(removed)", "(removed)"]
    assert texts[2] == f"@{gone[0]} thanks, call @{gone[0]} at @{gone[0]}"
    says(busy, "sam", f"get {gone[0]}")
    assert busy.sql("SELECT state FROM inbound ORDER BY id DESC LIMIT 1") == [("done",)]


def test_a_replay_has_no_effect(busy: Office) -> None:
    busy.critter("erase", "zoefly", "--yes")
    before = busy.sql("SELECT count(*) FROM inbound")
    with pytest.raises(StopIteration):  # accepted before
        busy.accept(first(SID))
    assert busy.sql("SELECT count(*) FROM inbound") == before
    assert not busy.read()


def test_an_erased_phone_that_opted_out_stays_out(busy: Office) -> None:
    busy.critter("erase", "zoefly", "--yes")
    busy.critter("people", "add", "newcomer", "New Comer", "--phone", ZOE, "--consent", "they said yes")
    assert busy.sql("SELECT state, stopped_at IS NOT NULL FROM addresses WHERE address = :phone", phone=ZOE) == [
        ("stopped", True)
    ]
    zoe(busy, "start")
    assert busy.sql("SELECT state FROM addresses WHERE address = :phone", phone=ZOE) == [("verified",)]


def test_an_import_finds_it_opted_out_too(busy: Office, tmp_path: Path) -> None:
    busy.critter("erase", "zoefly", "--yes")
    file = tmp_path / "people.csv"
    file.write_text(f"handle,name,phone,consent\nnewcomer,New Comer,{ZOE},they said yes\n")
    assert busy.critter("people", "import", str(file)).exit_code == 0
    assert busy.sql("SELECT state FROM addresses WHERE address = :phone", phone=ZOE) == [("stopped",)]


def test_the_carrier_is_asked_to_delete_and_pictures_go(busy: Office) -> None:
    place = busy.settings.var / "media" / PICTURE[:2] / PICTURE
    assert place.exists()
    output = busy.critter("erase", "zoefly", "--yes").output
    assert "Twilio's copies of" in output
    assert not place.exists()
    assert busy.sql("SELECT 1 FROM redactions WHERE carrier_id = :sid", sid=SID) == [(1,)]


def test_a_picture_that_somebody_else_sent_too_stays(busy: Office) -> None:
    other = Incoming("sms", b"x", personas.PEOPLE[1].phone or "", (personas.NUMBER,), b"", True, "SMx", "look",
                     pictures=(Picture("https://api.twilio.com/other", None),))  # fmt: skip
    busy.accept(other)
    busy.work()
    busy.sql("UPDATE media SET state = 'fetched', sha256 = decode(:name, 'hex')", name=PICTURE)
    busy.critter("erase", "zoefly", "--yes")
    assert (busy.settings.var / "media" / PICTURE[:2] / PICTURE).exists()


def test_nothing_of_theirs_leaves_any_more(busy: Office) -> None:
    busy.sql("UPDATE deliveries SET state = 'queued', ended_at = NULL WHERE state = 'sent'")
    busy.sql(
        "UPDATE deliveries SET state = 'unknown' WHERE author_id = (SELECT id FROM accounts WHERE handle = 'zoefly')"
        " AND channel = 'sms'"
    )
    busy.critter("erase", "zoefly", "--yes")
    assert busy.sql(
        "SELECT 1 FROM deliveries d JOIN messages m ON m.id = d.message_id"
        " WHERE d.ended_at IS NULL AND m.text = '' AND m.body = ''"
    ) == []  # fmt: skip


def test_it_is_asked_first(busy: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    unasked = busy.critter("erase", "zoefly", given=b"y\n")
    assert (unasked.exit_code, "--yes says yes" in unasked.output) == (2, True)
    monkeypatch.setattr("critter.console.prompts.at_terminal", lambda: True)
    result = busy.critter("erase", "zoefly", given=b"n\n")
    assert result.exit_code == 1
    assert "@zoefly, Zoë Quill: " in result.output
    assert busy.sql("SELECT state FROM accounts WHERE handle = 'zoefly'") == [("active",)]
    assert busy.critter("erase", "nobody_here").exit_code == 2
    assert busy.critter("erase", "sales", "--yes").exit_code == 2


def test_it_is_remembered_by_id_and_done_again_changes_nothing(busy: Office) -> None:
    [[kept]] = busy.sql("SELECT id FROM accounts WHERE handle = 'zoefly'")
    assert isinstance(kept, int)
    busy.critter("erase", "zoefly", "--yes")
    assert erasure_log.read_log(busy.settings.var) == [kept]
    with transaction(busy.engine) as session:
        again = erase.erase(session, session.get_one(Account, kept), "test")
    assert (again.rows, again.pictures) == ({}, ())
    assert busy.sql("SELECT action, subject_id FROM audit WHERE action = 'people.erase'") == [("people.erase", kept)]


@pytest.mark.parametrize("place", ["remembered", "committed"])
def test_an_erase_that_ends_half_way_is_known_to_the_next_restore(
    busy: Office, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    [[kept]] = busy.sql("SELECT id FROM accounts WHERE handle = 'zoefly'")

    def killed(what: str) -> None:
        if what == place:
            raise KeyboardInterrupt  # nothing after it is done, as when it is killed

    monkeypatch.setattr("critter.backup.erasing.crash_point", killed)
    monkeypatch.setattr("gateway.store.database.crash_point", lambda what: killed(what) if _erased(busy) else None)
    assert busy.critter("erase", "zoefly", "--yes").exit_code == 130
    assert erasure_log.read_log(busy.settings.var) == [kept]


def _erased(office: Office) -> bool:
    with office.engine.connect() as connection:
        return not connection.scalar(text("SELECT count(*) FROM accounts WHERE handle = 'zoefly'"))


def test_an_erase_that_the_database_refused_is_taken_back(busy: Office, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text(
            "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'no' USING ERRCODE = '23514'; END $$"
        ))  # fmt: skip
        connection.execute(text(
            "CREATE CONSTRAINT TRIGGER no AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION no()"
        ))  # fmt: skip
    with pytest.raises(IntegrityError):
        busy.critter("erase", "zoefly", "--yes")
    assert (busy.settings.var / erasure_log.NAME).exists()
    assert erasure_log.read_log(busy.settings.var) == []


def test_a_line_that_was_cut_off_hides_no_other(tmp_path: Path) -> None:
    erasure_log.remember(tmp_path, 7)
    with (tmp_path / erasure_log.NAME).open("a") as file:
        file.write('{"account": "123')
    erasure_log.remember(tmp_path, 8)
    assert erasure_log.read_log(tmp_path) == [7, 8]
    with (tmp_path / erasure_log.NAME).open("a") as file:
        file.write("something else\n")
    with pytest.raises(Refused, match="line 4 cannot be read"):
        erasure_log.read_log(tmp_path)


# What is in a column is taken out by a step of erasing, or is nothing personal. A new column must be put into one.
TAKEN_OUT = {
    "actions.key", "actions.request", "actions.result", "media.raw",
    "accounts.handle", "accounts.name", "accounts.title", "accounts.plain_name", "addresses.address", "aliases.alias",
    "consent.carrier_id", "consent.our_address", "consent.wording", "conversations.half", "conversations.liked",
    "conversations.more", "conversations.question", "drafts.text", "effects.detail", "inbound.message_id",
    "inbound.raw", "inbound.reason",
    "inbound.recipients", "inbound.sender", "inbound.text", "media.content_type", "media.reason", "media.sha256",
    "media.name", "media.small_sha256", "media.url", "messages.body", "messages.note", "posts.attached",
    "messages.subject", "messages.text", "pins.digest", "pins.salt", "posts.lang",
    "posting_addresses.seed", "posting_addresses.digest", "remainders.text",
    "posts.text", "offers.word", "tracks.phrase", "tracks.shown",
    "addresses.quiet", "held.reason", "held.why", "attention.zone", "follows.way", "topic_follows.way",
    "trackers.way", "attention.digest_every", "attention.prefer", "attention.private", "attention.mention",
    "attention.reply", "attention.tracked", "attention.group", "attention.person", "attention.tag",
    "attention.broadcast",
    "push_subscriptions.endpoint", "push_subscriptions.p256dh", "push_subscriptions.auth",
    "push_subscriptions.encoding", "push_subscriptions.device",
    "web_sessions.device", "web_sessions.began_by", "web_sessions.digest", "web_drafts.audience", "web_drafts.words",
    "app_codes.digest", "app_codes.redirect_uri", "app_codes.scopes", "app_codes.challenge", "app_tokens.digest",
    "app_tokens.scopes", "lists.title", "reach_questions.request", "media.blurhash",
    "web_settings.look", "read_marks.place", "passkeys.name", "passkeys.credential_id", "passkeys.public_key",
    "company_accounts.issuer", "company_accounts.subject", "media.description",
    "call_people.text", "call_people.gone", "reports.reason", "statuses.words",
    "reactions.kind", "tags.tag", "codes.digest", "accounts.language", "accounts.timezone",
}  # fmt: skip
NOTHING_PERSONAL = re.compile(
    r"audit\..*|(budgets|charges|shortfalls|price_sweeps|processes|tallies|task_failures)\..*|fallbacks\.reason|watermarks\..*|installation\..*|retention\..*|redactions\..*|opted_out\.hash|mail_signatures\.digest|private_fingerprints\..*|senders\..*|(alembic_version|migration_steps)\..*"
    r"|apps\..*"
    r"|(bounces|bouncing)\.status|topics\.tag|callbacks\..*|attempts\..*|deliveries(_\w+)?\.(channel|state|reason|tag|lease_owner)"
    r"|inbound\.(natural_key|channel|state|lease_owner|intent|opt_out_type|proof)|posts\.(via|visibility|call)|calls\.(kind|ending)|actions\.door|daily_mails\.posts|digests\.posts|remainders\.posts|messages\.quotes|lockouts\.channels"
    r"|\w+\.(kind|state|role|access|pin|channel|source|purpose)"
)


def test_every_column_is_thought_of(office: Office) -> None:
    columns = office.sql(
        "SELECT table_name || '.' || column_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_catalog, table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"  # a view keeps nothing
        " AND data_type IN ('text', 'bytea', 'jsonb', 'ARRAY', 'character varying')"
    )
    assert [one for (one,) in columns if one not in TAKEN_OUT and not NOTHING_PERSONAL.fullmatch(str(one))] == []


@pytest.mark.parametrize(
    ("written", "plain", "bare"),
    [
        ("@zoefly", True, True),
        ("thanks zoefly!", False, True),
        ("@zoeflyer", False, False),
        ("zoë quill", True, True),
        ("+1 (415) 555-0188", True, True),
        ("415.555.0188", True, True),
        ("41555501889", False, False),
        ("ZOE.QUILL@demo.example", True, True),
        ("zebra", False, False),
    ],
)
def test_names_are_found_however_they_are_written(office: Office, written: str, plain: bool, bare: bool) -> None:
    made = patterns("zoefly", "Zoë Quill", [], [ZOE, "zoe.quill@demo.example"])
    with transaction(office.engine) as session:
        asked = text("SELECT CAST(:written AS text) ~* :plain, CAST(:written AS text) ~* :bare")
        row = session.execute(asked, {"written": written, "plain": made.plain, "bare": made.bare}).one()
    assert tuple(row) == (plain, bare)


def test_an_export_that_ends_half_way_leaves_no_file(
    busy: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "zoe.zip"
    with monkeypatch.context() as broken:
        broken.setattr("zipfile.ZipFile.writestr", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
        result = busy.critter("export", "zoefly", "--out", str(out))
    assert (result.exit_code, "No space left" in result.output) == (2, True)
    assert list(tmp_path.glob("zoe*")) == []
    assert busy.sql("SELECT count(*) FROM audit WHERE action = 'people.export'") == [(0,)]
    assert busy.critter("export", "zoefly", "--out", str(out)).exit_code == 0
    assert [path.name for path in tmp_path.glob("zoe*")] == ["zoe.zip"]


def test_an_export_has_all_of_it(busy: Office, tmp_path: Path) -> None:
    out = tmp_path / "zoe.zip"
    result = busy.critter("export", "zoefly", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as packed:
        assert set(packed.namelist()) == {"data.json", "read-me.txt", f"pictures/{PICTURE}"}
        data = json.loads(packed.read("data.json"))
        readable = packed.read("read-me.txt").decode()
    assert {len(data[name]) > 0 for name in ("posts", "inputs", "consent", "addresses", "messages_to_them")} == {True}
    assert SAYS in [post["text"] for post in data["posts"]]
    assert {one["action"] for one in data["audit"]} >= {"people.add", "people.role", "address.opt_out"}
    assert SAYS in readable
    assert busy.sql("SELECT count(*) FROM audit WHERE action = 'people.export'") == [(1,)]


def test_an_export_overwrites_nothing_and_says_what_is_wrong(busy: Office, tmp_path: Path) -> None:
    out = tmp_path / "zoe.json"
    assert busy.critter("export", "zoefly", "--out", str(out)).exit_code == 0
    assert json.loads(out.read_text())["account"][0]["handle"] == "zoefly"
    assert "is there already" in busy.critter("export", "zoefly", "--out", str(out)).output
    assert busy.critter("export", "nobody_here").exit_code == 2
    assert "cannot be written" in busy.critter("export", "zoefly", "--out", str(tmp_path / "no" / "x.zip")).output
