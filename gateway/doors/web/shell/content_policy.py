"""What a page of ours may load and where its forms may lead (Content-Security-Policy)."""

from typing import Final

from gateway.settings import Settings

RULES: Final = {
    "default-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
POLICY: Final = "; ".join(f"{name} {value}" for name, value in RULES.items())


def policy_of(settings: Settings, form_action: str = RULES["form-action"]) -> str:
    """Pages also listen to the stream, which may have an origin of its own. `form_action`: where the forms of the page,
    and what answers them, may lead."""
    rules = {**RULES, "form-action": form_action, "connect-src": f"'self' {settings.stream_url}"}
    return "; ".join(f"{name} {value}" for name, value in rules.items())
