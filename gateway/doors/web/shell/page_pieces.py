"""Small pieces that stand many times on a page: icons, faces, how something came, the buttons below an update. They are
made here and not by macros, because a list has hundreds of them and a macro costs ten times as much."""

from functools import lru_cache
from typing import Final
from zlib import crc32

from markupsafe import Markup, escape

from gateway.doors.web.shell import assets
from gateway.doors.web.shell.page_phrases import say
from gateway.i18n.phrases import template

FACES: Final = 6
WAYS: Final = {  # symbol and words, by the door through which an update came
    "sms": ("text", template("by text")),
    "email": ("mail", template("by mail")),
    "push": ("push", template("by push")),
    "web": ("web", template("on the web")),
    "cli": ("company", template("from the console")),
    "api": ("web", template("by an app")),
}


@lru_cache(200)
def icon(name: str, size: str = "") -> Markup:
    return Markup('<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        f" {size}" if size else "", assets.url("icons.svg"), name
    )


def face(account_id: int) -> str:
    """One of six grounds for the initial of a name, always the same for a person. Ids of people who were added together
    differ only in their last digits, so they are mixed first."""
    return f"f{crc32(account_id.to_bytes(8)) % FACES + 1}"


def initial(name: str) -> str:
    return next((each.upper() for each in name if each.isalnum()), "?")


@lru_cache(5_000)
def portrait(account_id: int, kind: str, handle: str, name: str, size: str = "", *, link: bool = True) -> Markup:
    """The face of a person or group. It only helps the eye: the name beside it is the link for everybody else."""
    look = f"face {face(account_id)}{' group' if kind == 'group' else ''} {size}".rstrip()
    shown = "#" if kind == "group" else initial(name)
    if link:
        return Markup('<a class="{}" href="/@{}" tabindex="-1" aria-hidden="true">{}</a>').format(look, handle, shown)
    return Markup('<span class="{}" aria-hidden="true">{}</span>').format(look, shown)


@lru_cache(100)
def via(language: str, how: str) -> Markup:
    symbol, words = WAYS.get(how, ("web", how))
    return Markup('<span class="via">{}{}</span>').format(icon(symbol), say(language, words))


def act(path: str, name: str, symbol: str, label: str, key: str, count: int = 0, pressed: bool | None = None) -> Markup:
    """A button below an update. `path`, `name`, `symbol` and `key` are our own; `label` is for those who hear it."""
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    number = f"<span>{count}</span>" if count else ""
    return Markup(  # noqa: S704 - put together from our own words
        f'<button class="act {name}" form="acts" formaction="{path}" name="key" value="{key}"'
        f' aria-label="{escape(label)}{f", {count}" if count else ""}"{state}>{icon(symbol)}{number}</button>'
    )
