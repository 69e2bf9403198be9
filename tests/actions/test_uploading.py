"""Files that are uploaded by themselves: cleaned and stored by the worker, shown by a post, deleted when none does."""

import threading
from datetime import timedelta

import pytest

from gateway.actions import messaging, posting, uploading
from gateway.actions.model.idempotency import once
from gateway.errors import Refused
from gateway.ledger.audit import invariants
from gateway.ledger.operations.retention import RetentionAges
from gateway.network.people.directory import find_named
from gateway.network.posts import post_media
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.store.database import transaction
from tests.support import sample_files
from tests.support.office import Office
from workers.media import step
from workers.runtime.context import WorkerContext
from workers.runtime.event_loop import Loop
from workers.upkeep.retention import batches

JPEG = sample_files.from_a_camera(1)


def upload(office: Office, name: str, content: bytes, who: str = "kim") -> int:
    with transaction(office.engine) as session:
        return uploading.upload(session, office.actor(session, who), name, content).upload_id


def post(office: Office, uploads: list[int], who: str = "kim", key: str = "a") -> int:
    with transaction(office.engine) as session:
        writer = office.actor(session, who)
        writer.uploads = tuple(uploads)
        return once(session, writer, key, posting.post_update, "the van").post_id


def store(office: Office) -> None:
    """As the worker does."""
    notifier = WorkerNotifier(office.settings.redis_url)
    context = WorkerContext(office.settings, office.engine, notifier, "test", Loop())
    while step(context):
        pass


def test_a_picture_is_cleaned_and_shown_by_its_post(office: Office) -> None:
    shown = post(office, [upload(office, "van.jpg", JPEG), upload(office, "plan.pdf", b"%PDF-1.7 plan")])
    assert office.sql("SELECT attached FROM posts") == [("2 files",)]
    store(office)
    assert office.sql("SELECT state, name, raw IS NULL FROM media ORDER BY number") == [
        ("fetched", "van.jpg", True),
        ("fetched", "plan.pdf", True),
    ]
    office.work()
    (sam,) = office.sql("SELECT id FROM addresses WHERE address = '+14155550102'")[0]
    with transaction(office.engine) as session:
        page = post_media.of_post(session, shown, int(str(sam)))
        assert page
        assert [(one.name, one.state) for one in page.files] == [("van.jpg", "fetched"), ("plan.pdf", "fetched")]
    with transaction(office.engine) as session:
        assert invariants.prove(session, var=office.settings.var).broken == ()


def test_a_picture_may_be_posted_before_it_is_cleaned(office: Office) -> None:
    upload_id = upload(office, "van.jpg", JPEG)
    store(office)
    post(office, [upload_id])
    assert office.sql("SELECT attached FROM posts") == [("photo",)]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("run.exe", b"MZ" + bytes(100), "file_not_passed_on"),
        ("broken.jpg", JPEG[:4] + bytes(40), "picture_broken"),
        ("large.pdf", b"%PDF-1.7 " + bytes(100 << 10), "file_too_large"),
    ],
)
def test_what_is_not_passed_on_is_refused_at_once(office: Office, name: str, content: bytes, reason: str) -> None:
    office.settings = office.settings.model_copy(update={"media_largest": 64 << 10})
    with pytest.raises(Refused) as refused:
        upload(office, name, content)
    assert refused.value.reason == reason
    assert office.sql("SELECT count(*) FROM uploads") == [(0,)]


def test_nobody_shows_the_uploads_of_others_or_one_twice(office: Office) -> None:
    mine, theirs = upload(office, "van.jpg", JPEG), upload(office, "van.jpg", JPEG, who="sam")
    for wanted in ([theirs], [mine, theirs], [mine, mine], [mine, 12345]):
        with pytest.raises(Refused) as refused:
            post(office, wanted)
        assert refused.value.reason == "upload_gone"
    post(office, [mine])
    with pytest.raises(Refused, match="not there any more"):
        post(office, [mine], key="b")
    assert office.sql("SELECT count(*) FROM posts") == [(1,)]


def test_too_many_files_are_refused(office: Office) -> None:
    office.settings = office.settings.model_copy(update={"media_most": 1})
    with pytest.raises(Refused, match="at most 1 file"):
        post(office, [upload(office, "van.jpg", JPEG), upload(office, "plan.pdf", b"%PDF-1.7 plan")])


def test_an_upload_that_no_post_shows_is_deleted(office: Office) -> None:
    shown, unused = upload(office, "van.jpg", JPEG), upload(office, "plan.pdf", b"%PDF-1.7 plan")
    post(office, [shown])
    store(office)
    soon = RetentionAges(timedelta(days=30), timedelta(days=90), timedelta(days=999), unused=timedelta(seconds=-60))
    for _ in batches(office.engine, soon):
        pass
    assert office.sql("SELECT id FROM uploads") == [(shown,)]
    assert unused not in [row[0] for row in office.sql("SELECT upload_id FROM media")]


def test_a_repeated_request_shows_its_files_once(office: Office) -> None:
    wanted = [upload(office, "van.jpg", JPEG), upload(office, "plan.pdf", b"%PDF-1.7 plan")]
    assert post(office, wanted) == post(office, wanted)
    with pytest.raises(Refused, match="another request"):
        post(office, [upload(office, "bus.jpg", JPEG)])
    with pytest.raises(Refused, match="another request"):
        post(office, [])
    assert office.sql("SELECT attached FROM posts") == [("2 files",)]


def test_an_upload_that_is_sent_twice_is_kept_once(office: Office) -> None:
    for _ in range(2):
        with transaction(office.engine) as session:
            once(session, office.actor(session), "a", uploading.upload, "van.jpg", JPEG)
    assert office.sql("SELECT count(*) FROM uploads") == [(1,)]


def test_two_posts_at_once_show_an_upload_once(office: Office) -> None:
    """The second waits for the first, and then sees that it has been posted."""
    wanted = upload(office, "van.jpg", JPEG)
    refused: list[str] = []

    def second() -> None:
        try:
            post(office, [wanted], key="b")
        except Refused as why:
            refused.append(why.reason)

    with transaction(office.engine) as session:
        first = office.actor(session)
        first.uploads = (wanted,)
        once(session, first, "a", posting.post_update, "the van")
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(1)
        assert waiting.is_alive()
    waiting.join(10)
    assert refused == ["upload_gone"]
    assert office.sql("SELECT count(*) FROM posts") == [(1,)]


def test_a_private_message_shows_files_too(office: Office) -> None:
    wanted = upload(office, "van.jpg", JPEG)
    with transaction(office.engine) as session:
        kim = office.actor(session)
        kim.uploads = (wanted,)
        once(session, kim, "a", messaging.send, [find_named(office.actor(session, "sam").account)], "the van")
    assert office.sql("SELECT attached, upload_id FROM posts") == [("photo", wanted)]


def test_nobody_fills_the_disk(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not with files that are one upload by now; another day there is room again."""
    monkeypatch.setattr(uploading, "DAILY", 3)
    post(office, [upload(office, "van.jpg", JPEG) for _ in range(3)])
    with pytest.raises(Refused) as refused:
        upload(office, "van.jpg", JPEG)
    assert refused.value.reason == "uploads_a_day"
    upload(office, "van.jpg", JPEG, who="sam")
    day = "(CAST(86400000 AS bigint) << 16)"
    office.sql(f"INSERT INTO uploads (id, account_id) SELECT id - {day}, account_id FROM uploads")
    office.sql(f"UPDATE media SET upload_id = upload_id - {day}")
    upload(office, "van.jpg", JPEG)
