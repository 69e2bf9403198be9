"""Every web route by every role (R49): who gets what, of both applications; a route without a row here fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from critter.processes import app as web
from critter.processes import fallback
from gateway.files import media_folder
from gateway.network.follows import follows, mutes
from gateway.network.people import accounts, addresses
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.network.verification import codes
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from gateway.store.tables import Account, Inbound, Media, Upload
from tests.support import sample_files
from tests.support.web_process import changed

CANARY = "zanzibar"  # stands in every post; an answer to somebody who may not read has nothing of it
WRITER = "Wilma Writer"
READER_OF = ("page", "media")
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}

# Method and rule → the test that asks it by every role. A new route needs a line, and a test of that name.
WEB = {
    "GET /p/<token>": "links",
    "GET /m/<token>": "links",
    "GET /m/<token>/<int:number>": "links",
    "GET /m/<token>/<int:number>/small": "links",
    "GET /u/<token>": "unsubscribing",
    "POST /u/<token>": "unsubscribing",
    "GET /login/<token>": "logins",
    "POST /login/<token>": "logins",
    "POST /sms/inbound": "signed",
    "POST /sms/status/<token>": "signed",
    "GET /sms/kannel/inbound": "signed",
    "GET /sms/kannel/status/<token>": "signed",
    "POST /sms/hook/inbound": "signed",
    "POST /sms/hook/status/<token>": "signed",
    "GET /metrics": "metrics",
    "GET /": "public",
    "GET /help": "public",
    "GET /healthz": "public",
    "GET /readyz": "public",
    "GET /static/<path:filename>": "public",
}
FALLBACK = {
    "POST /sms/inbound": "signed",
    "POST /sms/status/<token>": "signed",
    "GET /healthz": "public",
    "GET /readyz": "public",
}

# Who may read what, by the words of R49 and not by the code. `left` was in the closed group when the post was sent to
# them; `blocked` blocked the writer; `phone` stands for a reader whose phone is switched off until it is proved again.
ROLES = ("author", "member", "outside", "left", "blocked", "suspended", "phone", "gone", "operator", "admin", "nobody")
EVERYBODY = {"author", "member", "outside", "left", "operator", "admin"}
MAY_READ = {
    "company": EVERYBODY,
    "open": EVERYBODY,
    "closed": {"author", "member"},
    "direct": {"author", "member"},  # the one it was written to
    "retracted": set(),
    "repeat": {"author", "member"},  # of what was said in the closed group, by one of its members
    "suspended writer": set(),
}


@dataclass
class Seen:
    """The company, each of whose people has an address that every link may have been sent to."""

    engine: Engine
    signer: Signer
    settings: Settings
    people: dict[str, int] = field(default_factory=dict)
    at: dict[str, int] = field(default_factory=dict)
    posts: dict[str, int] = field(default_factory=dict)

    def link(self, kind: str, post: str, role: str) -> str:
        return self.signer.sign(kind, self.posts[post], self.at[role])


@pytest.fixture
def seen(engine: Engine, settings: Settings) -> Seen:
    settings = changed(
        settings,
        CRITTER_SMS_NUMBERS="+15005550006,+15005550007@kannel,55555@hook",
        KANNEL_URL="http://127.0.0.1:13013/cgi-bin/sendsms",
        KANNEL_USERNAME="critter",
        KANNEL_PASSWORD="p",
        KANNEL_TOKEN="the-kannel-token",
        CRITTER_HOOK_URL="http://127.0.0.1:9/out",
        CRITTER_HOOK_SECRET="the-hook-secret",
        CRITTER_METRICS_TOKEN="the-metrics-token",
    )
    found = Seen(engine, Signer(settings.secret_keys), settings)
    with transaction(engine) as session:
        claim_mode(session, "simulated")
        for number, role in enumerate((*ROLES[:-1], "exile")):
            name = WRITER if role == "author" else f"Person {role}"
            person = accounts.create_person(session, f"p{number}{role[:8]}", name)
            found.people[role] = person.id
            found.at[role] = addresses.add(session, person.id, "sms", f"+1415555{100 + number:04}").id
            if role in ("operator", "admin"):
                accounts.set_role(session, person.id, role)
        # an address that is nobody's: a stranger who once wrote
        found.at["nobody"] = addresses.ensure(session, "sms", "+14155550190").id
        opened = accounts.create_group(session, "plaza", "Plaza", "open", found.people["author"])
        closed = accounts.create_group(session, "vault", "Vault", "closed", found.people["author"])
        for role in ("member", "left", "blocked", "suspended", "phone", "gone"):
            follows.follow(session, found.people[role], closed.id, by_text=True, role="member")
        _say_all(found, session, opened, closed)
        follows.unfollow(session, found.people["left"], closed.id)
        mutes.block(session, found.people["blocked"], found.people["author"])
        accounts.suspend(session, found.people["suspended"])
        accounts.suspend(session, found.people["exile"])
        accounts.deactivate(session, found.people["gone"])
        session.execute(text("UPDATE addresses SET state = 'suspended' WHERE id = :id"), {"id": found.at["phone"]})
    return found


def _say_all(found: Seen, session, opened: Account, closed: Account) -> None:
    author = session.get_one(Account, found.people["author"])
    row = Inbound(
        channel="sms", natural_key=b"1", sender="+14155550100", recipients=[], trusted=True, state="done",
        account_id=author.id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    digest = media_folder.keep(found.settings.var, sample_files.MADE["png"])
    session.add(Upload(id=row.id, inbound_id=row.id))
    session.flush()
    session.add(
        Media(
            upload_id=row.id,
            number=0,
            name=f"{CANARY}.png",
            content_type="image/png",
            sha256=digest,
            size=9,
            small_sha256=digest,
            state="fetched",
        )
    )

    def say(name: str, visibility: str, group: Account | None = None, by: Account = author, **more) -> None:
        said = NewPost(by, f"{CANARY} {name}", visibility, "sms", group, inbound_id=row.id, **more)
        found.posts[name] = posts.publish(session, said).id

    say("company", "company")
    say("open", "group", opened)
    say("closed", "group", closed)
    member = found.people["member"]
    say("direct", "direct", recipients=[(member, member)])
    say("retracted", "group", closed)
    original = session.get_one(posts.Post, found.posts["closed"])
    say("repeat", "company", repeats=original)
    say("suspended writer", "company", by=session.get_one(Account, found.people["exile"]))
    posts.retract(session, session.get_one(posts.Post, found.posts["retracted"]))


@contextmanager
def client(seen: Seen) -> Iterator[FlaskClient]:
    parts = web.build(seen.settings)
    try:
        yield web.create_app(seen.settings, parts).test_client()
    finally:
        parts.close()


def routes(app: Flask) -> set[str]:
    return {f"{how} {rule.rule}" for rule in app.url_map.iter_rules() for how in (rule.methods or set()) & METHODS}


def test_each_route_of_both_applications_has_a_row_and_a_test(seen: Seen) -> None:
    asked = {name.removeprefix("test_routes_of_") for name in globals() if name.startswith("test_routes_of_")}
    parts = web.build(seen.settings)
    assert routes(web.create_app(seen.settings, parts)) == set(WEB)
    assert {*WEB.values(), *FALLBACK.values()} <= asked
    parts.close()
    sheltered = fallback.build(seen.settings)
    assert routes(fallback.create_app(seen.settings, sheltered)) == set(FALLBACK)
    sheltered.close()


def shown(answer) -> bool:
    """Whether anything of the post came: its words, its file, or a file's octets."""
    return CANARY.encode() in answer.data or answer.data == sample_files.MADE["png"]


