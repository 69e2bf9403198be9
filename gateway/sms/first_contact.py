"""The introduction in the first text to a phone: who we are, STOP and HELP. workers/sending/render_sms appends it."""

from gateway.i18n.phrases import say, translated


def introduction(words: str, company: str, language: str) -> str:
    """What to append to `words`: only what they do not say already."""
    if "STOP" in words:
        return "" if company in words else f"\n{company}"
    return "\n" + translated(say("{company}: STOP to end texts, HELP for help.", company=company), language)
