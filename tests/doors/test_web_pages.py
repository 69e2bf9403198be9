"""The pages on a real socket: what a short link shows and never shows, the end of a follow, health, strict headers."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import Engine
from sqlalchemy import text as sql

from critter.processes.app import Tour, build, create_app
from gateway.doors.route_access import inventory
from gateway.errors import SettingsError
from gateway.inbound.commands import build_registry
from gateway.language.usage import help_lines
from gateway.language.usage.verbs import table, verb
from gateway.network.follows import follows, tag_follows
from gateway.network.people import accounts, addresses
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from gateway.store.tables import Account, Post
from tests.support.web_process import changed, served

LONG = "See <b>this</b> & https://corp.example/a?b=1&c=2, please"


class Company:
    """Kim and Sam, an open and a closed group; posts by Kim; links for Sam's phone."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.engine = engine
        self.signer = Signer(settings.secret_keys)
        with transaction(engine) as session:
            claim_mode(session, "simulated")
            self.kim = accounts.create_person(session, "kim", "Kim <Lee>").id
            self.sam = accounts.create_person(session, "sam", "Sam", timezone="America/New_York").id
            self.sales = accounts.create_group(session, "sales", "Sales", "open", self.kim).id
            self.board = accounts.create_group(session, "board", "Board", "closed", self.kim).id
            self.phone = addresses.add(session, self.sam, "sms", "+15551230001", "verified", True).id
            follows.follow(session, self.sam, self.kim, by_text=True)

    def post(self, visibility: str, group: int | None = None, text: str = LONG) -> int:
        with transaction(self.engine) as session:
            author, where = session.get_one(Account, self.kim), group and session.get_one(Account, group)
            recipients = [(self.sam, self.sam)] if visibility == "direct" else []
            return posts.publish(
                session, NewPost(author, text, visibility, "sms", where or None, recipients=recipients)
            ).id

    def link(self, post: int, address: int | None = None, kind: str = "page") -> str:
        return "/p/" + self.signer.sign(kind, post, address or self.phone)


@pytest.fixture
def company(settings: Settings, engine: Engine) -> Company:
    return Company(settings, engine)


def test_a_short_link_shows_a_post_that_is_not_private(settings, company):
    post, in_group = company.post("company"), company.post("group", company.sales)
    with transaction(company.engine) as session:
        posts.react(session, company.sam, post, "like")
    with served(settings) as url:
        page = requests.get(url + company.link(post), timeout=9)
        grouped = requests.get(url + company.link(in_group).upper().replace("/P/", "/p/"), timeout=9)
    assert page.status_code == 200
    assert "See &lt;b&gt;this&lt;/b&gt; &amp; <a href=" in page.text
    assert 'href="https://corp.example/a?b=1&amp;c=2" rel="noopener noreferrer nofollow"' in page.text
    assert "Kim &lt;Lee&gt;" in page.text
    assert "E" in page.text.split("</time>")[0][-4:], "New York's time"
    assert "in #sales" in grouped.text
    assert "1 like" in page.text
    assert " like" not in grouped.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers


def test_a_private_body_never_hangs_on_a_link(settings, company):
    with served(settings) as url:
        page = requests.get(url + company.link(company.post("direct", text="margin 12%")), timeout=9)
    assert page.status_code == 200
    assert "margin" not in page.text
    assert "<kbd>more</kbd>" in page.text


def test_a_retracted_post_and_one_no_longer_readable_show_nothing(settings, company):
    gone, closed = company.post("company"), company.post("group", company.board)
    with transaction(company.engine) as session:
        posts.retract(session, session.get_one(posts.Post, gone))
    with served(settings) as url:
        retracted = requests.get(url + company.link(gone), timeout=9)
        unreadable = requests.get(url + company.link(closed), timeout=9)
    assert (retracted.status_code, unreadable.status_code) == (410, 404)
    assert "Taken back" in retracted.text
    assert "corp.example" not in retracted.text + unreadable.text


def test_a_deactivated_reader_reads_no_more(settings, company):
    post = company.post("company")
    with transaction(company.engine) as session:
        accounts.deactivate(session, company.sam)
    with served(settings) as url:
        assert requests.get(url + company.link(post), timeout=9).status_code == 404


