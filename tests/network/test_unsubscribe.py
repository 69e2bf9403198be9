"""The end of a follow by link and by mail: one click, what the page offers then, and what a token can never do."""

import re
import shutil
import time
from functools import partial
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from gateway.language.track_phrases import track_phrase
from gateway.ledger.inbox.inbox import Incoming
from gateway.network.follows import follows, subscriptions, tag_follows, trackers
from gateway.network.mail import mailing_lists, unsubscribe
from gateway.network.mail.unsubscribe import Unsubscribed
from gateway.network.people import accounts, addresses
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.database import claim_mode, transaction
from tests.support.office import Office
from tests.support.web_process import served

CLICK = {"List-Unsubscribe": "One-Click"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Follower:
    """Sam's mailbox follows Kim, an open group, a closed one that Sam alone owns, and a #tag."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.engine, self.signer = engine, Signer(settings.secret_keys)
        with transaction(engine) as session:
            claim_mode(session, "simulated")
            self.kim = accounts.create_person(session, "kim", 'Kim <Lee> "x"').id
            self.sam = accounts.create_person(session, "sam", "Sam").id
            self.sales = accounts.create_group(session, "sales", "Sales", "open", self.kim).id
            self.board = accounts.create_group(session, "board", "Board", "closed", self.kim).id
            self.attic = accounts.create_group(session, "attic", "Attic", "closed", self.sam).id
            self.mailbox = addresses.add(session, self.sam, "email", "sam@demo.example", "verified", True).id
            for source, role in ((self.kim, None), (self.sales, None), (self.board, "member")):
                follows.follow(session, self.sam, source, by_text=source == self.sales, role=role)
            self.win, _ = tag_follows.follow(session, self.sam, "#win", by_text=False)

    def path(self, source: int, kind: str = "unsubscribe") -> str:
        return "/u/" + self.signer.sign(kind, source, self.mailbox)

    def rows(self, query: str) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), {"sam": self.sam}).scalars())

    @property
    def tracked(self) -> list[str]:
        with transaction(self.engine) as session:
            return list(trackers.tracked_by(session, self.sam))

    @property
    def hears(self) -> set[int]:
        return set(self.rows("SELECT account_id FROM follows WHERE follower_id = :sam AND NOT off"))


@pytest.fixture
def sam(settings: Settings, engine: Engine) -> Follower:
    return Follower(settings, engine)


def offered(page: str, name: str) -> str:
    """The value of the button that is called so; "" when there is none."""
    found = re.search(rf'<button[^>]* name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def test_one_click_ends_that_source_and_offers_the_rest(settings, sam):
    with served(settings) as url:
        done = requests.post(url + sam.path(sam.kim), data=CLICK, timeout=9)
    assert sam.hears == {sam.sales, sam.board, sam.attic}
    assert "You no longer follow" in done.text
    assert "You still follow <bdi>#win</bdi>, <bdi>Sales (#sales)</bdi> and 2 more." in done.text
    assert "Board" not in done.text, "a mail that was sent on tells nobody of closed groups"
    assert offered(done.text, "mails") == "off"
    assert (done.status_code, done.headers["Cache-Control"]) == (200, "no-store")
    assert "Set-Cookie" not in done.headers


def test_another_body_changes_nothing(settings, sam):
    bodies = [
        {},
        {"List-Unsubscribe": "one-click"},
        {**CLICK, "x": "1"},
        {"mails": "Off"},
        {"mails": "on"},
        {"do": "all"},
    ]
    before = sam.hears
    with served(settings) as url:
        codes = [requests.post(url + sam.path(sam.kim), data=body, timeout=9).status_code for body in bodies]
        late = [requests.post(url + sam.path(sam.kim), data={name: "x"}, timeout=9) for name in ("again", "on")]
    assert codes == [400] * len(bodies)
    assert all("Too late" in answer.text for answer in late)
    assert sam.hears == before
    assert sam.rows("SELECT receiving FROM addresses WHERE account_id = :sam") == [True]


def test_a_follow_comes_back_as_it_was(settings, sam):
    with served(settings) as url:
        for source, path in ((sam.sales, sam.path(sam.sales)), (sam.win, sam.path(sam.win))):
            done = requests.post(url + path, data=CLICK, timeout=9)
            back = requests.post(url + path, data={"again": offered(done.text, "again")}, timeout=9)
            assert "again" in back.text, source
    assert sam.sales in sam.hears
    assert sam.rows(f"SELECT by_text FROM follows WHERE follower_id = :sam AND account_id = {sam.sales}") == [True]
    with transaction(sam.engine) as session:
        assert tag_follows.following(session, sam.sam) == ["win"]


def test_a_tracked_word_ends_and_comes_back_as_it_was(settings, sam):
    with transaction(sam.engine) as session:
        acme = trackers.put(session, sam.sam, track_phrase("Board meeting"), by_text=True)
        trackers.put(session, sam.sam, track_phrase("layoffs"), by_text=False)
    with served(settings) as url:
        asked = requests.get(url + sam.path(acme), timeout=9).text
        done = requests.post(url + sam.path(acme), data=CLICK, timeout=9)
        assert sam.tracked == ["layoffs"]
        twice = requests.post(url + sam.path(acme), data=CLICK, timeout=9)
        back = requests.post(url + sam.path(acme), data={"again": offered(done.text, "again")}, timeout=9)
    assert "Stop tracking &#34;board meeting&#34;?" in asked
    assert "You no longer track" in done.text
    assert "layoffs" not in done.text, "a mail that was sent on tells nobody what its reader tracks"
    assert "and 3 more" in done.text
    assert (twice.status_code, "You no longer track" in twice.text) == (200, True)
    assert "You track" in back.text
    assert sam.tracked == ["board meeting", "layoffs"]
    assert sam.rows(f"SELECT by_text FROM trackers WHERE follower_id = :sam AND track_id = {acme}") == [True]
    assert sam.rows("SELECT CAST(detail AS text) FROM audit WHERE action LIKE 'follow.%' ORDER BY number") == [
        '{"from": "a tracked word"}',
        '{"to": "a tracked word"}',
    ]


def test_a_word_that_is_forgotten_by_now_is_ended_all_the_same(settings, sam):
    with transaction(sam.engine) as session:
        acme = trackers.put(session, sam.sam, track_phrase("acme"), by_text=False)
        session.execute(text("DELETE FROM trackers"))
        session.execute(text("DELETE FROM tracks"))
    with served(settings) as url:
        done = requests.post(url + sam.path(acme), data=CLICK, timeout=9)
        old = {"again": sam.signer.sign("again", acme, sam.mailbox, 0, int(time.time()))}
        late = requests.post(url + sam.path(acme), data=old, timeout=9).text
    assert (done.status_code, "You no longer track" in done.text) == (200, True)
    assert "Too late" in late
    assert sam.tracked == []


def test_a_token_of_one_follow_does_nothing_to_another(settings, sam):
    with transaction(sam.engine) as session:
        kim = unsubscribe.pair(session, sam.kim, sam.mailbox)
        old = sam.signer.sign("again", sam.kim, sam.mailbox, 0, int(time.time()) - 3700)
    tokens = [
        sam.signer.sign("again", sam.sales, sam.mailbox, 0, int(time.time())),
        sam.signer.sign("again", sam.kim, sam.mailbox + 1, 0, int(time.time())),
        sam.signer.sign("unsubscribe", sam.kim, sam.mailbox),
        unsubscribe.way_back(Signer(("another",)), kim, Unsubscribed("ended")),
        old,
    ]
    with served(settings) as url:
        requests.post(url + sam.path(sam.kim), data=CLICK, timeout=9)
        for token in tokens:
            assert "Too late" in requests.post(url + sam.path(sam.kim), data={"again": token}, timeout=9).text
        gone = requests.post(url + sam.path(sam.board), data=CLICK, timeout=9).text
        back = {"again": sam.signer.sign("again", sam.board, sam.mailbox, 0, int(time.time()))}
        assert "Too late" in requests.post(url + sam.path(sam.board), data=back, timeout=9).text
    assert "Its owners decide" in gone
    assert offered(gone, "again") == ""
    assert sam.hears == {sam.sales, sam.attic}


def test_the_last_owner_hears_no_more_and_stays(settings, sam):
    with served(settings) as url:
        done = requests.post(url + sam.path(sam.attic), data=CLICK, timeout=9)
    assert "you run it or post in it" in done.text
    assert sam.attic not in sam.hears
    assert sam.rows(f"SELECT role FROM follows WHERE follower_id = :sam AND account_id = {sam.attic}") == ["owner"]


def test_all_mails_go_off_and_on(settings, sam):
    mails = "SELECT receiving FROM addresses WHERE account_id = :sam"
    with served(settings) as url:
        off = requests.post(url + sam.path(sam.kim), data={"mails": "off"}, timeout=9)
        assert sam.rows(mails) == [False]
        on = requests.post(url + sam.path(sam.kim), data={"on": offered(off.text, "on")}, timeout=9)
        again = requests.post(url + sam.path(sam.kim), data={"mails": "off"}, timeout=9)
        other = requests.post(url + sam.path(sam.sales), data={"on": offered(again.text, "on")}, timeout=9)
        assert "Too late" in other.text
        ended = requests.post(url + sam.path(sam.kim), data=CLICK, timeout=9)
        assert sam.rows(mails) == [False]
        back = requests.post(url + sam.path(sam.kim), data={"on": offered(again.text, "on")}, timeout=9)
    assert "Your mails are all off now" in ended.text
    assert "Mails are on" in back.text
    assert "All mails are off" in off.text
    assert "Mails are on" in on.text
    assert sam.rows(mails) == [True]
    with transaction(sam.engine) as session:
        actions = session.scalars(text("SELECT action FROM audit ORDER BY number")).all()
    assert [one for one in actions if one.startswith("mails.")] == ["mails.off", "mails.on"] * 2


def digested(sam: Follower) -> None:
    """Kim and Sales come in Sam's digest; Sales was switched off before."""
    with transaction(sam.engine) as session:
        for source in (sam.kim, sam.sales):
            subscriptions.set_way(session, sam.sam, source, "digest")
        follows.set_off(session, sam.sam, sam.sales, True)


def test_a_digest_ends_with_one_click_and_comes_back_as_it_was(settings, sam):
    digested(sam)
    path = sam.path(mailing_lists.NUMBERS["digest"])
    before = sam.hears
    with served(settings) as url:
        asked = requests.get(url + path, timeout=9).text
        assert sam.hears == before
        done = requests.post(url + path, data=CLICK, timeout=9)
        assert sam.hears == {sam.board, sam.attic}
        twice = requests.post(url + path, data=CLICK, timeout=9)
        back = requests.post(url + path, data={"again": offered(done.text, "again")}, timeout=9)
        late = requests.post(url + path, data={"again": sam.signer.sign("again", 1, sam.mailbox, 0, 1)}, timeout=9)
    assert "No more digests?" in asked
    assert (twice.status_code, "comes no more" in twice.text) == (200, True)
    assert "You still follow <bdi>#win</bdi> and 2 more." in done.text
    assert "comes again" in back.text
    assert "Too late" in late.text
    assert sam.hears == before, "what was off before is off"
    assert sam.rows("SELECT CAST(detail AS text) FROM audit WHERE action LIKE 'follow.%' ORDER BY number") == [
        '{"from": "digest"}',
        '{"to": "digest"}',
    ]


def test_the_way_back_of_a_digest_is_for_its_reader_alone(settings, sam):
    """It switches on what one follows oneself, and what is not followed any more stays so."""
    digested(sam)
    path = sam.path(mailing_lists.NUMBERS["digest"])
    with served(settings) as url:
        done = requests.post(url + path, data=CLICK, timeout=9)
        with transaction(sam.engine) as session:
            follows.unfollow(session, sam.sam, sam.kim)
        again = {"again": offered(done.text, "again")}
        other = requests.post(url + sam.path(sam.sales), data=again, timeout=9).text
        requests.post(url + path, data=again, timeout=9)
    assert "Too late" in other
    assert sam.hears == {sam.board, sam.attic}


def test_a_digest_that_nobody_ordered_ends_as_all_mails_do(settings, sam):
    """It brought what waited, by whichever follow."""
    path = sam.path(mailing_lists.NUMBERS["mails"])
    with served(settings) as url:
        assert "No more mails?" in requests.get(url + path, timeout=9).text
        off = requests.post(url + path, data=CLICK, timeout=9)
        assert sam.rows("SELECT receiving FROM addresses WHERE account_id = :sam") == [False]
        on = requests.post(url + path, data={"on": offered(off.text, "on")}, timeout=9)
        assert "Too late" in requests.post(url + path, data={"again": offered(off.text, "on")}, timeout=9).text
    assert "All mails are off" in off.text
    assert "Mails are on" in on.text
    assert sam.rows("SELECT receiving FROM addresses WHERE account_id = :sam") == [True]


def test_a_mail_to_its_address_ends_it_too(office: Office) -> None:
    """A mail program writes such a mail by itself, empty. Relays in front of us differ in what they pass on."""
    ids = {handle: int(id_) for handle, id_ in office.sql("SELECT handle, id FROM accounts")}
    box = int(office.sql("SELECT id FROM addresses WHERE address = 'dave@demo.example'")[0][0])
    token = Signer(office.settings.secret_keys).sign("unsubscribe", ids["kim"], box)
    for separator in "+-.":
        with transaction(office.engine) as session:
            follows.follow(session, ids["dave"], ids["kim"], by_text=False)
        office.accept(empty_mail("dave@demo.example", f"u{separator}{token}@{office.settings.mail_domain}"))
        office.work()
        with transaction(office.engine) as session:
            assert follows.role_in(session, ids["dave"], ids["kim"]) is None, separator
    assert office.sql("SELECT DISTINCT state, intent FROM inbound") == [("done", "unfollow")]


def empty_mail(sender: str, to: str) -> Incoming:
    raw = f"Return-Path: <{sender}>\r\nFrom: {sender}\r\nTo: {to}\r\nSubject: unsubscribe\r\n\r\n"
    return Incoming("email", to.encode(), sender, (to,), raw.encode(), True, f"<{to}>")


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
def test_with_the_keyboard_in_a_browser(settings, sam):
    sync = pytest.importorskip("playwright.sync_api")
    with served(settings) as url, sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((360, "light"), (1280, "dark")):
            page = browser.new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)
            complaints: list[str] = []
            page.on("console", partial(_complaint, complaints))
            page.goto(url + sam.path(sam.kim))
            _walk(page, sync.expect, sam)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert complaints == []
            assert page.context.cookies() == []
        browser.close()


def _complaint(complaints: list[str], said: Any) -> None:
    if said.type in ("error", "warning"):
        complaints.append(said.text)


def _walk(page: Any, expect: Any, sam: Follower) -> None:
    _press(page, "Stop following")
    expect(page.get_by_role("status")).to_contain_text("You no longer follow")
    assert sam.kim not in sam.hears
    _press(page, "Follow again")
    expect(page.get_by_role("status")).to_contain_text("again")
    assert sam.kim in sam.hears
    _press(page, "Switch all mails off")
    expect(page.get_by_role("heading", level=1)).to_have_text("All mails are off")
    _press(page, "Mails on again")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mails are on")


def _press(page: Any, name: str) -> None:
    """With Tab and Enter alone."""
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == name:
            break
    assert page.evaluate("document.activeElement.textContent") == name
    page.keyboard.press("Enter")
    page.wait_for_load_state()