def test_routes_of_links(seen: Seen) -> None:
    """/p/ and /m/ and its files, of each post, by each role's link; and of nobody's."""
    with client(seen) as asks:
        assert not list(wrongly_answered(seen, asks))


def wrongly_answered(seen: Seen, asks: FlaskClient) -> Iterator[str]:
    for post in MAY_READ:
        for role in ROLES:
            token = seen.link("media", post, role)
            paths = [f"/p/{seen.link('page', post, role)}", f"/m/{token}", f"/m/{token}/1", f"/m/{token}/1/small"]
            for path in paths:
                answer = asks.get(path)
                # words said to a few never hang on a link alone (/p/), and /m/ shows their files only
                allowed = role in MAY_READ[post] and not (post == "direct" and path.startswith("/p/"))
                if shown(answer) != allowed:
                    yield f"{path[:3]} {path.count('/')} {post} by {role}: {answer.status_code}"


def test_what_may_not_be_read_is_not_told_of_either(seen: Seen) -> None:
    """Neither who wrote it, nor in which group, nor that it exists: one answer for all of them, byte for byte."""
    with client(seen) as asks:
        nothing = asks.get("/p/" + seen.signer.sign("page", 2**40, seen.at["outside"]))
        for post, role in [
            *((post, role) for post in ("closed", "direct") for role in ("outside", "left", "operator", "admin")),
            *(("company", role) for role in ("blocked", "suspended", "gone", "nobody")),
            *(("retracted", role) for role in ("outside", "left", "blocked", "suspended", "gone", "nobody", "admin")),
            *(("direct", role) for role in ("blocked", "suspended", "gone", "nobody")),
        ]:
            answer = asks.get(f"/p/{seen.link('page', post, role)}")
            assert (answer.status_code, answer.data) == (nothing.status_code, nothing.data), (post, role)
            media = asks.get(f"/m/{seen.link('media', post, role)}")
            assert (media.status_code, media.data) == (nothing.status_code, nothing.data), (post, role)


