"""/help: all commands, from the table of commands, in the reader's language, with a search."""

from collections.abc import Mapping
from functools import partial

from flask import Blueprint, request

from gateway.doors.route_access import access
from gateway.doors.web.shell.rendering import asked_language, render_alone
from gateway.i18n.phrases import translated
from gateway.language.usage import help_lines
from gateway.language.usage.verbs import Verb
from gateway.settings import Settings

LONGEST = 100  # characters of a search, at most


def blueprint(settings: Settings, verbs: Mapping[str, Verb]) -> Blueprint:
    """GET /help. It is public, because it says nothing about anybody."""
    pages = Blueprint("manual", __name__)

    @pages.get("/help")
    @access("public")
    def show() -> str:
        language = asked_language()
        shown = partial(translated, language=language)
        asked = " ".join(request.args.get("q", "")[:LONGEST].split())
        sections = list(help_lines.sections(verbs, language))
        found = help_lines.found(sections, asked, shown) if asked else sections
        return render_alone(settings, "help.html", language, asked=asked, sections=found, shown=shown)

    return pages
