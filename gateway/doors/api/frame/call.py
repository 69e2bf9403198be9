"""One call by an app: the transaction, who asks by which token, and what was given. Every view of the API gets one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import PROOF
from gateway.actions.model.idempotency import once
from gateway.channels import NAMES
from gateway.doors.api.frame.errors import ApiError
from gateway.doors.api.frame.parameters import Nested
from gateway.doors.api.frame.rate_limits import RateLimits
from gateway.doors.oauth.passwords import Passwords
from gateway.i18n.phrases import ENGLISH
from gateway.network.apps.app_tokens import AppAccess
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.security import push_keys
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.tables import Account

P = ParamSpec("P")
R = TypeVar("R")
API: Final = "api"  # the door, in actions and posts
SPREADING: Final = ("fanout", *NAMES)  # who looks after a post


@dataclass(frozen=True, slots=True)
class ApiResources:
    """What all calls of one process share. `reserved`: words that nobody may be called, because texts begin with them.
    `passwords`: of people who registered in a conformance run; None where such runs are not allowed."""

    settings: Settings
    signer: Signer
    engine: Engine
    notifier: WorkerNotifier
    limits: RateLimits
    reserved: frozenset[str] = frozenset()
    passwords: Passwords | None = None


@dataclass(slots=True)
class ApiCall:
    """`access`: what the token may, None without one. `given`: the parameters as they came, for the few views that need
    more than their model of them. `key`: the idempotency key that the app gave, else one of our own."""

    api: ApiResources
    session: Session
    access: AppAccess | None
    given: Nested
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    confirmed: frozenset[str] = frozenset()
    queues: set[str] = field(default_factory=set)  # to wake after the commit
    answer_headers: dict[str, str] = field(default_factory=dict)
    _done: int = 0

    @property
    def settings(self) -> Settings:
        return self.api.settings

    @property
    def viewer(self) -> Account | None:
        """For whom the app asks; None when it asks for itself."""
        return self.access.account if self.access else None

    @property
    def account(self) -> Account:
        """The same; only for endpoints that ask for a person."""
        if self.viewer is None:
            raise ApiError(422, "This method requires an authenticated user")
        return self.viewer

    @property
    def language(self) -> str:
        return self.viewer.language if self.viewer else ENGLISH

    def actor(self, said: str = "", uploads: tuple[int, ...] = ()) -> Actor:
        """Who acts. Who they are needs no further proof: they were signed in when they let the app in, which a forged
        sender number cannot do (R39). `said`: their words; `uploads`: the files of a post."""
        confirmed = self.confirmed | {PROOF}
        return Actor(self.account, API, self.settings, self.api.signer, said=said, confirmed=confirmed, uploads=uploads)

    def do(
        self, action: Callable[Concatenate[Session, Actor, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:  # fmt: skip
        """Performs an action, once for each idempotency key."""
        return self.do_as(self.actor(), action, *args, **kwargs)

    def do_as(
        self, actor: Actor, action: Callable[Concatenate[Session, Actor, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:  # fmt: skip
        """The same by an actor with words or files. A second action of one call has a key of its own."""
        given = self.key or token_urlsafe(16)
        key = given if not self._done else f"{given}.{self._done}"
        self._done += 1
        result = once(self.session, actor, key, action, *args, **kwargs)
        self.queues |= actor.queues | (set(SPREADING) if actor.effects else set())
        return result

    @property
    def vapid_key(self) -> str:
        """The public key of our pushes. Some apps cannot start without one, so where pushes are off they are told one
        by which nothing is ever sent."""
        signer = self.api.signer
        unused = push_keys.derive_private(signer.seal("vapid", 0) + signer.seal("vapid", 1))
        return push_keys.public_of(self.settings.push_key or unused)

    def url(self, path: str) -> str:
        """An address of ours, whole: it is made from the settings, never from what the caller calls us."""
        return f"{self.settings.public_url}{path}"

    def header(self, name: str, value: str) -> None:
        """A header of the answer."""
        self.answer_headers[name] = value
