"""One visit: the transaction, who asks, and what their form says. Every view gets one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Concatenate, Final, ParamSpec, TypeVar

from flask import Response, redirect, request
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.exceptions import Unauthorized

from gateway.actions.model.actor import Actor
from gateway.actions.model.confirmation import PROOF
from gateway.actions.model.idempotency import once
from gateway.channels import NAMES
from gateway.doors.web.visits import csrf
from gateway.doors.web.visits.operator_tools import OperatorTools
from gateway.doors.web.visits.try_limits import TryLimits
from gateway.i18n.phrases import translated
from gateway.network.web.web_sessions import SignedIn
from gateway.queue.worker_notifier import WorkerNotifier
from gateway.security.signed_tokens import Signer
from gateway.settings import Settings
from gateway.store.tables import Account

P = ParamSpec("P")
R = TypeVar("R")
KEY: Final = "key"  # the field of a form with its idempotency key
CONFIRMED: Final = "confirmed"
UPLOAD: Final = "upload"  # a file that was kept already, while a question was asked
LONGEST_PATH: Final = 2_000  # characters of where a visitor wanted to go: an app's address with all that it asks for
SPREADING: Final = ("fanout", *NAMES)  # who looks after a post


@dataclass(frozen=True, slots=True)
class WebResources:
    """What the pages of one process share. `tries`: of signing in. `simulated_people`: whom the tour may open the web
    as; `visitors_to`: where "/" leads visitors, empty: it explains Critter. `reserved`: words that no group may be
    called, because texts begin with them. `tools`: what the operators' pages borrow from the command line."""

    settings: Settings
    signer: Signer
    engine: Engine
    notifier: WorkerNotifier
    tries: TryLimits
    simulated_people: tuple[str, ...] = ()
    visitors_to: str = ""
    reserved: frozenset[str] = frozenset()
    tools: OperatorTools | None = None


@dataclass(frozen=True, slots=True)
class FlashMessage:
    """A sentence about what was just done; `undo`: the idempotency key of what the page offers to take back."""

    text: str
    undo: str = ""


@dataclass(slots=True)
class Visit:
    """`viewer`: who is signed in, None for a visitor. `cookie`: the token of their session."""

    web: WebResources
    session: Session
    viewer: SignedIn | None
    cookie: str = ""
    uploads: list[int] = field(default_factory=list)  # the files of this form
    queues: set[str] = field(default_factory=set)  # to wake after the commit
    flash: FlashMessage | None = None  # for the bar of the page that comes next
    key: str = ""  # of what was done last

    @property
    def settings(self) -> Settings:
        return self.web.settings

    @property
    def account(self) -> Account:
        """Who is signed in; only for pages that ask for it."""
        if self.viewer is None:
            raise Unauthorized
        return self.viewer.account

    @property
    def actor(self) -> Actor:
        """Who acts, with what the form says was confirmed. Who they are needs no further proof: they signed in with
        their phone, mailbox or passkey, which a forged sender number cannot do (R39)."""
        confirmed = frozenset({*request.form.getlist(CONFIRMED), PROOF})
        uploads = (*(int(each) for each in request.form.getlist(UPLOAD) if each.isdecimal()), *self.uploads)
        said = request.form.get("text", "")
        return Actor(
            self.account, "web", self.settings, self.web.signer, said=said, confirmed=confirmed, uploads=uploads
        )

    def do(
        self, action: Callable[Concatenate[Session, Actor, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:  # fmt: skip
        """Performs an action once for each form, however often the form is sent."""
        actor = self.actor
        self.key = request.form.get(KEY) or token_urlsafe(16)
        result = once(self.session, actor, self.key, action, *args, **kwargs)
        self.queues |= actor.queues | (set(SPREADING) if actor.effects else set())
        return result

    def say(self, text: str, *, undo: bool = False) -> None:
        """Says a sentence in the bar of the page that comes next; `undo`: it offers to take back what `do` did."""
        self.flash = FlashMessage(translated(text, self.account.language), self.key if undo else "")

    def back(self, otherwise: str = "/") -> Response:
        """To the page that the form stood on."""
        return see_other(here(request.form.get("back", ""), otherwise))

    @property
    def path(self) -> str:
        return request.path

    @property
    def whole_path(self) -> str:
        """With what stands after the question mark."""
        return request.full_path.rstrip("?") if request.method == "GET" else "/"

    @property
    def csrf(self) -> str:
        return csrf.token(self.cookie)

    def form(self, name: str, most: int = 20_000) -> str:
        """A field of the form, cut to what is sensible for it."""
        return request.form.get(name, "")[:most].strip()

    def arg(self, name: str, most: int = 200) -> str:
        """A part of the address after the question mark."""
        return request.args.get(name, "")[:most].strip()

    def number(self, name: str) -> int | None:
        """As `arg`, an id; None when it is none."""
        given = self.arg(name, 20)
        return int(given) if given.isascii() and given.isdecimal() and int(given) < 2**63 else None


def see_other(path: str) -> Response:
    """After a POST: the page that says what happened (303)."""
    return redirect(path, 303)  # type: ignore[return-value]


def here(path: str, otherwise: str = "/") -> str:
    """A path of our own pages that a form or address gives; anything that leads elsewhere is `otherwise` (open
    redirects)."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path and path.isprintable()
    return path if inside else otherwise
