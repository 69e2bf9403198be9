"""The tour's page and the few requests it makes. Only this machine may ask, and only the page itself may act."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request

from simulator.local import is_local_url
from simulator.tour.script import STEPS, empty
from simulator.tour.stage import Stage, Trouble

LONGEST_ID = 998  # a line of a mail header (RFC 5322)
LONGEST_TEXT = 1600
Answer = Callable[..., Any]


def blueprint(stage: Stage) -> Blueprint:
    """Everything the tour serves, under /tour."""
    tour = Blueprint(
        "tour", __name__, template_folder="templates", static_folder="static", static_url_path="/tour/static"
    )
    policy = f"{stage.policy}; connect-src 'self' {stage.simulator}"

    def route(method: str, rule: str, view: Answer) -> None:
        tour.add_url_rule(rule, view.__name__, stage.public(_guarded(view)), methods=[method])

    def index() -> Response:
        page = make_response(render_template("tour.html", stage=stage, steps=STEPS, empty=empty))
        page.headers["Content-Security-Policy"] = policy
        page.headers["Cache-Control"] = "no-store"
        return page

    def trace() -> Any:
        return stage.trace(request.args.get("id", "")[:LONGEST_ID]) or {"state": "unknown"}

    def explain() -> Any:
        by = _given("by") or stage.phones[0].handle
        if by not in (person.handle for person in stage.phones):
            raise Trouble("Nobody of that name is on the tour.")
        return stage.explain(_given("text")[:LONGEST_TEXT], by)

    def start_over() -> Any:
        stage.start_over()
        return {}

    def begin_drill() -> Any:
        stage.begin_drill()
        return stage.drill()

    def drill() -> Any:
        return stage.drill()

    route("GET", "/tour", index)
    route("GET", "/tour/trace", trace)
    route("GET", "/tour/drill", drill)
    route("POST", "/tour/explain", explain)
    route("POST", "/tour/start-over", start_over)
    route("POST", "/tour/drill", begin_drill)
    return tour


def _guarded(view: Answer) -> Answer:
    """Refuses other sites' pages that are open in a browser on this machine: they cannot post JSON here, and a name of
    theirs that points here is not ours."""

    @wraps(view)
    def answer() -> Any:
        if not is_local_url(f"http://{request.host}") or (request.method == "POST" and not request.is_json):
            abort(403)
        try:
            told = view()
        except Trouble as trouble:
            return _fresh(jsonify(trouble=str(trouble)), 503)
        return _fresh(jsonify(told), 200) if isinstance(told, dict) else told

    return answer


def _fresh(answer: Response, status: int) -> Response:
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _given(name: str) -> str:
    body = request.get_json(silent=True)
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""
