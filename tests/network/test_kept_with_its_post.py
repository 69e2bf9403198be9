"""Whatever is kept of a post is given only if it may be read now (R58): links, rests, answers that wait, by every way
in which somebody loses the right to read."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import requests
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.network.audience import visibility
from gateway.network.conversation import remainders
from gateway.network.follows import follows, mutes
from gateway.network.people import accounts, addresses, erase
from gateway.network.posts import posts
from gateway.network.posts.posts import NewPost
from gateway.network.verification import codes
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Account, Inbound, Media, Post, Upload
from tests.support.office import Office
from tests.support.web_process import served
from workers.sending.delivery_store import DeliveryStore
from workers.sending.render_mail import Mailing

SAM = "+14155550102"
SECRET = "the margin is twelve percent"
LONG = f"{SECRET} " * 20


@dataclass
class Company:
    """Anne owns the closed group board, Sam is in it and reads by text. A post of Anne's there, with a file."""

    office: Office
    signer: Signer

    def __post_init__(self) -> None:
        with transaction(self.office.engine) as session:
            self.anne, self.sam, self.board = (_id(session, each) for each in ("anne", "sam", "board"))
            follows.follow(session, self.sam, self.board, True, role="member")
            self.phone = session.execute(text("SELECT id FROM addresses WHERE address = :p"), {"p": SAM}).scalar_one()
            inbound = Inbound(channel="sms", natural_key=b"1", sender="+1", recipients=[], trusted=True, state="done")
            session.add(inbound)
            session.flush()
            session.add(Upload(id=inbound.id, inbound_id=inbound.id))
            session.flush()
            session.add(Media(upload_id=inbound.id, number=0, name="plan.pdf", content_type="application/pdf",
                              state="failed"))  # fmt: skip
            anne, board = session.get_one(Account, self.anne), session.get_one(Account, self.board)
            attached = NewPost(anne, SECRET, "group", "sms", board, inbound_id=inbound.id)
            self.pictured = posts.publish(session, attached).id
            self.post = posts.publish(session, NewPost(anne, LONG, "group", "sms", board)).id
        self.office.work()

    def links(self) -> dict[str, str]:
        """Every kind of link that Sam's phone was sent; a login link works once, so each is a new one."""
        with transaction(self.office.engine) as session:
            session.execute(text("DELETE FROM codes"))
            login = codes.login(session, self.signer, self.sam, self.phone)
        return {
            "the page of a post": "/p/" + self.signer.sign("page", self.post, self.phone),
            "the page of one with files": "/p/" + self.signer.sign("page", self.pictured, self.phone),
            "what hangs on it": "/m/" + self.signer.sign("media", self.pictured, self.phone),
            "a login": f"/login/{login}",
        }

    def does(self, act: Callable[["Company", Session], object]) -> None:
        with transaction(self.office.engine) as session:
            act(self, session)

    def sam_says(self, words: str) -> str | None:
        """What Sam's phone is answered, if anything is."""
        row = self.office.says("sam", words)
        self.office.work()
        answers = self.office.sql(
            "SELECT m.text FROM messages m JOIN deliveries d ON d.message_id = m.id"
            " WHERE m.inbound_id = :id AND d.state = 'sent'",
            id=row,
        )
        return str(answers[0][0]) if answers else None


def press(link: str) -> requests.Response:
    """Opens the page of a link and presses its button, where there is one."""
    with requests.Session() as browser:
        page = browser.get(link, timeout=9)
        proof = re.search(r'name="csrf" value="([^"]+)"', page.text)
        return browser.post(link, data={"csrf": proof[1]} if proof else {}, timeout=9)


def _id(session: Session, handle: str) -> int:
    account = accounts.by_handle(session, handle)
    assert account
    return account.id


@pytest.fixture
def company(office: Office, settings: Settings) -> Company:
    return Company(office, Signer(settings.secret_keys))


def _retract(company: Company, session: Session) -> None:
    for post in (company.post, company.pictured):
        posts.retract(session, session.get_one(Post, post))


def _erase(handle: str) -> Callable[[Company, Session], object]:
    return lambda _, session: erase.erase(session, session.get_one(Account, _id(session, handle)), "test")


def _sql(statement: str) -> Callable[[Company, Session], object]:
    return lambda company, session: session.execute(
        text(statement), {"sam": company.sam, "anne": company.anne, "board": company.board, "phone": company.phone}
    )


# How somebody loses the right to read. Second: whether it ends their logins, too.
LOSSES: dict[str, tuple[Callable[[Company, Session], object], bool]] = {
    "undo": (_retract, False),
    "leave": (lambda c, session: follows.unfollow(session, c.sam, c.board), False),
    "removed by an owner": (_sql("DELETE FROM follows WHERE follower_id = :sam AND account_id = :board"), False),
    "a follow that ran out": (_sql("UPDATE follows SET expires_at = now() WHERE follower_id = :sam"), False),
    "blocks the writer": (lambda c, session: mutes.block(session, c.sam, c.anne), False),
    "blocked by the writer": (lambda c, session: mutes.block(session, c.anne, c.sam), False),
    "the writer is suspended": (lambda c, session: accounts.suspend(session, c.anne), False),
    "the group is gone": (lambda c, session: accounts.deactivate(session, c.board), False),
    "suspended": (lambda c, session: accounts.suspend(session, c.sam), True),
    "a suspended phone": (_sql("UPDATE addresses SET state = 'suspended' WHERE id = :phone"), True),
    "a phone that is somebody else's": (
        lambda c, session: addresses.retire(session, session.get_one(addresses.Address, c.phone)), True,
    ),
    "deactivated": (lambda c, session: accounts.deactivate(session, c.sam), True),
    "erased": (_erase("sam"), True),
}  # fmt: skip


