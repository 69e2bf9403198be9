"""Who we are, STOP and HELP: what the first text to any phone says. workers/sending/render_sms puts it behind the
words."""

from gateway.i18n.phrases import say, translated


def introduction(words: str, company: str, language: str) -> str:
    """What `words` do not say already, to stand behind them."""
    if "STOP" in words:
        return "" if company in words else f"\n{company}"
    return "\n" + translated(say("{company}: STOP to end texts, HELP for help.", company=company), language)