def test_only_our_own_links_open_anything(settings, company):
    post = company.post("company")
    token = company.link(post)
    altered = [
        token[:-1],
        token[:-1] + ("a" if token[-1] != "a" else "b"),
        company.link(post, kind="unsubscribe"),
        "/p/" + company.signer.sign("page", post),
        "/p/" + Signer(("another secret",)).sign("page", post, company.phone),
        company.link(post + 1),
        company.link(post, company.phone + 1),
        "/p/",
        "/p/é",
    ]
    with served(settings) as url:
        answers = [requests.get(url + path, timeout=9) for path in altered]
    assert {answer.status_code for answer in answers} == {404}
    assert all("This link opens nothing" in answer.text for answer in answers[:-2])
    assert all("There is nothing at this address" in answer.text for answer in answers if answer.url[-3:] == "/p/")


def followed(company: Company) -> list[int]:
    with company.engine.connect() as connection:
        query = "SELECT account_id FROM follows WHERE follower_id = :sam"
        return list(connection.execute(sql(query), {"sam": company.sam}).scalars())


def test_a_get_asks_and_a_post_ends_the_follow(settings, company):
    """RFC 8058: no cookie, the body List-Unsubscribe=One-Click; a mail scanner's GET changes nothing."""
    with transaction(company.engine) as session:
        follows.follow(session, company.sam, company.sales, by_text=False)
    path = "/u/" + company.signer.sign("unsubscribe", company.kim, company.phone)
    with served(settings) as url:
        asked = requests.get(url + path, timeout=9)
        assert requests.head(url + path, timeout=9).status_code == 200
        assert len(followed(company)) == 2
        done = requests.post(url + path, data={"List-Unsubscribe": "One-Click"}, timeout=9)
        again = requests.post(url + path, data={"List-Unsubscribe": "One-Click"}, timeout=9)
        other = "/u/" + company.signer.sign("page", company.sales, company.phone)
        assert requests.post(url + other, timeout=9).status_code == 404
        assert requests.post(url + "/u/" + company.signer.sign("unsubscribe", 1, 2), timeout=9).status_code == 404
    assert "Stop following Kim &lt;Lee&gt;?" in asked.text
    assert '<button class="button" name="List-Unsubscribe" value="One-Click">' in asked.text
    assert (asked.status_code, done.status_code, again.status_code) == (200, 200, 200)
    assert "You no longer follow" in done.text
    assert followed(company) == [company.sales]


def test_the_same_link_ends_the_follow_of_a_tag(settings, company):
    with transaction(company.engine) as session:
        topic, _ = tag_follows.follow(session, company.sam, "#win", by_text=False)
    path = "/u/" + company.signer.sign("unsubscribe", topic, company.phone)
    with served(settings) as url:
        assert "Stop following #win?" in requests.get(url + path, timeout=9).text
        click = {"List-Unsubscribe": (None, "One-Click")}  # as a multipart form, which RFC 8058 3.1 allows, too
        done, again = (requests.post(url + path, files=click, timeout=9) for _ in range(2))
    assert (done.status_code, again.status_code) == (200, 200)
    assert "Follow again" in done.text
    assert "follow #win" in again.text
    with transaction(company.engine) as session:
        assert tag_follows.following(session, company.sam) == []


def test_a_repeat_names_both(settings, company):
    first = company.post("company")
    with transaction(company.engine) as session:
        original, sam = session.get_one(Post, first), session.get_one(Account, company.sam)
        again = posts.publish(session, NewPost(sam, original.text, "company", "sms", repeats=original)).id
    with served(settings) as url:
        assert "Sam rt Kim &lt;Lee&gt;" in requests.get(url + company.link(again), timeout=9).text


def test_health_tells_how_long_the_oldest_input_waits(settings, company):
    def ready(url: str) -> requests.Response:
        return requests.get(url + "/readyz", timeout=9)

    with served(settings) as url:
        assert requests.get(url + "/healthz", timeout=9).text == "ok\n"
        fresh = ready(url)
        assert (fresh.status_code, fresh.json()) == (
            200,
            {"database": "ok", "redis": "ok", "oldest_unprocessed_seconds": 0.0},
        )
        waiting(company, timedelta(seconds=20), "new")
        waiting(company, timedelta(hours=1), "held")
        assert ready(url).status_code == 200
        assert 20 <= ready(url).json()["oldest_unprocessed_seconds"] < 40
        waiting(company, timedelta(seconds=90), "working")
        assert ready(url).status_code == 503
        assert 90 <= ready(url).json()["oldest_unprocessed_seconds"] < 110


