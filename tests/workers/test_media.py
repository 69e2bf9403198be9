"""Pictures of texts and mails: fetched with our credentials from Twilio alone or taken out of the mail, cleaned, kept
once; and what becomes of files that nothing refers to."""

import asyncio
import hashlib
import os
from datetime import timedelta
from email.message import EmailMessage

import pytest
import requests
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from gateway.carriers.twilio.media import TwilioMedia
from gateway.errors import CarrierError
from gateway.files import media_folder
from gateway.inbound.outcome import InboundOutcome
from gateway.inbound.process import process
from gateway.ledger.audit import invariants
from gateway.ledger.inbox import inbox
from gateway.ledger.inbox import media as pictures
from gateway.ledger.inbox.inbox import Incoming, Picture
from gateway.ledger.operations.retention import RetentionAges
from gateway.network.people import accounts, addresses
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.settings import Settings
from gateway.store.database import transaction
from gateway.store.tables import Installation, Media, Post
from tests.support import sample_files
from tests.support.simulation import ACCOUNT, OURS, SAM, TOKEN, Simulation, simulation
from workers.media import step
from workers.runtime.context import WorkerContext
from workers.runtime.event_loop import Loop
from workers.upkeep import media_gc
from workers.upkeep.retention import batches

JPEG = sample_files.from_a_camera(1)


def fetch(api_base: str, url: str) -> bytes:
    return asyncio.run(TwilioMedia("AC" + "0" * 32, "token", api_base).fetch(url))


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "http://[::ffff:127.0.0.1]/",
        "http://0x7f000001/",
        "https://api.twilio.com.attacker.example/x",
        "https://api.twilio.com@127.0.0.1/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_foreign_addresses_are_never_asked(url: str) -> None:
    with pytest.raises(CarrierError) as caught:
        fetch("https://api.twilio.com", url)
    assert (caught.value.kind, caught.value.reason) == ("permanent", "not Twilio's address")


def test_a_store_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def inside(*_: object) -> list[dict[str, object]]:
        return [{"hostname": "x", "host": "10.0.0.1", "port": 443, "family": 2, "proto": 0, "flags": 0}]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", inside)
    with pytest.raises(CarrierError, match="not a public address"):
        fetch("https://api.twilio.com", "https://media.twiliocdn.com/x")


def sent_picture(sim: Simulation) -> str:
    """Where the carrier keeps the picture of a text that Sam just sent."""
    files = {"media": ("van.jpg", JPEG, "image/jpeg")}
    answer = requests.post(f"{sim.url}/phones/{SAM}/texts", data={"body": "the van"}, files=files, timeout=10)
    assert answer.status_code == 201
    return str(sim.heard.forms("/sms/inbound")[-1]["MediaUrl0"])


def test_fetched_from_the_carrier() -> None:
    with simulation() as sim:
        place = sent_picture(sim)
        media = TwilioMedia(ACCOUNT, TOKEN, sim.url)
        assert asyncio.run(media.fetch(place)) == JPEG
        with pytest.raises(CarrierError, match="404"):
            asyncio.run(media.fetch(place + "0"))
        with pytest.raises(CarrierError, match="401"):
            asyncio.run(TwilioMedia(ACCOUNT, "another token", sim.url).fetch(place))


def open_worker(engine: Engine, settings: Settings, api_base: str = "") -> WorkerContext:
    there = {"twilio_account_sid": ACCOUNT, "twilio_auth_tokens": (TOKEN,)}
    settings = settings.model_copy(update=there | ({"twilio_api_base": api_base} if api_base else {}))
    return WorkerContext(settings, engine, WorkerNotifier(settings.redis_url), "test", Loop())


def media(engine: Engine) -> list[Media]:
    with transaction(engine) as session:
        found = list(session.scalars(select(Media).order_by(Media.inbound_id, Media.number)))
        session.expunge_all()
    return found


def test_a_worker_keeps_the_picture_of_a_text_without_what_its_camera_wrote(engine: Engine, settings: Settings) -> None:
    with simulation() as sim:
        accepted(engine, sent_picture(sim))
        context = open_worker(engine, settings, sim.url)
        assert step(context)
        assert not step(context)
    (row,) = media(engine)
    assert (row.state, row.content_type, row.name, row.small_sha256) == ("fetched", "image/jpeg", "photo.jpg", None)
    assert row.sha256
    kept = media_folder.place(settings.var, row.sha256.hex()).read_bytes()
    assert (len(kept), hashlib.sha256(kept).digest()) == (row.size, row.sha256)
    assert sample_files.MAKER.encode() in JPEG
    assert sample_files.MAKER.encode() not in kept


def test_a_refused_address_is_not_tried_again(engine: Engine, settings: Settings) -> None:
    accepted(engine, "https://attacker.example/x")
    context = open_worker(engine, settings)
    assert step(context)
    assert not step(context)
    (row,) = media(engine)
    assert (row.state, row.reason) == ("failed", "not Twilio's address")


def accepted(engine: Engine, place: str) -> None:
    with transaction(engine) as session:
        _installed(session)
        sent = (Picture(place, "image/jpeg"),)
        incoming = Incoming("sms", b"SM1", SAM, (OURS,), b"", True, text="the van", pictures=sent)
        inbox.accept(session, inbox.hash_key(session), [incoming])


def _installed(session: Session) -> None:
    if session.scalar(select(Installation.mode)) is None:
        session.add(Installation(mode="simulated"))
        session.flush()


