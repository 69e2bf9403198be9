"""The page of what hangs on a post and its files, on a real socket and in a browser: for its reader, while they may."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from gateway.files import media_folder
from gateway.ledger.inbox import media
from gateway.ledger.outbox import claims
from gateway.ledger.outbox.claims import ClaimedDelivery, MessageContent
from gateway.network.follows import follows
from gateway.network.people import accounts, addresses
from gateway.network.posts import posts, rendering
from gateway.network.posts.posts import NewPost
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.sms.fit import segments
from gateway.store.database import claim_mode, transaction
from gateway.store.tables import Account, Inbound, Media, Message, Post, Upload
from tests.support import sample_files
from tests.support.web_process import served
from workers.sending.render_mail import Mailing
from workers.sending.render_sms import Texting

KIM, SAM = "+14155550101", "+14155550102"


class Shown:
    """A post of Kim's with a photo (kept, with a small copy), a PDF (kept) and a sound (still on its way)."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self.settings, self.engine, self.signer = settings, engine, Signer(settings.secret_keys)
        with transaction(engine) as session:
            claim_mode(session, "simulated")
            self.kim = accounts.create_person(session, "kim", "Kim <Lee>").id
            self.sam = accounts.create_person(session, "sam", "Sam").id
            self.board = accounts.create_group(session, "board", "Board", "closed", self.kim).id
            self.phone = addresses.add(session, self.sam, "sms", SAM, "verified", True).id
            follows.follow(session, self.sam, self.kim, by_text=True)
            inbound = Inbound(channel="sms", natural_key=b"1", sender=KIM, recipients=[], trusted=True, state="done",
                              account_id=self.kim)  # fmt: skip
            session.add(inbound)
            session.flush()
            self.inbound = inbound.id
            whole = media_folder.keep(settings.var, sample_files.MADE["png"])
            small, plan = (
                media_folder.keep(settings.var, sample_files.MADE["jpg"]),
                media_folder.keep(settings.var, b"%PDF-1.7 x"),
            )
            session.add(Upload(id=inbound.id, inbound_id=inbound.id))
            session.flush()
            kept = {"upload_id": inbound.id, "state": "fetched"}
            session.add_all([
                Media(**kept, number=0, name="van \u202e<b>.png", content_type="image/png", sha256=whole, size=9,
                      small_sha256=small),
                Media(**kept, number=1, name="plan.pdf", content_type="application/pdf", sha256=plan, size=10),
                Media(upload_id=inbound.id, number=2, content_type="audio/amr", url="https://api.twilio.com/x"),
            ])  # fmt: skip

    def post(self, visibility: str = "company", group: int | None = None, words: str = "the van is here") -> int:
        with transaction(self.engine) as session:
            author, where = session.get_one(Account, self.kim), group and session.get_one(Account, group)
            said = NewPost(author, words, visibility, "sms", where or None, inbound_id=self.inbound,
                         recipients=[(self.sam, self.sam)] if visibility == "direct" else [])  # fmt: skip
            return posts.publish(session, said).id

    def link(self, post: int, *more: object) -> str:
        return "/".join(["/m", self.signer.sign("media", post, self.phone), *map(str, more)])

    def content(self, post: int) -> MessageContent:
        with transaction(self.engine) as session:
            session.execute(text("UPDATE media SET name = 'van.png' WHERE number = 0"))
            (message,) = session.execute(text("SELECT id FROM messages WHERE post_id = :post"), {"post": post}).one()
            return claims.contents(session, [message])[message]

    def claimed(self, content: MessageContent, tag: str | None = None, source: str | None = None) -> ClaimedDelivery:
        return ClaimedDelivery(
            7, content.message_id, self.phone, 1, SAM, tag, False, self.kim if source else None, source
        )


@pytest.fixture
def shown(settings: Settings, engine: Engine) -> Shown:
    return Shown(settings, engine)


def get(url: str, **how: str) -> requests.Response:
    return requests.get(url, timeout=9, headers=how)


def test_the_page_shows_words_pictures_files_and_what_is_on_its_way(shown: Shown) -> None:
    link = shown.link(shown.post())
    with served(shown.settings) as url:
        page = get(url + link)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "the van is here" in page.text
    assert f'<img src="{link}/1/small"' in page.text
    assert f'<a href="{link}/2"><bdi>plan.pdf</bdi></a>' in page.text
    assert "is still on its way" in page.text
    assert "<b>.png" not in page.text