def waiting(company: Company, age: timedelta, state: str) -> None:
    row = "INSERT INTO inbound (channel, natural_key, sender, recipients, trusted, state, received_at) "
    row += "VALUES ('cli', sha256(CAST(:key AS bytea)), 'x', '{}', true, :state, :at)"
    with transaction(company.engine) as session:
        session.execute(sql(row), {"key": state.encode(), "state": state, "at": datetime.now(UTC) - age})


def test_redis_away_is_told_but_is_no_reason_to_go_elsewhere(settings, company):
    away = changed(settings, CRITTER_REDIS_URL="redis://127.0.0.1:1/0")
    with served(away) as url:
        answer = requests.get(url + "/readyz", timeout=9)
    assert (answer.status_code, answer.json()["redis"]) == (200, "away")


def test_every_answer_is_strict_about_itself(settings, company):
    paths = ["/", "/healthz", "/readyz", "/nothing", "/static/critter.css", company.link(company.post("company"))]
    secure = changed(settings, CRITTER_PUBLIC_URL="https://critter.example")
    with served(settings) as url:
        answers = [requests.get(url + path, timeout=9) for path in paths]
        answers.append(requests.post(url + "/healthz", timeout=9))
    for answer in answers:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'; ")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Strict-Transport-Security" not in answer.headers
        assert "<style" not in answer.text
        assert " style=" not in answer.text
        assert "<script" not in answer.text
    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 200, 200, 405]
    with served(secure) as url:
        assert "max-age" in requests.get(url + "/", timeout=9).headers["Strict-Transport-Security"]


