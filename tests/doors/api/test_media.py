"""Files by an app: uploaded, cleaned, shown to readers by signed addresses, and to nobody else."""

import io
from typing import Any

from PIL import Image

from gateway.network.people import accounts
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.store.database import transaction
from tests.doors.api.conftest import ApiCompany
from tests.support import sample_files
from tests.support.app_user import AppUser
from workers.media import step
from workers.runtime.context import WorkerContext
from workers.runtime.event_loop import Loop

PICTURE = sample_files.picture(1600, 800)


def upload(asks: AppUser, content: bytes = PICTURE, path: str = "/api/v2/media", **more: str) -> Any:
    return asks.ask("POST", path, data={"file": (io.BytesIO(content), "van.jpg"), **more})


def store(company: ApiCompany) -> None:
    """As the worker does."""
    notifier = WorkerNotifier(company.settings.redis_url)
    context = WorkerContext(company.settings, company.engine, notifier, "test", Loop())
    while step(context):
        pass


def shown(asks: AppUser, url: str) -> Any:
    return asks.client.get("/" + url.split("/", 3)[3])


def test_a_picture_is_uploaded_described_and_shown(company: ApiCompany) -> None:
    kim, sam, nobody = company.app_of("kim"), company.app_of("sam"), company.stranger()
    answer = upload(kim, description="a van")
    made = answer.json
    assert (answer.status_code, made["type"], made["description"]) == (200, "image", "a van")
    assert made["meta"]["original"] == {"width": 1600, "height": 800, "size": "1600x800", "aspect": 2.0}
    assert made["url"]
    place = f"/api/v1/media/{made['id']}"
    assert kim.ask("PUT", place, json={"description": "our van"}).json["description"] == "our van"
    for method in ("GET", "PUT", "DELETE"):
        assert sam.ask(method, place, **({"json": {}} if method != "GET" else {})).status_code == 404
    assert shown(nobody, made["url"]).status_code == 404  # it was not cleaned yet
    store(company)
    assert shown(nobody, made["url"]).content_type == "image/jpeg"
    status = kim.post("/api/v1/statuses", {"status": "", "media_ids": [made["id"]]}).json
    assert status["content"] == "<p>(photo)</p>"
    [file] = status["media_attachments"]
    assert (file["type"], file["description"], len(file["blurhash"])) == ("image", "our van", 28)
    assert file["meta"]["small"]["size"] == "1024x512"
    assert Image.open(io.BytesIO(shown(nobody, file["preview_url"]).data)).size == (1024, 512)
    whole = shown(nobody, file["url"])
    assert Image.open(io.BytesIO(whole.data)).size == (1600, 800)
    assert whole.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert shown(nobody, made["url"]).status_code == kim.get(place).status_code == 404  # it is the update's now
    assert [each["id"] for each in sam.get("/api/v1/timelines/public", only_media="true").json] == [status["id"]]


def test_a_file_is_for_those_who_may_read_its_update(company: ApiCompany) -> None:
    kim, sam, nobody = company.app_of("kim"), company.app_of("sam"), company.stranger()
    two = [upload(kim).json["id"], upload(kim, b"%PDF-1.7 plan", "/api/v1/media").json["id"]]
    store(company)
    status = kim.post("/api/v1/statuses", {"status": "two", "media_ids": two}).json
    files = sam.get(f"/api/v1/statuses/{status['id']}").json["media_attachments"]
    assert [each["type"] for each in files] == ["image", "unknown"]
    assert [shown(nobody, each["url"]).status_code for each in files] == [200, 200]
    for wrong in (files[0]["url"][:-1] + "7", files[0]["url"].replace("files/", "files/a")):
        assert shown(nobody, wrong).status_code == 404
    with transaction(company.engine) as session:
        accounts.suspend(session, company.people["sam"])
    assert [shown(nobody, each["url"]).status_code for each in files] == [404, 404]
    own = kim.get(f"/api/v1/statuses/{status['id']}").json["media_attachments"][0]["url"]
    assert shown(nobody, own).status_code == 200
    kim.ask("DELETE", f"/api/v1/statuses/{status['id']}")
    assert shown(nobody, own).status_code == 404


def test_what_is_no_file_of_ours_is_refused(company: ApiCompany) -> None:
    kim = company.app_of("kim")
    assert kim.post("/api/v2/media").status_code == 422
    assert upload(kim, b"\x7fELF\x00\x01").status_code == 422
    assert upload(kim, PICTURE[:200]).status_code == 422
    assert upload(kim, b"").status_code == 422
    made = upload(kim).json["id"]
    assert kim.ask("DELETE", f"/api/v1/media/{made}").json == {}
    assert kim.post("/api/v1/statuses", {"status": "x", "media_ids": [made]}).status_code == 422
    theirs = upload(company.app_of("sam")).json["id"]
    assert kim.post("/api/v1/statuses", {"status": "x", "media_ids": [theirs]}).status_code == 422
    assert company.scalar("SELECT count(*) FROM posts") == 0
