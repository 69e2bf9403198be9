"""Every endpoint by every asker: tokens and scopes, and each role before each object. An endpoint without a row fails.

What somebody may not see is 404 to them, as if there were none. A row says what the endpoint is given; the objects in
its address are tried as everybody: `<id:status_id>` is each kind of update, `<id:account_id>` each kind of account."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import text

from gateway.doors.api.frame.rate_limits import RateLimits
from gateway.doors.api.frame.router import Endpoint
from gateway.doors.api.instance import empty_lists
from gateway.doors.api.routers import ROUTERS
from gateway.network.apps.scopes import KNOWN, covers
from tests.doors.test_route_access import CANARY, MAY_READ, ROLES, WRITER, Seen, application, changed, seen
from tests.support.app_user import AppUser, let_in

__all__ = ["seen"]  # the fixture


@dataclass(frozen=True)
class Row:
    """`given`: parameters with which it works. `writers`: the roles that may do it to what they may read; None: all
    who may read it. `refuses`: what the others among these get."""

    given: dict[str, Any] = field(default_factory=dict)
    writers: frozenset[str] | None = None
    refuses: tuple[int, ...] = (403, 404, 422)


AUTHOR: Final = frozenset({"author"})
ROWS: Final[dict[str, Row]] = {
    "POST /api/v1/apps": Row({"client_name": "T", "redirect_uris": "tuba://x"}),
    "GET /api/v1/apps/verify_credentials": Row(),
    "POST /oauth/token": Row(),
    "POST /oauth/revoke": Row(),
    "GET /.well-known/oauth-authorization-server": Row(),
    "POST /api/v1/accounts": Row(),
    "GET /api/v1/statuses": Row(),
    "GET /api/v1/statuses/<id:status_id>": Row(),
    "GET /api/v1/statuses/<id:status_id>/context": Row(),
    "GET /api/v1/statuses/<id:status_id>/source": Row(),
    "GET /api/v1/statuses/<id:status_id>/history": Row(),
    "GET /api/v1/statuses/<id:status_id>/favourited_by": Row(),
    "GET /api/v1/statuses/<id:status_id>/reblogged_by": Row(),
    "GET /api/v1/accounts/<id:account_id>/statuses": Row(),
    "POST /api/v1/statuses": Row({"status": "hello"}),
    "PUT /api/v1/statuses/<id:status_id>": Row({"status": "hello"}),
    "DELETE /api/v1/statuses/<id:status_id>": Row(writers=AUTHOR),
    "POST /api/v1/statuses/<id:status_id>/favourite": Row(),
    "POST /api/v1/statuses/<id:status_id>/unfavourite": Row(),
    "POST /api/v1/statuses/<id:status_id>/reblog": Row(),
    "POST /api/v1/statuses/<id:status_id>/unreblog": Row(),
    "POST /api/v1/statuses/<id:status_id>/bookmark": Row(),
    "POST /api/v1/statuses/<id:status_id>/unbookmark": Row(),
    "POST /api/v1/statuses/<id:status_id>/pin": Row(writers=AUTHOR),
    "POST /api/v1/statuses/<id:status_id>/unpin": Row(),
    "GET /api/v1/lists": Row(),
    "POST /api/v1/lists": Row({"title": "list"}),
    "GET /api/v1/lists/<id:list_id>": Row(),
    "PUT /api/v1/lists/<id:list_id>": Row({"title": "list"}),
    "DELETE /api/v1/lists/<id:list_id>": Row(),
    "GET /api/v1/lists/<id:list_id>/accounts": Row(),
    "POST /api/v1/lists/<id:list_id>/accounts": Row(),
    "DELETE /api/v1/lists/<id:list_id>/accounts": Row(),
    "GET /api/v1/accounts/<id:account_id>/lists": Row(),
    "GET /api/v1/timelines/list/<id:list_id>": Row(),
    "GET /api/v1/notifications": Row(),
    "GET /api/v1/notifications/unread_count": Row(),
    "GET /api/v1/notifications/<id:notification_id>": Row(),
    "POST /api/v1/notifications/clear": Row(),
    "POST /api/v1/notifications/<id:notification_id>/dismiss": Row(),
    "GET /api/v1/conversations": Row(),
    "POST /api/v1/conversations/<id:conversation_id>/read": Row(),
    "DELETE /api/v1/conversations/<id:conversation_id>": Row(),
    "GET /api/v2/search": Row({"q": CANARY}),
    "GET /api/v1/search": Row({"q": CANARY}),
    "POST /api/v2/media": Row(),
    "POST /api/v1/media": Row(),
    "GET /api/v1/media/<id:media_id>": Row(),
    "PUT /api/v1/media/<id:media_id>": Row(),
    "DELETE /api/v1/media/<id:media_id>": Row(),
    "GET /api/critter/v1/files/<token>/<id:number>": Row(),
    "GET /api/critter/v1/files/<token>/<id:number>/small": Row(),
    "GET /api/critter/v1/uploads/<token>": Row(),
    "GET /api/critter/v1/uploads/<token>/small": Row(),
    "GET /api/v1/favourites": Row(),
    "GET /api/v1/bookmarks": Row(),
    "GET /api/v1/timelines/home": Row(),
    "GET /api/v1/timelines/public": Row(),
    "GET /api/v1/timelines/tag/<name>": Row(),
    "GET /api/v1/accounts": Row({"id[]": ["1"]}),
    "GET /api/v1/accounts/<id:account_id>": Row(),
    "GET /api/v1/accounts/lookup": Row({"acct": "plaza"}),
    "GET /api/v1/accounts/search": Row({"q": "p"}),
    "GET /api/v1/accounts/<id:account_id>/followers": Row(),
    "GET /api/v1/accounts/<id:account_id>/following": Row(),
    "GET /api/v1/accounts/<id:account_id>/featured_tags": Row(),
    "GET /api/v1/accounts/familiar_followers": Row({"id[]": ["1"]}),
    "GET /api/v1/accounts/relationships": Row({"id[]": ["1"]}),
    "POST /api/v1/accounts/<id:account_id>/follow": Row(),
    "POST /api/v1/accounts/<id:account_id>/unfollow": Row(),
    "POST /api/v1/accounts/<id:account_id>/mute": Row(),
    "POST /api/v1/accounts/<id:account_id>/unmute": Row(),
    "POST /api/v1/accounts/<id:account_id>/block": Row(),
    "POST /api/v1/accounts/<id:account_id>/unblock": Row(),
    "GET /api/v1/accounts/verify_credentials": Row(),
    "PATCH /api/v1/accounts/update_credentials": Row({"note": "in Boston"}),
    "GET /api/v1/preferences": Row(),
    "GET /api/v1/mutes": Row(),
    "GET /api/v1/blocks": Row(),
    "GET /api/v1/follow_requests": Row(),
    "POST /api/v1/follow_requests/<id:account_id>/authorize": Row(),
    "POST /api/v1/follow_requests/<id:account_id>/reject": Row(),
    "GET /api/v1/followed_tags": Row(),
    "GET /api/v1/tags/<name>": Row(),
    "POST /api/v1/tags/<name>/follow": Row(),
    "POST /api/v1/tags/<name>/unfollow": Row(),
    "GET /api/v1/markers": Row({"timeline[]": ["home"]}),
    "POST /api/v1/markers": Row({"home": {"last_read_id": "7"}}),
    "GET /api/v1/instance": Row(),
    "GET /api/v2/instance": Row(),
    "GET /api/v1/instance/rules": Row(),
    "GET /api/v1/instance/translation_languages": Row(),
    "GET /.well-known/nodeinfo": Row(),
    "GET /nodeinfo/2.0": Row(),
    **{f"GET {path}": Row() for path, *_ in empty_lists.LISTS},
}
ENDPOINTS: Final = {endpoint.name: endpoint for router in ROUTERS for endpoint in router.endpoints}
PART: Final = re.compile(r"<(?:\w+:)?(\w+)>")
UNKNOWN: Final = ("suspended", "gone", "exile")  # to everybody
WROTE: Final = ("gone", "GET /api/v1/accounts/<id:account_id>/statuses")  # what they wrote stays
EVERYTHING: Final = tuple(scope for scope in KNOWN if ":" not in scope or scope.startswith("admin"))
# Of the phone that is off depends which links open, not what its owner reads in an app.
ACTIVE: Final = tuple(role for role in ROLES if role not in ("suspended", "gone", "nobody", "phone"))
# Who sees somebody among the people of a group; the only one in the plaza is the author.
SEE_WHO: Final = {"plaza": {*ACTIVE} - {"blocked"}, "vault": {"author", "member", "blocked"}}


def test_each_endpoint_has_a_row() -> None:
    assert set(ENDPOINTS) == set(ROWS)


def place(endpoint: Endpoint, parts: dict[str, object]) -> str:
    return PART.sub(lambda found: str(parts.get(found[1], 1)), endpoint.rule)


def ask(asks: AppUser, endpoint: Endpoint, **parts: object) -> tuple[int, str]:
    given = ROWS[endpoint.name].given
    sent: dict[str, Any] = {"query_string": given} if endpoint.method == "GET" else {"json": given}
    answer = asks.ask(endpoint.method, place(endpoint, parts), **sent)
    return answer.status_code, answer.text


@pytest.fixture
def app(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Without limits: so many calls of one origin would be too many. What those do is tried in test_frame.py."""
    monkeypatch.setattr(RateLimits, "take", lambda *_: None)
    seen.settings = changed(seen.settings).model_copy(update={"api_conformance": False})
    with application(seen) as made:
        yield made


