"""Makes a page of its template: in the reader's language, by their clock, with the token for its forms."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count as counter
from secrets import token_urlsafe
from typing import Any, Final

from flask import Flask, Response, after_this_request, render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.doors.web.shell import assets, navigation, page_phrases, page_pieces, page_words
from gateway.doors.web.shell.navigation import Navigation
from gateway.doors.web.visits import cookies, flash
from gateway.doors.web.visits.visit import Visit
from gateway.i18n.phrases import ENGLISH, languages, translated
from gateway.network.feeds import pending
from gateway.settings import Settings

VIEWS: Final = assets.FOLDER.parent  # a template stands beside its view


def install(app: Flask) -> None:
    """Templates are found by their folder: reading/home.html."""
    app.jinja_loader = ChoiceLoader([FileSystemLoader(VIEWS / "templates"), FileSystemLoader(VIEWS)])
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {"asset": assets.url, "icon": page_pieces.icon, "face": page_pieces.face}
    app.jinja_env.globals |= {"portrait": page_pieces.portrait, "act": page_pieces.act}
    app.jinja_env.filters |= {"words": page_words.words, "words_marked": page_words.words_marked}
    app.jinja_env.filters |= {"initial": page_pieces.initial, "whole_time": page_words.whole_time}
    app.jinja_env.filters |= {"phone": page_words.phone}


def render(visit: Visit, template: str, **values: Any) -> str:
    """A page for who asks."""
    return render_in(visit, template, language_of(visit), **values)


def render_in(visit: Visit, template: str, language: str, **values: Any) -> str:
    """The same in the language of somebody who is known otherwise than by a session."""
    return render_template(template, **(_frame(visit, language) | _shell(visit) | values))


def render_piece(visit: Visit, template: str, **values: Any) -> str:
    """A piece that a script puts into a page which stands already: without the frame, and what that asks for."""
    return render_template(template, **(_frame(visit, language_of(visit)) | values))


def _shell(visit: Visit) -> dict[str, Any]:
    if visit.viewer is None:
        return {"nav": None, "bar": Markup}
    nav = navigation.load(visit)
    return {"nav": nav, "bar": partial(_bar, visit, nav)}


def _frame(visit: Visit, language: str) -> dict[str, Any]:
    zone = visit.viewer.account.zone_now if visit.viewer else "UTC"
    return _page(visit.settings, language, zone) | {
        "visit": visit,
        "me": visit.viewer.account if visit.viewer else None,
        "look": visit.viewer.look if visit.viewer else None,
        "csrf": visit.csrf if visit.cookie else "",
        "hold": timedelta(seconds=visit.settings.hold_seconds),
        "key": _keys(),
    }


def _page(settings: Settings, language: str, zone: str) -> dict[str, Any]:
    """What every page has, also one that nobody needs to sign in for."""
    return {
        "company": settings.company,
        "language": language,
        "look": None,
        **_voice(language),
        "clock": partial(_clock, zone, language),
        "second": partial(page_words.second, zone),
        "seconds_to": page_words.seconds_to,
        "made_at": page_words.second(zone, datetime.now(UTC)),
        "number": settings.sms_numbers[0] if settings.sms and settings.sms_numbers else None,
        "mailbox": f"post@{settings.mail_domain}" if settings.mail else None,
        "contact": settings.contact,
    }


def render_alone(
    settings: Settings, template: str, language: str | None = None, zone: str = "UTC", **values: Any
) -> str:
    """A page that stands by itself: behind a link of ours, for everybody, or about something that failed. `language`:
    of who got the link; a page may be asked in another, and else the browser says it."""
    language = chosen_language() or language or asked_language()
    return render_template(template, **(_page(settings, language, zone) | values))


def language_of(visit: Visit) -> str:
    """The person's own language; a visitor's is what the browser asks for, or what the page was asked in."""
    return visit.viewer.account.language if visit.viewer else asked_language()


def asked_language() -> str:
    """What was chosen on the page, else what the browser asks for."""
    return chosen_language() or request.accept_languages.best_match(sorted(languages())) or ENGLISH


def chosen_language() -> str | None:
    """The language that the address names; None when it names none that we speak."""
    asked = request.args.get("lang", "")
    return asked if asked in languages() else None


def _voice(language: str) -> dict[str, Callable[..., str]]:
    """`say` and `count` in templates are those of Python, in the reader's language already; `tell` is for what a view
    gives as a phrase."""
    return {
        "say": partial(page_phrases.say, language),
        "count": partial(page_phrases.count, language),
        "tell": partial(translated, language=language),
        "via": partial(page_pieces.via, language),
    }


def _clock(zone: str, language: str, at: datetime) -> Markup:
    return page_words.clock(at, zone, language)


def _bar(visit: Visit, nav: Navigation) -> Markup:
    """The bar at the foot: an own update that has not left yet, or what was just done."""
    done = flash.read(request, visit)
    looked = nav.leaving and not done
    waiting = pending.find(visit.session, visit.account.id, visit.settings.hold_seconds) if looked else None
    if waiting is None and done is None:
        return Markup()
    after_this_request(lambda answer: _said_once(visit, answer))
    return Markup(render_template("shell/bar.html", **_frame(visit, language_of(visit)), waiting=waiting, done=done))  # noqa: S704


def _said_once(visit: Visit, answer: Response) -> Response:
    cookies.remove(answer, visit.settings, cookies.FLASH)
    return answer


def _keys() -> Callable[[], str]:
    """A key for each form of a page: what is sent twice is done once."""
    page, number = token_urlsafe(9), counter()
    return lambda: f"{page}.{next(number)}"
