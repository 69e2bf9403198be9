"""Serves the endpoints: finds out who asks, reads what is given, calls the view in one transaction, writes the answer.

A view that refuses leaves nothing behind. What an action refuses or wants confirmed is answered here for all."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from gateway.actions.model.confirmation import REACH
from gateway.doors import body_limits
from gateway.doors.api.frame import parameters, refusals
from gateway.doors.api.frame.call import ApiCall, ApiResources
from gateway.doors.api.frame.errors import ApiError
from gateway.doors.api.frame.rate_limits import Allowance
from gateway.doors.api.frame.router import ROLES, ApiRouter, Endpoint
from gateway.doors.body_limits import FORM
from gateway.doors.client_address import caller
from gateway.doors.origin_limits import networks
from gateway.doors.route_access import access
from gateway.network.apps import app_tokens, reach_questions
from gateway.network.apps.app_tokens import AppAccess
from gateway.store.database import transaction

BEARER: Final = "bearer "
CONFIRM: Final = "confirm"  # the parameter with what was confirmed
LONGEST_TOKEN: Final = 200


@dataclass(slots=True)
class Caller:
    """What is known of who asks, also when the call ends in a refusal. `person`: the id of the account for whom;
    `request`: a digest of what they ask for, by which the same call is known again."""

    access: AppAccess | None = None
    person: int | None = None
    request: bytes = b""
    allowance: Allowance | None = None


def blueprints(routers: Iterable[ApiRouter], api: ApiResources) -> list[Blueprint]:
    return [_blueprint(router, api) for router in routers]


def _blueprint(router: ApiRouter, api: ApiResources) -> Blueprint:
    """A slash at the end of an address means nothing, for some clients write one."""
    made = Blueprint(f"api {router.name}", router.name)
    for endpoint in router.endpoints:
        view = access("api")(partial(_serve, api, endpoint))
        if endpoint.uploads:
            body_limits.allow(view, api.settings.media_largest)
        made.add_url_rule(
            endpoint.rule, endpoint.name.replace(".", "-"), view, methods=[endpoint.method], strict_slashes=False
        )
    return made


def _serve(api: ApiResources, endpoint: Endpoint, **parts: Any) -> Response:
    if endpoint.uploads:
        request.max_content_length = api.settings.media_largest + FORM
    who = Caller()
    try:
        answer = _call(api, endpoint, who, parts)
    except refusals.REFUSALS as error:
        answer = refusals.answer(error, api.engine, who.person, who.request)
    if who.allowance:
        answer.headers.update(who.allowance.headers())
    answer.headers.setdefault("Cache-Control", "private, no-store")
    return answer


def _call(api: ApiResources, endpoint: Endpoint, who: Caller, parts: dict[str, Any]) -> Response:
    with transaction(api.engine) as session:
        _let_in(api, endpoint, session, who)
        nested = parameters.read(request)
        given = {"given": endpoint.parameters.model_validate(nested)} if endpoint.parameters else {}
        key = request.headers.get("Idempotency-Key", "").strip()
        confirmed = _confirmed(nested) | _said_again(session, endpoint, who, [parts, nested])
        call = ApiCall(api, session, who.access, nested, dict(request.headers), key, confirmed)
        answer = _written(endpoint, endpoint.view(call, **parts, **given))
    answer.headers.update(call.answer_headers)
    for queue in call.queues:
        api.notifier.notify(queue)
    return answer


def _let_in(api: ApiResources, endpoint: Endpoint, session: Session, who: Caller) -> None:
    """Finds out who asks; raises ApiError for who may not, or has asked too often."""
    token = _token()
    who.access = app_tokens.find(session, token) if token else None
    who.person = who.access.account.id if who.access and who.access.account else None
    who.allowance = api.limits.take(_share(api, endpoint, who.access), endpoint.calls)
    if who.allowance and who.allowance.used_up:
        raise ApiError(429)
    _check_access(endpoint, who.access, token)


def _token() -> str:
    """The bearer token of this call; empty without one."""
    written = request.headers.get("Authorization", "")
    token = written[len(BEARER) :].strip() if written.lower().startswith(BEARER) else ""
    return token[:LONGEST_TOKEN]


def _share(api: ApiResources, endpoint: Endpoint, found: AppAccess | None) -> str:
    """Whose share a call is counted to. What is limited more than usual has a share of its own."""
    own = "" if endpoint.calls == Endpoint.calls else f"{endpoint.name} "
    if found:
        return f"{own}token {found.token_id}"
    origin = caller(api.settings, request)
    return f"{own}origin {networks(str(origin))[0].name if origin else ''}"


def _check_access(endpoint: Endpoint, found: AppAccess | None, token: str) -> None:
    """Raises ApiError for who may not ask this. A token that is not good is refused everywhere, because its app
    believes that it acts for somebody."""
    if found is None:
        if token or endpoint.who != "anyone":
            raise ApiError(401)
        return
    if endpoint.who not in ("anyone", "app") and found.account is None:
        raise ApiError(422, "This method requires an authenticated user")
    if endpoint.scopes and not any(found.may(scope) for scope in endpoint.scopes):
        raise ApiError(403, "This action is outside the authorized scopes")
    roles = ROLES.get(endpoint.who)
    if roles is not None and (found.account is None or found.account.role not in roles):
        raise ApiError(403)


def _confirmed(given: parameters.Nested) -> frozenset[str]:
    named = given.get(CONFIRM, [])
    return frozenset(each for each in (named if isinstance(named, list) else [named]) if isinstance(each, str))


def _said_again(session: Session, endpoint: Endpoint, who: Caller, asked: list[Any]) -> frozenset[str]:
    """The same call once more says yes to the phones that it goes to."""
    if endpoint.method == "GET" or who.person is None:
        return frozenset()
    words = json.dumps([endpoint.name, asked], default=str, sort_keys=True)
    who.request = sha256(words.encode()).digest()
    return frozenset({REACH}) if reach_questions.take(session, who.person, who.request) else frozenset()


def _written(endpoint: Endpoint, result: Any) -> Response:
    if endpoint.answer is None:
        answer: Response = result
        return answer
    return Response(endpoint.answer.dump_json(result), endpoint.status, content_type="application/json; charset=utf-8")
