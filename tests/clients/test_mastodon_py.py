"""Mastodon.py, the library of most bots."""

from typing import Any

import pytest
import requests

from tests.clients.conftest import Browser
from tests.support.running_critter import Company

mastodon = pytest.importorskip("mastodon")
SCOPES = ["read", "write", "follow"]


def log_in(url: str, handle: str) -> Any:
    """Its documentation's way: an app, the page in a browser, the code."""
    given = {"api_base_url": url, "scopes": SCOPES}
    client_id, secret = mastodon.Mastodon.create_app("A bot", **given)
    client = mastodon.Mastodon(client_id, secret, api_base_url=url)
    page = client.auth_request_url(scopes=SCOPES, allow_http=True)
    client.log_in(code=Browser(url, handle).let_in(page), scopes=SCOPES, allow_http=True)
    return client


def test_a_bot_reads_writes_answers_follows_and_likes(critter: Company, url: str) -> None:
    kim, sam = log_in(url, "kim"), log_in(url, "sam")
    me = kim.account_verify_credentials()
    assert (me.username, me.source.privacy) == ("kim", "public")
    assert kim.instance().version.startswith("4.")
    assert kim.retrieve_mastodon_version()
    said = kim.status_post("The harbor is open again")
    critter.wait(lambda: said.id in [each.id for each in sam.timeline_public()], "the update among everybody's")
    assert said.id in [each.id for each in kim.timeline_home()]
    answer = sam.status_reply(said, "Thank you", untag=True)
    assert answer.in_reply_to_id == said.id
    assert sam.status_favourite(said.id).favourited
    assert kim.status(said.id).favourites_count == 1
    critter.wait(lambda: kim.status_context(said.id).descendants[0].id == answer.id, "the answer below it")
    other = sam.account_lookup("anne")
    assert sam.account_follow(other.id).following
    assert sam.account_relationships(other.id)[0].following
    assert other.id in [each.id for each in sam.account_following(sam.me().id)]
    assert not sam.account_unfollow(other.id).following
    sam.status_delete(answer.id)
    with pytest.raises(mastodon.MastodonNotFoundError):
        kim.status(answer.id)
    assert "ACME" in [each.title for each in kim.lists()]  # a group that she is in
    for one in (kim.filters, kim.mutes, kim.blocks, kim.follow_requests, kim.custom_emojis, kim.bookmarks):
        assert one() == []


def test_each_answer_has_one_date(url: str) -> None:
    """Behind the real server: two of them make the library believe that it asked too often."""
    client = log_in(url, "kim")
    answer = requests.get(
        f"{url}/api/v1/accounts/verify_credentials",
        headers={"Authorization": f"Bearer {client.access_token}"},
        timeout=30,
    )
    assert len(answer.raw.headers.getlist("Date")) == 1
    assert len(answer.raw.headers.getlist("X-RateLimit-Remaining")) == 1
