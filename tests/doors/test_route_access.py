"""Every web route by every role (R49): who gets what, of both applications; a route without a row here fails."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from critter.processes import app as web
from critter.processes import fallback
from gateway.doors.web.visits import csrf
from gateway.files import media_folder
from gateway.network.follows import follows, mutes
from gateway.network.people import accounts, addresses
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.network.verification import codes, first_admin
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from gateway.store.tables import Account, Inbound, Media, Upload
from tests.support import sample_files
from tests.support.web_process import changed
from tests.support.web_visitor import WebVisitor, signed_in

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
    "GET /portraits/people/<id:number>.png": "public",
    "GET /portraits/groups/<id:number>.png": "public",
    "GET /portraits/headers/<id:number>.png": "public",
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
    "GET /": "visitors",
    "GET /manifest.webmanifest": "visitors",
    "GET /service-worker.js": "visitors",
    "GET /offline": "visitors",
    "GET /sign-in": "visitors",
    "POST /sign-in": "visitors",
    "GET /sign-in/code": "visitors",
    "POST /sign-in/code": "visitors",
    "POST /sign-in/passkey": "visitors",
    "POST /sign-in/passkey/options": "visitors",
    "GET /sign-in/company": "visitors",
    "GET /sign-in/company/back": "visitors",
    "GET /first/<token>": "first_start",
    "POST /first/<token>": "first_start",
    "GET /as/<handle>": "visitors",
    "POST /sign-out": "members",
    "GET /everyone": "members",
    "GET /to-you": "members",
    "GET /private": "members",
    "GET /private/<handle>": "members",
    "GET /updates/<int:post_id>": "members",
    "GET /updates/<int:post_id>/got": "members",
    "GET /updates/now": "members",
    "GET /home/reach": "members",
    "GET /updates/<int:post_id>/files/<int:number>": "members",
    "GET /updates/<int:post_id>/files/<int:number>/small": "members",
    "GET /write": "members",
    "GET /write/names": "members",
    "POST /write/preview": "members",
    "POST /write/reach": "members",
    "POST /drafts": "members",
    "POST /seen": "members",
    "POST /updates": "members",
    "POST /updates/<int:post_id>/take-back": "members",
    "POST /updates/<int:post_id>/like": "members",
    "POST /updates/<int:post_id>/unlike": "members",
    "POST /updates/<int:post_id>/repeat": "members",
    "POST /undo": "members",
    "GET /settings": "members",
    "POST /settings/ways": "members",
    "POST /settings/prefer": "members",
    "POST /settings/push": "members",
    "POST /settings/push/<int:subscription_id>/remove": "members",
    "POST /settings/push/test": "members",
    "POST /settings/pause": "members",
    "POST /settings/resume": "members",
    "POST /settings/quiet": "members",
    "POST /settings/zone": "members",
    "POST /settings/digest": "members",
    "GET /settings/phones": "members",
    "POST /settings/phones/add": "members",
    "POST /settings/phones/code": "members",
    "POST /settings/phones/link-code": "members",
    "POST /settings/phones/<int:address_id>/remove": "members",
    "POST /settings/phones/<int:address_id>/main": "members",
    "POST /settings/phones/<int:address_id>/try": "members",
    "POST /settings/pin": "members",
    "POST /settings/pin/code": "members",
    "POST /settings/passkeys": "members",
    "POST /settings/passkeys/options": "members",
    "POST /settings/passkeys/<int:passkey_id>/remove": "members",
    "GET /settings/you": "members",
    "POST /settings/you/name": "members",
    "POST /settings/you/language": "members",
    "POST /settings/you/said": "members",
    "POST /settings/you/look": "members",
    "GET /settings/blocked": "members",
    "POST /settings/blocked/<int:account_id>/end": "members",
    "GET /settings/signed-in": "members",
    "POST /settings/signed-in/<int:session_id>/end": "members",
    "POST /settings/signed-in/end-others": "members",
    "GET /settings/apps": "members",
    "POST /settings/apps/<int:token_id>/put-out": "members",
    "POST /settings/apps/put-all-out": "members",
    "GET /oauth/authorize": "members",
    "GET /oauth/authorize/": "members",
    "POST /oauth/authorize": "members",
    "GET /settings/data": "members",
    "POST /settings/data/secret": "members",
    "POST /settings/data/new-secret": "members",
    "POST /settings/data/export": "members",
    "GET /operate/audit": "operators",
    "GET /operate/check": "operators",
    "GET /operate/consent": "operators",
    "POST /operate/consent/<int:inbound_id>/words": "operators",
    "POST /operate/consent/<int:inbound_id>/stop": "operators",
    "POST /operate/consent/<int:inbound_id>/dismiss": "operators",
    "GET /operate/costs": "operators",
    "GET /operate/deliveries": "operators",
    "POST /operate/deliveries/<row_id>/retry": "operators",
    "POST /operate/deliveries/<row_id>/drop": "operators",
    "GET /operate/explain": "operators",
    "POST /operate/explain": "operators",
    "GET /operate": "operators",
    "GET /operate/now": "operators",
    "GET /operate/held": "operators",
    "POST /operate/held/<int:input_id>/words": "operators",
    "POST /operate/held/<int:input_id>/approve": "operators",
    "POST /operate/held/<int:input_id>/drop": "operators",
    "GET /operate/numbers": "operators",
    "POST /operate/numbers/<int:sender_id>/pause": "operators",
    "POST /operate/numbers/<int:sender_id>/resume": "operators",
    "POST /operate/breaker/resume": "operators",
    "GET /operate/people": "operators",
    "GET /operate/people/<handle>": "operators",
    "GET /operate/people/new": "operators",
    "POST /operate/people/new": "operators",
    "GET /operate/people/<handle>/data": "admins",
    "POST /operate/people/<handle>/export": "admins",
    "POST /operate/people/<handle>/erase": "admins",
    "POST /operate/people/<handle>/role": "admins",
    "POST /operate/people/<handle>/suspend": "operators",
    "POST /operate/people/<handle>/restore": "operators",
    "POST /operate/people/<handle>/code": "operators",
    "GET /operate/people/import": "admins",
    "POST /operate/people/import": "admins",
    "GET /operate/reports": "operators",
    "POST /operate/reports/<int:report_id>/words": "operators",
    "POST /operate/reports/<int:report_id>/close": "operators",
    "GET /operate/settings": "operators",
    "GET /operate/trace/<row_id>": "operators",
    "POST /operate/trace/<row_id>/words": "operators",
    "GET /operate/trace/<row_id>/json": "operators",
    "GET /operate/undelivered": "operators",
    "GET /operate/undelivered/<act>": "operators",
    "POST /operate/undelivered/<act>": "operators",
    "GET /people": "members",
    "GET /groups": "members",
    "GET /invite": "members",
    "POST /invite": "members",
    "POST /@<handle>/follow": "members",
    "POST /@<handle>/unfollow": "members",
    "POST /@<handle>/mute": "members",
    "POST /@<handle>/unmute": "members",
    "POST /@<handle>/block": "members",
    "POST /@<handle>/nudge": "members",
    "GET /@<handle>/people": "members",
    "GET /@<handle>/posters": "members",
    "GET /@<handle>/requests": "members",
    "GET /@<handle>/about": "members",
    "POST /@<handle>/rename": "members",
    "POST /@<handle>/write": "members",
    "POST /@<handle>/end": "members",
    "POST /@<handle>/people/add": "members",
    "POST /@<handle>/people/<who>/poster": "members",
    "POST /@<handle>/people/<who>/reader": "members",
    "POST /@<handle>/people/<who>/owner": "members",
    "POST /@<handle>/people/<who>/remove": "members",
    "POST /@<handle>/requests/<who>/let-in": "members",
    "POST /@<handle>/requests/<who>/refuse": "members",
    "GET /menu": "members",
    "GET /groups/new": "members",
    "POST /groups/new": "members",
    "GET /@me": "members",
    "GET /@<handle>": "members",
    "GET /@<handle>/followers": "members",
    "GET /@<handle>/following": "members",
    "GET /updates/<int:post_id>/report": "members",
    "POST /updates/<int:post_id>/report": "members",
    "GET /@<handle>/report": "members",
    "POST /@<handle>/report": "members",
    "GET /search": "members",
    "GET /about/<topic>": "members",
    "GET /tags/<tag>": "members",
    "POST /tags/<tag>/follow": "members",
    "POST /tags/<tag>/unfollow": "members",
    "POST /track": "members",
    "POST /untrack": "members",
    "POST /status": "members",
    "POST /status/off": "members",
    "GET /updates/<int:post_id>/why": "members",
    "GET /help": "public",
    "GET /terms": "public",
    "GET /privacy": "public",
    "GET /healthz": "public",
    "GET /readyz": "public",
    "GET /static/<path:name>": "public",
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
def application(seen: Seen) -> Iterator[Flask]:
    parts = web.build(seen.settings)
    try:
        yield web.create_app(seen.settings, parts)
    finally:
        parts.close()


@contextmanager
def client(seen: Seen) -> Iterator[FlaskClient]:
    parts = web.build(seen.settings)
    try:
        yield web.create_app(seen.settings, parts).test_client()
    finally:
        parts.close()


def routes(app: Flask) -> set[str]:
    """ApiRouter of the API have a table of their own (tests/doors/api/test_access.py)."""
    pages = [
        rule for rule in app.url_map.iter_rules() if vars(app.view_functions[rule.endpoint]).get("access") != "api"
    ]
    return {f"{how} {rule.rule}" for rule in pages for how in (rule.methods or set()) & METHODS}


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
        rules = [rule for rule in WEB if "<token>" in rule and not re.search("/sms/|/first/|POST /login/", rule)]
        assert len(rules) >= 7
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
    with application(seen) as app:
        visitor, path = WebVisitor(app), f"/login/{token}"
        without_proof = app.test_client().post(path)  # nobody is signed in by a form of another site
        looked, entered, late = visitor.open(path), visitor.press(path), WebVisitor(app)
        late.open("/sign-in")
        again, other = late.press(path), late.press("/login/" + "0" * 32)
    active = role == "member"
    assert without_proof.status_code == 403
    assert (entered.status_code == 200, "Person member" in entered.text) == (active, active)
    assert ("critter=" in str(entered.headers.get_all("Set-Cookie"))) == active
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
            place = rule.split()[1].replace("<path:name>", "critter.css")
            answer = asks.get(place.replace("<id:number>", str(seen.people["author"])))
            assert answer.status_code in (200, 503, 404)
            for word in (CANARY, WRITER, "vault", "Person", "415555"):
                shown_words = answer.data.replace(b"+14155550123", b"")  # an example of /help
                assert word.encode() not in shown_words, rule
        for climbing in (
            "/static/../pages.py",
            "/static/%2e%2e/pages.py",
            "/static/shell/router.py",
            "/static//etc/passwd",
        ):
            assert asks.get(climbing).status_code == 404, climbing


def in_place(path: str) -> str:
    """A path with something sensible where it has parts."""
    parts = {"int:number": "1", "int:post_id": "5", "path:name": "x", "handle": "vault", "tag": "x", "token": "x"}
    return re.sub(r"<([^>]+)>", lambda found: parts.get(found[1], "1"), path)


def rules(*kinds: str) -> list[tuple[str, str]]:
    """(method, path) of the routes with these rows."""
    return [(rule.split()[0], in_place(rule.split()[1])) for rule, how in WEB.items() if how in kinds]


KEPT_FROM = {"members": (), "operators": ("member",), "admins": ("member", "operator")}


@pytest.mark.parametrize("kind", KEPT_FROM)
def test_routes_of_members(seen: Seen, kind: str) -> None:
    """A visitor is asked to sign in, by every page and every button; so is somebody who was suspended or has left, with
    the cookie that they had. Who has not the role is refused."""
    with application(seen) as app:
        people = {
            role: signed_in(app, seen.engine, seen.people[role]) for role in (*KEPT_FROM[kind], "suspended", "gone")
        }
        people["visitor"] = WebVisitor(app)
        for method, path in rules(kind):
            for role, visitor in people.items():
                answer = visitor.open(path) if method == "GET" else visitor.press(path, {"text": CANARY})
                if role in KEPT_FROM[kind]:
                    assert answer.status_code == 403, (role, path)
                elif method == "GET":
                    assert (answer.status_code, answer.location[:8]) == (303, "/sign-in"), (role, path)
                else:
                    assert answer.status_code in (401, 403), (role, path)
                assert not shown(answer)
    with transaction(seen.engine) as session:
        assert session.scalar(text("SELECT count(*) FROM posts WHERE text = :canary"), {"canary": CANARY}) == 0


def test_routes_of_operators(seen: Seen) -> None:
    """With `test_routes_of_members`: nothing that an operator presses works without the proof of our own form."""
    _refused_without_proof(seen, "operator", "operators")


def test_routes_of_admins(seen: Seen) -> None:
    _refused_without_proof(seen, "admin", "admins")


def test_no_button_works_from_another_site(seen: Seen) -> None:
    """With the cookie and without the token; with a token of another session; from another origin."""
    _refused_without_proof(seen, "member", "members")


def _refused_without_proof(seen: Seen, role: str, kind: str) -> None:
    with application(seen) as app:
        visitor, other = (
            signed_in(app, seen.engine, seen.people[role]),
            signed_in(app, seen.engine, seen.people["author"]),
        )
        for path in (path for method, path in rules(kind) if method == "POST"):
            form = {"text": CANARY, "audience": "everyone"}
            stolen = {**form, "csrf": csrf.token(other.token)}
            assert visitor.browser.post(path, data=form).status_code == 403, path
            assert visitor.browser.post(path, data=stolen).status_code == 403, path
            assert visitor.press(path, form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403, path
            assert visitor.press(path, form, headers={"Origin": "https://evil.example"}).status_code == 403, path


def test_routes_of_visitors(seen: Seen) -> None:
    """They say nothing about anybody, whoever asks, and lead nowhere else."""
    with application(seen) as app:
        for method, path in rules("visitors"):
            visitor = WebVisitor(app)
            visitor.open("/sign-in")
            form = {"who": "+14155550100", "code": "123456", "to": "https://evil.example/"}
            answer = visitor.open(path) if method == "GET" else visitor.press(path, form)
            assert answer.status_code in (200, 303, 404, 422), path
            assert "evil" not in answer.headers.get("Location", ""), path
            for word in (CANARY, WRITER, "vault", "Person"):
                assert word not in answer.text, path


def test_routes_of_first_start(seen: Seen) -> None:
    """Dead while somebody runs the installation, and to any token but that of this database."""
    with application(seen) as app:
        with transaction(seen.engine) as session:
            assert first_admin.link(session, seen.signer, "http://here") is None
            made = session.scalar(text("SELECT extract(epoch FROM created_at) * 1000000 FROM installation"))
        path = f"/first/{seen.signer.sign(first_admin.KIND, int(made))}"
        assert WebVisitor(app).open(path).status_code == 404
        with transaction(seen.engine) as session:
            for role in ("operator", "admin"):
                accounts.set_role(session, seen.people[role], "member")
            link = first_admin.link(session, seen.signer, "http://here")
        assert link == f"http://here{path}"
        for wrong in ("x", seen.signer.sign(first_admin.KIND, 1), seen.signer.sign("login", int(made))):
            assert WebVisitor(app).open(f"/first/{wrong}").status_code == 404
        visitor = WebVisitor(app)
        visitor.open(path)
        made_one = visitor.press(path, {"name": "Ada First", "handle": "ada"})
        assert (made_one.status_code, made_one.location) == (303, "/settings/phones")
        assert WebVisitor(app).open(path).status_code == 404  # it opens once
    with transaction(seen.engine) as session:
        assert session.scalar(text("SELECT role FROM accounts WHERE handle = 'ada'")) == "admin"


def test_pages_show_an_update_to_those_who_may_read_it_alone(seen: Seen) -> None:
    """By its address, and in each list, and to its buttons; to others its address is one where nothing is."""
    with application(seen) as app:
        roles = ("author", "member", "outside", "left", "blocked", "operator", "admin")
        people = {role: signed_in(app, seen.engine, seen.people[role]) for role in roles}
        for post, may in MAY_READ.items():
            for role, visitor in people.items():
                path = f"/updates/{seen.posts[post]}"
                answer = visitor.open(path)
                followed = visitor.open(answer.location) if answer.status_code == 303 else answer
                assert (CANARY in followed.text) == (role in may), (post, role)
                assert role in may or answer.status_code == 404, (post, role)
                for more in ("/files/0", "/files/0/small"):
                    assert shown(visitor.open(path + more)) == (role in may and post != "suspended writer"), (
                        post,
                        role,
                    )
                if role not in may:
                    for button in ("/like", "/repeat", "/take-back"):
                        assert CANARY not in visitor.press(path + button).text
                    assert CANARY not in visitor.open(f"/write?re={seen.posts[post]}").text
        for role, visitor in people.items():
            for page in ("/", "/everyone", "/to-you", "/private"):
                for post, may in MAY_READ.items():
                    named = f"{CANARY} {post}<"
                    if named in visitor.open(page).text:
                        assert role in may, (page, post, role)


def test_no_route_answers_to_another_method(seen: Seen) -> None:
    """HEAD and OPTIONS are what their GET is; what is not in the table does nothing."""
    with client(seen) as asks:
        for path in {rule.split()[1] for rule in WEB}:
            place = path.replace("<token>", seen.link("page", "company", "member"))
            place = in_place(place)
            told: dict[str, Callable] = {"PUT": asks.put, "PATCH": asks.patch, "DELETE": asks.delete}
            assert {how: ask(place).status_code for how, ask in told.items()} == dict.fromkeys(told, 405), path
