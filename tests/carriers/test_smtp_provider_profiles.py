"""The four kinds of relay: each against a server that enforces its rules, through the code that sends in production."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.carriers.common.protocol import OutboundEmail
from gateway.carriers.operator_advice import advice
from gateway.carriers.smtp.handshake import REFUSED
from gateway.carriers.smtp.provider_profiles import PROFILES, provider_terms, relay
from gateway.carriers.smtp.replies import TROUBLES, find_pause, refused_outcome, wait_of
from gateway.errors import SettingsError
from gateway.ledger.outbox import outbox
from gateway.ledger.outbox.outbox import Outgoing, Target
from gateway.ledger.senders import pauses, relay_quota
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings, load
from gateway.store.database import transaction
from tests.support.delivering import change, open_context, person, post, rows, states
from tests.support.relays import Papers, Rules, enforcing, giving_tokens, papers
from workers import deliver
from workers.runtime.context import WorkerContext, enter
from workers.sending.render_mail import RETURNED

BOX = "critter@corp.example"
NO_RATE = {"smtp_rate": 0.0}


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def port(free_port: Callable[[], int], trusted: Papers, monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the relay will be; this process trusts its authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.pem))
    return free_port()


@pytest.fixture
def google(settings: Settings, port: int) -> Settings:
    return _at(settings, port, smtp_profile="google-ip")


@pytest.fixture
def connector(settings: Settings, port: int, trusted: Papers) -> Settings:
    return _at(settings, port, smtp_profile="m365-connector", smtp_certificate=trusted.ours)


def _at(settings: Settings, port: int, **more: object) -> Settings:
    return settings.model_copy(update={"smtp_relay": f"smtp+starttls://127.0.0.1:{port}", **more})


def mailbox_of(settings: Settings, port: int, url: str, **more: object) -> Settings:
    """m365-oauth."""
    oauth = {
        "smtp_profile": "m365-oauth",
        "smtp_from": BOX,
        "m365_token_url": url,
        "m365_client_id": "an-application",
        "m365_client_secret": "its-secret",
    }
    return _at(settings, port, **{**oauth, **NO_RATE, **more})


@pytest.fixture
def working(engine: Engine) -> Iterator[Callable[[Settings], WorkerContext]]:
    """Rooms with the carrier that the settings ask for; the last one made is entered."""
    rooms: list[WorkerContext] = []
    change(engine, "INSERT INTO installation (mode) VALUES ('simulated') ON CONFLICT DO NOTHING")

    def make(settings: Settings) -> WorkerContext:
        context = replace(open_context(settings), emails=relay(settings))
        rooms.append(context)
        enter(context)
        return context

    yield make
    enter(None)
    for context in rooms:
        context.close()


def fan_out(engine: Engine, count: int) -> None:
    """One update to that many mailboxes."""
    author = person(engine, "kim", mailbox="kim@demo.example")[0]
    readers = [person(engine, f"p{n}", mailbox=f"p{n}@demo.example")[1] for n in range(count)]
    post(engine, author, "Kim Lee: the dock is open", [Target(reader, "email") for reader in readers])


def microsoft(tokens: object, **more: object) -> Rules:
    return Rules("m365", senders=(BOX,), connections=3, tokens=tokens, user=BOX, **more)


def paused_for(engine: Engine) -> str | None:
    with transaction(engine) as session:
        [mail] = [row for row in pauses.list_pauses(session) if row.carrier == "smtp"]
    return mail.reason if mail.paused else None


# The rows


def test_each_profile_has_what_its_vendor_publishes() -> None:
    oauth, google = PROFILES["m365-oauth"], PROFILES["google-ip"]
    assert (oauth.connections, oauth.rate, oauth.daily, oauth.verp, oauth.tls) == (3, 0.5, 10_000, False, True)
    assert (google.daily, google.verp, google.tls, google.largest) == (10_000, True, True, 25 << 20)
    assert (PROFILES["m365-connector"].verp, PROFILES["m365-connector"].connections) == (False, 3)
    assert (PROFILES["plain"].verp, PROFILES["plain"].daily, PROFILES["plain"].rate) == (True, None, None)


def test_settings_override_each_limit(settings: Settings) -> None:
    own = settings.model_copy(update={"smtp_profile": "m365-oauth", "smtp_from": BOX})
    assert (
        provider_terms(own).sender,
        provider_terms(own).hello,
        provider_terms(own).rate,
        provider_terms(own).daily,
    ) == (
        BOX,
        "corp.example",
        0.5,
        10_000,
    )
    changed = own.model_copy(update={"smtp_rate": 2.0, "smtp_daily": 7, "smtp_connections": 1})
    assert (provider_terms(changed).rate, provider_terms(changed).daily, provider_terms(changed).connections) == (
        2.0,
        7,
        1,
    )
    unlimited = own.model_copy(update={"smtp_rate": 0.0, "smtp_daily": 0})
    assert (provider_terms(unlimited).rate, provider_terms(unlimited).daily) == (None, None)
    connector = settings.model_copy(update={"smtp_profile": "m365-connector"})
    assert provider_terms(connector).sender == "post@mail.example"
    assert provider_terms(connector.model_copy(update={"smtp_from": "verp"})).sender is None
    assert provider_terms(settings.model_copy(update={"smtp_from": BOX})).sender == BOX


LIVE = {
    "CRITTER_MODE": "live",
    "CRITTER_COMPANY": "Acme",
    "CRITTER_PUBLIC_URL": "https://critter.example.com",
    "CRITTER_SECRET_KEY": "0123456789abcdef" * 3,
    "CRITTER_SMS": "off",
    "CRITTER_MAIL_DOMAIN": "critter.example.com",
}
OAUTH = {
    "CRITTER_SMTP_PROFILE": "m365-oauth",
    "CRITTER_SMTP_FROM": "critter@example.com",
    "CRITTER_M365_TENANT": "example.com",
    "CRITTER_M365_CLIENT_ID": "app",
    "CRITTER_M365_CLIENT_SECRET": "secret",
}


def test_a_vendors_relay_need_not_be_named() -> None:
    assert load({**LIVE, **OAUTH}).smtp_relay == "smtp+starttls://smtp.office365.com:587"
    google = load({**LIVE, "CRITTER_SMTP_PROFILE": "google-ip"})
    assert google.smtp_relay == "smtp+starttls://smtp-relay.gmail.com:587"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"CRITTER_SMTP_PROFILE": "gmail", "CRITTER_SMTP_RELAY": "smtp://r.example.com"}, r"^CRITTER_SMTP_PROFILE: "),
        ({"CRITTER_SMTP_PROFILE": "m365-connector"}, r"^CRITTER_SMTP_RELAY: must be set"),
        ({**OAUTH, "CRITTER_SMTP_FROM": ""}, r"^CRITTER_SMTP_FROM: must be set with CRITTER_SMTP_PROFILE=m365-oauth"),
        ({**OAUTH, "CRITTER_SMTP_FROM": "verp"}, r"^CRITTER_SMTP_FROM: must be set"),
        ({**OAUTH, "CRITTER_M365_TENANT": "", "CRITTER_M365_CLIENT_ID": ""}, r"CRITTER_M365_TENANT, CRITTER_M365_CLI"),
        ({**OAUTH, "CRITTER_M365_TOKEN_URL": "http://login.example.com/t"}, r"^CRITTER_M365_TOKEN_URL: .*https"),
        ({**OAUTH, "CRITTER_SMTP_RELAY": "smtp://smtp.office365.com"}, r"^CRITTER_SMTP_RELAY: must be smtp\+starttls"),
        ({**OAUTH, "CRITTER_SMTP_FROM": "critter"}, r"^CRITTER_SMTP_FROM: 'critter' is neither an address"),
        ({**OAUTH, "CRITTER_SMTP_DAILY": "-1"}, r"^CRITTER_SMTP_DAILY: "),
    ],
)
def test_what_a_profile_cannot_do_without(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load({**LIVE, **given})


def test_simulated_asks_nobody_for_tokens() -> None:
    with pytest.raises(SettingsError, match=r"^CRITTER_M365_TOKEN_URL: login.microsoftonline.com is not on this"):
        load({**OAUTH, "CRITTER_SECRET_KEY": "x"})


def test_a_certificate_that_cannot_be_read(settings: Settings, tmp_path: Path) -> None:
    for path in (tmp_path / "none.pem", tmp_path):
        with pytest.raises(SettingsError, match=r"^CRITTER_SMTP_CERTIFICATE: .*give a PEM file"):
            relay(settings.model_copy(update={"smtp_certificate": path}))


# Exchange Online, a mailbox and a token


def test_a_mailbox_sends_as_itself_alone(settings, engine, port, trusted, working):
    """Twenty mails: one sender, three connections, one token; a bounce could still be told by our header."""
    fan_out(engine, 20)
    with giving_tokens() as tokens, enforcing(microsoft(tokens), trusted.server, port) as judge:
        working(mailbox_of(settings, port, tokens.url))
        deliver.drain_email()
    assert states(engine) == ["sent"] * 20
    assert judge.refused == []
    assert 1 <= judge.most <= 3
    assert len(tokens.given) == 1
    signer = Signer(settings.secret_keys)
    told = {signer.read("bounce", mail.parsed[RETURNED]) for mail in judge.mails}
    assert told == {(row.message_id, row.address_id) for row in rows(engine)}
    [sender] = {str(mail.parsed["From"]) for mail in judge.mails}
    assert sender == f"Kim via Critter <{BOX}>"
    assert {mail.sender for mail in judge.mails} == {BOX}
    assert all(mail.parsed["Reply-To"].addresses[0].domain == "mail.example" for mail in judge.mails)
    assert all("@mail.example>" in mail.parsed["Message-ID"] for mail in judge.mails)


def test_a_revoked_token_is_renewed_once(settings, engine, port, trusted, working):
    with giving_tokens() as tokens, enforcing(microsoft(tokens), trusted.server, port) as judge:
        context = working(mailbox_of(settings, port, tokens.url))
        fan_out(engine, 2)
        deliver.drain_email()
        context.emails._idle = 0.0  # the next mails need a new connection
        for link, ending in context.emails._pool:
            ending.cancel()
            context.loop.run(_quit(link))
        tokens.revoke()
        post(engine, rows(engine)[0].author_id, "Kim Lee: again", [_first_target(engine)])
        deliver.drain_email()
    assert states(engine) == ["sent"] * 3
    assert (len(tokens.given), judge.refused) == (2, ["535 5.7.3 Au"])


async def _quit(link):
    link.quit()


def _first_target(engine):
    row = rows(engine)[0]
    return Target(row.address_id, "email")


def test_a_token_that_opens_nothing_pauses(settings, engine, port, trusted, working):
    """A second one is asked for, a third is not; what was to go waits."""
    fan_out(engine, 3)
    with giving_tokens(useless=True) as tokens, enforcing(microsoft(tokens), trusted.server, port) as judge:
        working(mailbox_of(settings, port, tokens.url))
        deliver.drain_email()
    assert (len(tokens.given), judge.mails) == (2, [])
    assert paused_for(engine) == REFUSED
    assert {(row.state, row.attempt) for row in rows(engine)} == {("queued", 0)}


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"m365_client_secret": "an-old-one"}, "invalid_client"), ({"smtp_from": "kim@corp.example"}, REFUSED)],
)
def test_an_application_that_is_refused_pauses(settings, engine, port, trusted, working, more, reason):
    fan_out(engine, 1)
    with giving_tokens() as tokens, enforcing(microsoft(tokens), trusted.server, port):
        working(mailbox_of(settings, port, tokens.url, **more))
        deliver.drain_email()
    assert paused_for(engine) == reason
    assert "CRITTER_" in advice(reason)
    assert states(engine) == ["queued"]


def test_an_endpoint_that_is_away_is_waited_for(settings, engine, port, trusted, working):
    fan_out(engine, 1)
    with giving_tokens(status=503) as tokens, enforcing(microsoft(tokens), trusted.server, port):
        working(mailbox_of(settings, port, tokens.url))
        deliver.drain_email()
        assert (paused_for(engine), states(engine)) == (None, ["retry"])
        assert rows(engine)[0].reason == "token 503"
        tokens.status = 0
        change(engine, "UPDATE deliveries SET not_before = now()")
        deliver.drain_email()
    assert states(engine) == ["sent"]


def test_tokens_are_renewed_before_they_end(settings, engine, port, trusted, working):
    """Of a short life half is used; while the endpoint is away the rest of it too."""
    with giving_tokens(life=60) as tokens:
        context = working(mailbox_of(settings, port, tokens.url))
        kept = context.emails._oauth.tokens
        first = context.loop.run(kept.token())
        assert context.loop.run(kept.token()) == first
        kept._renew_at = 0.0
        tokens.status = 500
        assert context.loop.run(kept.token()) == first
        tokens.status = 0
        assert context.loop.run(kept.token()) != first
        assert kept._ends_at - kept._renew_at == pytest.approx(30.0, abs=0.01)


def test_another_sender_is_refused_and_said_so(settings, engine, port, trusted, working):
    fan_out(engine, 5)
    with giving_tokens() as tokens:
        rules = replace(microsoft(tokens), senders=("another@corp.example",))
        with enforcing(rules, trusted.server, port) as judge:
            working(mailbox_of(settings, port, tokens.url))
            deliver.drain_email()
    assert len(judge.refused) == 1
    assert paused_for(engine) == "550 5.7.60"
    assert "SendAs" in advice("550 5.7.60")
    assert {(row.state, row.attempt) for row in rows(engine)} == {("queued", 0)}


def test_a_fourth_connection_is_refused_and_nothing_lost(settings, engine, port, trusted, working):
    """As when several workers send: the fourth's mails go by the others, or a moment later; nobody pauses."""
    fan_out(engine, 60)
    with giving_tokens() as tokens, enforcing(microsoft(tokens), trusted.server, port) as judge:
        working(mailbox_of(settings, port, tokens.url, smtp_connections=6))
        deliver.drain_email()
        assert "432 4.3.2 Co" in judge.refused
        assert paused_for(engine) is None
        for _ in range(20):
            change(engine, "UPDATE deliveries SET not_before = now() WHERE state = 'retry'")
            deliver.drain_email()
            if set(states(engine)) == {"sent"}:
                break
    assert states(engine) == ["sent"] * 60
    assert len(judge.mails) == 60