def test_tokens_and_scopes(seen: Seen, app: Flask) -> None:
    """Without a token, with a dead one, as an app alone, without the scope, and with nothing but the scope."""
    alone = let_in(app, seen.engine, None, EVERYTHING)
    suspended = let_in(app, seen.engine, seen.people["suspended"], EVERYTHING)
    without = {
        scope: let_in(app, seen.engine, seen.people["admin"], [each for each in KNOWN if not covers({each}, scope)])
        for scope in {scope for endpoint in ENDPOINTS.values() for scope in endpoint.scopes}
    }
    for number, endpoint in enumerate(ENDPOINTS.values()):
        nobody, dead_token = AppUser(app), AppUser(app, "dead")
        for asks in (nobody, dead_token, suspended):  # each origin may ask so many times
            asks.client.environ_base["REMOTE_ADDR"] = f"10.{number}.0.1"
        status, _ = ask(nobody, endpoint)
        assert (status == 401) == (endpoint.who != "anyone") or endpoint.rule == "/oauth/token", endpoint.name
        for dead in (suspended, dead_token):
            assert ask(dead, endpoint)[0] == 401, endpoint.name
        if endpoint.who not in ("anyone", "app"):
            assert ask(alone, endpoint)[0] == 422, endpoint.name
        if len(endpoint.scopes) == 1:
            assert ask(without[endpoint.scopes[0]], endpoint)[0] == 403, endpoint.name
        if endpoint.scopes:
            granted = let_in(app, seen.engine, seen.people["admin"], endpoint.scopes)
            assert ask(granted, endpoint)[0] not in (401, 403, 500), endpoint.name


