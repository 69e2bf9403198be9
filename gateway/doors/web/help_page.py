"""/help: all commands, from the table of commands, in the reader's language, with a search."""

from collections.abc import Mapping
from functools import partial

from flask import Blueprint, render_template, request

from gateway.doors.route_access import access
from gateway.i18n.phrases import ENGLISH, languages, translated
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
        language = request.accept_languages.best_match(sorted(languages())) or ENGLISH
        shown = partial(translated, language=language)
        asked = " ".join(request.args.get("q", "")[:LONGEST].split())
        sections = list(help_lines.sections(verbs, language))
        return render_template(
            "help.html",
            asked=asked,
            sections=help_lines.found(sections, asked, shown) if asked else sections,
            shown=shown,
            language=language,
            number=settings.sms_numbers[0] if settings.sms and settings.sms_numbers else None,
            mailbox=f"post@{settings.mail_domain}" if settings.mail else None,
        )

    return pages
