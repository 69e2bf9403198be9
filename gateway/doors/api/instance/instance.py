"""The installation as apps show it. It says nothing about anybody; its figures are those of figures.py."""

from typing import Any, Final
from urllib.parse import urlsplit

from gateway.doors.api.accounts.entities import Account
from gateway.doors.api.frame.call import ApiCall
from gateway.doors.api.frame.fields import Entity, Id
from gateway.doors.api.instance import ROUTER, abilities, figures
from gateway.doors.web.shell import assets
from gateway.i18n.phrases import ENGLISH, languages, say, template, translated

ICON_SIZES: Final = (192, 512)
HOME_PAGE: Final = "/help"
ABOUT: Final = template("The short-message network of {company}, by text, mail and web.")
CLOSED: Final = say("People are added by those who run it.")


class HouseRule(Entity):
    """A rule of the house."""

    id: Id
    text: str
    hint: str = ""


class InstanceUrls(Entity):
    streaming_api: str


class InstanceStats(Entity):
    user_count: int
    status_count: int
    domain_count: int = 1


class OldInstance(Entity):
    """As clients of before version 4 know it."""

    uri: str
    title: str
    short_description: str
    description: str
    email: str
    version: str
    urls: InstanceUrls
    stats: InstanceStats
    thumbnail: str
    languages: list[str]
    registrations: bool = False
    approval_required: bool = False
    invites_enabled: bool = False
    configuration: dict[str, Any]
    contact_account: Account | None = None
    rules: list[HouseRule]


class ActiveUsers(Entity):
    active_month: int


class InstanceUsage(Entity):
    users: ActiveUsers


class Thumbnail(Entity):
    url: str


class Icon(Entity):
    src: str
    size: str


class Registrations(Entity):
    enabled: bool = False
    approval_required: bool = False
    message: str


class Contact(Entity):
    email: str
    account: Account | None = None


class Instance(Entity):
    domain: str
    title: str
    version: str
    source_url: str
    description: str
    usage: InstanceUsage
    thumbnail: Thumbnail
    icon: list[Icon]
    languages: list[str]
    configuration: dict[str, Any]
    registrations: Registrations
    api_versions: dict[str, int]
    contact: Contact
    rules: list[HouseRule]


@ROUTER.get("/api/v1/instance", who="anyone")
def old_instance(call: ApiCall) -> OldInstance:
    """What this installation is and can, as older clients ask for it."""
    found = figures.current(call)
    return OldInstance(
        uri=_host(call), title=_title(call), short_description=_about(call), description=_about(call),
        email=_mailbox(call), version=abilities.version(),
        urls=InstanceUrls(streaming_api=abilities.streaming_url(call)),
        stats=InstanceStats(user_count=found.people, status_count=found.updates),
        thumbnail=_icon(call, ICON_SIZES[-1]), languages=sorted(languages()), configuration=abilities.limits(call),
        rules=[],
    )  # fmt: skip


@ROUTER.get("/api/v2/instance", who="anyone")
def instance(call: ApiCall) -> Instance:
    """What this installation is and can."""
    more = {
        "urls": {"streaming": abilities.streaming_url(call)},
        "vapid": {"public_key": call.vapid_key},
        "translation": {"enabled": False},
    }
    return Instance(
        domain=_host(call), title=_title(call), version=abilities.version(), source_url=call.url(HOME_PAGE),
        description=_about(call),
        usage=InstanceUsage(users=ActiveUsers(active_month=figures.current(call).active_month)),
        thumbnail=Thumbnail(url=_icon(call, ICON_SIZES[-1])),
        icon=[Icon(src=_icon(call, size), size=f"{size}x{size}") for size in ICON_SIZES],
        languages=sorted(languages()), configuration=abilities.limits(call) | more,
        registrations=Registrations(message=translated(CLOSED, ENGLISH)),
        api_versions={"mastodon": abilities.API_GENERATION}, contact=Contact(email=_mailbox(call)), rules=[],
    )  # fmt: skip


@ROUTER.get("/api/v1/instance/rules", who="anyone")
def rules(call: ApiCall) -> list[HouseRule]:
    """The rules of the house. There are none beside what /terms says."""
    return []


def _host(call: ApiCall) -> str:
    return urlsplit(call.settings.public_url).netloc


def _title(call: ApiCall) -> str:
    return f"Critter, {call.settings.company}"


def _about(call: ApiCall) -> str:
    return translated(say(ABOUT, company=call.settings.company), call.language)


def _mailbox(call: ApiCall) -> str:
    """Of whoever runs this, when it is a mailbox that they have given."""
    return call.settings.contact if "@" in call.settings.contact else ""


def _icon(call: ApiCall, size: int) -> str:
    return call.url(assets.url(f"app-{size}.png"))
