"""The router of pages that belong together. A view declares its address and who may ask; the router does what all need.

It opens the transaction, finds out who asks, refuses what is not theirs or not from our form, and says in a page what
an action refuses or wants confirmed. `@ROUTER.page("/everyone", "member")` is all that a view says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from secrets import token_urlsafe
from typing import Any, Final, TypeVar

from flask import Blueprint, Response, g, make_response, request
from werkzeug.exceptions import Forbidden, NotFound

from gateway.actions.model.confirmation import ConfirmationRequired
from gateway.doors import body_limits
from gateway.doors.body_limits import FORM
from gateway.doors.route_access import Access, access
from gateway.doors.web.shell import notices
from gateway.doors.web.visits import cookies, csrf, flash
from gateway.doors.web.visits.visit import Visit, WebResources
from gateway.errors import Refused
from gateway.network.web import web_sessions
from gateway.store.database import transaction

View = Callable[..., str | Response]
Declared = TypeVar("Declared", bound=View)
ROLES: Final = {"member": ("member", "operator", "admin"), "operator": ("operator", "admin"), "admin": ("admin",)}


@dataclass(frozen=True, slots=True)
class Page:
    method: str
    rule: str
    access: Access
    view: View
    uploads: bool = False  # its form may have files
    longest: int | None = None  # octets of a field; None: as everywhere


@dataclass(frozen=True, slots=True)
class PageRouter:
    """`name`: of the blueprint, and of the folder with its views and templates."""

    name: str
    pages: list[Page] = field(default_factory=list)

    def page(
        self,
        rule: str,
        who: Access = "member",
        method: str = "GET",
        *,
        uploads: bool = False,
        longest: int | None = None,
    ) -> Callable[[Declared], Declared]:
        def noted(view: Declared) -> Declared:
            self.pages.append(Page(method, rule, who, view, uploads, longest))
            return view

        return noted

    def post(
        self, rule: str, who: Access = "member", *, uploads: bool = False, longest: int | None = None
    ) -> Callable[[Declared], Declared]:  # fmt: skip
        return self.page(rule, who, "POST", uploads=uploads, longest=longest)

    def blueprint(self, web: WebResources) -> Blueprint:
        made = Blueprint(self.name, self.name)
        for page in self.pages:
            view = access(page.access)(partial(_serve, web, page))
            if page.uploads:
                body_limits.allow(view, web.settings.media_largest)
            made.add_url_rule(page.rule, f"{page.method} {page.view.__name__}", view, methods=[page.method])
        return made


def blueprints(routers: Iterable[PageRouter], web: WebResources) -> list[Blueprint]:
    return [router.blueprint(web) for router in routers]


def _serve(web: WebResources, page: Page, **parts: Any) -> Response:
    """A view that refuses leaves nothing behind: the page that says so is made in a transaction of its own."""
    try:
        return _private(_within(web, page, lambda visit: page.view(visit, **parts)))
    except Refused as refused:
        why = refused
        return _private(_within(web, page, lambda visit: notices.refused(visit, why)))
    except (NotFound, Forbidden) as error:
        there_not = error
        return _private(_within(web, page, lambda visit: notices.out_of_reach(visit, there_not)))
    except ConfirmationRequired as asked:
        wanted = asked
        return _private(_within(web, page, lambda visit: notices.confirm(visit, wanted)))


def _within(web: WebResources, page: Page, view: View) -> Response:
    if page.uploads:
        request.max_content_length = web.settings.media_largest + FORM
    if page.longest is not None:
        request.max_form_memory_size = page.longest
    with transaction(web.engine) as session:
        cookie = cookies.read(request, web.settings, cookies.SESSION)
        viewer = web_sessions.find(session, cookie) if cookie else None
        visit = Visit(web, session, viewer, cookie if viewer else _visitor(web, page), g.setdefault("uploads", []))
        answer = _refuse(visit, page) or make_response(view(visit))
        if viewer is None and page.access == "visitor":
            cookies.put(answer, web.settings, cookies.SIGNING_IN, visit.cookie)
    if visit.flash:
        flash.put(answer, visit, visit.flash)
    for queue in visit.queues:
        web.notifier.notify(queue)
    return answer


def _visitor(web: WebResources, page: Page) -> str:
    """Forms of visitors are proved by a cookie of this browser alone: nobody can sign somebody else in by a form of
    another site."""
    known = cookies.read(request, web.settings, cookies.SIGNING_IN)
    return known or (token_urlsafe(16) if page.access == "visitor" and page.method == "GET" else "")


def _refuse(visit: Visit, page: Page) -> Response | None:
    """What is answered instead: to one who is not signed in, not of that role, or who sends a form of another site."""
    roles = ROLES.get(page.access)
    if roles is not None and visit.viewer is None:
        return notices.sign_in_first(visit)
    if roles is not None and visit.account.role not in roles:
        return notices.out_of_reach(visit, Forbidden())
    if page.method == "POST" and not csrf.is_ours(request, visit.settings, visit.cookie):
        return notices.form_of_another_page(visit)
    return None


def _private(answer: Response) -> Response:
    """What somebody sees stays out of caches."""
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer
