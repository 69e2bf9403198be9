"""What apps are told of the installation before anybody signs in."""

from gateway.doors.api.instance import empty_lists
from gateway.network.posts import posts
from gateway.version import VERSION
from tests.doors.api.conftest import ApiCompany


def test_nodeinfo(company: ApiCompany) -> None:
    company.says("kim", "hello")
    asks = company.stranger()
    (link,) = asks.get("/.well-known/nodeinfo").json["links"]
    answer = asks.get(link["href"].removeprefix(company.settings.public_url))
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found = answer.json
    assert (found["version"], found["software"]) == ("2.0", {"name": "critter", "version": VERSION})
    assert found["metadata"]["upstream"]["name"] == "mastodon"
    assert found["usage"] == {"users": {"total": 3, "activeMonth": 1, "activeHalfyear": 1}, "localPosts": 1}


def test_the_installation_says_what_is_true(company: ApiCompany) -> None:
    company.says("kim", "hello")
    asks, settings = company.stranger(), company.settings
    new, old = asks.get("/api/v2/instance").json, asks.get("/api/v1/instance/").json  # as a client writes it
    assert new["version"] == old["version"] == f"4.3.0 (compatible; Critter {VERSION})"
    assert new["configuration"]["statuses"]["max_characters"] == posts.LONGEST
    assert new["configuration"]["media_attachments"]["image_size_limit"] == settings.media_largest
    assert (
        new["configuration"]["vapid"]["public_key"]
        == company.app_alone().get("/api/v1/apps/verify_credentials").json["vapid_key"]
    )
    assert new["configuration"]["urls"]["streaming"] == old["urls"]["streaming_api"]
    assert old["urls"]["streaming_api"].startswith(("ws://", "wss://"))
    assert old["stats"] == {"user_count": 3, "status_count": 1, "domain_count": 1}
    assert (new["usage"]["users"]["active_month"], new["api_versions"]) == (1, {"mastodon": 1})
    assert settings.public_url.endswith(f"//{new['domain']}")
    assert new["domain"] == old["uri"]
    assert asks.ask("GET", new["thumbnail"]["url"].removeprefix(settings.public_url)).status_code == 200
    assert not new["registrations"]["enabled"]
    assert "Kim" not in str(new) + str(old)


def test_what_is_not_there_is_an_empty_list(company: ApiCompany) -> None:
    asks = company.app_of("kim")
    for path, *_ in empty_lists.LISTS:
        answer = asks.get(path)
        assert (answer.status_code, answer.json) == (200, []), path