def test_our_own_faults_are_a_page_without_a_word(settings, company, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("CANARY")

    post = company.link(company.post("company"))
    monkeypatch.setattr("gateway.network.audience.visibility.open_link", fail)
    with served(settings) as url:
        answer = requests.get(url + post, timeout=9)
    assert answer.status_code == 503
    assert "CANARY" not in answer.text
    assert "Nothing is lost" in answer.text


def test_the_front_page_says_how_to_join(settings):
    with served(settings) as url:
        both = requests.get(url, timeout=9).text
    with served(changed(settings, CRITTER_SMS="off")) as url:
        mail = requests.get(url, timeout=9).text
        assert requests.post(url + "/sms/inbound", timeout=9).status_code == 404
    assert "+15005550006" in both
    assert "post@mail.example" in both
    assert "+15005550006" not in mail


def test_help_is_the_table_of_commands_in_the_readers_language(settings):
    with served(settings) as url:
        english = requests.get(f"{url}/help", timeout=9)
        spanish = requests.get(f"{url}/help", timeout=9, headers={"Accept-Language": "es-MX,es;q=0.9"})
    assert english.status_code == 200
    assert '<kbd lang="en">whois NAME</kbd>' in english.text
    assert "name, title, followers" in english.text
    assert "Look things up" in english.text
    assert "Consultar" in spanish.text
    assert 'lang="es"' in spanish.text
    assert "nombre, puesto, seguidores" in spanish.text


def test_help_has_every_command_once_under_a_heading_with_examples(settings):
    verbs = build_registry(settings).verbs
    sections = list(help_lines.sections(verbs))
    shown = [entry.usages for section in sections for entry in section.entries]
    assert len(shown) == len(set(shown))
    assert {each.usages for each in help_lines.each_once(verbs)} <= set(shown)
    assert [section.key for section in sections if section.key == "more"] == [], "a command stands under no heading"
    for each in help_lines.each_once(verbs):
        said = help_lines.example(each)
        assert said == "" or (said.startswith(each.name) and not re.search(r"[\[\]…|]|[A-Z]{3}", said)), said
    examples = {each.name: help_lines.example(each) for each in help_lines.each_once(verbs)}
    assert examples["d"] == "d kim on my way"
    assert examples["mute"] == "mute kim"
    assert examples["like"] == "like kim"
    assert examples["undo"] == ""


def test_a_new_command_is_in_the_help_without_a_heading_of_its_own():
    parts = list(help_lines.sections(table([verb("sing NAME", about="sing a song")])))
    assert [part.key for part in parts] == ["plain", "more"]
    assert parts[1].entries[0].example == "sing kim"


@pytest.mark.parametrize(
    ("asked", "there", "not_there"),
    [
        ("follow", "follow NAME [for]", "lang LANG"),
        ("  FOLLOWERS ", "followers", "lang LANG"),
        ("oops", "undo", "follow NAME"),
        ("stop", "UNSUBSCRIBE", "whois NAME"),
        ("new group", "new GROUP", "lang LANG"),
        ("léngua", None, "lang LANG"),
        ("<script>alert(1)</script>", None, "<script"),
        ("zzz", None, "whois NAME"),
    ],
)
def test_help_can_be_searched_without_javascript(settings, asked, there, not_there):
    with served(settings) as url:
        page = requests.get(f"{url}/help", params={"q": asked}, timeout=9)
    assert page.status_code == 200
    listed = page.text.split("<article>")[1]
    assert not_there not in listed
    if there:
        assert there in listed
        assert "have <q" in listed or "has <q" in listed
    else:
        assert "Nothing here has" in listed
        assert "Show everything" in listed
    assert '<label for="q">' in listed


def test_help_is_searched_in_the_readers_language(settings):
    with served(settings) as url:
        spanish = {"Accept-Language": "es"}
        accent = requests.get(f"{url}/help", params={"q": "publicacion"}, headers=spanish, timeout=9).text
        long = requests.get(f"{url}/help", params={"q": "a" * 5000}, timeout=9)
    assert "publicación" in accent
    assert "whois NAME" not in accent
    assert long.status_code == 200
    assert "a" * 101 not in long.text


def test_a_page_that_is_not_there_says_what_is_true(settings):
    with served(settings) as url:
        nowhere = requests.get(f"{url}/nothing", timeout=9)
        dead = requests.get(f"{url}/p/abc", timeout=9)
        refused = requests.post(f"{url}/help", timeout=9)
    assert (nowhere.status_code, dead.status_code, refused.status_code) == (404, 404, 405)
    assert "There is nothing at this address" in nowhere.text
    assert "from the text or mail that brought it" not in nowhere.text, "nobody came by a link of ours"
    assert "This link opens nothing" in dead.text
    for page in (nowhere, dead, refused):
        assert 'href="/help"' in page.text.split("<main")[1].split("</main>")[0]


BEHIND_LINKS = {"/p/<token>", "/u/<token>", "/m/<token>", "/m/<token>/<int:number>", "/m/<token>/<int:number>/small"}


def test_each_route_says_who_may_ask_it(settings):
    """The whole inventory (R48): what is neither a page nor of the API has to say its class here too."""
    parts = build(settings)
    try:
        found = inventory(create_app(settings, parts))
    finally:
        parts.close()
    pages = {rule for rule, kind in found.items() if kind in ("visitor", "member", "operator", "admin")}
    assert {rule: kind for rule, kind in found.items() if rule not in pages and kind != "api"} == {
        "/healthz": "public",
        "/portraits/groups/<id:number>.png": "public",
        "/portraits/headers/<id:number>.png": "public",
        "/portraits/people/<id:number>.png": "public",
        "/help": "public",
        "/terms": "public",
        "/privacy": "public",
        "/readyz": "public",
        "/metrics": "metrics",
        "/static/<path:name>": "public",
        **dict.fromkeys(BEHIND_LINKS, "token"),
        "/sms/inbound": "signed",
        "/sms/status/<token>": "signed",
    }
    assert not {rule for rule in pages if "<token>" in rule and not rule.startswith(("/first/", "/login/"))}


def test_each_carrier_has_its_door(settings):
    more = changed(
        settings,
        CRITTER_SMS_NUMBERS="+4915550100@kannel,55555@hook",
        KANNEL_URL="http://127.0.0.1:13013/cgi-bin/sendsms",
        KANNEL_USERNAME="critter",
        KANNEL_PASSWORD="p",
        KANNEL_TOKEN="t",
        CRITTER_HOOK_URL="http://127.0.0.1:9/out",
        CRITTER_HOOK_SECRET="s",
    )
    parts = build(more)
    try:
        doors = {rule: kind for rule, kind in inventory(create_app(more, parts)).items() if rule.startswith("/sms/")}
        assert doors == {
            "/sms/kannel/inbound": "token",
            "/sms/kannel/status/<token>": "token",
            "/sms/hook/inbound": "signed",
            "/sms/hook/status/<token>": "signed",
        }
    finally:
        parts.close()


def test_a_route_without_a_class_stops_the_start(settings):
    from flask import Blueprint

    def careless(_: Settings) -> Blueprint:
        front = Blueprint("careless", __name__)
        front.add_url_rule("/secrets", "secrets", lambda: "all of them")
        return front

    parts = build(settings)
    try:
        with pytest.raises(SettingsError, match="/secrets"):
            create_app(settings, parts, Tour(careless, ()))
    finally:
        parts.close()