@pytest.mark.parametrize("how", LOSSES)
def test_no_link_opens_what_may_no_longer_be_read(company: Company, how: str) -> None:
    lose, ends_logins = LOSSES[how]
    with served(company.office.settings) as url:
        before = {kind: requests.get(url + link, timeout=9) for kind, link in company.links().items()}
        assert {kind: page.status_code for kind, page in before.items()} == dict.fromkeys(before, 200)
        assert SECRET in before["the page of a post"].text
        links = company.links()
        company.does(lose)
        after = {kind: requests.get(url + link, timeout=9) for kind, link in links.items()}
        entered = press(url + links["a login"])
    closed = {410, 404} if how == "undo" else {404}
    assert {page.status_code for kind, page in after.items() if kind != "a login"} <= closed
    assert not [kind for kind, page in after.items() if SECRET in page.text or "plan.pdf" in page.text]
    assert not [kind for kind, page in after.items() if how != "undo" and "Anne" in page.text and kind != "a login"]
    assert ("link " in entered.text and entered.status_code == 200) is not ends_logins


def test_a_phone_that_opted_out_of_texts_still_looks(company: Company) -> None:
    company.does(_sql("UPDATE addresses SET state = 'stopped', stopped_at = now() WHERE id = :phone"))
    with served(company.office.settings) as url:
        links = company.links()
        assert [requests.get(url + links[kind], timeout=9).status_code for kind in links] == [200] * 4


def test_a_closed_group_closes_its_links_for_who_is_not_in_it(company: Company) -> None:
    """Open when it was read, and closed since."""
    company.does(_sql("UPDATE accounts SET access = 'open' WHERE id = :board"))
    company.does(_sql("DELETE FROM follows WHERE follower_id = :sam AND account_id = :board"))
    with served(company.office.settings) as url:
        link = url + company.links()["the page of a post"]
        assert requests.get(link, timeout=9).status_code == 200
        company.does(_sql("UPDATE accounts SET access = 'closed' WHERE id = :board"))
        assert requests.get(link, timeout=9).status_code == 404


SPEAKS_ON = [how for how, (_, ends) in LOSSES.items() if not ends]


@pytest.mark.parametrize("how", SPEAKS_ON)
@pytest.mark.parametrize("kept", ["by the worker that sent it", "by more", "by get"])
def test_more_gives_nothing_that_may_no_longer_be_read(company: Company, how: str, kept: str) -> None:
    """Whoever kept it; and so it is however the last item stands in the way."""
    with transaction(company.office.engine) as session:
        remainders.keep(session, company.phone, LONG, (company.post,))
    if kept == "by more":
        assert SECRET in (company.sam_says("more") or "")
    if kept == "by get":
        remains = company.sam_says("get board")
        assert SECRET in (remains or "")
    company.does(LOSSES[how][0])
    for _ in range(3):
        answer = company.sam_says("more")
        assert SECRET not in (answer or "")
        assert answer is None or answer.startswith("There is no more")
    assert company.office.sql("SELECT count(*) FROM remainders WHERE text LIKE '%margin%'") == [(0,)]
    states = company.office.sql("SELECT DISTINCT state FROM inbound WHERE sender = :sam", sam=SAM)
    assert states == [("done",)]


@pytest.mark.parametrize("how", SPEAKS_ON)
@pytest.mark.parametrize("words", ["why", "like", "rt", "r thanks", "get board", "more"])
def test_no_command_is_about_an_item_that_may_no_longer_be_read(company: Company, how: str, words: str) -> None:
    company.does(LOSSES[how][0])
    before = company.office.sql("SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM reactions)")
    answer = company.sam_says(words)
    assert SECRET not in (answer or "")
    assert answer is None or not answer.startswith(("You are in board", "You like"))
    assert company.office.sql("SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM reactions)") == before


@pytest.mark.parametrize("how", LOSSES)
def test_an_answer_with_words_of_others_leaves_only_while_they_may_be_read(company: Company, how: str) -> None:
    company.office.says("sam", "get board")
    company.office.read()
    company.does(LOSSES[how][0])
    company.office.work()
    left = company.office.sql(
        "SELECT d.state FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE m.kind = 'answer' AND m.text"
        " LIKE '%margin%'"
    )
    assert [state for (state,) in left if state != "cancelled"] == []