def test_two_workers_share_the_rate(settings, engine, port, trusted, working):
    """Ten mails a second, and the relay counts; two that did not share would send twice as many."""
    fan_out(engine, 30)
    with giving_tokens() as tokens, enforcing(microsoft(tokens, rate=(26, 2.0)), trusted.server, port) as judge:
        mine = mailbox_of(settings, port, tokens.url, smtp_rate=10.0)
        context, other = working(mine), working(mine)
        road = deliver._letters.__wrapped__(other)
        beside = threading.Thread(target=lambda: other.loop.run(road.drain(10.0)))
        beside.start()
        context.loop.run(deliver._letters.__wrapped__(context).drain(10.0))
        beside.join()
    assert states(engine) == ["sent"] * 30
    assert judge.refused == []


def test_a_slow_rate_reaches_every_worker(settings, engine, port, trusted, working):
    """One mail in 1.2 seconds and three workers: each slot is further away than a decision may be old."""
    fan_out(engine, 20)
    with giving_tokens() as tokens, enforcing(microsoft(tokens), trusted.server, port) as judge:
        mine = mailbox_of(settings, port, tokens.url, smtp_rate=0.85)
        rooms = [working(mine) for _ in range(3)]
        roads = [deliver._letters.__wrapped__(context) for context in rooms]
        threads = [
            threading.Thread(target=lambda context=context, road=road: context.loop.run(road.drain(5.0)))
            for context, road in zip(rooms, roads, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert states(engine).count("sent") == len(judge.mails)
    assert 2 <= len(judge.mails) <= 6


def test_the_relays_own_day_is_used_up(settings, engine, port, trusted, working):
    fan_out(engine, 8)
    with giving_tokens() as tokens, enforcing(microsoft(tokens, daily=5), trusted.server, port) as judge:
        working(mailbox_of(settings, port, tokens.url, smtp_daily=0, smtp_connections=1))
        deliver.drain_email()
    assert len(judge.mails) == 5
    assert sorted(states(engine)) == ["queued"] * 3 + ["sent"] * 5
    assert paused_for(engine) == "554 5.2.0"
    [left] = rows(engine, "SELECT extract(epoch FROM mail_paused_until - now()) AS seconds FROM installation")
    assert 3500 < left.seconds <= 3600


# Our own count of a day


def test_a_day_holds_so_many_mails(settings, engine, port, trusted, working, capsys):
    """Answers first; the rest waits till midnight UTC, is not counted as tried, and goes then."""
    fan_out(engine, 8)
    with transaction(engine) as session:
        reader = rows(engine)[0].address_id
        answer = Outgoing("answer", "Following Kim.", "Follow", "Following Kim.", priority=3)
        outbox.put(session, answer, [Target(reader, "email")])
    with enforcing(Rules(), trusted.server, port) as judge:
        mine = _at(settings, port, smtp_daily=5)
        working(mine)
        deliver.drain_email()
        assert len(judge.mails) == 5
        assert "auto-replied" in {mail.parsed["Auto-Submitted"] for mail in judge.mails}
        waiting = [row for row in rows(engine) if row.state != "sent"]
        assert {(row.state, row.attempt) for row in waiting} == {("queued", 0)}
        assert len(waiting) == 4
        assert paused_for(engine) == "daily"
        [until] = rows(engine, "SELECT mail_paused_until AT TIME ZONE 'UTC' AS at FROM installation")
        assert (until.at.hour, until.at.minute, until.at.second) == (0, 0, 0)
        deliver._letters.cache_clear()
        deliver.drain_email()
        assert len(judge.mails) == 5
        change(engine, "UPDATE relay_days SET day = day - 1")
        change(engine, "UPDATE installation SET mail_paused_until = now()")
        deliver.drain_email()
        assert len(judge.mails) == 9
    with transaction(engine) as session:
        assert relay_quota.today(session) == 4


def test_what_did_not_leave_is_not_counted(settings, engine, port, working):
    fan_out(engine, 3)
    working(_at(settings, port, smtp_daily=5))
    deliver.drain_email()
    assert states(engine) == ["retry"] * 3
    with transaction(engine) as session:
        assert relay_quota.today(session) == 0


def test_what_comes_back_counts_for_its_own_day(engine: Engine) -> None:
    today = "(now() AT TIME ZONE 'UTC')::date"
    change(engine, f"INSERT INTO relay_days VALUES ({today} - 1, 3), ({today}, 2)")
    [one] = rows(engine, "SELECT id_at(now() - interval '1 day') AS yesterdays, new_id() AS todays")
    with transaction(engine) as session:
        relay_quota.give_back(session, [one.yesterdays, one.todays, one.todays, one.todays])
    assert [row.mails for row in rows(engine, "SELECT mails FROM relay_days ORDER BY day")] == [2, 0]


def test_workers_share_a_day(settings, engine, port, trusted, working):
    fan_out(engine, 40)
    with enforcing(Rules(), trusted.server, port) as judge:
        mine = _at(settings, port, smtp_daily=25)
        rooms = [working(mine) for _ in range(3)]
        threads = [
            threading.Thread(
                target=lambda context=context: context.loop.run(deliver._letters.__wrapped__(context).drain(10.0))
            )
            for context in rooms
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(judge.mails) == 25
    assert sorted(states(engine)) == ["queued"] * 15 + ["sent"] * 25


# Google's relay, which knows our address


def test_google_takes_verp_of_our_domain(google, engine, trusted, working):
    fan_out(engine, 12)
    rules = Rules("google", senders=("@mail.example",), hello=("mail.example",), connections=10)
    with enforcing(rules, trusted.server, _port(google)) as judge:
        working(google)
        deliver.drain_email()
    assert (states(engine), judge.refused) == (["sent"] * 12, [])
    assert len({mail.sender for mail in judge.mails}) == 12
    assert all(mail.sender.startswith("b+") and mail.parsed[RETURNED] is None for mail in judge.mails)


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (Rules("google", known=False), "550 5.7.1"),
        (Rules("google", senders=("@other.example",)), "550 5.7.1"),
        (Rules("google", daily=0), "550 5.4.5"),
        (Rules("google", rate=(0, 60.0)), "421 4.7.28"),
    ],
)
def test_google_refuses_us(google, engine, trusted, working, rules, reason):
    """Nothing fails, nothing counts as tried; the pause has the code, and the code its advice."""
    fan_out(engine, 4)
    with enforcing(rules, trusted.server, _port(google)):
        working(google)
        deliver.drain_email()
    assert paused_for(engine) == reason
    assert {(row.state, row.attempt) for row in rows(engine)} == {("queued", 0)}
    assert advice(reason)


# Exchange Online, a connector


def test_a_connector_knows_our_certificate(connector, engine, trusted, working):
    fan_out(engine, 9)
    rules = Rules("m365", senders=("@mail.example",), connections=3, certificate=True)
    with enforcing(rules, trusted.server, _port(connector)) as judge:
        working(connector)
        deliver.drain_email()
    assert (states(engine), judge.refused) == (["sent"] * 9, [])
    assert {mail.sender for mail in judge.mails} == {"post@mail.example"}
    assert judge.most <= 3


def test_a_connector_that_does_not_know_us(connector, engine, trusted, working):
    fan_out(engine, 2)
    with enforcing(Rules("m365", certificate=True), trusted.server, _port(connector)):
        working(connector.model_copy(update={"smtp_certificate": None}))
        deliver.drain_email()
    assert paused_for(engine) == "550 5.7.64"
    assert states(engine) == ["queued"] * 2


def _port(settings: Settings) -> int:
    return int(settings.smtp_relay.rpartition(":")[2])


# What relays say


@pytest.mark.parametrize(
    ("line", "reason", "pause"),
    [
        (b"421-4.7.28 unusual rate of unsolicited mail\n421 4.7.28 gsmtp", "421 4.7.28", True),
        (b"450 4.2.1 Peak SMTP relay limit exceeded for customer. This is a temporary error", "450 4.2.1", True),
        (b"550 5.7.1 Daily SMTP relay limit exceeded for customer", "550 5.4.5", True),
        (b"432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "432 4.3.2", False),
        (b"554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException", "554 5.2.2", True),
        (b"550 5.7.60 SMTP; Client does not have permissions to send as this sender", "550 5.7.60", True),
        (b"451 4.7.501 Access denied, please try again later", "451 4.7.500", True),
        (b"550 5.7.705 Access denied, tenant has exceeded threshold", "550 5.7.705", True),
        (b"550 5.1.8 Access denied, bad outbound sender", "550 5.1.8", True),
    ],
)
def test_what_is_about_us_is_no_letters_fault(line: bytes, reason: str, pause: bool) -> None:
    outcome = refused_outcome(int(line[:3]), line, "content")
    assert (outcome.state, outcome.reason, outcome.pause, outcome.wait) == ("retry", reason, pause, wait_of(reason))


@pytest.mark.parametrize(
    "line",
    [
        b"450 4.2.1 The user you are trying to contact is receiving mail too quickly",
        b"550 5.7.1 This message violates example.com email policy",
        b"550 5.1.1 The email account that you tried to reach does not exist",
        b"552 5.2.2 The email account that you tried to reach is over quota",
        b"550 5.2.1 disabled",
        b"421 4.3.2 closing",
        b"451 4.7.1 greylisted",
    ],
)
def test_what_is_about_a_letter_is_not_about_us(line: bytes) -> None:
    assert find_pause(int(line[:3]), line) is None


def test_every_trouble_has_advice() -> None:
    assert [one.reason for one in TROUBLES if not advice(one.reason)] == []


def test_a_mail_that_no_relay_takes_is_not_offered(settings, engine, port, trusted, working):
    with enforcing(Rules(), trusted.server, port) as judge:
        context = working(_at(settings, port))
        context.emails._largest = 1000
        ended = []
        batch = [
            OutboundEmail(n, "", "kim@demo.example", b"From: a@b.example\r\n\r\n" + b"x\r\n" * n) for n in (1, 900)
        ]
        context.loop.run(
            context.emails.send(batch, lambda letter, outcome: ended.append((letter.attempt, outcome.reason)))
        )
    assert sorted(ended) == [(1, ""), (900, "552")]
    assert len(judge.mails) == 1