def test_files_come_as_what_they_are_and_never_run(shown: Shown) -> None:
    post = shown.post()
    with served(shown.settings) as url:
        whole, small, plan = (get(url + shown.link(post, *which)) for which in ((1,), (1, "small"), (2,)))
        part = get(url + shown.link(post, 1), Range="bytes=0-3")
        again = get(url + shown.link(post, 1), **{"If-None-Match": whole.headers["ETag"]})
        gone = [get(url + shown.link(post, *which)).status_code for which in ((3,), (4,), (2, "small"), (0,), ("x",))]
    assert (whole.content, small.content) == (sample_files.MADE["png"], sample_files.MADE["jpg"])
    assert [answer.headers["Content-Type"] for answer in (whole, small, plan)] == [
        "image/png", "image/jpeg", "application/pdf",
    ]  # fmt: skip
    assert whole.headers["Content-Disposition"].startswith("inline")
    assert plan.headers["Content-Disposition"] == "attachment; filename=plan.pdf"
    for answer in (whole, small, plan, part):
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert (part.status_code, part.content) == (206, b"\x89PNG")
    assert again.status_code == 304
    assert gone == [404] * 5


def test_a_page_in_disguise_is_only_ever_downloaded(shown: Shown) -> None:
    """Whatever came into the table, by whatever mistake: HTML and SVG are never shown."""
    post = shown.post()
    with served(shown.settings) as url:
        for kind in ("text/html", "image/svg+xml", "application/xhtml+xml", "text/plain"):
            with transaction(shown.engine) as session:
                session.execute(text("UPDATE media SET content_type = :kind WHERE number = 1"), {"kind": kind})
            assert get(url + shown.link(post, 2)).headers["Content-Disposition"].startswith("attachment")


def test_only_who_may_read_the_post_now_sees_it(shown: Shown) -> None:
    """Private fails closed: taken back, left, blocked, suspended or moved, and the link shows nothing, nor do files."""
    open_, private, closed = shown.post(), shown.post("direct"), shown.post("group", shown.board)
    changes = {
        closed: ("", "nobody let them in"),
        private: ("DELETE FROM post_recipients", "no longer addressed"),
        open_: ("UPDATE posts SET deleted_at = now()", "taken back"),
    }
    with served(shown.settings) as url:
        assert "the van" not in get(url + shown.link(private)).text, "private words hang on no link"
        assert get(url + shown.link(private, 1)).status_code == 200
        for post, (change, why) in changes.items():
            if change:
                assert get(url + shown.link(post)).status_code == 200
                with transaction(shown.engine) as session:
                    session.execute(text(change))
            assert [get(url + shown.link(post, *more)).status_code for more in ((), (1,))] == [404, 404], why


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET state = 'suspended' WHERE handle = 'sam'",
        "UPDATE accounts SET state = 'suspended' WHERE handle = 'kim'",
        "UPDATE addresses SET state = 'suspended'",
        "INSERT INTO silences (account_id, other_id, kind) SELECT k.id, s.id, 'block' FROM accounts k, accounts s"
        " WHERE k.handle = 'kim' AND s.handle = 'sam'",
    ],
)
def test_who_is_suspended_or_blocked_sees_nothing(shown: Shown, change: str) -> None:
    post = shown.post()
    with transaction(shown.engine) as session:
        session.execute(text(change))
    with served(shown.settings) as url:
        assert [get(url + shown.link(post, *more)).status_code for more in ((), (1,), (1, "small"))] == [404] * 3


def test_only_our_own_links_open_anything(shown: Shown) -> None:
    post = shown.post()
    sign = shown.signer.sign
    forged = [
        sign("page", post, shown.phone), sign("media", post), sign("media", post + 1, shown.phone),
        sign("media", post, shown.phone + 1), Signer(("another secret",)).sign("media", post, shown.phone), "x",
    ]  # fmt: skip
    with served(shown.settings) as url:
        assert {get(f"{url}/m/{token}").status_code for token in forged} == {404}
        assert {get(f"{url}/m/{token}/1").status_code for token in forged} == {404}


