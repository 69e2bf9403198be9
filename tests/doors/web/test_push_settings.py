"""Pushes on the page of what reaches somebody: adding the browser in front of them, the list, the test, the column."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from gateway.store.database import transaction
from tests.support.office import Office
from tests.support.push_browsers import keys_of
from tests.support.web_office import WebOffice, opened
from tests.support.web_visitor import WebVisitor


@pytest.fixture
def web(office: Office) -> Iterator[WebOffice]:
    with opened(office) as found:
        yield found


def given(endpoint: str = "http://127.0.0.1:9/push/a", **more: str) -> dict[str, str]:
    keys = keys_of(endpoint)
    return {"endpoint": endpoint, "p256dh": keys.p256dh, "auth": keys.auth, "key": endpoint[-8:], **more}


def add(browser: WebVisitor, **more: str) -> str:
    firefox = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    return browser.press("/settings/push", given(**more), follow=True, headers=firefox).text


def test_a_device_is_added_chosen_for_and_removed(web: WebOffice) -> None:
    sam = web.browser("sam")
    before = sam.open("/settings").text
    assert 'data-push="' in before
    assert 'value="push"' not in before
    page = add(sam)
    assert "This device gets pushes now. Choose in the table what comes so." in page
    assert 'value="push"' in page
    assert page.count("ways-6") == 1
    assert "Pushes instead of texts" in page
    assert "Firefox, Linux" in sam.words("/settings")
    assert "this one" in sam.words("/settings")
    sam.press("/settings/ways", {"way.cause:2": "push", "key": "b"})
    assert web.sql("SELECT mention FROM attention") == [("push",)]
    assert "a push, at once" in sam.words("/settings")
    [(device,)] = web.sql("SELECT id FROM push_subscriptions")
    assert (
        web.browser("kim").press(f"/settings/push/{device}/remove", follow=True).text.count("That device is not yours")
    )
    assert "No pushes go there any more." in sam.press(f"/settings/push/{device}/remove", follow=True).text
    assert 'value="push"' in sam.open("/settings").text  # what was chosen stays to be seen
    assert web.sql("SELECT state FROM addresses WHERE channel = 'push'") == [("suspended",)]


def test_pushes_instead_of_texts_and_back(web: WebOffice) -> None:
    sam = web.browser("sam")
    assert "No device of yours gets pushes" in sam.press("/settings/prefer", {"instead": "push"}, follow=True).text
    add(sam)
    sam.press("/settings/prefer", {"instead": "push", "key": "c"})
    assert web.sql("SELECT prefer FROM attention") == [("push",)]
    words = sam.words("/settings")
    assert "Pushes come instead of texts." in words
    assert "a push, at once, because you prefer pushes" in words
    sam.press("/settings/prefer", {"instead": "", "key": "d"})
    assert web.sql("SELECT prefer FROM attention") == [(None,)]


def test_a_test_goes_to_all_devices_even_in_quiet_hours(web: WebOffice) -> None:
    sam = web.browser("sam")
    assert "No device of yours gets pushes" in sam.press("/settings/push/test", follow=True).text
    add(sam)
    assert "A push is on its way" in sam.press("/settings/push/test", {"key": "t"}, follow=True).text
    assert web.sql("SELECT channel, state FROM deliveries") == [("push", "queued")]


def test_what_cannot_be_sent_to_is_refused_and_nothing_is_kept(web: WebOffice) -> None:
    sam = web.browser("sam")
    refused = sam.press("/settings/push", given("https://push.example.com/a"), follow=True).text
    assert "nothing leaves this machine" in refused
    broken = sam.press("/settings/push", given() | {"p256dh": "AAAA"}, follow=True).text
    assert "are not complete" in broken
    assert web.sql("SELECT count(*) FROM push_subscriptions") == [(0,)]
    assert "push.example.com" not in refused


def test_a_browser_that_gets_another_address_has_one_subscription(web: WebOffice) -> None:
    sam = web.browser("sam")
    add(sam)
    sam.press("/settings/push", given("http://127.0.0.1:9/push/b", before="http://127.0.0.1:9/push/a"))
    assert web.sql("SELECT endpoint FROM push_subscriptions") == [("http://127.0.0.1:9/push/b",)]


def test_signing_out_ends_the_pushes(web: WebOffice) -> None:
    sam = web.browser("sam")
    add(sam)
    sam.press("/sign-out")
    assert web.sql("SELECT count(*) FROM push_subscriptions") == [(0,)]
    assert web.sql("SELECT state FROM addresses WHERE channel = 'push'") == [("suspended",)]


def test_quiet_hours_name_the_devices(web: WebOffice) -> None:
    sam = web.browser("sam")
    add(sam)
    assert "For texts to …02, and for pushes." in sam.words("/settings")
    with transaction(web.office.engine) as session:
        session.execute(text("DELETE FROM addresses WHERE channel = 'sms' AND account_id = :a"), {"a": web.id("sam")})
    assert "For pushes to your devices." in sam.words("/settings")


def test_where_there_is_no_key_none_are_offered(office: Office) -> None:
    with opened(office, office.settings.model_copy(update={"push_key": ""})) as web:
        sam = web.browser("sam")
        page = sam.open("/settings").text
        assert "Pushes are not set up here." in page
        assert "data-push=" not in page
        assert "Pushes are not set up here." in sam.press("/settings/push", given(), follow=True).text