def test_more_of_a_private_text_that_was_cut(company: Company) -> None:
    """Kept by the worker that sent it, and never without its post and its time."""
    with transaction(company.office.engine) as session:
        anne = session.get_one(Account, company.anne)
        direct = posts.publish(
            session, NewPost(anne, LONG, "direct", "sms", recipients=[(company.sam, company.sam)])
        ).id
    company.office.work()
    assert SECRET in (company.sam_says("more") or "")
    assert company.office.sql("SELECT posts FROM remainders") == [([direct],)]
    with transaction(company.office.engine) as session:
        posts.retract(session, session.get_one(Post, direct))
    assert SECRET not in (company.sam_says("more") or "")


@pytest.mark.parametrize("missing", ["text", "posts", "kept_at"])
def test_no_rest_is_kept_without_its_posts_and_its_time(company: Company, missing: str) -> None:
    company.does(lambda c, session: remainders.keep(session, c.phone, "the rest", (c.post,)))
    with pytest.raises(IntegrityError):
        company.does(_sql(f"UPDATE remainders SET {missing} = NULL"))


def test_erasing_a_writer_takes_what_is_kept_of_them(company: Company) -> None:
    company.does(lambda c, session: remainders.keep(session, c.phone, LONG, (c.post,)))
    company.does(_erase("anne"))
    assert company.office.sql("SELECT count(*) FROM remainders") == [(0,)]


def test_may_read_all_asks_of_each(company: Company) -> None:
    with transaction(company.office.engine) as session:
        both = (company.post, company.pictured)
        assert visibility.may_read_all(session, company.sam, both)
        assert visibility.may_read_all(session, company.sam, ())
        assert not visibility.may_read_all(session, company.sam, (*both, 7))
        posts.retract(session, session.get_one(Post, company.pictured))
        session.flush()
        assert not visibility.may_read_all(session, company.sam, both)


def test_one_click_ends_a_follow_for_a_suspended_mailbox_and_tells_of_nothing(company: Company) -> None:
    company.does(lambda c, session: follows.follow(session, c.sam, c.anne, True))
    token = company.signer.sign("unsubscribe", company.board, company.phone)
    company.does(_sql("UPDATE addresses SET state = 'suspended' WHERE id = :phone"))
    with served(company.office.settings) as url:
        done = requests.post(f"{url}/u/{token}", data={"List-Unsubscribe": "One-Click"}, timeout=9)
    assert done.status_code == 200
    assert "Anne" not in done.text
    ended = "SELECT count(*) FROM follows WHERE follower_id = :sam AND account_id = :board"
    assert company.office.sql(ended, sam=company.sam, board=company.board) == [(0,)]


@pytest.fixture
def thread(company: Company) -> tuple[int, int]:
    """Anne says something to all, Sam answers; Priya follows Sam by mail. The posts."""
    with transaction(company.office.engine) as session:
        anne, sam = session.get_one(Account, company.anne), session.get_one(Account, company.sam)
        first = posts.publish(session, NewPost(anne, SECRET, "company", "sms")).id
        answer = posts.publish(session, NewPost(sam, "really?", "company", "sms", in_reply_to=first)).id
        follows.follow(session, _id(session, "priya"), company.sam, by_text=False)
    return first, answer


def subjects(company: Company, settings: Settings) -> list[str]:
    """Of the mails to Priya, as they would leave now."""
    while company.office.spread():
        pass
    desk = DeliveryStore(
        _Here(company.office.engine, settings), "email", Mailing(settings, company.signer).load, _Any()
    )
    loads = desk.claim(50, suspects=False).loads
    mails = [load.parcel.content.decode() for load in loads if load.parcel.recipient == "priya@demo.example"]
    return [line for mail in mails for line in mail.splitlines() if line.startswith("Subject:")]


class _Any:
    """Where mails leave from: any row may."""

    def senders(self, _: Session) -> tuple[int, ...]:
        return (0,)

    def pause(self, *_: object) -> None: ...


@dataclass
class _Here:
    engine: Engine
    settings: Settings
    owner: str = "test"


def test_the_subject_of_an_answer_says_what_it_answers(company: Company, thread: object, settings: Settings) -> None:
    assert [SECRET in each for each in subjects(company, settings)] == [True]


def test_a_subject_quotes_nothing_that_was_taken_back(
    company: Company, thread: tuple[int, int], settings: Settings
) -> None:
    """Neither of the answer that waits, nor of one that is written after."""
    company.does(lambda _, session: posts.retract(session, session.get_one(Post, thread[0])))
    with transaction(company.office.engine) as session:
        sam = session.get_one(Account, company.sam)
        later = posts.publish(session, NewPost(sam, "gone", "company", "sms", in_reply_to=thread[1])).id
    assert subjects(company, settings) == ["Subject: Sam Ortiz: really?"]
    [[subject]] = company.office.sql("SELECT subject FROM messages WHERE post_id = :post", post=later)
    assert subject == "Sam Ortiz: gone"


def test_a_subject_quotes_nothing_to_who_may_not_read_it(
    company: Company, thread: tuple[int, int], settings: Settings
) -> None:
    company.does(lambda c, session: mutes.block(session, c.anne, _id(session, "priya")))
    found = subjects(company, settings)
    assert len(found) == 1
    assert SECRET not in found[0]