def test_a_text_ends_with_the_link(shown: Shown) -> None:
    texting = Texting(shown.settings, shown.signer, KIM)
    post = shown.post()
    load, rest = texting.load(shown.claimed(content := shown.content(post), "k7"), content)
    link = shown.settings.public_url + shown.link(post)
    assert load.parcel.body == f"Kim <Lee>: the van is here (3 files) {link} (k7)"
    assert rest == ""
    with served(shown.settings) as url:
        assert get(url + urlsplit(load.parcel.body.split()[-2]).path).status_code == 200


def test_a_long_text_has_one_link_and_fits_two_parts(shown: Shown) -> None:
    texting = Texting(shown.settings, shown.signer, KIM)
    for visibility, rest_by in (("company", "..."), ("direct", "... text MORE for the rest")):
        post = shown.post(visibility, words="the van is here " * 40)
        load, rest = texting.load(shown.claimed(content := shown.content(post), "k7"), content)
        link = shown.settings.public_url + shown.link(post)
        assert load.parcel.body.endswith(f"{rest_by} (3 files) {link} (k7)")
        assert load.parcel.body.count("http") == 1
        assert segments(load.parcel.body)[1] == load.segments == 2
        assert rest.strip().endswith("the van is here")
        with transaction(shown.engine) as session:
            row = session.get_one(Post, post)
            again = rendering.for_phone(row_author(session, row), None, row, "k7", "page", link)
        assert again.rest == rest, "`more` gives what was left out"


def row_author(session: Session, post: Post) -> Account:
    return session.get_one(Account, post.author_id)


def test_a_mail_names_the_files_and_links_to_them(shown: Shown) -> None:
    mailing = Mailing(shown.settings, shown.signer)
    post = shown.post()
    load, _ = mailing.load(shown.claimed(content := shown.content(post)), content)
    mail = load.parcel.content.replace(b"=\r\n", b"").replace(b"=3D", b"=").decode()
    link = shown.settings.public_url + shown.link(post)
    assert mail.count(link) >= 2, "in the text and in the HTML"
    assert "van.png (1 kB)" in mail
    assert "plan.pdf (1 kB)" in mail
    assert "<img" not in mail
    assert len(load.parcel.content) < 20_000


def test_a_repeat_shows_what_it_passes_on(shown: Shown) -> None:
    first = shown.post()
    with transaction(shown.engine) as session:
        original, sam = session.get_one(Post, first), session.get_one(Account, shown.sam)
        words = NewPost(sam, original.text, "company", "sms", repeats=original)
        again = posts.publish(session, words)
    assert (again.attached, again.upload_id) == ("3 files", shown.inbound)
    with served(shown.settings) as url:
        assert "plan.pdf" in get(url + shown.link(again.id)).text


def test_the_page_of_a_post_leads_to_it(shown: Shown) -> None:
    post = shown.post()
    with served(shown.settings) as url:
        page = get(f"{url}/p/{shown.signer.sign('page', post, shown.phone)}")
    assert f'<a href="{shown.link(post)}">3 files</a>' in page.text


def test_an_update_without_pictures_costs_no_more(shown: Shown) -> None:
    """Nothing is asked about pictures in a statement of its own."""
    from sqlalchemy import event

    asked: list[str] = []
    with transaction(shown.engine) as session:
        author = session.get_one(Account, shown.kim)
        bind = session.connection()
        event.listen(bind, "before_cursor_execute", lambda *given: asked.append(given[2]))
        posts.publish(session, NewPost(author, "hello", "company", "sms"))
        assert session.query(Message).count() == 1
    assert len(asked) == 3, "who tracks its words, the post in one statement, and this test's own"
    assert media.describe_kind([]) is None


def test_a_browser_shows_the_picture_and_runs_nothing(shown: Shown, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    from tests.critter.test_tour import CHROMIUM

    if CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    link = shown.link(shown.post())
    with served(shown.settings) as url, playwright.sync_playwright() as run:
        browser = run.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 390, "height": 700})
            wrong: list[str] = []
            page.on("console", lambda message: wrong.append(message.text))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(url + link)
            assert page.eval_on_selector("img[src*=small]", "image => image.complete && image.naturalWidth") == 640
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            page.click("figure a")
            assert page.evaluate("document.images.length") == 1
            assert wrong == []
        finally:
            browser.close()
