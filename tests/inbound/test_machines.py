"""Mails that no person wrote have no effect and get no answer, and nothing that answers us makes a circle."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.carriers.smtp.relay import SmtpRelay
from gateway.inbound.auto_responders import is_away
from gateway.network.conversation import reply_limits
from gateway.network.follows import follows
from gateway.network.people import accounts, addresses
from gateway.settings import Settings, load
from gateway.store.database import claim_mode, connect, transaction
from tests.support import mail_process, mail_round_trip
from tests.support.databases import Kept
from tests.support.delivering import Carrier, open_context
from tests.support.mail_process import Client
from tests.support.mail_round_trip import MailRoundTrip
from tests.support.office import Office
from workers import deliver, fanout, inbound
from workers.runtime.context import enter

KIM, PRIYA, DAVE = (f"{name}@demo.example" for name in ("kim", "priya", "dave"))

REPORT = 'Content-Type: multipart/report; report-type=feedback-report; boundary="b"'
# The sign, and the line of the header that is it. Each is in the same mail of Kim's, which would be posted.
SIGNS = {
    "auto-replied": "Auto-Submitted: auto-replied",
    "auto-generated": "Auto-Submitted: auto-generated; owner=x",
    "auto-notified": "auto-submitted: (comment)auto-notified",
    "bulk": "Precedence: bulk",
    "junk": "Precedence: junk",
    "list": "precedence: List",
    "auto_reply": "Precedence: auto_reply",
    "list id": "List-Id: Sales <sales.lists.example>",
    "list post": "List-Post: <mailto:sales@lists.example>",
    "unsubscribe": "List-Unsubscribe: <https://lists.example/u>",
    "x-autoreply": "X-Autoreply: yes",
    "x-autorespond": "X-Autorespond: away",
    "x-loop": "X-Loop: kim@demo.example",
    "another critter": "X-Critter-Id: mail.elsewhere.example",
    "report": REPORT,
    "hops": "\r\n".join(["Received: from a by b; Thu, 1 Jan 2026 10:00:00 +0000"] * 51),
}
ORDINARY = {
    "exchange": "X-Auto-Response-Suppress: DR, OOF, AutoReply",
    "no": "Auto-Submitted: no",
    "normal": "Precedence: normal",
    "many hops": "\r\n".join(["Received: from a by b; Thu, 1 Jan 2026 10:00:00 +0000"] * 50),
    "subject": "Subject: Out of office on Friday",
}


@pytest.fixture
def post(office: Office, settings: Settings) -> Iterator[MailRoundTrip]:
    with mail_round_trip.opened(settings, office.engine) as context:
        yield context


def written(words: str, sender: str = KIM, *lines: str) -> bytes:
    head = "\r\n".join([f"From: {sender}", "To: post@mail.example", *lines])
    return f"{head}\r\n\r\n{words}\r\n".encode()


def posts(post: MailRoundTrip) -> int:
    return int(post.sql("SELECT count(*) FROM posts")[0][0])


def test_each_sign_of_a_machine(post: MailRoundTrip):
    for name, sign in SIGNS.items():
        post.mail(written(f"words {name}", KIM, sign), ["post@mail.example"], KIM)
    post.mail(written("words null"), ["post@mail.example"], "")
    post.mail(written("words own", "someone@mail.example"), ["post@mail.example"], KIM)
    post.mail(written("words own group", "sales@MAIL.example"), ["sales@mail.example"], KIM)
    post.work()
    ended = post.inputs()
    assert len(ended) == len(SIGNS) + 3
    assert {one[:2] for one in ended} == {("dropped", "machine")}, ended
    assert (posts(post), post.sent(), post.notices()) == (0, [], [])


def test_ordinary_mails_pass(post: MailRoundTrip):
    for name, line in ORDINARY.items():
        post.mail(written(f"words {name}", KIM, line), ["post@mail.example"], KIM)
    post.work()
    assert posts(post) == len(ORDINARY)


def test_a_list_that_a_group_is_subscribed_to(post: MailRoundTrip):
    """Whoever writes there, also one of ours, and also what the list itself asks of new subscribers."""
    lines = ("List-Id: <all.lists.example>", "Precedence: list", "Sender: all-bounces@lists.example")
    post.mail(written("to all", KIM, *lines), ["sales@mail.example"], "all-bounces@lists.example")
    confirm = ("List-Id: <all.lists.example>", "Precedence: bulk", "Subject: confirm 0123abcd")
    post.mail(written("confirm", "all@lists.example", *confirm), ["sales@mail.example"], "all-bounces@lists.example")
    post.work()
    assert {one[0] for one in post.inputs()} == {"dropped"}
    assert (posts(post), post.sent(), post.notices()) == (0, [], [])


SUBJECTS = (
    "Automatic reply: lunch",
    "Re: Out of Office: lunch",
    "Automatische Antwort: Essen",
    "AW: Abwesenheitsnotiz",
    "Réponse automatique : dîner",
    "Respuesta automática: comida",
    "Risposta automatica: pranzo",
    "Resposta automática: almoço",
    "Automatisch antwoord: lunch",
    "Automatiskt svar: lunch",
    "Autosvar: frokost",
    "Automatyczna odpowiedź: obiad",
    "Автоматический ответ: обед",
    "自动回复: 午饭",
    "自動応答: 昼食",
)
WORDS_OF_PEOPLE = ("lunch", "Re: lunch", "the office is out of paper", "Autos in the yard", "automation is done")


def test_subjects_of_responders_in_many_languages():
    assert [subject for subject in SUBJECTS if not is_away(subject)] == []
    assert [subject for subject in WORDS_OF_PEOPLE if is_away(subject)] == []


def test_a_vacation_subject_is_a_weak_sign(post: MailRoundTrip, office: Office):
    """An answer to one of our mails is kept for a person; a new mail with such words is posted."""
    post.mail(written("lunch", KIM, "Subject: lunch"), ["post@mail.example"], KIM)
    post.work()
    (letter,) = post.sent()
    head = mail_round_trip.head(letter).splitlines()
    reply_to = next(line for line in head if line.startswith("Reply-To"))[11:-1]
    named = next(line for line in head if line.startswith("Message-ID"))[12:]
    away = written("I am away.", PRIYA, "Subject: Automatic reply: lunch")
    post.mail(away, [reply_to], PRIYA)
    post.mail(written("Away!", PRIYA, "Subject: Out of office", f"In-Reply-To: {named}"), ["post@mail.example"], PRIYA)
    post.work()
    assert [one[:2] for one in post.inputs()[1:]] == [("held", "machine")] * 2
    assert (posts(post), post.sent()) == (1, [])
    office.critter("held", "approve", "--all")
    post.work()
    assert posts(post) == 3


def answer(post: MailRoundTrip, words: Callable[[], str], who: set[str], rounds: int = 40) -> int:
    """Those mailboxes answer every mail, without any sign of a machine; how many mails they wrote until it ended."""
    count = 0
    for _ in range(rounds):
        emails = [one for one in post.sent() if one.recipient in who]
        for email in emails:
            head = dict(line.split(": ", 1) for line in mail_round_trip.head(email).splitlines() if ": " in line)
            raw = written(words(), email.recipient, f"Subject: Re: {head.get('Subject', '')}")
            post.mail(raw, [head["Reply-To"].strip("<>")], email.recipient)
            count += 1
        if not emails:
            return count
        post.work()
    raise AssertionError(f"{count} mails, and no end")


def test_two_that_answer_everything_end_soon(post: MailRoundTrip):
    """Each hears the other by mail, and neither has a header that tells."""
    with transaction(post.engine) as session:
        priya, dave = accounts.by_handle(session, "priya"), accounts.by_handle(session, "dave")
        assert priya
        assert dave
        follows.follow(session, priya.id, dave.id, False)
        follows.follow(session, dave.id, priya.id, False)
        session.execute(text("UPDATE accounts SET ack = true"))
    post.mail(written("lunch at one", DAVE, "Subject: lunch at one"), ["post@mail.example"], DAVE)
    post.work()
    assert answer(post, lambda: "I am away until Monday. Please call the office.", {PRIYA, DAVE}) <= 12


def test_one_that_answers_each_answer_otherwise_is_bounded_by_manners(
    post: MailRoundTrip, monkeypatch: pytest.MonkeyPatch
):
    """Its words are new each time, and each is a command that is answered: so many answers an hour at most."""
    monkeypatch.setattr(reply_limits, "HOURLY", 8)
    numbers = iter(range(1000))
    post.mail(written("help", PRIYA), ["help@mail.example"], PRIYA)
    post.work()
    assert answer(post, lambda: f"whois nobody{next(numbers)}", {PRIYA}) == 8


@pytest.fixture
def second(databases: Kept) -> Iterator[str]:
    with databases.lent() as url:
        yield url


def test_two_critters_pointed_at_each_other(
    database: str, second: str, redis_url: str, tmp_path: Path, free_port: Callable[[], int]
):
    """Each takes the other's post@ for a member's mailbox, trusts its relay, and confirms updates."""
    made = [_settings(url, redis_url, tmp_path, free_port(), name) for url, name in ((database, "a"), (second, "b"))]
    with ExitStack() as doors:
        rooms = []
        for settings, other in zip(made, reversed(made), strict=True):
            doors.enter_context(mail_process.opened(settings))
            _member(settings, f"post@{other.mail_domain}")
            relay = SmtpRelay(f"smtp://127.0.0.1:{other.smtp_listen[1]}", settings.mail_domain, 1)
            rooms.append(open_context(settings, Carrier("sms"), relay))
        for words in ("hello", "help"):
            with Client(made[0].smtp_listen) as client:
                assert (
                    client.mail(written(words, "post@b.example"), (f"post@{made[0].mail_domain}",), "x@b.example")[:3]
                    == "250"
                )
        for _ in range(4):
            for context in rooms:
                enter(context)
                while inbound.step(context) or fanout.step(context):
                    pass
                deliver.drain_email()
        enter(None)
        crossed = [_count(settings, "SELECT count(*) FROM inbound") for settings in made]
        assert crossed[0] == 2  # the two that began it
        assert 1 <= crossed[1] <= 2 * 2
        assert _count(made[1], "SELECT count(*) FROM inbound WHERE state <> 'dropped'") == 0
        assert _count(made[1], "SELECT count(*) FROM messages") == 0
        for context in rooms:
            context.loop.run(context.emails.close())
            context.close()


def _settings(url: str, redis_url: str, place: Path, port: int, name: str) -> Settings:
    (place / name).mkdir()
    return load(
        {
            "CRITTER_VAR": str(place / name),
            "CRITTER_DATABASE_URL": url,
            "CRITTER_REDIS_URL": redis_url,
            "CRITTER_SMTP_LISTEN": f"127.0.0.1:{port}",
            "CRITTER_MAIL_DOMAIN": f"{name}.example",
        }
    )


def _member(settings: Settings, mailbox: str) -> None:
    engine = connect(settings.database_url)
    with transaction(engine) as session:
        claim_mode(session, "simulated")
        mirror = accounts.create_person(session, "mirror", "Mirror")
        addresses.add(session, mirror.id, "email", mailbox)
        ann = accounts.create_person(session, "ann", "Ann")
        addresses.add(session, ann.id, "email", f"post+ann@{mailbox.partition('@')[2]}")
        follows.follow(session, ann.id, mirror.id, False)
        session.execute(text("UPDATE accounts SET ack = true"))
    engine.dispose()


def _count(settings: Settings, statement: str) -> int:
    engine = connect(settings.database_url)
    with engine.connect() as connection:
        found = int(connection.execute(text(statement)).scalar_one())
    engine.dispose()
    return found


def forge(settings: Settings, count: int, sessions: int = 10) -> None:
    """So many mails in strangers' names, to all kinds of addresses, some with a null sender."""
    to = ("post@mail.example", "sales@mail.example", "kim@mail.example", "help@mail.example", "postmaster@mail.example")

    def flood(first: int) -> None:
        with Client(settings.smtp_listen) as client:
            for number in range(first, count, sessions):
                sender = f"victim{number}@strangers.example"
                raw = written(f"buy now {number}", sender, f"Message-ID: <{number}@strangers.example>")
                envelope = "" if number % 7 == 0 else sender
                assert client.mail(raw, (to[number % len(to)],), envelope).startswith("250")

    with ThreadPoolExecutor(sessions) as crowd:
        list(crowd.map(flood, range(sessions)))


def no_backscatter(office: Office, settings: Settings, count: int) -> None:
    strict = settings.model_copy(update={"mail_trust": ()})
    with mail_round_trip.opened(strict, office.engine) as post:
        forge(strict, count)
        post.work()
        assert post.sql("SELECT count(*) FROM inbound") == [(count,)]
        assert (post.sent(), post.notices()) == ([], [])
        assert post.sql("SELECT count(*) FROM deliveries") == [(0,)]
        assert posts(post) == 0
        with Client(strict.smtp_listen) as client:
            client.say("MAIL FROM:<victim@strangers.example>")
            assert client.say("RCPT TO:<nobody@mail.example>").startswith("550")


def test_forged_senders_hear_nothing(office: Office, settings: Settings):
    no_backscatter(office, settings, 1000)
