"""Every route declares how it knows who asks; create_app refuses to start with a route that does not. The doors use
it."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from flask import Flask

Access = Literal["signed", "token", "public", "metrics", "visitor", "member", "operator", "admin", "api"]
View = TypeVar("View", bound=Callable[..., Any])


def access(kind: Access) -> Callable[[View], View]:
    """Declares the access class of a view. signed: the carrier signed the request; token: the URL itself is the secret;
    public: anybody may ask, and all get the same; metrics: a monitoring system on this machine, or one with the token
    for it. Of the pages for people: visitor: anybody, and who is signed in gets more; member: who is signed in;
    operator and admin: who has that role. api: an endpoint, which says itself by which token (gateway/doors/api)."""

    def noted(view: View) -> View:
        vars(view)["access"] = kind
        return view

    return noted


def inventory(app: Flask) -> dict[str, Access | None]:
    """Returns the access class of each rule; None where a view declares none. Flask's own view for files is public."""
    return {rule.rule: _class_of(app, rule.endpoint) for rule in app.url_map.iter_rules()}


def _class_of(app: Flask, endpoint: str) -> Access | None:
    if endpoint == "static" or endpoint.endswith(".static"):
        return "public"
    return vars(app.view_functions[endpoint]).get("access")
