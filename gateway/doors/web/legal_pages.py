"""/terms and /privacy: what carriers ask for when a number is registered, filled from the settings, so that it is true
of this installation. The company's lawyers may want more; these say what the program does."""

from flask import Blueprint

from gateway.doors.route_access import access
from gateway.doors.web.shell.rendering import render_alone
from gateway.settings import Settings


def blueprint(settings: Settings) -> Blueprint:
    """They are public, and say nothing about anybody."""
    pages = Blueprint("legal", __name__)

    @pages.get("/terms")
    @access("public")
    def terms() -> str:
        return render_alone(settings, "terms.html", numbers=settings.sms_numbers if settings.sms else ())

    @pages.get("/privacy")
    @access("public")
    def privacy() -> str:
        return render_alone(settings, "privacy.html", kept=settings)

    return pages