def mailed(engine: Engine, *files: tuple[str, bytes | None]) -> int:
    """A mail of Kim's with these files, read; the id of its row."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "kim@demo.example", "post@mail.example", "the van"
    mail.set_content("the van is here")
    for name, content in files:
        sample_files.enclose(mail, name, content)
    raw = mail.as_bytes()
    with transaction(engine) as session:
        _installed(session)
        if accounts.by_handle(session, "kim") is None:
            kim = accounts.create_person(session, "kim", "Kim Lee").id
            addresses.add(session, kim, "email", "kim@demo.example", "verified", True)
        incoming = Incoming("email", raw, "kim@demo.example", ("post@mail.example",), raw, True)
        (inbound_id,) = inbox.accept(session, inbox.hash_key(session), [incoming]).values()
    return inbound_id


def read(engine: Engine, context: WorkerContext) -> list[InboundOutcome]:
    with transaction(engine) as session:
        taken = [inbox.take(session, one) for one in inbox.claim(session, "test", timedelta(minutes=1), 9)]
        outcomes = []
        for row, _ in filter(None, taken):
            outcome = process(session, context.registry, row)
            inbox.finish(session, row, outcome.state, outcome.intent, outcome.reason, outcome.account_id)
            outcomes.append(outcome)
    return outcomes


def test_files_of_a_mail_are_kept_and_the_bell_is_rung(engine: Engine, settings: Settings) -> None:
    large = sample_files.from_a_camera(1, width=2000, height=1500)
    mailed(engine, ("van.jpg", large), ("plan.pdf", None), ("setup.exe", None))
    context = open_worker(engine, settings)
    (outcome,) = read(engine, context)
    assert "pictures" in outcome.queues
    assert (outcome.answer or "").endswith("Left out: setup.exe (a program).")
    while step(context):
        pass
    van, plan = media(engine)
    assert (van.state, van.name, plan.state, plan.name, plan.size) == (
        "fetched", "van.jpg", "fetched", "plan.pdf", len(sample_files.MADE["pdf"]),
    )  # fmt: skip
    assert van.small_sha256
    assert van.sha256
    for digest in (van.sha256, van.small_sha256):
        assert sample_files.MAKER.encode() not in media_folder.place(settings.var, digest.hex()).read_bytes()
    with transaction(engine) as session:
        post = session.scalars(select(Post)).one()
        assert (post.attached, post.pictures_of) == ("2 files", van.inbound_id)
    with transaction(engine) as session:
        assert invariants.prove(session, var=settings.var).clean


def test_a_picture_that_breaks_when_it_is_decoded_is_told_on_its_page_only(engine: Engine, settings: Settings) -> None:
    mailed(engine, ("half.jpg", sample_files.MADE["jpg"][:2_000]))
    context = open_worker(engine, settings)
    read(engine, context)
    assert step(context)
    (row,) = media(engine)
    assert (row.state, row.reason) == ("failed", "broken")


def test_a_worker_that_is_lost_does_not_lose_the_picture(engine: Engine, settings: Settings) -> None:
    """The claim is a lease; what the late one then says is not heard."""
    mailed(engine, ("van.jpg", None))
    context = open_worker(engine, settings)
    read(engine, context)
    with transaction(engine) as session:
        lost = pictures.claim(session, timedelta(seconds=-1))
    assert lost
    assert step(context)
    with transaction(engine) as session:
        pictures.mark_failed(session, lost, "too late", again=False)
    (row,) = media(engine)
    assert (row.state, row.attempt) == ("fetched", 2)


def test_what_nobody_refers_to_is_swept_and_nothing_else(engine: Engine, settings: Settings) -> None:
    mailed(engine, ("van.jpg", sample_files.picture(2000, 1200)))
    context = open_worker(engine, settings)
    read(engine, context)
    while step(context):
        pass
    orphan, young = media_folder.keep(settings.var, b"orphan").hex(), media_folder.keep(settings.var, b"young").hex()
    torn = media_folder.place(settings.var, orphan).with_suffix(".99.part")
    torn.write_bytes(b"or")
    for path in (settings.var / "media").rglob("*"):
        if path.is_file() and path.name != young:
            os.utime(path, (1, 1))
    assert sum(count for _, count in media_gc.sweep(engine, settings.var)) == 2
    left = {path.name for path in (settings.var / "media").rglob("*") if path.is_file()}
    (row,) = media(engine)
    assert left == {young, (row.sha256 or b"").hex(), (row.small_sha256 or b"").hex()}


def test_what_was_kept_before_pictures_were_cleaned_is_cleaned(engine: Engine, settings: Settings) -> None:
    accepted(engine, "https://api.twilio.com/gone")
    old = media_folder.keep(settings.var, JPEG)
    with transaction(engine) as session:
        kept = "UPDATE media SET state = 'fetched', sha256 = :old, size = 1, content_type = 'image/jpeg'"
        session.execute(text(kept), {"old": old})
    assert dict(media_gc.sweep(engine, settings.var))["pictures to be cleaned"] == 1
    context = open_worker(engine, settings)
    assert step(context)
    (row,) = media(engine)
    assert (row.state, row.name) == ("fetched", "photo.jpg")
    assert row.sha256 not in (None, old)


def test_retention_forgets_files_that_no_post_shows_and_keeps_those_of_posts(
    engine: Engine, settings: Settings
) -> None:
    shown = mailed(engine, ("van.jpg", None))
    context = open_worker(engine, settings)
    read(engine, context)
    accepted(engine, "https://api.twilio.com/x")
    with transaction(engine) as session:
        session.execute(text("UPDATE inbound SET state = 'done', done_at = now()"))
    later = timedelta(days=40)
    old = RetentionAges(timedelta(days=30) - later, timedelta(days=90) - later, timedelta(days=999))
    assert dict(each for each in batches(engine, old) if each[1])["files"] == 1
    assert [row.inbound_id for row in media(engine)] == [shown]
