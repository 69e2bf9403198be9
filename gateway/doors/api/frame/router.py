"""An endpoint: its address, method, who may ask and with which scope. A view says it once, above itself; what it is
given and what it answers are read from its signature, for the calls and for the OpenAPI file alike.

    @ROUTER.post("/api/v1/accounts/<id:account_id>/follow", "write:follows")
    def follow(call: ApiCall, account_id: int, given: FollowParameters) -> Relationship: ...
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from inspect import getdoc
from typing import Any, Final, Literal, TypedDict, TypeVar, Unpack, get_type_hints

from flask import Response
from pydantic import TypeAdapter

from gateway.doors.api.frame.fields import Parameters

# anyone: also without a token. app: any token, also one of an app for itself. person: a token by which an app acts for
# somebody. operator, admin: for somebody with that role.
Who = Literal["anyone", "app", "person", "operator", "admin"]
View = TypeVar("View", bound=Callable[..., Any])
ROLES: Final = {"operator": ("operator", "admin"), "admin": ("admin",)}
CALLS: Final = 300  # in five minutes


@dataclass(frozen=True)
class Endpoint:
    """`scopes`: what the token must cover, one of them where there are several; empty: any. `status`: of the answer
    when all went well. `calls`: how many in five minutes. `family`: under which it stands in the documentation."""

    family: str
    method: str
    rule: str
    scopes: tuple[str, ...]
    view: Callable[..., Any]
    who: Who = "person"
    uploads: bool = False
    status: int = 200
    calls: int = CALLS

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def about(self) -> str:
        """What the documentation says of it."""
        return getdoc(self.view) or ""

    @cached_property
    def hints(self) -> dict[str, Any]:
        return get_type_hints(self.view, include_extras=True)

    @cached_property
    def parameters(self) -> type[Parameters] | None:
        """The model of what is given; None when nothing is asked for."""
        found = self.hints.get("given")
        return found if isinstance(found, type) and issubclass(found, Parameters) else None

    @cached_property
    def answer(self) -> TypeAdapter[Any] | None:
        """Writes what the view returns as JSON; None for a view that makes its answer itself."""
        kind = self.hints["return"]
        return None if isinstance(kind, type) and issubclass(kind, Response) else TypeAdapter(kind)


class Options(TypedDict, total=False):
    """What an endpoint may say beside its address and scopes; see there."""

    who: Who
    uploads: bool
    status: int
    calls: int


@dataclass(frozen=True, slots=True)
class ApiRouter:
    """The endpoints of one family, as the documentation lists them."""

    name: str
    endpoints: list[Endpoint] = field(default_factory=list)

    def get(self, rule: str, *scopes: str, **more: Unpack[Options]) -> Callable[[View], View]:
        return self._declare("GET", rule, scopes, more)

    def post(self, rule: str, *scopes: str, **more: Unpack[Options]) -> Callable[[View], View]:
        return self._declare("POST", rule, scopes, more)

    def put(self, rule: str, *scopes: str, **more: Unpack[Options]) -> Callable[[View], View]:
        return self._declare("PUT", rule, scopes, more)

    def patch(self, rule: str, *scopes: str, **more: Unpack[Options]) -> Callable[[View], View]:
        return self._declare("PATCH", rule, scopes, more)

    def delete(self, rule: str, *scopes: str, **more: Unpack[Options]) -> Callable[[View], View]:
        return self._declare("DELETE", rule, scopes, more)

    def _declare(self, method: str, rule: str, scopes: tuple[str, ...], more: Options) -> Callable[[View], View]:
        def noted(view: View) -> View:
            self.endpoints.append(Endpoint(self.name, method, rule, scopes, view, **more))
            return view

        return noted
