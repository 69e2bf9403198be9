"""/help: everything that can be said, from the table of commands, in the reader's language."""

from collections.abc import Mapping

from flask import Blueprint, render_template, request

from gateway.doors.access import access
from gateway.language import manual
from gateway.language.phrases import ENGLISH, languages, translated
from gateway.language.verbs import Verb
from gateway.settings import Settings


def blueprint(settings: Settings, verbs: Mapping[str, Verb]) -> Blueprint:
    """Public: it says nothing about anybody."""
    pages = Blueprint("manual", __name__)

    @pages.get("/help")
    @access("public")
    def show() -> str:
        language = request.accept_languages.best_match(sorted(languages())) or ENGLISH
        rows = [_row(verb, language) for verb in manual.ready(verbs)]
        number = settings.sms_numbers[0] if settings.sms and settings.sms_numbers else None
        mailbox = f"post@{settings.mail_domain}" if settings.mail else None
        return render_template("help.html", rows=rows, language=language, number=number, mailbox=mailbox)

    return pages


def _row(verb: Verb, language: str) -> dict[str, object]:
    also = (*verb.aliases, *verb.abroad.get(language.partition("-")[0], ()))
    return {"usages": verb.usages, "aliases": also, "about": translated(manual.described(verb), language)}
