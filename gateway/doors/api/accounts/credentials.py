"""One's own account: what it is, and what an app may change of it."""

from typing import Annotated, Any, Final

from pydantic import Field

from gateway.actions import profile
from gateway.actions.model.confirmation import OK
from gateway.doors.api.accounts import ROUTER
from gateway.doors.api.accounts.entities import Account, AccountField, AccountRole, whole
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.errors import ApiError
from gateway.doors.api.frame.fields import Entity, Parameters
from gateway.i18n.phrases import say, template, translated
from gateway.network.follows import group_owners
from gateway.network.people import statuses

ROLES: Final = ("member", "operator", "admin")
# What is always the same, and what one would have to give for it to stay so.
FIXED: Final = {
    "locked": "false", "bot": "false", "discoverable": "true", "hide_collections": "false", "indexable": "false",
    "source.privacy": "public", "source.sensitive": "false",
}  # fmt: skip
NOT_CHANGED: Final = template(
    "An app can change your name and the line beside it. {what} cannot be changed. Nothing was changed."
)


class Source(Entity):
    """What somebody set about themselves, as plain text."""

    privacy: str = "public"
    sensitive: bool = False
    language: str
    note: str
    fields: list[AccountField]
    follow_requests_count: int
    discoverable: bool = True
    indexable: bool = False
    hide_collections: bool = False


class CredentialAccount(Account):
    """One's own account."""

    source: Source
    role: AccountRole


class CredentialChanges(Parameters):
    """`note`: the line beside the name, empty for none. Everything else is refused unless it is so already."""

    display_name: Annotated[str, Field(max_length=200)] | None = None
    note: Annotated[str, Field(max_length=2_000)] | None = None


@ROUTER.get("/api/v1/accounts/verify_credentials", "profile", "read:accounts")
def verify(call: ApiCall) -> CredentialAccount:
    """Who one is."""
    me = call.account
    status = statuses.find(call.session, me.id)
    title = [AccountField(name=translated(say("Title"), call.language), value=me.title)] if me.title else []
    asking = {person.id for person, _ in group_owners.requests(call.session, me.id)}
    source = Source(
        language=me.language, note=status.words if status else "", fields=title, follow_requests_count=len(asking)
    )  # fmt: skip
    known = whole(call, me.id)
    role = AccountRole(id=ROLES.index(me.role), name=me.role)
    return CredentialAccount(**dict(known), source=source, role=role)


@ROUTER.patch("/api/v1/accounts/update_credentials", "write:accounts", uploads=True)
def update(call: ApiCall, given: CredentialChanges) -> CredentialAccount:
    """Changes one's name and the line beside it. What Critter does not have is refused, and then nothing is
    changed."""
    if refused := _fixed(call):
        raise ApiError(422, translated(say(NOT_CHANGED, what=refused), call.language))
    if given.display_name is not None:
        actor = call.actor()
        actor.confirmed |= {OK}  # everyone sees it: whoever saves a form with that field has said yes
        call.do_as(actor, profile.rename, given.display_name)
    if given.note is not None:
        _set_status(call, given.note)
    return verify(call)


def _set_status(call: ApiCall, words: str) -> None:
    """The line that there is stays with its end."""
    now = statuses.find(call.session, call.account.id)
    if not words.strip():
        call.do(profile.end_status)
    elif now is None or words.strip() != now.words:
        call.do(profile.set_status, words)


def _fixed(call: ApiCall) -> str:
    """The first thing that was given and cannot be changed; empty when there is none."""
    fixed = {**FIXED, "source.language": call.account.language}
    for name, value in _flat(call.given).items():
        wanted = fixed.get(name)
        same = wanted is not None and str(value).casefold() in (wanted, {"true": "1", "false": "0"}.get(wanted))
        if (wanted is not None and not same) or name in ("avatar", "header") or _adds_field(call, name, value):
            return name
    return ""


def _flat(given: dict[str, Any]) -> dict[str, Any]:
    source = given.get("source")
    inner = source if isinstance(source, dict) else {}
    return {**given, **{f"source.{name}": value for name, value in inner.items()}}


def _adds_field(call: ApiCall, name: str, value: Any) -> bool:
    """Whether fields are given that are not those that there are: apps send all of them with each change."""
    if name != "fields_attributes":
        return False
    rows = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    written = [row.get("value") if isinstance(row, dict) else row for row in rows]
    return any(each and each != call.account.title for each in written)


@ROUTER.get("/api/v1/preferences", "read:accounts")
def preferences(call: ApiCall) -> dict[str, str | bool]:
    """How apps begin an update and show others'. Critter has no settings for it, so these are what apps usually do."""
    return {
        "posting:default:visibility": "public",
        "posting:default:sensitive": False,
        "posting:default:language": call.account.language,
        "reading:expand:media": "default",
        "reading:expand:spoilers": False,
        "reading:autoplay:gifs": False,
    }