def test_each_role_before_each_update(seen: Seen, app: Flask) -> None:
    of_updates = [each for each in ENDPOINTS.values() if "<id:status_id>" in each.rule]
    for endpoint in sorted(of_updates, key=lambda each: each.method == "DELETE"):  # what is gone is tried last
        row = ROWS[endpoint.name]
        for role in ACTIVE:
            asks = let_in(app, seen.engine, seen.people[role], EVERYTHING)
            for post, readers in MAY_READ.items():
                status, said = ask(asks, endpoint, status_id=seen.posts[post])
                where = f"{endpoint.name} of {post} by {role}: {status}"
                if role not in readers:
                    assert (status, CANARY in said) == (404, False), where
                elif row.writers is not None and role not in row.writers:
                    assert status in row.refuses, where
                else:
                    assert status not in (401, 404, 500), where


def test_each_role_before_each_account(seen: Seen, app: Flask) -> None:
    """Who is suspended, has left or never was is 404 to everybody. A closed group is there, and who is in it is not."""
    groups = {each: seen_group(seen, each) for each in ("plaza", "vault")}
    for endpoint in (each for each in ENDPOINTS.values() if "<id:account_id>" in each.rule):
        for role in ACTIVE:
            asks = let_in(app, seen.engine, seen.people[role], EVERYTHING)
            for other in UNKNOWN:
                status, _ = ask(asks, endpoint, account_id=seen.people[other])
                assert status == 404 or (other, endpoint.name) == WROTE, (endpoint.name, other)
            assert ask(asks, endpoint, account_id=2**40)[0] == 404, endpoint.name
            if endpoint.method == "GET":
                for group, account_id in groups.items():
                    status, said = ask(asks, endpoint, account_id=account_id)
                    assert status == 200, (endpoint.name, role)
                    if endpoint.rule.endswith("/followers"):
                        assert ("Person" in said or WRITER in said) == (role in SEE_WHO[group]), (group, role)


def seen_group(seen: Seen, handle: str) -> int:
    with seen.engine.connect() as connection:
        return int(connection.scalar(text("SELECT id FROM accounts WHERE handle = :handle"), {"handle": handle}) or 0)