def test_those_who_could_read_it_hear_that_it_was_taken_back(seen: Seen) -> None:
    with client(seen) as asks:
        answer = asks.get(f"/p/{seen.link('page', 'retracted', 'member')}")
        private = asks.get(f"/p/{seen.link('page', 'direct', 'member')}")
    assert (answer.status_code, private.status_code) == (410, 200)
    assert WRITER in answer.text
    assert CANARY not in answer.text + private.text


def test_no_token_but_the_right_one_opens_anything(seen: Seen) -> None:
    """Another kind's, cut, altered, of other keys, with ids swapped, with one id more, and none."""
    with client(seen) as asks:
        rules = [rule for rule in WEB if "<token>" in rule and "/sms/" not in rule]
        assert len(rules) >= 8
        for rule in rules:
            _wrong_tokens(seen, asks, *rule.split())


def _wrong_tokens(seen: Seen, asks: FlaskClient, method: str, path: str) -> None:
    post, reader = seen.posts["company"], seen.at["member"]
    kinds = {"/p/": "page", "/m/": "media", "/u/": "unsubscribe", "/lo": "login"}
    right = kinds[path[:3]]
    good = seen.signer.sign(right, post, reader)
    others = [seen.signer.sign(kind, post, reader) for kind in {*kinds.values(), "reply", "again", "bounce"} - {right}]
    strange = [good[:-1], "b" + good[1:], seen.signer.sign(right, post), seen.signer.sign(right, post, reader, 1),
               Signer(("x" * 40,)).sign(right, post, reader), "0", "é", "%00", "a" * 5000, "..%2f"]  # fmt: skip
    for token in (*others, *strange):
        place = path.replace("<token>", token).replace("<int:number>", "1")
        answer = asks.open(place, method=method, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code in (404, 410), (path, token)
        assert CANARY not in answer.text
        assert WRITER not in answer.text


def test_routes_of_unsubscribing(seen: Seen) -> None:
    """A link ends the follow of its own reader alone, in whoever's hands it is; GET ends nothing."""
    with transaction(seen.engine) as session:
        for role in ("member", "outside", "admin"):
            follows.follow(session, seen.people[role], seen.people["author"], by_text=True)

    def followers() -> set[str]:
        with transaction(seen.engine) as session:
            rows = session.execute(
                text("SELECT follower_id FROM follows WHERE account_id = :id"), {"id": seen.people["author"]}
            )
            held = {row[0] for row in rows}
        return {role for role, account in seen.people.items() if account in held}

    def path(role: str) -> str:
        return "/u/" + seen.signer.sign("unsubscribe", seen.people["author"], seen.at[role])

    before = followers()
    with client(seen) as asks:
        for role in ROLES:
            asks.get(path(role))
        assert followers() == before
        for role in set(ROLES) - {"member", "outside", "admin"}:  # who follows nobody ends nobody's
            asks.post(path(role), data={"List-Unsubscribe": "One-Click"})
        assert followers() == before
        again = seen.signer.sign("again", seen.people["author"], seen.at["admin"], 1, 0)
        asks.post(path("outside"), data={"again": again})
        assert asks.post(path("outside"), data={"List-Unsubscribe": "One-Click"}).status_code == 200
        assert followers() == before - {"outside"}
        assert asks.get(path("nobody")).status_code == 404


@pytest.mark.parametrize("role", ["suspended", "gone", "member"])
def test_routes_of_logins(seen: Seen, role: str) -> None:
    """A login link is its owner's, once, and nobody's any more when they are suspended or gone."""
    with transaction(seen.engine) as session:
        token = codes.login(session, seen.signer, seen.people[role])
    with client(seen) as asks:
        looked, entered, again = asks.get(f"/login/{token}"), asks.post(f"/login/{token}"), asks.post(f"/login/{token}")
        other = asks.post("/login/" + "0" * 32)
    active = role == "member"
    assert (entered.status_code == 200, "Person member" in entered.text) == (active, active)
    assert "Person" not in looked.text  # looking says nothing about whose it is
    assert again.status_code in (404, 410)
    assert other.status_code == 404


def test_routes_of_signed(seen: Seen) -> None:
    """What carriers call is refused without their proof, whoever's number or token it carries; and nothing is kept."""
    token = seen.signer.sign("status", 1)
    form = {"MessageSid": f"SM{1:032x}", "From": "+14155550101", "To": "+15005550006", "Body": CANARY}
    with client(seen) as asks:
        for rule in (rule for rule, how in WEB.items() if how == "signed"):
            method, path = rule.split()
            # Kannel signs nothing: the token of one attempt is its whole proof, and this one is of another kind
            place = path.replace("<token>", seen.signer.sign("attempt", 1) if "kannel" in path else token)
            for headers in PROOFLESS:
                sent: dict = {"query_string": form} if method == "GET" else {"data": form}
                answer = asks.open(place, method=method, headers=headers, **sent)
                unknown_proxy = "kannel" in path and "X-Forwarded-For" in headers  # Kannel tries again
                assert answer.status_code == (503 if unknown_proxy else 403), rule
                assert CANARY not in answer.text
    sheltered = fallback.build(seen.settings)
    asks = fallback.create_app(seen.settings, sheltered).test_client()
    for rule in (rule for rule, how in FALLBACK.items() if how == "signed"):
        for headers in PROOFLESS:
            assert asks.post(rule.split()[1].replace("<token>", token), data=form, headers=headers).status_code == 403
    sheltered.close()
    with transaction(seen.engine) as session:
        assert session.execute(text("SELECT count(*) FROM inbound WHERE text IS NOT NULL")).scalar() == 0
        assert session.execute(text("SELECT count(*) FROM callbacks")).scalar() == 0


PROOFLESS: list[dict[str, str]] = [
    {},
    {"X-Twilio-Signature": "AAAA", "webhook-signature": "v1,AAAA", "webhook-id": "1", "webhook-timestamp": "1"},
    {"X-Forwarded-For": "127.0.0.1", "Authorization": "Basic YWRtaW46YWRtaW4="},
]


def test_routes_of_metrics(seen: Seen) -> None:
    with client(seen) as asks:
        answers = [
            asks.get("/metrics", headers=headers)
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer the-metrics-token"})
        ]
    assert [answer.status_code for answer in answers] == [404, 404, 200]
    assert CANARY not in answers[2].text
    assert "555" not in answers[2].text.replace("critter_", "")


def test_routes_of_public(seen: Seen) -> None:
    """They say nothing about anybody: no name, number, post or group of the company."""
    with client(seen) as asks:
        for rule in (rule for rule, how in WEB.items() if how == "public"):
            answer = asks.get(rule.split()[1].replace("<path:filename>", "critter.css"))
            assert answer.status_code in (200, 503, 404)
            for word in (CANARY, WRITER, "vault", "Person", "415555"):
                assert word not in answer.text.replace("+14155550123", ""), rule  # an example of /help
        for climbing in ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static//etc/passwd"):
            assert asks.get(climbing).status_code == 404, climbing


def test_no_route_answers_to_another_method(seen: Seen) -> None:
    """HEAD and OPTIONS are what their GET is; what is not in the table does nothing."""
    with client(seen) as asks:
        for path in {rule.split()[1] for rule in WEB}:
            place = path.replace("<token>", seen.link("page", "company", "member"))
            place = place.replace("<int:number>", "1").replace("<path:filename>", "x")
            told: dict[str, Callable] = {"PUT": asks.put, "PATCH": asks.patch, "DELETE": asks.delete}
            assert {how: ask(place).status_code for how, ask in told.items()} == dict.fromkeys(told, 405), path
